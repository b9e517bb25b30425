#include "policy_world.h"

#include <stdlib.h>

#include "models/policy.h"

int world_begin(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    model_node_time = 1700000000000;
    model_node_open_plain(&w->me, "me@test", "mine", NULL);
    model_node_open_plain(&w->peer, "peer@test", "theirs", "ws://localhost:1");
    model_node_pair(&w->me, &w->peer);
    *state = w;
    return 0;
}

int world_end(void **state)
{
    struct world *w = *state;
    model_node_close(&w->me);
    model_node_close(&w->peer);
    free(w);
    return 0;
}

bool world_may_import(struct world *w, const struct value *object)
{
    struct object o;
    struct error why;
    MUST(object_make(store_recipes(w->me.store), w->me.m.arena, object, MICRODATA_OBJECT, &o, &e));
    model_node_begin(&w->me);
    bool yes = policy_may_import(&w->me.m, &w->peer.self->person, &o, &why) == STATUS_OK;
    model_node_end(&w->me);
    return yes;
}

struct value *world_channel(struct world *w, const char *id, const struct hash *owner)
{
    struct value *info = model_object(&w->me.m, "ChannelInfo");
    model_set_text(&w->me.m, info, "id", span_of(id));
    if (owner != NULL)
        model_set_hash(&w->me.m, info, "owner", owner);
    return info;
}

struct value *world_profile_of_peer(struct world *w, unsigned number, size_t descriptions)
{
    struct model *m = &w->me.m;
    const struct hash *peer = &w->peer.self->person;
    struct value *profile = model_object(m, "Profile");
    struct value *list = value_list(m->arena);
    model_set_text(m, profile, "profileId", arena_printf(m->arena, "number %u", number));
    model_set_hash(m, profile, "personId", peer);
    model_set_hash(m, profile, "owner", peer);
    value_set_member(m->arena, profile, SPAN("communicationEndpoint"), value_list(m->arena));
    for (size_t i = 0; i < descriptions; i++)
        value_add(m->arena, list, value_hash(m->arena, &(struct hash){{(uint8_t)i, (uint8_t)(i >> 8), 1}}));
    value_set_member(m->arena, profile, SPAN("personDescription"), list);
    return profile;
}

bool world_follows(struct world *w, const struct value *object)
{
    struct object o;
    MUST(object_make(store_recipes(w->me.store), w->me.m.arena, object, MICRODATA_OBJECT, &o, &e));
    return policy_follows(&w->me.m, &w->peer.self->person, &o);
}

struct value *world_profile(struct world *w, const struct hash *person, const struct hash *owner)
{
    struct value *p = model_object(&w->me.m, "Profile");
    model_set_text(&w->me.m, p, "profileId", SPAN("default"));
    model_set_hash(&w->me.m, p, "personId", person);
    model_set_hash(&w->me.m, p, "owner", owner);
    value_set_member(w->me.m.arena, p, SPAN("communicationEndpoint"), value_list(w->me.m.arena));
    value_set_member(w->me.m.arena, p, SPAN("personDescription"), value_list(w->me.m.arena));
    return p;
}
