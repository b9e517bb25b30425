// The sparse node is paired with few and writes to many, by way of the archive. It cannot ask whom the archive knows
// and infers it: the archive certifies the keys of whom it pairs with and takes that back when it forgets. So WAY_NONE
// may mean "not yet". For a further identity of the archive (m->self->elsewhere) nothing leaves here directly.
#include "models/way.h"

#include "models/chat.h"
#include "models/contact.h"
#include "models/origin.h"
#include "models/own_node.h"
#include "models/trust.h"

// ---- Who we are -----------------------------------------------------------------------------------------------------

size_t way_selves(struct model *m, struct hash selves[WAY_SELVES])
{
    selves[0] = m->self->person;
    if (m->self->elsewhere)
        return 1;
    return sharing_own_node(m, &selves[1], NULL) == STATUS_OK ? WAY_SELVES : 1;
}

bool way_is_self(struct model *m, const struct hash *person)
{
    return hash_eq(person, &m->self->person) || sharing_is_own_node(m, person);
}

enum status way_voice(struct model *m, struct hash *person, struct error *e)
{
    if (!m->self->elsewhere)
        return sharing_own_node(m, person, e);
    *person = m->self->person;
    return STATUS_OK;
}

// ---- To a person ----------------------------------------------------------------------------------------------------

static bool is_certified_by(struct model *m, const struct trust_key *key, const void *own)
{
    return key->reason == TRUST_BY_CERTIFICATE && trust_signed_by(m, &key->voucher.certificate, own, NULL);
}

// The archive certifies the keys of whom it pairs with, and takes that back when it forgets somebody.
enum status way_paired_with(struct model *m, const struct hash *own, const struct hash *person, bool *paired,
                            struct error *e)
{
    struct trust_key key;
    enum status status = trust_find(m, person, is_certified_by, own, &key, e);
    *paired = status == STATUS_OK;
    if (status != STATUS_NOT_FOUND)
        return status;
    error_clear(e);
    return STATUS_OK;
}

enum status way_to(struct model *m, const struct hash *person, enum way *out, struct error *e)
{
    struct hash own;
    bool paired = false;
    *out = WAY_NONE;
    if (!contact_exists(m, person))
        return STATUS_OK;
    if (m->self->elsewhere) {
        *out = contact_is_paired(m, person) ? WAY_ARCHIVE : WAY_NONE;
        return STATUS_OK;
    }
    if (sharing_is_own_node(m, person) || contact_is_paired(m, person)) {
        *out = WAY_DIRECT;
        return STATUS_OK;
    }
    if (sharing_own_node(m, &own, NULL) != STATUS_OK)
        return STATUS_OK;
    enum status status = way_paired_with(m, &own, person, &paired, e);
    *out = paired ? WAY_ARCHIVE : WAY_NONE;
    return status;
}

// ---- Into a conversation --------------------------------------------------------------------------------------------

static enum status way_into_pair(struct model *m, const struct hash *one, const struct hash *two, enum way *out,
                                 struct error *e)
{
    const struct hash *self = &m->self->person;
    bool is_ours = hash_eq(one, self) || hash_eq(two, self);
    const struct hash *other = hash_eq(one, self) || (!is_ours && sharing_is_own_node(m, one)) ? two : one;
    enum status status = way_to(m, other, out, e);
    bool fits = is_ours ? *out == WAY_DIRECT : way_is_self(m, one) || way_is_self(m, two);
    if (status == STATUS_OK && (!fits || *out == WAY_NONE))
        *out = WAY_NONE;
    else if (status == STATUS_OK && !is_ours)
        *out = WAY_ARCHIVE;
    return status;
}

// Of a further identity of the archive: whatever it takes part in.
static enum status way_into_its(struct model *m, const struct topic *topic, enum way *out, struct error *e)
{
    struct hash owner = {{0}};
    if (!hash_is_zero(&topic->peer))
        return way_to(m, &topic->peer, out, e);
    (void)channel_owner(m, &topic->channel, &owner);
    bool takes_part =
        topic->members != NULL ? members_has(topic->members, &m->self->person) : hash_eq(&owner, &m->self->person);
    *out = takes_part ? WAY_ARCHIVE : WAY_NONE;
    return STATUS_OK;
}

enum status way_into(struct model *m, const struct topic *topic, enum way *out, struct error *e)
{
    struct hash one;
    struct hash two;
    struct hash from = {{0}};
    *out = WAY_DIRECT;
    if (m->self->elsewhere)
        return way_into_its(m, topic, out, e);
    if (topic_is_one_to_one(topic->id, &one, &two))
        return way_into_pair(m, &one, &two, out, e);
    if (topic->members != NULL && members_has(topic->members, &m->self->person))
        return STATUS_OK;
    if (topic->kind == TOPIC_FOR_EVERYONE) { // everyone is whom the archive knows
        *out = sharing_own_node(m, &from, NULL) == STATUS_OK ? WAY_ARCHIVE : WAY_DIRECT;
        return STATUS_OK;
    }
    if (topic->members != NULL && sharing_own_node(m, &from, NULL) == STATUS_OK && members_has(topic->members, &from)) {
        *out = WAY_ARCHIVE;
        return STATUS_OK;
    }
    (void)channel_owner(m, &topic->channel, &from); // its versions may come later
    if (hash_is_zero(&from) && origin_get(m, &topic->channel, &from, NULL) != STATUS_OK)
        return STATUS_OK;
    if (hash_eq(&from, &m->self->person))
        return STATUS_OK;
    if (sharing_is_own_node(m, &from)) {
        *out = WAY_ARCHIVE;
        return STATUS_OK;
    }
    enum status status = way_to(m, &from, out, e);
    if (status == STATUS_OK && *out == WAY_NONE)
        *out = WAY_ARCHIVE; // it came by way of the archive, which knows
    return status;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

enum status way_conversation(struct model *m, const struct hash *person, struct way_topics *out, struct error *e)
{
    struct hash selves[WAY_SELVES];
    size_t count = way_selves(m, selves);
    enum status status = STATUS_OK;
    *out = (struct way_topics){0};
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (hash_eq(&selves[i], person))
            continue;
        status = chat_between(m, &selves[i], person, &out->items[out->count], e);
        if (status == STATUS_OK)
            out->count++;
        else if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    if (status == STATUS_OK)
        error_clear(e);
    return status;
}

enum status way_channels(struct model *m, const struct topic *topics, size_t count, struct hash_list *channels,
                         struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = topic_channels(m, &topics[i], channels, e);
    return status;
}
