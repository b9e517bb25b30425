// Eight bytes of a message are masked at once, with the mask twice.
#include "net/ws_frame.h"

#include <string.h>

enum { FINAL = 0x80, TEXT = 1, BINARY = 2, MASKED = 0x80, LEN_16 = 126, LEN_64 = 127 };

static size_t length_bytes(size_t len)
{
    if (len < LEN_16)
        return 0;
    return len <= UINT16_MAX ? 2 : 8;
}

size_t ws_frame_head_size(size_t len, bool masked)
{
    return 2 + length_bytes(len) + (masked ? WS_FRAME_MASK : 0);
}

static uint8_t *write_length(uint8_t *out, size_t len, uint8_t masked)
{
    size_t more = length_bytes(len);
    *out++ = (uint8_t)(masked | (more == 0 ? len : more == 2 ? LEN_16 : LEN_64));
    for (size_t i = more; i > 0; i--)
        *out++ = (uint8_t)((uint64_t)len >> (8 * (i - 1)));
    return out;
}

static void write_masked(uint8_t *out, struct span message, const uint8_t mask[WS_FRAME_MASK])
{
    uint64_t twice, word;
    size_t at = 0;
    memcpy(&twice, mask, WS_FRAME_MASK);
    memcpy((uint8_t *)&twice + WS_FRAME_MASK, mask, WS_FRAME_MASK);
    for (; message.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, message.ptr + at, sizeof word);
        word ^= twice;
        memcpy(out + at, &word, sizeof word);
    }
    for (; at < message.len; at++)
        out[at] = (uint8_t)message.ptr[at] ^ mask[at % WS_FRAME_MASK];
}

void ws_frame_write(uint8_t *out, bool text, struct span message, const uint8_t *mask)
{
    *out++ = FINAL | (text ? TEXT : BINARY);
    out = write_length(out, message.len, mask != NULL ? MASKED : 0);
    if (mask != NULL) {
        memcpy(out, mask, WS_FRAME_MASK);
        write_masked(out + WS_FRAME_MASK, message, mask);
    } else if (message.len != 0) {
        memcpy(out, message.ptr, message.len);
    }
}
