// An HTTP request, then a masked text frame (RFC 6455 5.2) with {"command":"communication_request","sourcePublicKey":…}
// or a relay's {"command":"register","publicKey":…}.
#include "supervisor/simulate/peek.h"

#include <jansson.h>
#include <string.h>

enum { HEAD_MAX = 8 * 1024, MESSAGE_MAX = 2 * 1024, TEXT_FRAME = 0x81, MASKED = 0x80, SHORT_MAX = 125, LONG = 126 };
enum { KEY = 64, MASK = 4 };

static bool take_member(const json_t *message, const char *member, char *key)
{
    const char *text = json_string_value(json_object_get(message, member));
    if (text == NULL || strlen(text) != KEY)
        return false;
    memcpy(key, text, KEY + 1);
    return true;
}

static enum peek read_message(const unsigned char *masked, size_t len, const unsigned char *mask, char *key)
{
    char text[MESSAGE_MAX];
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(masked[i] ^ mask[i % MASK]);
    json_t *message = json_loadb(text, len, 0, NULL);
    bool found = take_member(message, "sourcePublicKey", key) || take_member(message, "publicKey", key);
    json_decref(message);
    return found ? PEEK_FOUND : PEEK_NOTHING;
}

static enum peek read_frame(const unsigned char *at, size_t len, char *key)
{
    size_t head = 2;
    if (len < 2)
        return PEEK_MORE;
    if (at[0] != TEXT_FRAME || (at[1] & MASKED) == 0)
        return PEEK_NOTHING;
    size_t size = at[1] & ~MASKED & 0xff;
    if (size == LONG) {
        head += 2;
        if (len < head)
            return PEEK_MORE;
        size = (size_t)at[2] << 8 | at[3];
    } else if (size > SHORT_MAX) {
        return PEEK_NOTHING;
    }
    if (size > MESSAGE_MAX)
        return PEEK_NOTHING;
    if (len < head + MASK + size)
        return PEEK_MORE;
    return read_message(at + head + MASK, size, at + head, key);
}

enum peek peek_key(struct span bytes, char *key)
{
    const char *end = bytes.len > 0 ? memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return bytes.len < HEAD_MAX ? PEEK_MORE : PEEK_NOTHING;
    struct span rest = span_from(bytes, (size_t)(end - bytes.ptr) + 4);
    return read_frame((const unsigned char *)rest.ptr, rest.len, key);
}
