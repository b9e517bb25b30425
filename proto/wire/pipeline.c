// Each stage escapes for itself what looks like a message of its own: a text of the application that begins like a
// lifesign carries one more character at its end. Only what opens is a sign of life: bytes that others put in keep no
// connection open.
#include "wire/pipeline.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"

struct pipeline {
    struct frame_codec codec;
    struct fragment_receiver fragments;
    struct buf opened; // the last received message
    struct buf sealed; // the frame being sent
    pipeline_emit emit;
    void *ctx;
    uint64_t sending_at;  // now_ms of the pipeline_send under way
    uint64_t lifesign_at; // when one is due
    uint64_t lost_at;     // when the peer has been silent for too long
    bool paused;
    struct pipeline_counts counts;
};

static void note_sent(struct pipeline *p, uint64_t now_ms)
{
    p->lifesign_at = clock_together(now_ms + KEEPALIVE_SEND_MS, KEEPALIVE_SLACK_MS);
}

static void note_received(struct pipeline *p, uint64_t now_ms)
{
    p->lost_at = now_ms + KEEPALIVE_RECEIVE_MS;
}

struct pipeline *pipeline_create(struct secret *shared_key, enum frame_side side, size_t limit,
                                 const struct random_source *random, pipeline_emit emit, void *ctx, uint64_t now_ms)
{
    struct pipeline *p = mem_alloc(sizeof *p);
    frame_codec_begin(&p->codec, shared_key, side, random);
    note_sent(p, now_ms);
    note_received(p, now_ms);
    p->fragments.limit = limit;
    p->emit = emit;
    p->ctx = ctx;
    return p;
}

void pipeline_destroy(struct pipeline *p)
{
    if (p == NULL)
        return;
    frame_codec_end(&p->codec);
    fragment_receiver_end(&p->fragments);
    buf_free(&p->opened);
    buf_free(&p->sealed);
    free(p);
}

void pipeline_set_limit(struct pipeline *p, size_t limit)
{
    p->fragments.limit = limit;
}

void pipeline_set_budget(struct pipeline *p, struct budget *budget)
{
    p->fragments.budget = budget;
}

void pipeline_stream_texts(struct pipeline *p)
{
    p->fragments.streams = true;
}

void pipeline_set_paused(struct pipeline *p, bool paused, uint64_t now_ms)
{
    p->paused = paused;
    note_received(p, now_ms);
}

// ---- Sending: fragmentation → keepalive → encryption ----

static void send_frame(struct pipeline *p, bool text, struct span message, uint64_t now_ms)
{
    buf_clear(&p->sealed);
    frame_seal(&p->codec, text, message, &p->sealed);
    p->counts.sealed++;
    note_sent(p, now_ms);
    p->emit(p->ctx, buf_span(&p->sealed));
}

static void send_piece(void *ctx, bool text, struct span message)
{
    struct pipeline *p = ctx;
    if (!text || !span_starts_with(message, KEEPALIVE_TEXT)) {
        send_frame(p, text, message, p->sending_at);
        return;
    }
    struct buf escaped = {0};
    buf_add_span(&escaped, message);
    buf_add_char(&escaped, 'x');
    send_frame(p, true, buf_span(&escaped), p->sending_at);
    buf_free(&escaped);
}

void pipeline_send(struct pipeline *p, bool text, struct span message, uint64_t now_ms)
{
    p->sending_at = now_ms;
    p->counts.messages_sent++;
    fragment_send(text, message, send_piece, p);
}

// ---- Receiving: encryption → keepalive → fragmentation ----

// false: it was a lifesign, nothing for the layers above.
static bool unescape(struct span *text)
{
    if (span_eq(*text, KEEPALIVE_TEXT))
        return false;
    if (span_starts_with(*text, KEEPALIVE_TEXT))
        *text = utf8_beginning(*text, text->len - 1); // the last character goes, whatever it is
    return true;
}

enum status pipeline_receive(struct pipeline *p, bool text, struct span frame, uint64_t now_ms,
                             struct fragment_message *out, struct error *e)
{
    *out = (struct fragment_message){0};
    if (text)
        return error_set(e, STATUS_INVALID, "BAD-FRAME",
                         "Incoming encrypted message is a string, it needs to be binary");
    if (frame.len > p->fragments.limit + (1u << 20))
        return error_set(e, STATUS_TOO_BIG, "MESSAGE-TOO-BIG", "A message of more than %zu bytes is not accepted.",
                         p->fragments.limit);
    bool is_text;
    enum status status = frame_open(&p->codec, frame, &is_text, &p->opened, e);
    if (status != STATUS_OK)
        return status;
    p->counts.opened++;
    note_received(p, now_ms);
    struct span message = buf_span(&p->opened);
    if (is_text && !unescape(&message)) {
        p->counts.lifesigns_received++;
        return STATUS_OK;
    }
    status = fragment_receive(&p->fragments, is_text, message, out, e);
    p->counts.messages_received += status == STATUS_OK && out->present && (!out->piece || out->last);
    return status;
}

void pipeline_consumed(struct pipeline *p)
{
    fragment_receiver_consumed(&p->fragments);
    if (p->opened.cap > FRAGMENT_KEPT)
        buf_free(&p->opened);
}

const struct pipeline_counts *pipeline_counts(const struct pipeline *p)
{
    return &p->counts;
}

// ---- Time ----

uint64_t pipeline_deadline(const struct pipeline *p)
{
    return p->paused || p->lifesign_at < p->lost_at ? p->lifesign_at : p->lost_at;
}

enum status pipeline_on_time(struct pipeline *p, uint64_t now_ms, struct error *e)
{
    if (!p->paused && now_ms >= p->lost_at)
        return error_set(e, STATUS_TIMEOUT, "PEER-SILENT", "%s", KEEPALIVE_LOST);
    if (now_ms >= p->lifesign_at) {
        send_frame(p, true, KEEPALIVE_TEXT, now_ms);
        p->counts.lifesigns_sent++;
    }
    return STATUS_OK;
}
