// Whose key a WebSocket client says is speaking, read from the first bytes it sends.
#pragma once

#include "base/bytes.h"

enum peek { PEEK_MORE, PEEK_FOUND, PEEK_NOTHING };

// key takes 65 bytes. MORE: not enough has come; NOTHING: it is something else, or longer than a first message is.
enum peek peek_key(struct span bytes, char *key);
