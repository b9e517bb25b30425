// Two that read the same wait for one errand. An errand that ends with its session is run again in the next one, as
// long as somebody waits for it; one that whoever waited gave up goes on by itself, so that the next reader finds it
// done.
#include "node/fetches.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

enum {
    TICK_MS = 100,
    AWAY_MS = 3000,  // for the other node to be connected
    WAIT_MS = 15000, // for all that is asked for; shorter than what a client waits for an answer
};

struct errand {
    struct errand *next;
    struct fetches *owner; // NULL: it is gone
    struct hash hash;
    bool running;
    unsigned users; // that wait for it
};

struct waiting {
    struct waiting *next;
    struct hash_list missing; // of these the errands go on
    uint64_t since;
    fetches_done done;
    void *ctx;
};

struct fetches {
    struct node *node;
    struct loop_timer *timer;
    struct errand *errands;
    struct waiting *waiting;
};

static struct errand *find(const struct fetches *f, const struct hash *hash)
{
    struct errand *r = f->errands;
    while (r != NULL && !hash_eq(&r->hash, hash))
        r = r->next;
    return r;
}

static void drop_unused(struct fetches *f)
{
    for (struct errand **link = &f->errands; *link != NULL;) {
        struct errand *r = *link;
        if (r->running || r->users != 0) {
            link = &r->next;
            continue;
        }
        *link = r->next;
        free(r);
    }
}

// ---- Waiting --------------------------------------------------------------------------------------------------------

static void end(struct fetches *f, struct waiting *w, enum status status, const struct error *why)
{
    struct waiting **link = &f->waiting;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    for (size_t i = 0; i < w->missing.count; i++) {
        struct errand *r = find(f, &w->missing.items[i]);
        if (r != NULL)
            r->users--;
    }
    w->done(w->ctx, status, why);
    hash_list_free(&w->missing);
    free(w);
}

static bool remove_hash(struct hash_list *list, const struct hash *hash)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!hash_eq(&list->items[i], hash))
            continue;
        list->items[i] = list->items[--list->count];
        return true;
    }
    return false;
}

// Tells whoever waits for it what became of it.
static void tell(struct fetches *f, struct errand *r, enum status status, const struct error *why)
{
    for (struct waiting *w = f->waiting, *next; w != NULL; w = next) {
        next = w->next;
        if (!remove_hash(&w->missing, &r->hash))
            continue;
        r->users--;
        if (status != STATUS_OK || w->missing.count == 0)
            end(f, w, status, why);
    }
}

// ---- Errands --------------------------------------------------------------------------------------------------------

static bool is_passing(enum status status)
{
    return status == STATUS_CLOSED || status == STATUS_TIMEOUT;
}

static enum status judge(const struct hash *hash, const struct error *why, struct error *e)
{
    if (why->status == STATUS_FULL || why->status == STATUS_IO) {
        *e = *why;
        return e->status;
    }
    return error_set(e, STATUS_NOT_FOUND, "LOST-THERE", "the archive does not have %s any more: %s", hash_text(hash).s,
                     why->message);
}

static void errand_over(void *ctx, const struct hash_list *failed, const struct error *why)
{
    struct errand *r = ctx;
    struct fetches *f = r->owner;
    struct error e = {0};
    enum status status = STATUS_OK;
    if (f == NULL) {
        free(r);
        return;
    }
    r->running = false;
    if (failed->count != 0 && is_passing(why->status))
        return; // the timer runs it again
    if (failed->count != 0)
        status = judge(&r->hash, why, &e);
    tell(f, r, status, &e);
    drop_unused(f);
    room_look(f->node->room);
}

static void run(struct fetches *f, struct errand *r)
{
    struct peers *p = f->node->peers;
    struct hash_list one = {0};
    if (r->running || p == NULL)
        return;
    hash_list_add(&one, &r->hash);
    r->running = syncs_refetch(p->syncs, &p->own.peer.person, &one, errand_over, r);
    hash_list_free(&one);
}

static void give_up_late(struct fetches *f, struct waiting *w, uint64_t now)
{
    struct error e;
    const struct hash *first = &w->missing.items[0];
    bool running = true;
    for (size_t i = 0; i < w->missing.count; i++) {
        const struct errand *r = find(f, &w->missing.items[i]);
        running = running && r->running;
    }
    if (!running && now >= w->since + AWAY_MS)
        end(f, w,
            error_set(&e, STATUS_CLOSED, "NOT-HERE", "%s lies at the archive node, which is away", hash_text(first).s),
            &e);
    else if (now >= w->since + WAIT_MS)
        end(f, w, error_set(&e, STATUS_TIMEOUT, "STILL-FETCHING", "%s is on its way here", hash_text(first).s), &e);
}

static void tick(void *ctx)
{
    struct fetches *f = ctx;
    uint64_t now = clock_monotonic_ms();
    for (struct errand *r = f->errands; r != NULL; r = r->next)
        run(f, r);
    for (struct waiting *w = f->waiting, *next; w != NULL; w = next) {
        next = w->next;
        give_up_late(f, w, now);
    }
    drop_unused(f);
    if (f->waiting != NULL)
        loop_timer_set(f->timer, TICK_MS);
}

void fetches_want(struct fetches *f, const struct hash_list *hashes, fetches_done done, void *ctx)
{
    struct waiting *w = mem_alloc(sizeof *w);
    *w = (struct waiting){.next = f->waiting, .since = clock_monotonic_ms(), .done = done, .ctx = ctx};
    f->waiting = w;
    for (size_t i = 0; i < hashes->count; i++) {
        struct errand *r = find(f, &hashes->items[i]);
        if (r == NULL) {
            r = mem_alloc(sizeof *r);
            *r = (struct errand){.next = f->errands, .owner = f, .hash = hashes->items[i]};
            f->errands = r;
        }
        r->users++;
        hash_list_add(&w->missing, &r->hash);
        run(f, r);
    }
    loop_timer_set(f->timer, TICK_MS);
}

// ---- Life -----------------------------------------------------------------------------------------------------------

struct fetches *fetches_create(struct node *n)
{
    struct fetches *f = mem_alloc(sizeof *f);
    *f = (struct fetches){.node = n, .timer = loop_timer_create(n->loop, tick, f)};
    return f;
}

void fetches_destroy(struct fetches *f)
{
    struct error e;
    if (f == NULL)
        return;
    while (f->waiting != NULL)
        end(f, f->waiting, error_set(&e, STATUS_CLOSED, "CLOSED", "the node stops"), &e);
    for (struct errand *r = f->errands, *next; r != NULL; r = next) {
        next = r->next;
        r->owner = NULL;
        if (!r->running)
            free(r);
    }
    loop_timer_destroy(f->timer);
    free(f);
}
