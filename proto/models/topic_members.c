// Who takes part in a conversation, and which channels are its. With statements the channels follow from them, one for
// each member and epoch, and it is only looked which of them are here. Without, they are found by their id, and members
// are who is granted them here.
#include "models/access.h"
#include "models/group.h"
#include "models/own_node.h"
#include "models/selves.h"
#include "models/topic_internal.h"

static enum status channel_hash(struct model *m, const struct members *s, unsigned epoch, bool apart,
                                const struct hash *owner, struct hash *out, struct error *e)
{
    return channel_id_hash(m, topic_channel_text(m, s->id, &s->channel, epoch, apart), owner, out, e);
}

// ---- Channels of a conversation -------------------------------------------------------------------------------------

// The channels that are here, of all who ever might write; also of before a member was sent away and came back.
enum status topic_each_channel(struct model *m, const struct members *s, topic_visit visit, void *arg, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < s->count; i++)
        for (unsigned epoch = 0; s->items[i].wrote && epoch <= s->epoch; epoch++)
            for (int apart = 0; status == STATUS_OK && apart <= 1; apart++) {
                struct hash channel;
                status = channel_hash(m, s, epoch, apart == 1, &s->items[i].person, &channel, e);
                if (status == STATUS_OK && model_has_head(m, &channel))
                    status = visit(m, s, &s->items[i], epoch, &channel, arg, e);
            }
    return status;
}

static enum status collect(struct model *m, const struct members *s, const struct member *owner, unsigned epoch,
                           const struct hash *channel, void *arg, struct error *e)
{
    (void)epoch, (void)e;
    if (!hash_eq(&owner->person, &m->self->person) || topic_is_outlet(m, channel, &s->channel))
        hash_list_add(arg, channel);
    return STATUS_OK;
}

enum status topic_channels_said(struct model *m, const struct members *s, struct hash_list *channels, struct error *e)
{
    return topic_each_channel(m, s, collect, channels, e);
}

static enum status note_use(struct model *m, const struct members *s, const struct member *owner, unsigned epoch,
                            const struct hash *channel, void *arg, struct error *e)
{
    struct channel c;
    bool *used = arg;
    (void)owner;
    if (*used || epoch != s->epoch)
        return STATUS_OK;
    enum status status = channel_get(m, channel, &c, e);
    *used = status == STATUS_OK && !hash_is_zero(&c.head);
    return status;
}

bool topic_epoch_is_used(struct model *m, const struct members *s)
{
    bool used = false;
    return topic_each_channel(m, s, note_use, &used, NULL) != STATUS_OK || used;
}

static void add_group_members(struct model *m, const struct access_grant *grant, struct hash_list *members)
{
    for (size_t i = 0; i < grant->group_count; i++) {
        struct group group;
        if (group_get(m, &grant->groups[i], &group, NULL) == STATUS_OK)
            hash_list_add_missing(members, group.persons, group.person_count);
    }
}

static enum status add_granted(struct model *m, struct access_target target, struct hash_list *members, struct error *e)
{
    struct access_grant grant;
    enum status status = access_get(m, target, &grant, e);
    hash_list_add_missing(members, grant.persons, status == STATUS_OK ? grant.person_count : 0);
    if (status == STATUS_OK)
        add_group_members(m, &grant, members);
    return status;
}

// Of a topic without statements: whom it is granted to here, in person or in a group.
static enum status granted_members(struct model *m, const struct topic *t, struct hash_list *members, struct error *e)
{
    struct hash own;
    struct hash owner;
    hash_list_add(members, &m->self->person);
    if (channel_owner(m, &t->channel, &owner) == STATUS_OK && !hash_is_zero(&owner))
        hash_list_add_missing(members, &owner, 1);
    if (!hash_is_zero(&t->peer))
        hash_list_add_missing(members, &t->peer, 1);
    enum status status = channel_id_hash(m, t->id, &m->self->person, &own, e);
    if (status == STATUS_OK)
        status = add_granted(m, (struct access_target){ACCESS_ID, own}, members, e);
    return status == STATUS_OK ? add_granted(m, (struct access_target){ACCESS_OBJECT, t->hash}, members, e) : status;
}

enum status topic_persons_of(struct model *m, const struct topic *topic, struct hash_list *persons, struct error *e)
{
    const struct members *s = topic->members;
    for (size_t i = 0; s != NULL && i < s->count; i++)
        if (s->items[i].role != MEMBER_GONE)
            hash_list_add(persons, &s->items[i].person);
    return s != NULL ? STATUS_OK : granted_members(m, topic, persons, e);
}

static enum status channels_of_granted(struct model *m, const struct topic *t, struct hash_list *channels,
                                       struct error *e)
{
    struct channels all;
    struct hash_list members = {0};
    bool everyone = t->kind == TOPIC_FOR_EVERYONE;
    enum status status = granted_members(m, t, &members, e);
    if (status == STATUS_OK)
        status = channel_find(m, t->id, &all, e);
    for (size_t i = 0; status == STATUS_OK && i < all.count; i++)
        if (everyone || hash_is_zero(&all.items[i].owner) || hash_list_has(&members, &all.items[i].owner))
            hash_list_add(channels, &all.items[i].id_hash);
    struct hash apart;
    struct span text = topic_channel_text(m, t->id, &t->channel, 0, true);
    if (status == STATUS_OK)
        status = channel_id_hash(m, text, &m->self->person, &apart, e);
    if (status == STATUS_OK && model_has_head(m, &apart))
        hash_list_add(channels, &apart);
    hash_list_free(&members);
    return status;
}

// What a further identity of ours posted is ours to see, whether it was made a member before, later or not at all.
static enum status add_own_channels(struct model *m, const struct members *s, const struct hash *identity,
                                    struct hash_list *channels, struct error *e)
{
    enum status status = STATUS_OK;
    for (unsigned epoch = 0; status == STATUS_OK && epoch <= s->epoch; epoch++) {
        struct hash channel;
        status = channel_hash(m, s, epoch, false, identity, &channel, e);
        if (status == STATUS_OK && model_has_head(m, &channel))
            hash_list_add_missing(channels, &channel, 1);
    }
    return status;
}

static enum status add_identities(struct model *m, const struct members *s, struct hash_list *channels, struct error *e)
{
    struct hash_list persons = {0};
    enum status status = selves_persons(m, &persons, e);
    for (size_t i = 0; status == STATUS_OK && i < persons.count; i++)
        status = add_own_channels(m, s, &persons.items[i], channels, e);
    hash_list_free(&persons);
    return status;
}

enum status topic_channels(struct model *m, const struct topic *topic, struct hash_list *channels, struct error *e)
{
    if (topic->members != NULL) {
        enum status status = topic_channels_said(m, topic->members, channels, e);
        return status == STATUS_OK && !m->self->further ? add_identities(m, topic->members, channels, e) : status;
    }
    if (topic->kind != TOPIC_ONE_TO_ONE || !topic_is_shared(m, topic))
        return channels_of_granted(m, topic, channels, e);
    if (model_has_head(m, &topic->channel))
        hash_list_add(channels, &topic->channel);
    return STATUS_OK;
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
