// A verdict has three values, because what says nothing of its owner is shown too, but by one identity only. YES
// outweighs NO among members, for one of ours who takes part shows it though another one is named as well; in a pair NO
// wins, since what is between another one of ours and somebody else is not to be seen here.
#include "models/entitled.h"

#include "models/apart.h"
#include "models/own_node.h"
#include "models/topic.h"

enum verdict { YES, NO, UNSAID }; // UNSAID: nothing says whose it is

static bool is_ours(const struct actors *a, const struct hash *person)
{
    bool ours = hash_eq(person, &a->main->person);
    for (size_t i = 0; i < a->count; i++)
        ours = ours || hash_eq(person, &a->further[i]->person);
    return ours;
}

static enum verdict judge_person(const struct actors *a, const struct model *m, const struct hash *owner)
{
    if (hash_eq(owner, &m->self->person))
        return YES;
    return is_ours(a, owner) ? NO : UNSAID;
}

static enum verdict judge_pair(const struct actors *a, const struct model *m, const struct hash *one,
                               const struct hash *two)
{
    enum verdict first = judge_person(a, m, one);
    enum verdict second = judge_person(a, m, two);
    if (first == NO || second == NO)
        return NO;
    return first == YES || second == YES ? YES : UNSAID;
}

static enum verdict judge_members(const struct actors *a, const struct model *m, const struct members *s)
{
    enum verdict sum = UNSAID;
    for (size_t i = 0; i < s->count && sum != YES; i++) {
        enum verdict one = judge_person(a, m, &s->items[i].person);
        sum = one == UNSAID ? sum : one;
    }
    return sum;
}

// Whoever takes part in a group shows what the others write in it.
static enum verdict judge_owned(const struct actors *a, struct model *m, struct span id, const struct hash *owner)
{
    struct topic_claims claims;
    enum verdict sum = judge_person(a, m, owner);
    topic_claims_of(m, id, owner, &claims);
    for (size_t i = 0; i < claims.count && sum != YES; i++) {
        enum verdict one = judge_members(a, m, &claims.items[i]);
        sum = one == UNSAID ? sum : one;
    }
    return sum;
}

static enum verdict judge_channel(const struct actors *a, struct model *m, const struct hash *channel)
{
    struct value *info;
    struct span id;
    struct hash owner;
    struct hash one;
    struct hash two;
    if (model_read(m, channel, "ChannelInfo", &info, NULL) != STATUS_OK || !value_get_string(info, "id", &id))
        return UNSAID;
    if (topic_is_one_to_one(id, &one, &two))
        return judge_pair(a, m, &one, &two);
    return value_get_hash(info, "owner", &owner) ? judge_owned(a, m, id, &owner) : UNSAID;
}

static enum verdict judge_topic(const struct actors *a, struct model *m, const struct hash *topic)
{
    struct topic t;
    struct hash one;
    struct hash two;
    if (topic_load(m, topic, &t, NULL) != STATUS_OK)
        return UNSAID;
    return topic_is_one_to_one(t.id, &one, &two) ? judge_pair(a, m, &one, &two) : judge_channel(a, m, &t.channel);
}

static enum verdict judge_profile(const struct actors *a, struct model *m, const struct hash *profile)
{
    struct value *object;
    struct hash person;
    struct hash owner;
    if (model_read(m, profile, "Profile", &object, NULL) != STATUS_OK || !value_get_hash(object, "owner", &owner) ||
        !value_get_hash(object, "personId", &person))
        return UNSAID;
    return judge_pair(a, m, &owner, &person);
}

static enum verdict judge(const struct actors *a, struct model *m, struct span type, const struct hash *what)
{
    struct members said;
    if (span_eq_text(type, "Person"))
        return judge_person(a, m, what);
    if (span_eq_text(type, "Profile"))
        return judge_profile(a, m, what);
    if (span_eq_text(type, "ChannelInfo"))
        return judge_channel(a, m, what);
    if (span_eq_text(type, "Topic"))
        return judge_topic(a, m, what);
    if (span_eq_text(type, "ChatMessage") && members_read(m, what, &said, NULL) == STATUS_OK)
        return judge_members(a, m, &said);
    return UNSAID;
}

static const struct identity *first_known(const struct actors *a, const struct model *m, const struct hash *person)
{
    struct model as_it = *m;
    for (size_t i = 0; i <= a->count; i++) {
        as_it.self = i == 0 ? a->main : a->further[i - 1];
        if (apart_belongs(&as_it, person))
            return as_it.self;
    }
    return a->main;
}

bool entitled_to_show(const struct actors *a, struct model *m, const struct hash *person, struct span type,
                      const struct hash *what)
{
    if (a->count == 0 || sharing_is_own_node(m, person))
        return true;
    enum verdict verdict = judge(a, m, type, what);
    return verdict == UNSAID ? hash_eq(&first_known(a, m, person)->person, &m->self->person) : verdict == YES;
}

bool entitled_any(const struct actors *a, struct model *m, const struct hash *person, struct span type,
                  const struct hash *what)
{
    struct model as_it = *m;
    for (size_t i = 0; i <= a->count; i++) {
        as_it.self = i == 0 ? a->main : a->further[i - 1];
        if (apart_belongs(&as_it, person) && entitled_to_show(a, &as_it, person, type, what))
            return true;
    }
    return a->count == 0 || sharing_is_own_node(m, person);
}
