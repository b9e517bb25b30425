// Everything is asked for as a BLOB, whatever it was, for its bytes are all that is wanted. Twice as many are begun as
// are on their way at a time, so that one always waits for its turn. What fails is told and not tried again: somebody
// else may have it.
#include "chum/refetch.h"

#include <stdlib.h>

#include "base/log.h"
#include "chum/download.h"

enum { AT_A_TIME = 2 * CHUM_DOWNLOADS };

struct slot {
    struct chum_refetch *owner;
    struct chum_download *download; // NULL: free
    struct hash hash;
};

struct chum_refetch {
    struct chum_refetch *sibling;
    struct chum_refetch **all;
    struct chum_fetch *fetch;
    struct hash_list hashes;
    size_t next;
    size_t running;
    struct slot slots[AT_A_TIME];
    struct hash_list failed;
    struct error why; // of the last one
    bool filling;     // a download may end while it is begun
    chum_refetch_done done;
    void *ctx;
};

static void finish(struct chum_refetch *r)
{
    struct chum_refetch **link = r->all;
    while (*link != r)
        link = &(*link)->sibling;
    *link = r->sibling;
    r->done(r->ctx, &r->failed, &r->why);
    hash_list_free(&r->hashes);
    hash_list_free(&r->failed);
    chum_fetch_release(r->fetch);
    free(r);
}

static void go_on(struct chum_refetch *r);

static void downloaded(void *ctx, enum status status, const struct error *why)
{
    struct slot *slot = ctx;
    struct chum_refetch *r = slot->owner;
    if (status != STATUS_OK)
        LOG(LOG_DEBUG, "store.notRefetched", LOG_HASH("hash", &slot->hash), LOG_TEXT("code", why->code),
            LOG_TEXT("why", why->message));
    if (status != STATUS_OK) {
        hash_list_add(&r->failed, &slot->hash);
        r->why = *why;
    }
    slot->download = NULL;
    r->running--;
    go_on(r);
}

static void begin(struct chum_refetch *r, struct slot *slot)
{
    slot->owner = r;
    slot->hash = r->hashes.items[r->next++];
    r->running++;
    slot->download = chum_download_begin(r->fetch, &slot->hash, false, downloaded, slot);
}

static void go_on(struct chum_refetch *r)
{
    if (r->filling)
        return;
    r->filling = true;
    for (size_t i = 0; i < AT_A_TIME && r->next < r->hashes.count; i++)
        if (r->slots[i].download == NULL)
            begin(r, &r->slots[i]);
    r->filling = false;
    if (r->running == 0 && r->next == r->hashes.count)
        finish(r);
}

void chum_refetch_begin(struct chum_refetch **all, struct chum_fetch *f, const struct hash_list *hashes,
                        chum_refetch_done done, void *ctx)
{
    struct chum_refetch *r = mem_alloc(sizeof *r);
    *r = (struct chum_refetch){.sibling = *all, .all = all, .fetch = chum_fetch_use(f), .done = done, .ctx = ctx};
    *all = r;
    for (size_t i = 0; i < hashes->count; i++)
        hash_list_add(&r->hashes, &hashes->items[i]);
    go_on(r);
}

static void give_up(struct chum_refetch *r)
{
    (void)error_set(&r->why, STATUS_CLOSED, "CLOSED", "the session ended");
    for (size_t i = 0; i < AT_A_TIME; i++) {
        if (r->slots[i].download == NULL)
            continue;
        hash_list_add(&r->failed, &r->slots[i].hash);
        chum_download_drop(r->slots[i].download);
    }
    for (; r->next < r->hashes.count; r->next++)
        hash_list_add(&r->failed, &r->hashes.items[r->next]);
    finish(r);
}

void chum_refetch_end(struct chum_refetch **all)
{
    while (*all != NULL)
        give_up(*all);
}
