// What follows from statements about members for grants: who sees what belongs to a conversation.
#include "models/access.h"
#include "models/delivery.h"
#include "models/own_node.h"
#include "models/selves.h"
#include "models/topic_internal.h"

// ---- Whom it is for -------------------------------------------------------------------------------------------------

// Both own nodes keep the same grants, so that neither takes away what the other one needs: they name both.
static void add_own_nodes(struct model *m, struct hash_list *persons)
{
    struct hash own;
    if (sharing_own_node(m, &own, NULL) != STATUS_OK)
        return;
    hash_list_add_missing(persons, &own, 1);
    hash_list_add_missing(persons, &m->self->person, 1);
}

// One of us takes part, or said what the statement says.
static bool is_ours(struct model *m, const struct members *s, bool signer)
{
    for (size_t i = 0; i < s->count; i++)
        if (members_has(s, &s->items[i].person) && members_is_ours(m, &s->items[i].person))
            return true;
    return signer && members_is_ours(m, &s->signer);
}

// Whoever takes part from this epoch or an earlier one; we are not among them.
static void add_readers(struct model *m, const struct members *s, unsigned epoch, struct hash_list *out)
{
    if (!is_ours(m, s, false))
        return; // it is not ours to show any more
    for (size_t i = 0; i < s->count; i++) {
        const struct member *one = &s->items[i];
        if (one->role != MEMBER_GONE && one->since <= epoch && !hash_eq(&one->person, &m->self->person))
            hash_list_add(out, &one->person);
    }
}

static enum status set_grant(struct model *m, struct access_target target, struct hash_list *persons, struct error *e)
{
    add_own_nodes(m, persons);
    return access_set(m, target, persons, e);
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

// Also one of the other own node and of all identities: what a statement claims is not theirs for that.
static bool is_own_channel(struct model *m, const struct hash *owner)
{
    return hash_eq(owner, &m->self->person) || sharing_is_own_node(m, owner) || selves_is_ours(m, owner);
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

// ---- Channels -------------------------------------------------------------------------------------------------------

enum status topic_grant_channel(struct model *m, const struct hash *id_hash, struct span id, const struct hash *owner,
                                struct error *e)
{
    struct topic_claims claims;
    struct hash_list readers = {0};
    topic_claims_of(m, id, owner, &claims);
    if (is_own_channel(m, owner))
        drop_others_claims(m, id_hash, &claims);
    if (claims.count == 0)
        return STATUS_OK;
    readers_of_claims(m, &claims, &readers);
    enum status status = set_grant(m, (struct access_target){ACCESS_ID, *id_hash}, &readers, e);
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

// ---- Statements and Topics ------------------------------------------------------------------------------------------

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
            status = set_grant(m, (struct access_target){ACCESS_OBJECT, hash}, &readers, e);
        hash_list_free(&readers);
    }
    return status;
}

static void add_members_beside_self(struct model *m, const struct members *s, struct hash_list *persons)
{
    for (size_t i = 0; i < s->count; i++)
        if (members_has(s, &s->items[i].person) && !hash_eq(&s->items[i].person, &m->self->person))
            hash_list_add_missing(persons, &s->items[i].person, 1);
}

// Whom a statement sends away learns that from it; who leaves tells those who stay.
static enum status grant_statement(struct model *m, const struct members *now, struct error *e)
{
    struct members before;
    struct hash_list persons = {0};
    bool ours = is_ours(m, now, true);
    if (ours)
        add_members_beside_self(m, now, &persons);
    if (ours && !hash_is_zero(&now->previous) && members_read(m, &now->previous, &before, NULL) == STATUS_OK)
        add_members_beside_self(m, &before, &persons);
    enum status status = set_grant(m, (struct access_target){ACCESS_OBJECT, now->hash}, &persons, e);
    hash_list_free(&persons);
    return status;
}

// What somebody who was sent away, or left, has not got by now will not come any more.
static enum status give_up_gone(struct model *m, const struct members *now, const struct members *old, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = topic_channels_said(m, now, &channels, e);
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
        status = set_grant(m, (struct access_target){ACCESS_OBJECT, old->hash}, &nobody, e);
    if (status == STATUS_OK && old != NULL && !span_eq(old->name, now->name))
        status = grant_topics(m, old, old->name, true, e);
    if (status == STATUS_OK)
        status = grant_topics(m, now, now->name, false, e);
    if (status == STATUS_OK)
        status = topic_each_channel(m, now, grant_visited, NULL, e);
    if (status == STATUS_OK && old != NULL)
        status = give_up_gone(m, now, old, e);
    hash_list_free(&nobody);
    return status;
}
