// Only times and the escaping; pipeline.c sends and closes. A text of the application that begins like a lifesign
// carries one more character at its end.
#include "wire/keepalive.h"

#include "base/text.h"

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

bool keepalive_unescape(struct span *text)
{
    if (span_eq(*text, KEEPALIVE_TEXT))
        return false;
    if (span_starts_with(*text, KEEPALIVE_TEXT))
        *text = utf8_beginning(*text, text->len - 1); // the last character goes, whatever it is
    return true;
}
