#include "pipe_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parcel { // a message or the close on its way to an end
    struct parcel *next;
    bool is_close;
    bool text;
    int code;
    struct buf payload;
};

struct end {
    struct transport transport; // first
    struct pipe *pipe;
    int index;
    struct parcel *first, **last; // on the way here
    size_t waiting;               // bytes of first … last
    bool busy;                    // they were many
    uint64_t wake;
    bool paused, closing, closed;
    char reason[124];
};

struct pipe {
    struct pipe *next;
    struct pipe_world *world;
    struct pipe_line line;
    struct end ends[2];
};

struct pipe_world {
    uint64_t now;
    struct pipe *pipes;
};

static struct end *other(const struct end *e)
{
    return &e->pipe->ends[1 - e->index];
}

static void post(struct end *to, struct parcel *p)
{
    p->next = NULL;
    *to->last = p;
    to->last = &p->next;
    to->waiting += p->payload.len;
    to->busy = to->busy || to->waiting > 262144;
}

static void post_message(struct end *to, bool text, struct span payload)
{
    struct parcel *p = mem_alloc(sizeof *p);
    p->text = text;
    buf_add_span(&p->payload, payload);
    post(to, p);
}

static void post_close(struct end *to, int code, const char *reason)
{
    struct parcel *p = mem_alloc(sizeof *p);
    p->is_close = true;
    p->code = code;
    buf_add_text(&p->payload, reason);
    post(to, p);
}

// ---- The operations of an end ----

static void end_send(struct transport *t, bool text, struct span payload)
{
    struct end *e = (struct end *)t;
    if (e->closing || e->closed)
        return;
    t->bytes_sent += payload.len;
    t->messages_sent++;
    post_message(other(e), text, payload);
}

static void end_close(struct transport *t, const char *reason)
{
    struct end *e = (struct end *)t;
    if (e->closing || e->closed)
        return;
    e->closing = true;
    snprintf(e->reason, sizeof e->reason, "%s", reason);
    post_close(other(e), 1000, reason);
}

static void end_pause(struct transport *t, bool paused)
{
    ((struct end *)t)->paused = paused;
}

static size_t end_queued(const struct transport *t)
{
    return other((const struct end *)t)->waiting;
}

static void end_wake_at(struct transport *t, uint64_t monotonic_ms)
{
    ((struct end *)t)->wake = monotonic_ms;
}

static const struct transport_ops OPS = {
    .send = end_send, .close = end_close, .pause = end_pause, .queued = end_queued, .wake_at = end_wake_at};

// ---- Life ----

struct pipe_world *pipe_world_create(void)
{
    struct pipe_world *w = mem_alloc(sizeof *w);
    w->now = 1000000;
    return w;
}

static void drop_parcels(struct end *e)
{
    while (e->first != NULL) {
        struct parcel *p = e->first;
        e->first = p->next;
        buf_free(&p->payload);
        free(p);
    }
    e->last = &e->first;
    e->waiting = 0;
    e->busy = false;
}

void pipe_world_destroy(struct pipe_world *w)
{
    while (w->pipes != NULL) {
        struct pipe *p = w->pipes;
        w->pipes = p->next;
        for (int i = 0; i < 2; i++) {
            if (!p->ends[i].closed && p->ends[i].transport.events != NULL)
                transport_tell(&p->ends[i].transport)->closed(p->ends[i].transport.ctx, 1006, (struct span){0});
            p->ends[i].closed = true;
            drop_parcels(&p->ends[i]);
        }
        free(p);
    }
    free(w);
}

uint64_t pipe_world_now(void *world)
{
    return ((struct pipe_world *)world)->now;
}

void pipe_open(struct pipe_world *w, const struct pipe_line *line, struct transport *ends[2])
{
    struct pipe *p = mem_alloc(sizeof *p);
    p->world = w;
    p->next = w->pipes;
    w->pipes = p;
    if (line != NULL)
        p->line = *line;
    for (int i = 0; i < 2; i++) {
        struct end *e = &p->ends[i];
        e->pipe = p;
        e->index = i;
        e->last = &e->first;
        e->transport.ops = &OPS;
        e->transport.url = "pipe:";
        transport_release(&e->transport);
        ends[i] = &e->transport;
    }
}

void pipe_inject(struct transport *to, bool text, struct span payload)
{
    post_message((struct end *)to, text, payload);
}

void pipe_break(struct transport *end)
{
    struct end *e = (struct end *)end;
    drop_parcels(e);
    drop_parcels(other(e));
    post_close(e, 1006, "");
    post_close(other(e), 1006, "");
}

const char *pipe_closed(const struct transport *end)
{
    const struct end *e = (const struct end *)end;
    return e->closing || e->closed ? e->reason : NULL;
}

// ---- Delivery ----

static void deliver_close(struct end *e, struct parcel *p)
{
    e->closed = true;
    e->wake = 0;
    if (!e->closing)
        snprintf(e->reason, sizeof e->reason, "%s", buf_cstr(&p->payload));
    if (!e->closing && p->code == 1000)
        post_close(other(e), 1000, buf_cstr(&p->payload)); // the echo
    transport_tell(&e->transport)->closed(e->transport.ctx, p->code, buf_span(&p->payload));
}

static void deliver_message(struct end *e, struct parcel *p)
{
    const struct pipe_line *line = &e->pipe->line;
    if (line->pass != NULL && !line->pass(line->ctx, 1 - e->index, &p->text, &p->payload))
        return;
    e->transport.bytes_received += p->payload.len;
    e->transport.messages_received++;
    transport_tell(&e->transport)->message(e->transport.ctx, p->text, buf_span(&p->payload));
}

static bool deliver_one(struct end *e)
{
    if (e->first == NULL || (e->paused && !e->first->is_close))
        return false;
    struct parcel *p = e->first;
    e->first = p->next;
    if (e->first == NULL)
        e->last = &e->first;
    e->waiting -= p->payload.len;
    if (e->closed)
        ;
    else if (p->is_close)
        deliver_close(e, p);
    else if (!e->closing)
        deliver_message(e, p);
    bool drained = e->busy && e->waiting < 8192;
    e->busy = e->busy && !drained;
    if (drained && !other(e)->closed)
        transport_tell(&other(e)->transport)->drained(other(e)->transport.ctx);
    buf_free(&p->payload);
    free(p);
    return true;
}

void pipe_settle(struct pipe_world *w)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (struct pipe *p = w->pipes; p != NULL; p = p->next)
            for (int i = 0; i < 2; i++)
                moved = deliver_one(&p->ends[i]) || moved;
    }
}

// The end that wants to be woken first, not later than until; NULL if none.
static struct end *next_waker(struct pipe_world *w, uint64_t until)
{
    struct end *next = NULL;
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        for (int i = 0; i < 2; i++) {
            struct end *e = &p->ends[i];
            if (e->wake != 0 && e->wake <= until && !e->closing && (next == NULL || e->wake < next->wake))
                next = e;
        }
    return next;
}

void pipe_sleep(struct pipe_world *w, uint64_t ms)
{
    uint64_t until = w->now + ms;
    pipe_settle(w);
    for (struct end *e; (e = next_waker(w, until)) != NULL; pipe_settle(w)) {
        if (e->wake > w->now)
            w->now = e->wake;
        e->wake = 0;
        transport_tell(&e->transport)->time(e->transport.ctx);
    }
    w->now = until;
}
