// What follows from statements about members: which channels are a conversation's, and who sees them.
//
// The channels of an epoch have the topic's id, from the second one on with "~" and its number behind it. Where a
// member has a channel of that id for something else — its own, or another conversation whose creator chose the same id
// — it writes into one with "~x" and the beginning of the topic's channel in between, so that nobody reads what was not
// said to him. Peers that know no statements do not show those.
#include <string.h>

#include "models/access.h"
#include "models/delivery.h"
#include "models/group.h"
#include "models/own_node.h"
#include "models/selves.h"
#include "models/topic_internal.h"

enum { MARK = 16 }; // digits of the topic's channel

// ---- Ids of channels ------------------------------------------------------------------------------------------------

struct span topic_channel_text(struct model *m, struct span id, const struct hash *topic, unsigned epoch, bool apart)
{
    struct buf text = {0};
    buf_add_span(&text, id);
    if (apart)
        buf_printf(&text, "~x%.*s", MARK, hash_text(topic).s);
    if (epoch != 0)
        buf_printf(&text, "~%u", epoch);
    struct span kept = arena_copy(m->arena, buf_span(&text));
    buf_free(&text);
    return kept;
}

static enum status channel_hash(struct model *m, const struct members *s, unsigned epoch, bool apart,
                                const struct hash *owner, struct hash *out, struct error *e)
{
    return channel_id_hash(m, topic_channel_text(m, s->id, &s->channel, epoch, apart), owner, out, e);
}

// Cuts "~" and what follows off a text. false: there is none.
static bool cut_suffix(struct span *text)
{
    const char *at = text->len != 0 ? memrchr(text->ptr, '~', text->len) : NULL;
    if (at == NULL || at == text->ptr)
        return false;
    text->len = (size_t)(at - text->ptr);
    return true;
}

// A statement counts the channel if the id is one that its members write under.
static bool find_epoch(struct model *m, const struct members *s, struct span channel_id, unsigned *epoch)
{
    for (*epoch = 0; *epoch <= s->epoch; ++*epoch)
        for (int apart = 0; apart <= 1; apart++)
            if (span_eq(topic_channel_text(m, s->id, &s->channel, *epoch, apart == 1), channel_id))
                return true;
    return false;
}

static void add_claims(struct model *m, struct span id, struct span channel_id, const struct hash *owner,
                       struct topic_claims *out)
{
    struct topics topics;
    if (topic_with_id(m, id, &topics, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < topics.count && out->count < TOPIC_CLAIMS; i++) {
        const struct members *s = topics.items[i].members;
        if (s != NULL && members_find(s, owner) != NULL && find_epoch(m, s, channel_id, &out->epochs[out->count]))
            out->items[out->count++] = *s;
    }
}

void topic_claims_of(struct model *m, struct span channel_id, const struct hash *owner, struct topic_claims *out)
{
    struct span id = channel_id;
    out->count = 0;
    add_claims(m, id, channel_id, owner, out);
    for (int i = 0; i < 2 && cut_suffix(&id); i++)
        add_claims(m, id, channel_id, owner, out);
}

bool topic_introduced_key(struct model *m, const struct hash *channel, const struct hash *person,
                          struct sign_public *key)
{
    struct channel c;
    struct topic_claims claims;
    if (channel_get(m, channel, &c, NULL) != STATUS_OK || hash_is_zero(&c.owner))
        return false;
    topic_claims_of(m, c.id, &c.owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        if (members_introduced_key(m, &claims.items[i], person, key))
            return true;
    return false;
}

// ---- Channels of a conversation -------------------------------------------------------------------------------------

typedef enum status (*each_channel)(struct model *m, const struct members *s, const struct member *owner,
                                    unsigned epoch, const struct hash *channel, void *arg, struct error *e);

// The channels that are here, of all who ever might write; also of before a member was sent away and came back.
static enum status for_each(struct model *m, const struct members *s, each_channel visit, void *arg, struct error *e)
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
    return for_each(m, s, note_use, &used, NULL) != STATUS_OK || used;
}

static void add_once(struct hash_list *list, const struct hash *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!hash_list_has(list, &items[i]))
            hash_list_add(list, &items[i]);
}

static void add_group_members(struct model *m, const struct access_grant *grant, struct hash_list *members)
{
    for (size_t i = 0; i < grant->group_count; i++) {
        struct group group;
        if (group_get(m, &grant->groups[i], &group, NULL) == STATUS_OK)
            add_once(members, group.persons, group.person_count);
    }
}

static enum status add_granted(struct model *m, struct access_target target, struct hash_list *members, struct error *e)
{
    struct access_grant grant;
    enum status status = access_get(m, target, &grant, e);
    add_once(members, grant.persons, status == STATUS_OK ? grant.person_count : 0);
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
        add_once(members, &owner, 1);
    if (!hash_is_zero(&t->peer))
        add_once(members, &t->peer, 1);
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
            add_once(channels, &channel, 1);
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
        enum status status = for_each(m, topic->members, collect, channels, e);
        return status == STATUS_OK && !m->self->further ? add_identities(m, topic->members, channels, e) : status;
    }
    if (topic->kind != TOPIC_ONE_TO_ONE || !topic_is_shared(m, topic))
        return channels_of_granted(m, topic, channels, e);
    if (model_has_head(m, &topic->channel))
        hash_list_add(channels, &topic->channel);
    return STATUS_OK;
}

// ---- Grants ---------------------------------------------------------------------------------------------------------

static void add_own_node(struct model *m, struct hash_list *persons)
{
    struct hash own;
    if (sharing_own_node(m, &own, NULL) == STATUS_OK && !hash_list_has(persons, &own))
        hash_list_add(persons, &own);
}

// Whoever takes part from this epoch or an earlier one; we are not among them.
static void add_readers(struct model *m, const struct members *s, unsigned epoch, struct hash_list *out)
{
    if (!members_has(s, &m->self->person))
        return; // it is not ours to show any more
    for (size_t i = 0; i < s->count; i++) {
        const struct member *one = &s->items[i];
        if (one->role != MEMBER_GONE && one->since <= epoch && !hash_eq(&one->person, &m->self->person))
            hash_list_add(out, &one->person);
    }
}

static enum status set_grant(struct model *m, struct access_target target, struct hash_list *persons,
                             const struct hash *owner, struct error *e)
{
    struct hash_list wanted = {0};
    add_own_node(m, persons);
    for (size_t i = 0; i < persons->count; i++)
        if (owner == NULL || !hash_eq(&persons->items[i], owner))
            hash_list_add(&wanted, &persons->items[i]);
    enum status status = access_set(m, target, &wanted, e);
    hash_list_free(&wanted);
    return status;
}

static void keep_common(struct hash_list *list, const struct hash_list *other)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (hash_list_has(other, &list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

// What several conversations claim is for those only who take part in all of them.
static void readers_of_claims(struct model *m, const struct topic_claims *claims, struct hash_list *out)
{
    for (size_t i = 0; i < claims->count; i++) {
        struct hash_list readers = {0};
        add_readers(m, &claims->items[i], claims->epochs[i], &readers);
        if (i == 0)
            for (size_t k = 0; k < readers.count; k++)
                hash_list_add(out, &readers.items[k]);
        else
            keep_common(out, &readers);
        hash_list_free(&readers);
    }
}

// An own channel is granted to those it was made for.
static void drop_others_claims(struct model *m, const struct hash *channel, struct topic_claims *claims)
{
    size_t kept = 0;
    for (size_t i = 0; i < claims->count; i++)
        if (topic_is_outlet(m, channel, &claims->items[i].channel)) {
            claims->items[kept] = claims->items[i];
            claims->epochs[kept++] = claims->epochs[i];
        }
    claims->count = kept;
}

enum status topic_grant_channel(struct model *m, const struct hash *id_hash, struct span id, const struct hash *owner,
                                struct error *e)
{
    struct topic_claims claims;
    struct hash_list readers = {0};
    topic_claims_of(m, id, owner, &claims);
    if (hash_eq(owner, &m->self->person))
        drop_others_claims(m, id_hash, &claims);
    if (claims.count == 0)
        return STATUS_OK;
    readers_of_claims(m, &claims, &readers);
    enum status status = set_grant(m, (struct access_target){ACCESS_ID, *id_hash}, &readers, NULL, e);
    hash_list_free(&readers);
    return status;
}

static enum status grant_visited(struct model *m, const struct members *s, const struct member *owner, unsigned epoch,
                                 const struct hash *channel, void *arg, struct error *e)
{
    struct channel c;
    (void)s, (void)epoch, (void)arg;
    enum status status = channel_get(m, channel, &c, e);
    return status == STATUS_OK ? topic_grant_channel(m, channel, c.id, &owner->person, e) : status;
}

enum status topic_notice_channel(struct model *m, const struct hash *channel, struct error *e)
{
    struct channel c;
    if (access_exists(m, (struct access_target){ACCESS_ID, *channel}) ||
        channel_get(m, channel, &c, NULL) != STATUS_OK || hash_is_zero(&c.owner))
        return STATUS_OK;
    return topic_grant_channel(m, channel, c.id, &c.owner, e);
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
    struct value *topic = model_object(m, "Topic");
    model_set_text(m, topic, "name", name);
    model_set_text(m, topic, "id", id);
    model_set_hash(m, topic, "channel", &channel);
    return model_put(m, topic, hash, e);
}

static enum status grant_topics(struct model *m, const struct members *s, struct span name, bool none, struct error *e)
{
    enum status status = STATUS_OK;
    for (unsigned epoch = 0; status == STATUS_OK && epoch <= s->epoch; epoch++) {
        struct hash hash;
        struct hash_list readers = {0};
        status = topic_put_object(m, s, epoch, name, &hash, e);
        if (status == STATUS_OK && epoch == 0)
            status = topic_notice(m, &hash, true, e);
        if (!none)
            add_readers(m, s, epoch, &readers);
        if (status == STATUS_OK)
            status = set_grant(m, (struct access_target){ACCESS_OBJECT, hash}, &readers, NULL, e);
        hash_list_free(&readers);
    }
    return status;
}

// Whom a statement sends away learns that from it; who leaves tells those who stay.
static enum status grant_statement(struct model *m, const struct members *now, struct error *e)
{
    struct members before;
    struct hash_list persons = {0};
    bool ours = members_has(now, &m->self->person) || hash_eq(&now->signer, &m->self->person);
    for (size_t i = 0; ours && i < now->count; i++)
        if (members_has(now, &now->items[i].person))
            hash_list_add(&persons, &now->items[i].person);
    if (ours && !hash_is_zero(&now->previous) && members_read(m, &now->previous, &before, NULL) == STATUS_OK)
        for (size_t i = 0; i < before.count; i++)
            if (members_has(&before, &before.items[i].person) && !hash_list_has(&persons, &before.items[i].person))
                hash_list_add(&persons, &before.items[i].person);
    enum status status = set_grant(m, (struct access_target){ACCESS_OBJECT, now->hash}, &persons, &m->self->person, e);
    hash_list_free(&persons);
    return status;
}

// What somebody who was sent away, or left, has not got by now will not come any more.
static enum status give_up_gone(struct model *m, const struct members *now, const struct members *old, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = for_each(m, now, collect, &channels, e);
    for (size_t i = 0; status == STATUS_OK && i < old->count; i++) {
        const struct hash *person = &old->items[i].person;
        if (members_has(old, person) && !members_has(now, person))
            status = delivery_give_up_in(m, &channels, person, SPAN("it takes no part in the chat any more"), e);
    }
    hash_list_free(&channels);
    return status;
}

enum status topic_reconcile(struct model *m, const struct members *now, const struct members *old, struct error *e)
{
    struct hash_list nobody = {0};
    enum status status = grant_statement(m, now, e);
    if (status == STATUS_OK && old != NULL && !hash_eq(&old->hash, &now->hash))
        status = set_grant(m, (struct access_target){ACCESS_OBJECT, old->hash}, &nobody, NULL, e);
    if (status == STATUS_OK && old != NULL && !span_eq(old->name, now->name))
        status = grant_topics(m, old, old->name, true, e);
    if (status == STATUS_OK)
        status = grant_topics(m, now, now->name, false, e);
    if (status == STATUS_OK)
        status = for_each(m, now, grant_visited, NULL, e);
    if (status == STATUS_OK && old != NULL)
        status = give_up_gone(m, now, old, e);
    hash_list_free(&nobody);
    return status;
}
