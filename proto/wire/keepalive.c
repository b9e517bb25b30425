#include "wire/keepalive.h"

void keepalive_begin(struct keepalive *k, uint64_t now_ms)
{
    keepalive_sent(k, now_ms);
    keepalive_received(k, now_ms);
}

void keepalive_sent(struct keepalive *k, uint64_t now_ms)
{
    k->send_at = now_ms + KEEPALIVE_SEND_MS;
}

void keepalive_received(struct keepalive *k, uint64_t now_ms)
{
    k->lost_at = now_ms + KEEPALIVE_RECEIVE_MS;
}

uint64_t keepalive_deadline(const struct keepalive *k)
{
    return k->send_at < k->lost_at ? k->send_at : k->lost_at;
}

void keepalive_escape(struct span text, struct buf *out)
{
    buf_add_span(out, text);
    if (span_starts_with(text, KEEPALIVE_TEXT))
        buf_add_char(out, 'x');
}

// The last character goes, whatever it is; it may be more than one byte.
static void drop_last_character(struct span *text)
{
    do
        text->len--;
    while (text->len != 0 && ((uint8_t)text->ptr[text->len] & 0xc0) == 0x80);
}

bool keepalive_unescape(struct span *text)
{
    if (span_eq(*text, KEEPALIVE_TEXT))
        return false;
    if (span_starts_with(*text, KEEPALIVE_TEXT))
        drop_last_character(text);
    return true;
}
