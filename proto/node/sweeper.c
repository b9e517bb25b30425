// One sweep at a time, slice by slice, each a job of its own, so others come in between. A sweep that did something is
// followed by another: what is freed may free more. A failure ends it until the next kick, or it would run without end.
#include "node/sweeper.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/deletion.h"
#include "node/node_internal.h"

enum { SELDOM_MS = 60000 };

struct sweeper {
    struct node *node;
    struct loop_timer *timer;
    bool sweeping; // a slice is under way
    bool again;    // something was deleted meanwhile
};

struct sweep { // one way through all that is deleted
    struct sweeper *owner;
    struct hash at;
    bool more;
    struct deletion_work slice;
    size_t freed;
    bool changed; // something was done: there may be more to do
};

static void sweep_slice(struct sweep *w);

static enum status slice_work(struct store *s, void *arg, struct error *e)
{
    struct sweep *w = arg;
    struct arena *a = arena_create();
    struct model m = {.store = s, .self = node_self(w->owner->node), .arena = a, .now_ms = clock_wall_ms()};
    enum status st = deletion_sweep(&m, &w->at, &w->more, &w->slice, e);
    arena_destroy(a);
    return st;
}

static void end_sweep(struct sweep *w, bool failed)
{
    struct sweeper *s = w->owner;
    bool again = (s->again || w->changed) && !failed;
    s->sweeping = false;
    s->again = false;
    free(w);
    if (again)
        sweeper_kick(s);
}

static void slice_done(void *arg, enum status status, const struct error *e)
{
    struct sweep *w = arg;
    struct node *n = w->owner->node;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "deletion.failed", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    else if (w->slice.freed != 0)
        node_tell(n, "deletion.progress",
                  json_pack("{s:I, s:b}", "freed", (json_int_t)(w->freed += w->slice.freed), "done", (int)!w->more));
    w->changed = w->changed || (status == STATUS_OK && w->slice.changed);
    if (status == STATUS_OK && w->more && node_queue(n) != NULL && !n->closing)
        sweep_slice(w);
    else
        end_sweep(w, status != STATUS_OK || node_queue(n) == NULL || n->closing);
}

static void sweep_slice(struct sweep *w)
{
    w->slice = (struct deletion_work){0};
    store_submit(node_queue(w->owner->node), slice_work, slice_done, w);
}

void sweeper_kick(struct sweeper *s)
{
    if (s == NULL || node_queue(s->node) == NULL || s->node->closing)
        return;
    s->again = s->sweeping;
    if (s->sweeping)
        return;
    s->sweeping = true;
    struct sweep *w = mem_alloc(sizeof *w);
    *w = (struct sweep){.owner = s};
    sweep_slice(w);
}

// ---- What comes late ------------------------------------------------------------------------------------------------

struct hiding {
    struct sweeper *owner;
    struct hash_list messages;
};

static enum status hide_work(struct store *s, void *arg, struct error *e)
{
    struct hiding *h = arg;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < h->messages.count; i++)
        st = store_hide(s, &h->messages.items[i], NULL, e);
    return st;
}

static void hide_done(void *arg, enum status status, const struct error *e)
{
    struct hiding *h = arg;
    struct node *n = h->owner->node;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "deletion.failed", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    else if (node_queue(n) != NULL && !n->closing)
        sweeper_kick(h->owner);
    hash_list_free(&h->messages);
    free(h);
}

void sweeper_hide(struct sweeper *s, struct hash_list *messages)
{
    if (s == NULL || node_queue(s->node) == NULL || s->node->closing)
        return;
    struct hiding *h = mem_alloc(sizeof *h);
    *h = (struct hiding){.owner = s, .messages = *messages};
    *messages = (struct hash_list){0};
    store_submit(node_queue(s->node), hide_work, hide_done, h);
}

static void tick(void *ctx)
{
    struct sweeper *s = ctx;
    sweeper_kick(s);
    loop_timer_set(s->timer, SELDOM_MS);
}

struct sweeper *sweeper_create(struct node *n)
{
    struct sweeper *s = mem_alloc(sizeof *s);
    *s = (struct sweeper){.node = n, .timer = loop_timer_create(n->loop, tick, s)};
    tick(s);
    return s;
}

void sweeper_destroy(struct sweeper *s)
{
    if (s == NULL)
        return;
    loop_timer_destroy(s->timer);
    free(s);
}
