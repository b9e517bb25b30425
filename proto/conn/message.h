// The JSON messages of handshake, group, identity and pairing: texts with a "command" (WIRE.md 4, 5, 6), and what is
// said when one is wrong (WIRE.md 4.5).
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/box.h"
#include "crypto/sign.h"

enum { MESSAGE_CLOSE_TEXT = 124 }; // 123 bytes of a close reason and a zero

// The message as an object whose command is the expected one; new reference. NULL and e otherwise.
json_t *message_read(bool text, struct span payload, const char *command, struct error *e);

// "Received data does not match the data expected for command 'X'"
enum status message_mismatch(const char *command, struct error *e);

struct span message_string(const json_t *object, const char *name);            // ptr NULL: no such string
bool message_is_hex(struct span text);                                         // non-empty, whole bytes
bool message_key(const json_t *object, const char *name, uint8_t b[32]);       // exactly 64 hex digits
void message_add_key(const char *name, const uint8_t b[32], struct buf *out);  // ,"name":"hex"
void message_add_string(const char *name, struct span value, struct buf *out); // ,"name":"value"

// Is that what is said, behind "Close called", by who ends a connection because it is to end, and not for an error?
bool message_is_intended(struct span reason);

// The full reason of a close (WIRE.md 2.3), cut to 123 bytes at a character. opening: "Close called" or "Terminate
// called"; text NULL = only "Close called.".
void message_close_text(const char *opening, const char *text, char out[MESSAGE_CLOSE_TEXT]);

// The T of a failure above the framing: the error's class, the reference's code if it is one, and the message.
void message_error_text(const struct error *e, char *out, size_t size);
