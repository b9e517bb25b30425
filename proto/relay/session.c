// A transport whose other end is another relay. Order and flow are kept here, since NATS promises neither: frames are
// numbered, a gap ends the session, and at most WINDOW bytes are unacknowledged.
#include "relay/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/cluster_internal.h"

enum { HEAD = 5, PART_MAX = 65536, WINDOW = 1 << 20, ACK_EVERY = 32 << 10, MESSAGE_MAX = 16 << 20 };
enum { HIGH_WATER = 256 << 10, LOW_WATER = 8 << 10, KEEP_ALIVE_MS = 5000, SILENCE_MS = 15000, FLUSH_MS = 5000 };
enum { CODE_NORMAL = 1000, CODE_LOST = 1006 };

#define NOBODY "Close called: No listening connection for the specified publicKey."

struct frame { // waits to be sent, or was received while paused
    struct frame *next;
    size_t len;
    char bytes[];
};

struct frames {
    struct frame *first, *last;
    size_t bytes;
};

struct session {
    struct transport base; // first
    struct cluster *cluster;
    struct hash id;
    char remote[SUBJECT_MAX]; // "" until it is known
    uint32_t sent, received;  // numbers of the last frames
    struct frames out, in;
    size_t unacknowledged; // sent bytes
    size_t taken;          // received bytes not acknowledged yet
    struct buf partial;
    char *reason; // our own, once closing
    struct loop_timer *timer;
    uint64_t heard_at, close_at;
    bool paused, busy, delivering;
};

static void append(struct frames *q, struct span bytes)
{
    struct frame *f = mem_resize(NULL, sizeof *f + bytes.len);
    *f = (struct frame){.len = bytes.len};
    memcpy(f->bytes, bytes.ptr, bytes.len);
    *(q->last != NULL ? &q->last->next : &q->first) = f;
    q->last = f;
    q->bytes += bytes.len;
}

static struct frame *take(struct frames *q)
{
    struct frame *f = q->first;
    q->first = f->next;
    if (q->first == NULL)
        q->last = NULL;
    q->bytes -= f->len;
    return f;
}

static void write_number(char out[4], uint32_t n)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(n >> (24 - 8 * i));
}

static uint32_t read_number(const char *in)
{
    const unsigned char *b = (const unsigned char *)in;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void publish(struct session *s, char kind, uint32_t number, struct span payload)
{
    struct buf b = {0};
    char n[4];
    write_number(n, number);
    buf_add_char(&b, kind);
    buf_add(&b, n, sizeof n);
    if (payload.len != 0)
        buf_add_span(&b, payload);
    cluster_publish(s->cluster, s->remote, NULL, buf_span(&b));
    buf_free(&b);
}

static void publish_close(struct session *s)
{
    publish(s, 'C', ++s->sent, span_of(s->reason));
    s->close_at = loop_now(s->cluster->loop);
    loop_timer_set(s->timer, 0); // the user is told from the loop
}

static void flush(struct session *s)
{
    while (s->out.first != NULL && s->remote[0] != '\0' && s->unacknowledged < WINDOW) {
        struct frame *f = take(&s->out);
        s->unacknowledged += f->len - 1;
        publish(s, f->bytes[0], ++s->sent, (struct span){f->bytes + 1, f->len - 1});
        free(f);
    }
    if (s->out.first == NULL && s->reason != NULL && s->remote[0] != '\0' && s->close_at > loop_now(s->cluster->loop))
        publish_close(s);
}

// transport_ops

static struct session *session_of(struct transport *t)
{
    return (struct session *)t;
}

static void op_send(struct transport *t, bool text, struct span payload)
{
    struct session *s = session_of(t);
    struct buf part = {0};
    if (s->reason != NULL)
        return;
    s->base.messages_sent++;
    s->base.bytes_sent += payload.len;
    do {
        size_t n = payload.len < PART_MAX ? payload.len : PART_MAX;
        bool last = n == payload.len;
        buf_clear(&part);
        buf_add_char(&part, text ? (last ? 'T' : 't') : (last ? 'B' : 'b'));
        if (n != 0)
            buf_add(&part, payload.ptr, n);
        append(&s->out, buf_span(&part));
        payload = span_from(payload, n);
    } while (payload.len != 0);
    buf_free(&part);
    flush(s);
    s->busy |= s->out.bytes > HIGH_WATER;
}

static void op_close(struct transport *t, const char *reason)
{
    struct session *s = session_of(t);
    if (s->reason != NULL)
        return;
    s->reason = mem_text(span_of(reason));
    s->close_at = loop_now(s->cluster->loop) + FLUSH_MS;
    loop_timer_set(s->timer, FLUSH_MS);
    flush(s);
}

static void op_pause(struct transport *t, bool paused)
{
    struct session *s = session_of(t);
    s->paused = paused;
    if (!paused && s->reason == NULL && s->in.first != NULL)
        loop_timer_set(s->timer, 0); // the user is told from the loop
}

static size_t op_queued(const struct transport *t)
{
    return ((const struct session *)t)->out.bytes;
}

static void op_wake_at(struct transport *t, uint64_t monotonic_ms)
{
    (void)t, (void)monotonic_ms; // the relay keeps its own deadlines
}

static const struct transport_ops ops = {op_send, op_close, op_pause, op_queued, op_wake_at};

// Receiving

static void acknowledge(struct session *s, size_t bytes)
{
    char n[4];
    s->taken += bytes;
    if (s->taken < ACK_EVERY)
        return;
    write_number(n, (uint32_t)s->taken);
    s->taken = 0;
    publish(s, 'A', 0, (struct span){n, sizeof n});
}

static void deliver(struct session *s, char kind, struct span payload)
{
    bool text = kind == 'T' || kind == 't', last = kind == 'T' || kind == 'B';
    acknowledge(s, payload.len);
    if (payload.len != 0)
        buf_add_span(&s->partial, payload);
    if (!last)
        return;
    struct buf whole = s->partial;
    s->partial = (struct buf){0};
    s->base.messages_received++;
    s->base.bytes_received += whole.len;
    if (s->reason == NULL)
        transport_tell(&s->base)->message(s->base.ctx, text, buf_span(&whole));
    buf_free(&whole);
}

// In their order, until the user pauses. true: a close was among them, and the session is gone.
static bool take_received(struct session *s)
{
    bool ended = false;
    if (s->delivering)
        return false;
    s->delivering = true;
    while (!ended && !s->paused && s->in.first != NULL) {
        struct frame *f = take(&s->in);
        struct span payload = {f->bytes + HEAD, f->len - HEAD};
        bool closes = f->bytes[0] == 'C', too_big = s->partial.len + payload.len > MESSAGE_MAX;
        ended = closes || too_big;
        if (ended)
            session_end(s, closes ? CODE_NORMAL : CODE_LOST, closes ? payload : (struct span){"", 0});
        else
            deliver(s, f->bytes[0], payload);
        free(f);
    }
    if (!ended)
        s->delivering = false;
    return ended;
}

static void acknowledged(struct session *s, struct span payload)
{
    size_t n = payload.len == 4 ? read_number(payload.ptr) : 0;
    s->unacknowledged -= n < s->unacknowledged ? n : s->unacknowledged;
    flush(s);
    if (!s->busy || s->out.bytes >= LOW_WATER)
        return;
    s->busy = false;
    transport_tell(&s->base)->drained(s->base.ctx);
}

static void opened(struct session *s, struct span subject)
{
    if (s->remote[0] != '\0' || subject.len >= sizeof s->remote)
        return;
    memcpy(s->remote, subject.ptr, subject.len);
    flush(s);
}

void session_frame(struct session *s, struct span frame)
{
    if (frame.len < HEAD)
        return;
    struct span payload = span_from(frame, HEAD);
    s->heard_at = loop_now(s->cluster->loop);
    if (frame.ptr[0] == 'O')
        opened(s, payload);
    else if (frame.ptr[0] == 'A')
        acknowledged(s, payload);
    else if (strchr("TBtbC", frame.ptr[0]) == NULL)
        return;
    else if (read_number(frame.ptr + 1) != s->received + 1)
        session_end(s, CODE_LOST, (struct span){"", 0});
    else {
        s->received++;
        append(&s->in, frame);
        take_received(s);
    }
}

void session_unanswered(struct session *s)
{
    session_end(s, CODE_NORMAL, SPAN(NOBODY));
}

// Life

static void tick(void *ctx)
{
    struct session *s = ctx;
    uint64_t now = loop_now(s->cluster->loop);
    if (s->reason != NULL && now >= s->close_at) {
        session_end(s, CODE_NORMAL, span_of(s->reason));
        return;
    }
    if (now - s->heard_at > SILENCE_MS) {
        session_end(s, CODE_LOST, (struct span){"", 0});
        return;
    }
    if (take_received(s))
        return;
    if (s->remote[0] != '\0')
        publish(s, 'K', 0, (struct span){0});
    loop_timer_set(s->timer, KEEP_ALIVE_MS);
}

struct session *session_create(struct cluster *c, const struct hash *id, const char *remote)
{
    struct session *s = mem_alloc(sizeof *s);
    s->base.ops = &ops;
    s->base.url = "another relay";
    s->cluster = c;
    s->id = *id;
    s->heard_at = loop_now(c->loop);
    s->timer = loop_timer_create(c->loop, tick, s);
    loop_timer_set(s->timer, KEEP_ALIVE_MS);
    hash_map_set(c->sessions, id, s);
    if (remote == NULL)
        return s;
    char own[SUBJECT_MAX];
    snprintf(s->remote, sizeof s->remote, "%s", remote);
    cluster_subject(c, id, own);
    publish(s, 'O', 0, span_of(own));
    return s;
}

struct transport *session_transport(struct session *s)
{
    return &s->base;
}

static void free_frames(struct frames *q)
{
    while (q->first != NULL)
        free(take(q));
}

void session_end(struct session *s, int code, struct span reason)
{
    struct transport *t = &s->base;
    hash_map_remove(s->cluster->sessions, &s->id);
    if (s->reason == NULL)
        s->reason = mem_text((struct span){"", 0}); // nothing is sent any more
    loop_timer_destroy(s->timer);
    if (t->events != NULL)
        transport_tell(t)->closed(t->ctx, code, reason);
    free_frames(&s->out);
    free_frames(&s->in);
    buf_free(&s->partial);
    free(s->reason);
    free(s);
}
