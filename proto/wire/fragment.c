// Whether a text goes whole is decided by its UTF-16 units, as the reference counts; pieces are bytes, and may cut a
// character. So a text is repaired when it is whole; one that is handed on in pieces is not. A text that begins like a
// control message carries one more character at its end, which the receiver drops.
#include "wire/fragment.h"

#include "base/text.h"
#include "wire/frame.h"

static const struct span START_BINARY = {"fragmentation_start_binary", 26};
static const struct span START_STRING = {"fragmentation_start_string", 26};
static const struct span END = {"fragmentation_end", 17};

// ---- Sending ----

static bool begins_like_control(struct span text)
{
    return span_starts_with(text, START_BINARY) || span_starts_with(text, START_STRING) || span_starts_with(text, END);
}

static void send_whole(bool text, struct span message, fragment_emit emit, void *ctx)
{
    if (!text || !begins_like_control(message)) {
        emit(ctx, text, message);
        return;
    }
    struct buf escaped = {0};
    buf_add_span(&escaped, message);
    buf_add_char(&escaped, 'x');
    emit(ctx, true, buf_span(&escaped));
    buf_free(&escaped);
}

static bool fits(bool text, struct span message)
{
    if (!text)
        return message.len <= FRAGMENT_CHUNK;
    return message.len < FRAGMENT_TEXT_UNITS ||
           (message.len / 3 < FRAGMENT_TEXT_UNITS && utf16_length(message) < FRAGMENT_TEXT_UNITS);
}

void fragment_send(bool text, struct span message, fragment_emit emit, void *ctx)
{
    if (fits(text, message)) {
        send_whole(text, message, emit, ctx);
        return;
    }
    emit(ctx, true, text ? START_STRING : START_BINARY);
    while (message.len != 0) {
        size_t len = message.len < FRAGMENT_CHUNK ? message.len : FRAGMENT_CHUNK;
        emit(ctx, false, (struct span){message.ptr, len});
        message = span_from(message, len);
    }
    emit(ctx, true, END);
}

// ---- Receiving ----

static const char *open_name(const struct fragment_receiver *r)
{
    return r->open == FRAGMENT_STRING ? "string" : "binary";
}

static enum status start(struct fragment_receiver *r, struct span control, struct error *e)
{
    if (r->open != FRAGMENT_NONE)
        return error_set(e, STATUS_INVALID, "BAD-FRAGMENT",
                         "Already processing %s chunks. " SPAN_FMT " message not allowed.", open_name(r),
                         SPAN_ARG(control));
    r->open = span_eq(control, START_STRING) ? FRAGMENT_STRING : FRAGMENT_BINARY;
    r->streaming = r->streams && r->open == FRAGMENT_STRING;
    r->came = 0;
    buf_clear(&r->bytes);
    return STATUS_OK;
}

static enum status finish(struct fragment_receiver *r, struct fragment_message *out, struct error *e)
{
    if (r->open == FRAGMENT_NONE)
        return error_set(e, STATUS_INVALID, "BAD-FRAGMENT",
                         "No chunks processing in progress. fragmentation_end message not allowed.");
    *out = (struct fragment_message){.present = true,
                                     .text = r->open == FRAGMENT_STRING,
                                     .piece = r->streaming,
                                     .first = r->streaming && r->came == 0,
                                     .last = r->streaming};
    if (out->text && !r->streaming)
        frame_repair_text(&r->bytes, 0);
    if (!r->streaming) {
        budget_give(r->budget, BUDGET_HELD, r->came);
        out->bytes = buf_span(&r->bytes);
    }
    r->open = FRAGMENT_NONE;
    return STATUS_OK;
}

static enum status append(struct fragment_receiver *r, struct span piece, struct fragment_message *out, struct error *e)
{
    if (piece.len > r->limit || r->came > r->limit - piece.len)
        return error_set(e, STATUS_TOO_BIG, "MESSAGE-TOO-BIG", "A message of more than %zu bytes is not accepted.",
                         r->limit);
    if (r->streaming) {
        *out = (struct fragment_message){
            .present = piece.len != 0, .text = true, .piece = true, .first = r->came == 0, .bytes = piece};
        r->came += piece.len;
        return STATUS_OK;
    }
    enum status st = budget_take(r->budget, BUDGET_HELD, piece.len, e);
    if (st != STATUS_OK)
        return st;
    r->came += piece.len;
    buf_add_span(&r->bytes, piece);
    return STATUS_OK;
}

// Drops the character an escaped text carries at its end.
static struct span unescape(struct span text)
{
    return begins_like_control(text) ? utf8_beginning(text, text.len - 1) : text;
}

enum status fragment_receive(struct fragment_receiver *r, bool text, struct span message, struct fragment_message *out,
                             struct error *e)
{
    *out = (struct fragment_message){0};
    if (text && (span_eq(message, START_STRING) || span_eq(message, START_BINARY)))
        return start(r, message, e);
    if (text && span_eq(message, END))
        return finish(r, out, e);
    if (r->open != FRAGMENT_NONE) {
        if (!text)
            return append(r, message, out, e);
        return error_set(e, STATUS_INVALID, "BAD-FRAGMENT",
                         "Currently processing %s chunks. No string messages allowed except the fragmentation_end "
                         "message.",
                         open_name(r));
    }
    *out = (struct fragment_message){.present = true, .text = text, .bytes = text ? unescape(message) : message};
    return STATUS_OK;
}

void fragment_receiver_consumed(struct fragment_receiver *r)
{
    if (r->open == FRAGMENT_NONE && r->bytes.cap > FRAGMENT_KEPT)
        buf_free(&r->bytes);
}

void fragment_receiver_end(struct fragment_receiver *r)
{
    buf_free(&r->bytes);
}
