// Inside proto/net only: WebSocket frames as they are sent (RFC 6455 5.2). libwebsockets would make them, too, but
// masks each byte by itself, and takes one at a time.
#pragma once

#include "base/bytes.h"

enum { WS_FRAME_HEAD_MAX = 14, WS_FRAME_MASK = 4 };

// How many bytes the head of a whole message of so many bytes has.
size_t ws_frame_head_size(size_t len, bool masked);
// Writes head and message; mask NULL: as it is, as servers send.
void ws_frame_write(uint8_t *out, bool text, struct span message, const uint8_t *mask);
