#include "tampering.h"

#include <stdlib.h>

struct tampered {
    struct transport base;
    struct transport *inner;
    struct tampering_plan *plan;
    struct buf held; // to be sent after the next one
};

static struct tampered *of(const struct transport *t)
{
    return (struct tampered *)(uintptr_t)t; // base is its first member
}

static void send_damaged(struct tampered *t, bool text, struct span payload)
{
    struct buf b = {0};
    buf_add_span(&b, payload);
    if (t->plan->how == TAMPER_FLIP)
        b.data[b.len / 2] = (char)(b.data[b.len / 2] ^ 1);
    else if (t->plan->how == TAMPER_TRUNCATE)
        b.len--;
    t->inner->ops->send(t->inner, text, buf_span(&b));
    if (t->plan->how == TAMPER_REPLAY)
        t->inner->ops->send(t->inner, text, buf_span(&b));
    buf_free(&b);
}

static void send_held(struct tampered *t, bool text)
{
    if (t->held.data != NULL)
        t->inner->ops->send(t->inner, text, buf_span(&t->held));
    buf_free(&t->held);
}

static void tampered_send(struct transport *base, bool text, struct span payload)
{
    struct tampered *t = of(base);
    if (t->plan->how == TAMPER_NOT || t->plan->after > 0) {
        t->inner->ops->send(t->inner, text, payload);
        send_held(t, text);
        if (t->plan->how != TAMPER_NOT)
            t->plan->after--;
        return;
    }
    if (t->plan->how == TAMPER_MUTE)
        return;
    if (t->plan->how == TAMPER_SWAP)
        buf_add_span(&t->held, payload);
    else if (t->plan->how != TAMPER_LOSE)
        send_damaged(t, text, payload);
    t->plan->how = TAMPER_NOT;
}

static void tampered_close(struct transport *base, const char *reason)
{
    of(base)->inner->ops->close(of(base)->inner, reason);
}

static void tampered_pause(struct transport *base, bool paused)
{
    of(base)->inner->ops->pause(of(base)->inner, paused);
}

static size_t tampered_queued(const struct transport *base)
{
    return of(base)->inner->ops->queued(of(base)->inner);
}

static void tampered_wake_at(struct transport *base, uint64_t monotonic_ms)
{
    of(base)->inner->ops->wake_at(of(base)->inner, monotonic_ms);
}

static void inner_message(void *ctx, bool text, struct span payload)
{
    struct transport *t = ctx;
    t->events->message(t->ctx, text, payload);
}

static void inner_closed(void *ctx, int code, struct span reason)
{
    struct transport *t = ctx;
    t->events->closed(t->ctx, code, reason);
    buf_free(&of(t)->held);
    free(of(t));
}

static void inner_drained(void *ctx)
{
    struct transport *t = ctx;
    t->events->drained(t->ctx);
}

static void inner_time(void *ctx)
{
    struct transport *t = ctx;
    t->events->time(t->ctx);
}

struct transport *tampering_around(struct transport *inner, struct tampering_plan *plan)
{
    static const struct transport_ops ops = {.send = tampered_send,
                                             .close = tampered_close,
                                             .pause = tampered_pause,
                                             .queued = tampered_queued,
                                             .wake_at = tampered_wake_at};
    static const struct transport_events events = {
        .message = inner_message, .closed = inner_closed, .drained = inner_drained, .time = inner_time};
    struct tampered *t = mem_alloc(sizeof *t);
    *t = (struct tampered){.base = {.ops = &ops, .url = inner->url}, .inner = inner, .plan = plan};
    transport_release(&t->base);
    transport_use(inner, &events, t);
    return &t->base;
}
