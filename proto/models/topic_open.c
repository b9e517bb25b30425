// Topics begin, made here or heard of: each gets its channel, its place in the registry and its first grants.
#include "base/log.h"
#include "models/access.h"
#include "models/group.h"
#include "models/origin.h"
#include "models/topic_internal.h"

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

static enum status put_topic(struct model *m, struct span name, struct span id, const struct hash *channel,
                             struct hash *hash, struct error *e)
{
    struct value *topic = model_object(m, "Topic");
    model_set_text(m, topic, "name", name);
    model_set_text(m, topic, "id", id);
    model_set_hash(m, topic, "channel", channel);
    return model_put(m, topic, hash, e);
}

enum status topic_put_object(struct model *m, const struct members *s, unsigned epoch, struct span name,
                             struct hash *hash, struct error *e)
{
    struct hash channel;
    struct span id = topic_channel_text(m, s->id, &s->channel, epoch, false);
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", id);
    model_set_hash(m, info, "owner", &s->creator);
    enum status status = model_put_id(m, info, &channel, e);
    if (status != STATUS_OK)
        return status;
    return put_topic(m, name, id, &channel, hash, e);
}

enum status topic_make(struct model *m, struct span id, struct span name, const struct hash *owner, struct topic *out,
                       struct error *e)
{
    struct hash channel;
    struct hash hash;
    enum status status = channel_create(m, id, owner, &channel, e);
    if (status != STATUS_OK)
        return status;
    status = put_topic(m, name, id, &channel, &hash, e);
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
