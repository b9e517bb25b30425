// Forgetting. Keys, grants and groups are those of the installation, and a person may be a contact of several
// identities of it: what one of them forgets alone stays with the others, but for what it told the person itself.
#include <string.h>

#include "models/access.h"
#include "models/apart.h"
#include "models/contact.h"
#include "models/delivery.h"
#include "models/group.h"
#include "models/keeping.h"
#include "models/leute.h"
#include "models/members.h"
#include "models/topic.h"
#include "models/trust.h"
#include "models/way.h"

#define REASON "the contact was forgotten"

static bool is_ours(struct span group)
{
    return span_eq_text(group, GROUP_EVERYONE) || span_eq_text(group, GROUP_DISABLED) ||
           span_eq_text(group, GROUP_BLACKLIST);
}

// Whoever is forgotten gets nothing by way of a group either, also not once paired again. Who is shut out stays so.
// made_only: those that the user has made; whom other identities know is still everyone.
static enum status leave_groups(struct model *m, const struct hash *person, bool made_only, struct error *e)
{
    struct groups groups;
    enum status status = group_list(m, &groups, e);
    for (size_t i = 0; status == STATUS_OK && i < groups.count; i++) {
        struct span name = groups.items[i].name;
        if (made_only ? !is_ours(name) : !span_eq_text(name, GROUP_BLACKLIST))
            status = group_remove(m, &groups.items[i].id_hash, person, e);
    }
    return status;
}

enum status contact_forget(struct model *m, const struct hash *person, struct error *e)
{
    struct hash someone;
    enum status status = contact_someone(m, person, &someone, e);
    bool kept = status == STATUS_OK && keeping_knows(m, person);
    if (status == STATUS_OK)
        status = trust_withdraw(m, person, e); // as long as its keys are known
    if (status == STATUS_OK)
        status = leute_remove_other(m, &someone, e);
    if (status == STATUS_OK && !kept) // grants and groups are those of both own nodes
        status = access_revoke_all(m, person, e);
    if (status == STATUS_OK && !kept)
        status = leave_groups(m, person, false, e);
    if (status == STATUS_OK)
        status = delivery_give_up(m, person, SPAN(REASON), e);
    if (status == STATUS_OK)
        status = apart_leave(m, person, e);
    return status;
}

// ---- By one of several identities -----------------------------------------------------------------------------------

// Of a conversation of two, a channel or a profile; other things are not told by somebody.
static bool is_told_by(struct model *m, const struct access_grant *grant, const struct hash *person, struct hash *out)
{
    struct value *object;
    struct span id;
    struct hash two;
    bool is_topic = strcmp(grant->type, "Topic") == 0 || strcmp(grant->type, "ChannelInfo") == 0;
    if ((!is_topic && strcmp(grant->type, "Profile") != 0) ||
        model_read(m, &grant->target.hash, grant->type, &object, NULL) != STATUS_OK)
        return false;
    if (!is_topic || !value_get_string(object, "id", &id) || !topic_is_one_to_one(id, out, &two))
        return value_get_hash(object, "owner", out);
    if (hash_eq(out, person))
        *out = two;
    return true;
}

static bool is_told_to_members(struct model *m, const struct members *s, const struct hash *person)
{
    for (size_t i = 0; i < s->count; i++)
        if (apart_is_known_to(m, person, &s->items[i].person))
            return true;
    return false;
}

static bool is_channel_told(struct model *m, const struct hash *channel, const struct hash *person)
{
    struct channel c;
    struct topic_claims claims;
    if (channel_get(m, channel, &c, NULL) != STATUS_OK)
        return false;
    topic_claims_of(m, c.id, &c.owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        if (is_told_to_members(m, &claims.items[i], person))
            return true;
    return apart_is_known_to(m, person, &c.owner);
}

// Of a group: a further identity that knows the person takes part in it, and shows what is said there (entitled.c).
static bool is_shown_in_group(struct model *m, const struct access_grant *grant, const struct hash *person)
{
    struct topic topic;
    struct members said;
    if (strcmp(grant->type, "ChannelInfo") == 0)
        return is_channel_told(m, &grant->target.hash, person);
    if (strcmp(grant->type, "Topic") == 0)
        return topic_load(m, &grant->target.hash, &topic, NULL) == STATUS_OK &&
               is_channel_told(m, &topic.channel, person);
    return strcmp(grant->type, "ChatMessage") == 0 && members_read(m, &grant->target.hash, &said, NULL) == STATUS_OK &&
           is_told_to_members(m, &said, person);
}

// The main identity takes back everything that none of those may show who still know the person.
static bool is_taken_back(struct model *m, const struct access_grant *grant, const struct hash *person)
{
    struct hash teller;
    bool told = is_told_by(m, grant, person, &teller);
    if (m->self->further)
        return told && hash_eq(&teller, &m->self->person);
    return !(told && apart_is_known_to(m, person, &teller)) && !is_shown_in_group(m, grant, person);
}

static enum status take_back(struct model *m, const struct hash *person, struct error *e)
{
    struct access_grants grants;
    enum status status = access_list(m, person, &grants, e);
    for (size_t i = 0; status == STATUS_OK && i < grants.count; i++)
        if (is_taken_back(m, &grants.items[i], person))
            status = access_revoke(m, grants.items[i].target, person, e);
    return status;
}

static enum status give_up(struct model *m, const struct hash *person, struct error *e)
{
    struct way_topics topics;
    struct hash_list channels = {0};
    enum status status = way_conversation(m, person, &topics, e);
    if (status == STATUS_OK)
        status = way_channels(m, topics.items, topics.count, &channels, e);
    if (status == STATUS_OK)
        status = delivery_give_up_in(m, &channels, person, SPAN(REASON), e);
    hash_list_free(&channels);
    return status;
}

enum status contact_forget_alone(struct model *m, const struct hash *person, bool leave, struct error *e)
{
    struct hash someone;
    enum status status = contact_someone(m, person, &someone, e);
    if (status == STATUS_OK && !apart_is_shared(m, person))
        return contact_forget(m, person, e);
    bool kept = status == STATUS_OK && !m->self->further && keeping_knows(m, person);
    if (status == STATUS_OK)
        status = trust_withdraw(m, person, e);
    if (status == STATUS_OK && !kept)
        status = take_back(m, person, e);
    if (status == STATUS_OK && !kept && !m->self->further)
        status = leave_groups(m, person, true, e);
    if (status == STATUS_OK)
        status = give_up(m, person, e);
    return status == STATUS_OK && leave ? apart_leave_alone(m, person, e) : status;
}
