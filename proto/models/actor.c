// A question in two steps: which identities may act on what this person brings (may_act), and which of them it is
// about. The first that it is about acts; if it is about none, the first that may; if none may, the main one, so that
// there is always somebody. Copies of the model stand for the other identities, as functions ask "as whom" by m->self.
#include "models/actor.h"

#include <stdlib.h>
#include <string.h>

#include "models/apart.h"
#include "models/own_node.h"
#include "models/topic.h"

// ---- Who there is ---------------------------------------------------------------------------------------------------

void actors_add(struct actors *a, const struct identity *further)
{
    for (size_t i = 0; i < a->count; i++)
        if (hash_eq(&a->further[i]->person, &further->person))
            return;
    a->further = mem_resize(a->further, (a->count + 1) * sizeof *a->further);
    a->further[a->count++] = further;
}

void actors_free(struct actors *a)
{
    free(a->further);
    *a = (struct actors){0};
}

static bool may_act(const struct model *m, const struct identity *self, const struct hash *from)
{
    struct model as_it = *m;
    as_it.self = self;
    return hash_is_zero(from) || sharing_is_own_node(&as_it, from) || apart_belongs(&as_it, from);
}

// ---- Whom it is about -----------------------------------------------------------------------------------------------

static bool is_in_pair(struct span id, const struct hash *person)
{
    struct hash one;
    struct hash two;
    return topic_is_one_to_one(id, &one, &two) && (hash_eq(&one, person) || hash_eq(&two, person));
}

// Of whom channels of this id and owner are, before and after there is a statement.
static bool takes_part(struct model *m, struct span id, const struct hash *owner, const struct hash *person)
{
    struct topic_claims claims;
    if (is_in_pair(id, person) || hash_eq(owner, person))
        return true;
    topic_claims_of(m, id, owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        if (members_find(&claims.items[i], person) != NULL)
            return true;
    return false;
}

static bool is_about_channel(struct model *m, const struct hash *channel, const struct hash *person)
{
    struct hash owner = {{0}};
    struct value *info;
    struct span id;
    if (model_read(m, channel, "ChannelInfo", &info, NULL) != STATUS_OK || !value_get_string(info, "id", &id))
        return false;
    (void)value_get_hash(info, "owner", &owner);
    return takes_part(m, id, &owner, person);
}

static bool is_about(struct model *m, const struct store_change *change, const struct hash *person)
{
    struct topic topic;
    struct members members;
    if (strcmp(change->type, "ChannelInfo") == 0)
        return is_about_channel(m, &change->id_hash, person);
    if (strcmp(change->type, "Topic") == 0)
        return topic_load(m, &change->hash, &topic, NULL) == STATUS_OK &&
               (is_in_pair(topic.id, person) || is_about_channel(m, &topic.channel, person));
    return strcmp(change->type, "ChatMessage") == 0 && members_read(m, &change->hash, &members, NULL) == STATUS_OK &&
           members_find(&members, person) != NULL;
}

// ---- Choosing -------------------------------------------------------------------------------------------------------

const struct identity *actor_for(const struct actors *a, struct model *m, const struct store_change *change)
{
    const struct identity *only = NULL; // of those it may be for
    for (size_t i = 0; i <= a->count && a->count != 0; i++) {
        const struct identity *one = i == 0 ? a->main : a->further[i - 1];
        if (!may_act(m, one, &change->from))
            continue;
        if (is_about(m, change, &one->person))
            return one;
        if (only == NULL)
            only = one;
    }
    return only != NULL ? only : a->main;
}
