// Read from policy_may_import downwards: a type's standing (kinds.h) picks the rule, and types without one follow their
// origin: who brought the first version may bring more. policy_may_want is cheaper and may say yes to what is refused
// later, but never no to what would be taken. While this node is restored it takes its own back from the other own
// node, and only then.
#include "models/policy.h"

#include "base/text.h"
#include "models/access.h"
#include "models/leute.h"
#include "models/origin.h"
#include "models/own_node.h"
#include "models/profile.h"
#include "models/restoring.h"
#include "models/returning.h"
#include "models/someone.h"
#include "models/topic.h"
#include "models/trust.h"

enum { PROFILES_MAX = 64, PROFILE_LIST_MAX = 256 }; // of a contact

// ---- Types ----------------------------------------------------------------------------------------------------------

static bool is_rights(struct span type)
{
    enum standing standing;
    return kinds_standing(type, &standing) && standing == RIGHTS;
}

// In a group each member passes on what the others wrote in it. *is_group: it was said in one.
static bool is_passed_on(struct model *m, const struct value *channel, const struct hash *owner, bool *is_group)
{
    struct span id;
    struct topic_claims claims = {0};
    bool is_member = false;
    if (value_get_string(channel, "id", &id))
        topic_claims_of(m, id, owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        is_member = is_member || members_has(&claims.items[i], &m->self->person);
    *is_group = claims.count != 0;
    return is_member;
}

// A grant of one node holds at both, but a channel or profile of the other one would be refused if it came from us, and
// so would a channel of a group that we are not in.
static bool would_be_refused(struct model *m, struct span type, const struct hash *id_hash)
{
    struct hash own;
    struct hash owner;
    struct value *object;
    bool is_channel = span_eq_text(type, "ChannelInfo");
    bool is_group = false;
    if (!is_channel && !span_eq_text(type, "Profile"))
        return false;
    if (model_read(m, id_hash, is_channel ? "ChannelInfo" : "Profile", &object, NULL) != STATUS_OK ||
        !value_get_hash(object, "owner", &owner) || hash_eq(&owner, &m->self->person))
        return false;
    if (is_channel && is_passed_on(m, object, &owner, &is_group))
        return false;
    return is_group || (sharing_own_node(m, &own, NULL) == STATUS_OK && hash_eq(&owner, &own));
}

bool policy_may_serve(struct model *m, const struct hash *person, struct span type, const struct hash *what)
{
    if (hash_eq(person, &m->self->person))
        return false;
    if (sharing_is_own_node(m, person))
        return is_rights(type) || !policy_is_private(m, type, what);
    return !policy_is_private(m, type, what) && !would_be_refused(m, type, what);
}

// Members of a group show us our own channel, in case we lost it; nothing in it is news to us otherwise.
static bool is_known_best_here(struct model *m, struct span type, const struct hash *id_hash)
{
    struct hash owner;
    return span_eq_text(type, "ChannelInfo") && channel_owner(m, id_hash, &owner) == STATUS_OK &&
           hash_eq(&owner, &m->self->person) && !restoring_is(m) && !returning_is_expected(m);
}

bool policy_may_want(struct model *m, const struct hash *sender, struct span type, const struct hash *id_hash)
{
    enum standing standing;
    if (is_known_best_here(m, type, id_hash))
        return false;
    if (!kinds_standing(type, &standing) || standing == RULED)
        return true;
    return (standing == OWN_NODE || standing == RIGHTS) && sharing_is_own_node(m, sender) && !kinds_is_me(m, id_hash);
}

static enum status refuse(struct error *e, const char *why)
{
    return error_set(e, STATUS_REFUSED, "REFUSED", "%s", why);
}

// ---- What has no owner ----------------------------------------------------------------------------------------------

// Versions of an id that is new here are taken in, and from then on from whom the first came; of an id that lies here
// already only from somebody we share it with.
static enum status judge_origin(struct model *m, const struct hash *sender, const struct hash *id_hash, struct error *e)
{
    if (origin_is(m, id_hash, sender) || sharing_is_own_node(m, sender) ||
        access_has(m, (struct access_target){ACCESS_ID, *id_hash}, sender))
        return STATUS_OK;
    if (model_has_head(m, id_hash))
        return refuse(e, "somebody else than its author sent a version of an object that lies here");
    return origin_set(m, id_hash, sender, e);
}

// ---- Rules per type -------------------------------------------------------------------------------------------------

static bool is_for_all(struct span id)
{
    return span_eq_text(id, TOPIC_EVERYONE) || span_eq_text(id, TOPIC_GLUE);
}

static bool is_between(struct model *m, const struct hash *sender, const struct hash *one, const struct hash *two)
{
    const struct hash *self = &m->self->person;
    return (hash_eq(one, sender) && hash_eq(two, self)) || (hash_eq(one, self) && hash_eq(two, sender));
}

// Any identity of this node, or the other own node's: nobody else writes in their name.
static bool is_own(struct model *m, const struct hash *person)
{
    return leute_is_me(m, person) || sharing_is_own_node(m, person);
}

// What members of a group write is taken from every member, as long as they may write; what those wrote who are gone,
// or only read now, from the others. What we wrote is, after a restore.
static enum status judge_owned_channel(struct model *m, const struct hash *sender, const struct object *o,
                                       struct span id, const struct hash *owner, struct error *e)
{
    struct topic_claims claims;
    bool writes = false;
    bool shown = false;
    topic_claims_of(m, id, owner, &claims);
    for (size_t i = 0; i < claims.count; i++) {
        writes = writes || members_may_write(&claims.items[i], owner);
        shown = shown || (members_has(&claims.items[i], sender) && members_find(&claims.items[i], owner)->wrote);
    }
    if (hash_eq(owner, sender))
        return claims.count == 0 || writes ? STATUS_OK : refuse(e, "the sender may not write in this chat");
    if (shown && hash_eq(owner, &m->self->person) && returning_is_ours(m, o))
        return model_has_head(m, &o->id_hash) ? STATUS_OK : origin_set(m, &o->id_hash, sender, e);
    return shown && !is_own(m, owner) ? STATUS_OK : refuse(e, "versions of a channel are taken from its owner only");
}

static enum status judge_channel(struct model *m, const struct hash *sender, const struct object *o, struct error *e)
{
    struct span id;
    struct hash owner;
    struct hash one;
    struct hash two;
    if (!value_get_string(o->value, "id", &id))
        return refuse(e, "the channel has no id");
    if (value_get_hash(o->value, "owner", &owner)) {
        bool ours = hash_eq(&owner, &m->self->person);
        if (sharing_is_own_node(m, sender) && (!ours || restoring_is(m) || returning_is_ours(m, o)))
            return STATUS_OK;
        return judge_owned_channel(m, sender, o, id, &owner, e);
    }
    if (sharing_is_own_node(m, sender) || is_for_all(id))
        return STATUS_OK;
    if (!topic_is_one_to_one(id, &one, &two))
        return judge_origin(m, sender, &o->id_hash, e);
    return is_between(m, sender, &one, &two)
               ? STATUS_OK
               : refuse(e, "a conversation of two is taken only from the other one, and with us");
}

// Members show the Topic of a group to each other.
static bool is_shown_by_member(struct model *m, const struct hash *sender, struct span id, const struct hash *channel)
{
    struct topic_claims claims;
    struct hash owner;
    if (channel_owner(m, channel, &owner) != STATUS_OK)
        return false;
    topic_claims_of(m, id, &owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        if (hash_eq(&claims.items[i].creator, &owner) && members_has(&claims.items[i], sender))
            return true;
    return false;
}

static enum status judge_topic(struct model *m, const struct hash *sender, const struct object *o, struct error *e)
{
    struct span id;
    struct hash one;
    struct hash two;
    struct hash channel;
    struct hash expected;
    if (!value_get_string(o->value, "id", &id) || !value_get_hash(o->value, "channel", &channel))
        return refuse(e, "the Topic has no id or channel");
    if (sharing_is_own_node(m, sender))
        return topic_validate(m, o->value, e);
    bool pair = topic_is_one_to_one(id, &one, &two);
    if (pair && !is_between(m, sender, &one, &two))
        return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the Topic is not about the sender and us");
    enum status status = topic_validate(m, o->value, e);
    if (status != STATUS_OK || pair || is_for_all(id))
        return status;
    if (channel_id_hash(m, id, NULL, &expected, NULL) == STATUS_OK && hash_eq(&expected, &channel))
        return judge_origin(m, sender, &channel, e);
    if (channel_id_hash(m, id, sender, &expected, NULL) == STATUS_OK && hash_eq(&expected, &channel))
        return STATUS_OK;
    if (is_shown_by_member(m, sender, id, &channel))
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the Topic names a channel that is not the sender's");
}

static size_t count_of(const struct value *profile, const char *list)
{
    const struct value *v = value_get(profile, span_of(list));
    return v != NULL && (v->kind == VALUE_LIST || v->kind == VALUE_SET) ? v->list.count : 0;
}

// A person's profiles are named by its Someone, of which each new one makes a version; and versions that came
// independently are merged into one with the lists of all.
static enum status judge_size(struct model *m, const struct hash *sender, const struct object *o, struct error *e)
{
    struct value *current = NULL;
    struct profiles profiles = {0};
    static const char *const lists[] = {"communicationEndpoint", "personDescription"};
    enum status status = model_latest(m, o->value, "Profile", &current, e);
    for (size_t i = 0; status == STATUS_OK && i < 2; i++)
        if (count_of(o->value, lists[i]) > PROFILE_LIST_MAX ||
            (current != NULL && count_of(o->value, lists[i]) + count_of(current, lists[i]) > 2 * PROFILE_LIST_MAX))
            return error_set(e, STATUS_REFUSED, "OVER-BUDGET", "a profile has at most %d endpoints and descriptions",
                             PROFILE_LIST_MAX);
    if (status == STATUS_OK && current == NULL)
        status = profiles_about(m, sender, &profiles, e);
    if (status == STATUS_OK && profiles.count >= PROFILES_MAX)
        status = error_set(e, STATUS_REFUSED, "OVER-BUDGET", "of a person %d profiles are kept", PROFILES_MAX);
    profiles_free(&profiles);
    return status;
}

static enum status judge_profile(struct model *m, const struct hash *sender, const struct object *o, struct error *e)
{
    struct hash person;
    struct hash owner;
    if (!value_get_hash(o->value, "personId", &person) || !value_get_hash(o->value, "owner", &owner))
        return refuse(e, "the profile has no person or owner");
    bool ours = hash_eq(&person, &m->self->person) || hash_eq(&owner, &m->self->person);
    if (ours && !(sharing_is_own_node(m, sender) && restoring_is(m)))
        return refuse(e, "nobody else writes our own profiles");
    if (sharing_is_own_node(m, sender))
        return STATUS_OK;
    if (hash_eq(&person, sender) && hash_eq(&owner, sender))
        return judge_size(m, sender, o, e);
    return refuse(e, "a profile is taken only from the person it is about");
}

// ---- Grants, groups, recipes ----------------------------------------------------------------------------------------

// What is never shared is not granted either, whoever says so.
static enum status judge_rights(struct model *m, const struct hash *sender, const struct object *o, struct error *e)
{
    struct hash target;
    struct store_info info;
    if (!sharing_is_own_node(m, sender))
        return error_set(e, STATUS_REFUSED, "CIEC-FO3", "access rights and groups are never taken from others");
    if (!value_get_hash(o->value, "id", &target) && !value_get_hash(o->value, "object", &target))
        return STATUS_OK; // a group
    if (store_info(m->store, &target, &info, NULL) == STATUS_OK &&
        policy_is_private(m, span_of(info.type), &info.id_hash))
        return refuse(e, "this is never shared");
    return STATUS_OK;
}

// A type that is known here is known by its own recipe.
static enum status judge_recipe(struct model *m, const struct object *o, struct error *e)
{
    struct span name;
    struct value *known = NULL;
    struct object ours;
    if (!value_get_string(o->value, "name", &name))
        return refuse(e, "the Recipe has no name");
    if (o->form == MICRODATA_ID_OBJECT)
        return STATUS_OK; // the versions are judged
    if (recipes_find(store_recipes(m->store), name) == NULL)
        return recipes_check(store_recipes(m->store), o->value, e);
    if (model_latest(m, o->value, "Recipe", &known, NULL) == STATUS_OK && known != NULL &&
        object_make(store_recipes(m->store), m->arena, known, MICRODATA_OBJECT, &ours, NULL) == STATUS_OK &&
        hash_eq(&ours.hash, &o->hash))
        return STATUS_OK;
    return error_set(e, STATUS_EXISTS, "OR-ADDR1", "there is another recipe called " SPAN_FMT, SPAN_ARG(name));
}

// ---- Signatures -----------------------------------------------------------------------------------------------------

// Nobody brings us one of our own that we did not make.
static enum status judge_signature(struct model *m, const struct object *o, struct error *e)
{
    struct trust_signature s;
    struct span hex;
    if (!value_get_hash(o->value, "issuer", &s.issuer) || !hash_eq(&s.issuer, &m->self->person))
        return STATUS_OK;
    if (value_get_hash(o->value, "data", &s.data) && value_get_string(o->value, "signature", &hex) &&
        hex_decode(hex, s.signature.b, sizeof s.signature.b) &&
        trust_signature_fits(&s, &m->self->person_keys.sign_public))
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the signature says to be ours and is not");
}

static enum status judge_by_standing(struct model *m, const struct hash *sender, const struct object *o,
                                     enum standing standing, struct error *e)
{
    if (standing == RIGHTS)
        return judge_rights(m, sender, o, e);
    if (standing == LOCAL || (standing == OWN_NODE && !sharing_is_own_node(m, sender)))
        return refuse(e, "objects of this type are nobody else's business");
    if (object_is_type(o, "Someone") && kinds_is_me(m, &o->id_hash))
        return refuse(e, "Someone \"me\" is different on every node");
    if (object_is_type(o, "Recipe"))
        return judge_recipe(m, o, e);
    if (object_is_type(o, "ChannelInfo"))
        return judge_channel(m, sender, o, e);
    if (object_is_type(o, "Topic"))
        return judge_topic(m, sender, o, e);
    return object_is_type(o, "Profile") ? judge_profile(m, sender, o, e) : STATUS_OK;
}

bool policy_follows(struct model *m, const struct hash *sender, const struct object *object)
{
    struct hash owner;
    if (object_is_type(object, "Settings"))
        return true;
    if (is_rights(object->recipe->name) || object_is_type(object, "Recipe") || object_is_type(object, "Someone") ||
        policy_is_application(object->recipe->name))
        return sharing_is_own_node(m, sender);
    return object_is_type(object, "Profile") && value_get_hash(object->value, "owner", &owner) &&
           (hash_eq(&owner, sender) || sharing_is_own_node(m, sender));
}

enum status policy_may_import(struct model *m, const struct hash *sender, const struct object *object, struct error *e)
{
    enum standing standing;
    if (hash_eq(sender, &m->self->person))
        return refuse(e, "the sender is ourselves");
    if (kinds_standing(object->recipe->name, &standing))
        return judge_by_standing(m, sender, object, standing, e);
    if (object->recipe->versioned && object->form == MICRODATA_OBJECT)
        return judge_origin(m, sender, &object->id_hash, e);
    return object_is_type(object, "Signature") ? judge_signature(m, object, e) : STATUS_OK;
}

bool policy_replaces(struct model *m, const struct hash *sender, const struct object *object)
{
    struct hash owner;
    return object_is_type(object, "Profile") && value_get_hash(object->value, "owner", &owner) &&
           hash_eq(&owner, &m->self->person) && sharing_is_own_node(m, sender) && restoring_is(m);
}
