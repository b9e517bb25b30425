// What a topic is: its id, its kind, its channel. The kind follows from the id alone. A Topic is a claim of whoever
// brings it, and counts only if the channel that it names is the channel of its id (topic_validate): else an id that
// one knows would lead to a channel of somebody else.
#include "models/topic.h"

#include <string.h>

enum { ONE_TO_ONE_LEN = 2 * HASH_HEX + 3 };

// ---- Ids ------------------------------------------------------------------------------------------------------------

struct span topic_one_to_one_id(struct arena *a, const struct hash *one, const struct hash *two)
{
    bool ordered = hash_compare(one, two) <= 0;
    const struct hash_text first = hash_text(ordered ? one : two);
    const struct hash_text second = hash_text(ordered ? two : one);
    return arena_printf(a, "%s<->%s", first.s, second.s);
}

bool topic_is_one_to_one(struct span id, struct hash *one, struct hash *two)
{
    return id.len == ONE_TO_ONE_LEN && memcmp(id.ptr + HASH_HEX, "<->", 3) == 0 &&
           hash_parse((struct span){id.ptr, HASH_HEX}, one) && hash_parse(span_from(id, HASH_HEX + 3), two);
}

enum topic_kind topic_kind_of(struct span id)
{
    struct hash one;
    struct hash two;
    if (topic_is_one_to_one(id, &one, &two))
        return TOPIC_ONE_TO_ONE;
    return span_eq_text(id, TOPIC_EVERYONE) || span_eq_text(id, TOPIC_GLUE) ? TOPIC_FOR_EVERYONE : TOPIC_GROUP;
}

static void find_peer(struct model *m, struct topic *t)
{
    struct hash one;
    struct hash two;
    if (!topic_is_one_to_one(t->id, &one, &two))
        return;
    if (hash_eq(&one, &m->self->person))
        t->peer = two;
    else if (hash_eq(&two, &m->self->person))
        t->peer = one;
}

// What statements say of a group counts, whatever Topic came last.
static void read_members(struct model *m, struct topic *t)
{
    struct members *members = arena_alloc(m->arena, sizeof *members);
    if (t->kind != TOPIC_GROUP || members_current(m, &t->channel, members, NULL) != STATUS_OK)
        return;
    t->members = members;
    t->name = members->name;
}

enum status topic_load(struct model *m, const struct hash *hash, struct topic *out, struct error *e)
{
    struct value *object;
    *out = (struct topic){.hash = *hash};
    enum status status = model_read(m, hash, "Topic", &object, e);
    if (status != STATUS_OK)
        return status;
    value_get_string(object, "name", &out->name);
    value_get_string(object, "id", &out->id);
    value_get_hash(object, "channel", &out->channel);
    out->kind = topic_kind_of(out->id);
    find_peer(m, out);
    read_members(m, out);
    return STATUS_OK;
}

struct span topic_key(struct model *m, const struct topic *topic)
{
    return topic->kind == TOPIC_GROUP ? arena_printf(m->arena, "%s", hash_text(&topic->channel).s) : topic->id;
}

// ---- Validation -----------------------------------------------------------------------------------------------------

static bool is_channel_of(struct model *m, struct span id, const struct hash *owner, const struct hash *channel)
{
    struct hash expected;
    return channel_id_hash(m, id, owner, &expected, NULL) == STATUS_OK && hash_eq(&expected, channel);
}

// A group's channel has an owner; its id object says which.
static bool is_channel_of_somebody(struct model *m, struct span id, const struct hash *channel)
{
    struct value *info;
    struct span found;
    return model_read(m, channel, "ChannelInfo", &info, NULL) == STATUS_OK && value_get_string(info, "id", &found) &&
           span_eq(found, id);
}

enum status topic_validate(struct model *m, const struct value *topic, struct error *e)
{
    struct span id;
    struct hash channel;
    struct hash one;
    struct hash two;
    if (!value_get_string(topic, "id", &id) || !value_get_hash(topic, "channel", &channel) || id.len == 0 ||
        id.len > CHANNEL_MAX_ID)
        return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the Topic has no usable id or channel");
    bool pair = topic_is_one_to_one(id, &one, &two);
    if (is_channel_of(m, id, NULL, &channel) ||
        (pair && (is_channel_of(m, id, &one, &channel) || is_channel_of(m, id, &two, &channel))) ||
        (topic_kind_of(id) == TOPIC_GROUP && is_channel_of_somebody(m, id, &channel)))
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the Topic names a channel that is not its own");
}

bool topic_is_shared(struct model *m, const struct topic *t)
{
    return is_channel_of(m, t->id, NULL, &t->channel);
}
