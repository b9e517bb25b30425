#include "models/topic.h"

#include <string.h>

#include "base/log.h"
#include "models/access.h"
#include "models/group.h"
#include "models/origin.h"
#include "models/own_node.h"

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

// ---- Granting -------------------------------------------------------------------------------------------------------

static enum status grant(struct model *m, const struct topic *t, const struct hash *persons, size_t person_count,
                         const struct hash *groups, size_t group_count, struct error *e)
{
    enum status status =
        access_add(m, (struct access_target){ACCESS_ID, t->channel}, persons, person_count, groups, group_count, e);
    if (status == STATUS_OK)
        status = access_add(m, (struct access_target){ACCESS_OBJECT, t->hash}, persons, person_count, groups,
                            group_count, e);
    return status;
}

// So that a grant has a target at once (MODELS.md 8.7).
static enum status put_shared_channel(struct model *m, const struct topic *t, struct error *e)
{
    struct hash channel;
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", t->id);
    return model_put_id(m, info, &channel, e);
}

bool topic_is_shared(struct model *m, const struct topic *t)
{
    return is_channel_of(m, t->id, NULL, &t->channel);
}

// Who brought us the one channel of a group reads what we write there; whom else it is for, the user says.
static enum status grant_origin(struct model *m, const struct topic *t, struct error *e)
{
    struct hash origin;
    if (!topic_is_shared(m, t) || origin_get(m, &t->channel, &origin, NULL) != STATUS_OK ||
        hash_eq(&origin, &m->self->person))
        return STATUS_OK;
    enum status status = put_shared_channel(m, t, e);
    return status == STATUS_OK ? grant(m, t, &origin, 1, NULL, 0, e) : status;
}

// Nobody is shown what others say to everyone because we have heard it.
static enum status grant_by_kind(struct model *m, const struct topic *t, struct error *e)
{
    struct hash pair[2];
    if (t->kind == TOPIC_FOR_EVERYONE || t->members != NULL)
        return STATUS_OK;
    if (t->kind == TOPIC_GROUP)
        return grant_origin(m, t, e);
    if (hash_is_zero(&t->peer))
        return STATUS_OK;
    enum status status = topic_is_shared(m, t) ? put_shared_channel(m, t, e) : STATUS_OK;
    if (status == STATUS_OK && topic_is_one_to_one(t->id, &pair[0], &pair[1]))
        status = grant(m, t, pair, 2, NULL, 0, e);
    return status;
}

enum status topic_notice(struct model *m, const struct hash *topic, bool at_once, struct error *e)
{
    struct value *object;
    struct topic t;
    struct error why = {0};
    enum status status = model_read(m, topic, "Topic", &object, e);
    if (status != STATUS_OK)
        return status;
    if (topic_validate(m, object, &why) != STATUS_OK) {
        LOG(LOG_WARN, "topic.ignored", LOG_HASH("topic", topic), LOG_TEXT("why", why.message));
        return STATUS_OK;
    }
    status = topic_load(m, topic, &t, e);
    if (status == STATUS_OK)
        status = topic_add_to_registry(m, &t, at_once, e);
    if (status == STATUS_OK)
        status = grant_by_kind(m, &t, e);
    return status;
}

enum status topic_add_persons(struct model *m, const struct topic *topic, const struct hash *persons, size_t count,
                              struct error *e)
{
    return grant(m, topic, persons, count, NULL, 0, e);
}

// ---- Creating -------------------------------------------------------------------------------------------------------

enum status topic_make(struct model *m, struct span id, struct span name, const struct hash *owner, struct topic *out,
                       struct error *e)
{
    struct hash channel;
    struct hash hash;
    enum status status = channel_create(m, id, owner, &channel, e);
    if (status != STATUS_OK)
        return status;
    struct value *topic = model_object(m, "Topic");
    model_set_text(m, topic, "name", name);
    model_set_text(m, topic, "id", id);
    model_set_hash(m, topic, "channel", &channel);
    status = model_put(m, topic, &hash, e);
    if (status == STATUS_OK)
        status = topic_notice(m, &hash, true, e);
    return status == STATUS_OK ? topic_load(m, &hash, out, e) : status;
}

static enum status open_shared(struct model *m, struct span id, struct span name, struct topic *out, struct error *e)
{
    enum status status = topic_find(m, id, out, e);
    if (status != STATUS_NOT_FOUND)
        return status;
    error_clear(e);
    return topic_make(m, id, name, NULL, out, e);
}

enum status topic_open_one_to_one(struct model *m, const struct hash *person, struct topic *out, struct error *e)
{
    if (hash_eq(person, &m->self->person))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a conversation needs another person");
    struct span id = topic_one_to_one_id(m->arena, &m->self->person, person);
    return open_shared(m, id, id, out, e);
}

static enum status open_for_everyone(struct model *m, struct span id, struct span name, struct topic *out,
                                     struct error *e)
{
    struct hash everyone;
    struct hash own;
    enum status status = open_shared(m, id, name, out, e);
    if (status == STATUS_OK)
        status = channel_create(m, id, &m->self->person, &own, e);
    if (status == STATUS_OK)
        status = group_create(m, SPAN(GROUP_EVERYONE), true, &everyone, e);
    if (status == STATUS_OK)
        status = access_grant_group(m, (struct access_target){ACCESS_ID, own}, &everyone, e);
    if (status == STATUS_OK)
        status = access_grant_group(m, (struct access_target){ACCESS_OBJECT, out->hash}, &everyone, e);
    return status;
}

enum status topic_open_everyone(struct model *m, struct topic *out, struct error *e)
{
    return open_for_everyone(m, SPAN(TOPIC_EVERYONE), SPAN("Everyone"), out, e);
}

enum status topic_open_glue(struct model *m, struct topic *out, struct error *e)
{
    return open_for_everyone(m, SPAN(TOPIC_GLUE), SPAN("glue.one"), out, e);
}

enum status topic_recipients(struct model *m, const struct topic *topic, struct hash_list *persons, struct error *e)
{
    struct hash own = {{0}};
    struct hash_list members = {0};
    enum status status = STATUS_OK;
    if (topic->kind == TOPIC_ONE_TO_ONE && !hash_is_zero(&topic->peer))
        hash_list_add(persons, &topic->peer);
    if (topic->kind == TOPIC_GROUP)
        status = topic_persons_of(m, topic, &members, e);
    (void)sharing_own_node(m, &own, NULL);
    for (size_t i = 0; i < members.count; i++) {
        const struct hash *person = &members.items[i];
        if (!hash_eq(person, &own) && !hash_eq(person, &m->self->person) && !hash_list_has(persons, person))
            hash_list_add(persons, person);
    }
    hash_list_free(&members);
    return status;
}
