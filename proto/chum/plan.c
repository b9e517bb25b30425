// What of a peer's root list is missing here: the store thread's part of a pass.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chum/importer.h"
#include "chum/tree.h"

struct planning {
    struct store *store;
    const struct chum_policy *policy;
    const struct hash *sender;
    struct chum_plan *plan;
    size_t cap;
    struct hash_map *groups; // id hash → index + 1 of its want
};

static bool is_refused(const struct planning *p, const struct chum_root *r)
{
    if (span_eq(r->type, SPAN("Access")) || span_eq(r->type, SPAN("IdAccess")) || span_eq(r->type, SPAN("Group")))
        return true;
    if (r->type.len != 0 && recipes_find(store_recipes(p->store), r->type) == NULL)
        return true;
    return p->policy != NULL && p->policy->wants != NULL &&
           !p->policy->wants(p->policy->ctx, p->store, p->sender, r->type, &r->id_hash);
}

static struct chum_want *add_want(struct planning *p, const struct chum_root *r)
{
    if (p->plan->count == p->cap) {
        p->cap = p->cap != 0 ? 2 * p->cap : 16;
        p->plan->wants = mem_resize(p->plan->wants, p->cap * sizeof *p->plan->wants);
    }
    struct chum_want *w = &p->plan->wants[p->plan->count++];
    *w = (struct chum_want){.kind = r->kind, .id_hash = r->id_hash};
    snprintf(w->type, sizeof w->type, SPAN_FMT, SPAN_ARG(r->type));
    return w;
}

static void add_hash(struct chum_want *w, const struct hash *h)
{
    w->hashes = mem_resize(w->hashes, (w->count + 1) * sizeof *w->hashes);
    w->hashes[w->count++] = *h;
}

static struct chum_want *want_of_group(struct planning *p, const struct chum_root *r)
{
    uintptr_t index = (uintptr_t)hash_map_get(p->groups, &r->id_hash);
    if (index != 0)
        return &p->plan->wants[index - 1];
    struct chum_want *w = add_want(p, r);
    hash_map_set(p->groups, &r->id_hash, (void *)(uintptr_t)p->plan->count);
    return w;
}

static void consider(struct planning *p, const struct chum_root *r)
{
    const struct hash *wanted = r->kind == CHUM_ROOT_ID ? &r->id_hash : &r->hash;
    if (store_presence(p->store, wanted) != STORE_ABSENT)
        return;
    if (is_refused(p, r)) {
        p->plan->skipped++;
        return;
    }
    add_hash(r->kind == CHUM_ROOT_VERSION_NODE ? want_of_group(p, r) : add_want(p, r), wanted);
}

enum status chum_plan_make(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                           struct span list, struct chum_plan *out, struct error *e)
{
    struct arena *arena = arena_create();
    struct chum_roots roots;
    struct planning p = {.store = s, .policy = policy, .sender = sender, .plan = out};
    memset(out, 0, sizeof *out);
    enum status st = chum_roots_read(arena, list, &roots, e);
    if (st == STATUS_OK) {
        p.groups = hash_map_create();
        for (size_t i = 0; i < roots.count; i++) { // versions last, as other roots may be what they are about
            if (roots.items[i].kind != CHUM_ROOT_VERSION_NODE)
                consider(&p, &roots.items[i]);
        }
        for (size_t i = 0; i < roots.count; i++) {
            if (roots.items[i].kind == CHUM_ROOT_VERSION_NODE)
                consider(&p, &roots.items[i]);
        }
        hash_map_destroy(p.groups);
        chum_roots_free(&roots);
    }
    arena_destroy(arena);
    return st;
}

void chum_plan_free(struct chum_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->wants[i].hashes);
    free(p->wants);
    memset(p, 0, sizeof *p);
}
