// Where we write in a conversation of several. A channel of ours is for one conversation only (topic_claims.c): where
// the one of its id is in use for another, a second name is tried, and which of them it was is noted. To ask for the
// outlet makes it, and opens it to who is to read it.
#include "models/access.h"
#include "models/topic_internal.h"

// Of a store that was made before outlets were noted: whoever made the topic reads it already.
static bool was_outlet(struct model *m, const struct hash *channel, const struct hash *topic)
{
    struct hash creator;
    return channel_owner(m, topic, &creator) == STATUS_OK && !hash_is_zero(&creator) &&
           access_has(m, (struct access_target){ACCESS_ID, *channel}, &creator);
}

static enum status find_outlet(struct model *m, struct span id, const struct hash *topic, unsigned epoch, bool said,
                               struct hash *channel, struct error *e)
{
    for (int apart = 0; apart <= 1; apart++) {
        struct span text = topic_channel_text(m, id, topic, epoch, apart == 1);
        enum status status = channel_id_hash(m, text, &m->self->person, channel, e);
        if (status == STATUS_OK && model_has_head(m, channel) && !topic_is_outlet(m, channel, topic) &&
            (said || !was_outlet(m, channel, topic)))
            continue;
        if (status == STATUS_OK)
            status = channel_create(m, text, &m->self->person, channel, e);
        if (status == STATUS_OK)
            status = topic_note_outlet(m, channel, topic, e);
        return status;
    }
    return error_set(e, STATUS_REFUSED, "REFUSED", "the channels for this chat are in use for something else");
}

static enum status member_outlet(struct model *m, const struct members *s, struct hash *channel, struct error *e)
{
    struct channel c;
    enum status status = find_outlet(m, s->id, &s->channel, s->epoch, true, channel, e);
    if (status == STATUS_OK)
        status = channel_get(m, channel, &c, e);
    return status == STATUS_OK ? topic_grant_channel(m, channel, c.id, &m->self->person, e) : status;
}

// The owner of a topic without statements may read what we write.
static enum status granted_outlet(struct model *m, const struct topic *t, struct hash *channel, struct error *e)
{
    struct hash owner;
    enum status status = find_outlet(m, t->id, &t->channel, 0, false, channel, e);
    if (status == STATUS_OK && !hash_eq(channel, &t->channel) && channel_owner(m, &t->channel, &owner) == STATUS_OK &&
        !hash_is_zero(&owner))
        status = access_grant(m, (struct access_target){ACCESS_ID, *channel}, &owner, e);
    return status;
}

// Whoever speaks to everyone opens the conversation.
static enum status everyone_outlet(struct model *m, const struct topic *t, struct hash *channel, struct error *e)
{
    struct topic ignored;
    bool glue = span_eq_text(t->id, TOPIC_GLUE);
    enum status status = glue ? topic_open_glue(m, &ignored, e) : topic_open_everyone(m, &ignored, e);
    return status == STATUS_OK ? channel_id_hash(m, t->id, &m->self->person, channel, e) : status;
}

enum status topic_may_write(const struct topic *topic, const struct hash *person, struct error *e)
{
    if (topic->members != NULL && !members_has(topic->members, person))
        return error_set(e, STATUS_REFUSED, "REFUSED", "%s is no member of the chat", hash_text(person).s);
    if (topic->members != NULL && !members_may_write(topic->members, person))
        return error_set(e, STATUS_REFUSED, "REFUSED", "%s only reads in this chat", hash_text(person).s);
    return STATUS_OK;
}

enum status topic_outlet_of(struct model *m, const struct topic *topic, const struct hash *person, struct hash *channel,
                            struct error *e)
{
    bool shared = topic->kind == TOPIC_ONE_TO_ONE;
    unsigned epoch = topic->members != NULL ? topic->members->epoch : 0;
    return channel_id_hash(m, topic_channel_text(m, topic->id, &topic->channel, epoch, false), shared ? NULL : person,
                           channel, e);
}

enum status topic_outlet(struct model *m, const struct topic *topic, struct hash *channel, struct error *e)
{
    enum status status = topic_may_write(topic, &m->self->person, e);
    if (status != STATUS_OK)
        return status;
    if (topic->members != NULL)
        return member_outlet(m, topic->members, channel, e);
    if (topic->kind == TOPIC_FOR_EVERYONE)
        return everyone_outlet(m, topic, channel, e);
    if (topic_is_shared(m, topic))
        return channel_create(m, topic->id, NULL, channel, e);
    return granted_outlet(m, topic, channel, e);
}
