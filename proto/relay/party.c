// All deadlines of a kind lie equally far ahead when they are set, so each kind is a list in order and needs no heap;
// one timer serves all. A party dies with its transport's closed event and nowhere else.
#include "relay/party.h"

#include <stdlib.h>

enum { COALESCE_MS = 50 }; // deadlines this close together are served in one turn of the loop

static void set_timer(struct relay *r, uint64_t deadline)
{
    uint64_t now = loop_now(r->loop);
    if (r->timer_at != 0 && r->timer_at <= deadline)
        return;
    r->timer_at = deadline;
    loop_timer_set(r->timer, deadline > now ? deadline - now : 0);
}

static void leave_queue(struct party *p)
{
    struct deadlines *q = p->queue;
    if (q == NULL)
        return;
    *(p->earlier != NULL ? &p->earlier->later : &q->first) = p->later;
    *(p->later != NULL ? &p->later->earlier : &q->last) = p->earlier;
    p->queue = NULL;
    p->earlier = p->later = NULL;
}

void party_wait(struct party *p, struct deadlines *q)
{
    leave_queue(p);
    if (q == NULL || p->relay == NULL)
        return;
    p->queue = q;
    p->deadline = loop_now(p->relay->loop) + q->ms;
    p->earlier = q->last;
    *(q->last != NULL ? &q->last->later : &q->first) = p;
    q->last = p;
    set_timer(p->relay, p->deadline);
}

static void run_queue(struct deadlines *q, uint64_t now)
{
    while (q->first != NULL && q->first->deadline <= now) {
        struct party *p = q->first;
        leave_queue(p);
        q->due(p);
    }
}

void party_deadlines_run(struct relay *r)
{
    struct deadlines *const queues[] = {&r->firsts, &r->pings, &r->pongs};
    uint64_t now = loop_now(r->loop), next = 0;
    r->timer_at = 0;
    for (int i = 0; i < 3; i++)
        run_queue(queues[i], now);
    for (int i = 0; i < 3; i++) {
        const struct party *p = queues[i]->first;
        if (p != NULL && (next == 0 || p->deadline < next))
            next = p->deadline;
    }
    if (next != 0)
        set_timer(r, next < now + COALESCE_MS ? now + COALESCE_MS : next);
}

void party_send(struct party *p, const struct relay_message *m)
{
    struct buf text = {0};
    relay_message_write(m, &text);
    transport_send(p->transport, true, buf_span(&text));
    buf_free(&text);
}

void party_close(struct party *p, const char *reason)
{
    if (p->state == PARTY_CLOSING)
        return;
    party_wait(p, NULL);
    registration_forget(p);
    p->state = PARTY_CLOSING;
    splice_part(p, reason);
    if (p->transport != NULL)
        transport_close(p->transport, reason);
}

static void on_message(void *ctx, bool text, struct span payload)
{
    struct party *p = ctx;
    if (p->state == PARTY_SPLICED)
        splice_message(p, text, payload);
    else if (p->state < PARTY_PARKED)
        registration_message(p, text, payload);
}

static void on_closed(void *ctx, int code, struct span reason)
{
    struct party *p = ctx;
    char *text = mem_text(reason);
    (void)code; // the other end of a splice gets 1000 whatever it is
    p->transport = NULL;
    party_close(p, text);
    free(text);
    if (p->relay != NULL) {
        *(p->previous != NULL ? &p->previous->next : &p->relay->parties) = p->next;
        if (p->next != NULL)
            p->next->previous = p->previous;
    }
    buf_free(&p->awaited);
    buf_free(&p->request);
    free(p);
}

static void on_drained(void *ctx)
{
    struct party *p = ctx;
    if (p->state == PARTY_SPLICED)
        transport_pause(p->other->transport, false);
}

static void on_time(void *ctx)
{
    (void)ctx; // deadlines are the relay's
}

static const struct transport_events events = {on_message, on_closed, on_drained, on_time};

struct party *party_create(struct relay *r, struct transport *t)
{
    struct party *p = mem_alloc(sizeof *p);
    p->relay = r;
    p->transport = t;
    p->next = r->parties;
    if (p->next != NULL)
        p->next->previous = p;
    r->parties = p;
    transport_use(t, &events, p);
    party_wait(p, &r->firsts);
    return p;
}
