// A root that is unsure (receive.h) is not judged: it came, or will come, with another one.
#include "chum/underway.h"

#include <stdlib.h>

#include "chum/tree.h"

struct chum_running { // a tree
    struct chum_running *next;
    struct chum_underway *all;
    struct chum_tree *tree;
    const struct chum_want *want; // of the tree
    bool lingers;                 // from an earlier pass
    bool taken;                   // a root was
    bool failed;                  // a root did
    bool news;                    // one that had not before
    struct error why;             // the last one that failed
};

static uint64_t now(const struct chum_underway *u)
{
    return conn_now(u->fetch->conn);
}

static void root_done(void *ctx, const struct hash *root, const struct chum_root_result *result)
{
    struct chum_running *r = ctx;
    struct chum_underway *u = r->all;
    r->taken = r->taken || (result->status == STATUS_OK && !result->unsure);
    if (result->status != STATUS_OK) {
        const struct hash id_hash = chum_want_versions_of(r->want);
        r->failed = true;
        r->news = chum_failures_add(u->failures, root, &id_hash, &result->why, now(u)) || r->news;
        r->why = result->why;
        u->again = u->again || r->want->count > 1;
    } else if (result->unsure) { // asked for again by itself, if it is not here
        chum_failures_keep(u->failures, root);
    } else if (result->lacking.files != 0) {
        chum_failures_add_lacking(u->failures, root, &result->lacking, now(u));
    } else {
        chum_failures_remove(u->failures, root);
    }
}

static void judge_versions(const struct chum_underway *u, const struct chum_running *r)
{
    const struct hash id_hash = chum_want_versions_of(r->want);
    if (hash_is_zero(&id_hash))
        return;
    const struct chum_setback setback = {.news = r->news, .refused = r->why.status == STATUS_REFUSED};
    if (r->taken)
        chum_stalls_taken(&u->failures->stalls, &id_hash);
    else if (r->failed && chum_stalls_failed(&u->failures->stalls, &id_hash, setback, now(u)))
        u->stuck(u->ctx, &id_hash, &r->why);
}

static void tree_over(void *ctx)
{
    struct chum_running *r = ctx;
    struct chum_underway *u = r->all;
    struct chum_running **link = &u->first;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    judge_versions(u, r);
    u->fetch->unstored = u->fetch->unstored || r->failed;
    if (r->lingers)
        u->lingering--;
    else
        u->trees--;
    free(r);
    u->progress_at = now(u);
    u->over(u->ctx);
}

void chum_underway_begin(struct chum_underway *u, const struct chum_want *want)
{
    static const struct chum_tree_events events = {root_done, tree_over};
    struct chum_running *r = mem_alloc(sizeof *r);
    *r = (struct chum_running){.next = u->first, .all = u};
    u->first = r;
    u->trees++;
    r->tree = chum_tree_begin(u->fetch, want, &events, r);
    r->want = chum_tree_want(r->tree);
}

void chum_underway_add_roots(const struct chum_underway *u, struct hash_map *out)
{
    for (const struct chum_running *r = u->first; r != NULL; r = r->next) {
        for (size_t i = 0; i < r->want->count; i++)
            hash_map_add(out, &r->want->hashes[i]);
        if (!hash_is_zero(&r->want->id_hash)) // newer versions have most of it below them too
            hash_map_add(out, &r->want->id_hash);
    }
}

void chum_underway_linger(struct chum_underway *u)
{
    for (struct chum_running *r = u->first; r != NULL; r = r->next) {
        r->lingers = true;
        for (size_t i = 0; i < r->want->count; i++)
            chum_failures_keep(u->failures, &r->want->hashes[i]);
    }
    u->lingering += u->trees;
    u->trees = 0;
}

void chum_underway_end(struct chum_underway *u)
{
    while (u->first != NULL) {
        struct chum_running *r = u->first;
        u->first = r->next;
        chum_tree_drop(r->tree);
        free(r);
    }
}
