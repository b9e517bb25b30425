// A person may have several instances, and so several routes: it is reached if one of them is active, and counted once.
#include "node/reach.h"

#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

struct counting {
    const struct peers *peers;
    struct hash_map *contacts; // person → here or away
    struct reach reach;
};

static char here[] = "here";
static char away[] = "away";

// Who is known through the other own node alone is that node's to reach.
static bool is_paired(const struct peers *p, const struct route_info *info)
{
    for (const struct local *l = &p->main; l != NULL; l = l->next)
        if (&l->identity == info->local)
            return hash_map_has(l->safety, &info->person) && hash_map_has(l->contacts, &info->person);
    return false;
}

static void count_route(void *ctx, const struct route_info *info)
{
    struct counting *c = ctx;
    if (info->state == ROUTE_DISABLED || !is_paired(c->peers, info))
        return;
    const void *before = hash_map_get(c->contacts, &info->person);
    bool active = info->state == ROUTE_ACTIVE;
    c->reach.contacts += before == NULL;
    c->reach.reached += active && before != here;
    if (before != here)
        hash_map_set(c->contacts, &info->person, active ? here : away);
}

struct reach reach_count(const struct peers *p, json_t *missing)
{
    struct counting c = {.peers = p};
    struct hash person;
    void *reached;
    size_t cursor = 0;
    if (p == NULL)
        return c.reach;
    c.contacts = hash_map_create();
    routes_each(p->routes, count_route, &c);
    while (missing != NULL && hash_map_next(c.contacts, &cursor, &person, &reached))
        if (reached == away)
            json_array_append_new(missing, node_json_hash(&person));
    hash_map_destroy(c.contacts);
    return c.reach;
}
