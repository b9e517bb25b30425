// The identities of this node as the peers have them, and how one is found.
#include <stdlib.h>

#include "node/peers_internal.h"

struct local *peers_local(struct peers *p, const struct conn_identity *identity)
{
    struct local *l = &p->main;
    while (&l->identity != identity)
        l = l->next;
    return l;
}

struct local *peers_local_named(struct peers *p, struct span text, struct error *e)
{
    size_t count = 0;
    size_t at = 0;
    struct local *found = NULL;
    for (const struct local *l = &p->main; l != NULL; l = l->next)
        count++;
    const struct identity **all = mem_alloc(count * sizeof *all);
    count = 0;
    for (const struct local *l = &p->main; l != NULL; l = l->next)
        all[count++] = l->self;
    enum status st = identity_named(all, count, text, &at, e);
    free(all);
    for (struct local *l = &p->main; st == STATUS_OK && found == NULL && l != NULL; l = l->next)
        if (at-- == 0)
            found = l;
    return found;
}

static void fill_identity(struct conn_identity *out, const struct identity *from)
{
    *out = (struct conn_identity){
        .email = from->email,
        .instance_name = from->instance_name,
        .person_id = from->person,
        .instance_id = from->instance,
        .person_public = from->person_keys.public_key,
        .instance_public = from->instance_keys.public_key,
        .person_secret = from->person_keys.secret,
        .instance_secret = from->instance_keys.secret,
        .person_sign_public = from->person_keys.sign_public,
        .instance_sign_public = from->instance_keys.sign_public,
    };
}

void peers_begin_local(struct peers *p, struct local *l, const struct identity *self)
{
    l->self = self;
    fill_identity(&l->identity, self);
    runs_name(twins_runs(p->twins), &l->identity, l->identity.run);
    l->endpoints = hash_map_create();
    l->just_paired = hash_map_create();
    l->contacts = hash_map_create();
    l->safety = hash_map_create();
    routes_add_local(p->routes, &l->identity);
}

void peers_end_locals(struct peers *p)
{
    for (struct local *l = &p->main, *next; l != NULL; l = next) {
        next = l->next;
        hash_map_destroy(l->endpoints);
        hash_map_destroy(l->just_paired);
        hash_map_destroy(l->contacts);
        hash_map_free_values(l->safety);
        hash_map_destroy(l->safety);
        if (l != &p->main)
            free(l);
    }
}

void peers_add_identity(struct peers *p, const struct identity *self)
{
    OWNER_ASSERT(p);
    struct local *last = &p->main;
    while (last->next != NULL)
        last = last->next;
    last->next = mem_alloc(sizeof *last->next);
    peers_begin_local(p, last->next, self);
    peers_refresh(p);
}
