// Group conversations begin, and change: what owners say about members, and what is made of statements that come.
#include <string.h>

#include "base/text.h"
#include "models/access.h"
#include "models/contact.h"
#include "models/leute.h"
#include "models/own_node.h"
#include "models/topic_internal.h"

enum { MAX_NAME = 1024, MAX_ID = 512, READABLE = 32, RANDOM = 10 };

// ---- Ids ------------------------------------------------------------------------------------------------------------

// What of a name can be read in an id: lower case letters and digits, with a dash for anything between them.
static void add_readable(struct buf *id, struct span name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < name.len && id->len < READABLE; i++) {
        char c = name.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (memchr(letters, c, sizeof letters - 1) != NULL)
            buf_add_char(id, c);
        else if (id->len != 0 && id->data[id->len - 1] != '-')
            buf_add_char(id, '-');
    }
    if (id->len != 0 && id->data[id->len - 1] != '-')
        buf_add_char(id, '-');
}

// Random, so that two conversations of one name are two, and nobody can claim an id before.
struct span topic_make_id(struct model *m, struct span name)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    struct buf id = {0};
    struct span noise = model_random_text(m, RANDOM);
    add_readable(&id, name);
    if (id.len == 0)
        buf_add_text(&id, "chat-");
    for (size_t i = 0; i < noise.len; i++)
        buf_add_char(&id, digits[(unsigned char)noise.ptr[i] % 32]);
    struct span kept = arena_copy(m->arena, buf_span(&id));
    buf_free(&id);
    return kept;
}

// ---- Statements -----------------------------------------------------------------------------------------------------

static void find_key(struct model *m, const struct hash *person, struct sign_public *key)
{
    struct trust_key found;
    bool knows = trust_find(m, person, NULL, NULL, &found, NULL) == STATUS_OK;
    *key = knows ? found.key : (struct sign_public){{0}};
}

static void add_member(struct model *m, struct members *s, const struct hash *person, enum member_role role,
                       unsigned since)
{
    struct member one = {.person = *person, .role = role, .since = since, .wrote = role >= MEMBER_WRITER};
    find_key(m, person, &one.key);
    members_add(m, s, &one);
}

static enum status publish(struct model *m, struct topic *topic, struct members *next, struct error *e)
{
    struct members *kept = arena_alloc(m->arena, sizeof *kept);
    enum status status = members_publish(m, next, e);
    if (status == STATUS_OK)
        status = topic_reconcile(m, next, topic->members, e);
    *kept = *next;
    topic->members = kept;
    topic->name = kept->name;
    return status;
}

static enum status first_statement(struct model *m, struct topic *topic, const struct hash *persons, size_t count,
                                   bool history, struct error *e)
{
    struct members s = {.id = topic->id, .name = topic->name, .creator = m->self->person, .history = history};
    add_member(m, &s, &m->self->person, MEMBER_OWNER, 0);
    for (size_t i = 0; i < count; i++)
        if (members_find(&s, &persons[i]) == NULL)
            add_member(m, &s, &persons[i], MEMBER_WRITER, 0);
    return publish(m, topic, &s, e);
}

// ---- Beginning ------------------------------------------------------------------------------------------------------

static bool is_one_line(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ')
            return false;
    return utf8_valid(text);
}

static enum status check_plan(struct model *m, const struct topic_plan *plan, struct error *e)
{
    struct hash own;
    if (plan->name.len > MAX_NAME || !is_one_line(plan->name) || plan->id.len > MAX_ID || !is_one_line(plan->id) ||
        topic_kind_of(plan->id) != TOPIC_GROUP)
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "this is not a name or id for a group conversation");
    if (plan->id.len != 0 && channel_id_hash(m, plan->id, &m->self->person, &own, NULL) == STATUS_OK &&
        model_has_head(m, &own))
        return error_set(e, STATUS_EXISTS, "EXISTS", "a channel of yours has this id");
    return STATUS_OK;
}

enum status topic_create_group(struct model *m, const struct topic_plan *plan, struct topic *out, struct error *e)
{
    enum status status = check_plan(m, plan, e);
    if (status != STATUS_OK)
        return status;
    struct span id = plan->id.len != 0 ? plan->id : topic_make_id(m, plan->name);
    status = topic_make(m, id, plan->name.len != 0 ? plan->name : id, &m->self->person, out, e);
    if (status == STATUS_OK)
        status = first_statement(m, out, plan->persons, plan->count, plan->history, e);
    return status;
}

enum status topic_expect(struct model *m, struct span id, struct span name, const struct hash *creator,
                         struct topic *out, struct error *e)
{
    const struct members nothing = {.id = id, .creator = *creator};
    struct hash hash;
    enum status status = check_plan(m, &(struct topic_plan){.name = name, .id = id}, e);
    if (status == STATUS_OK)
        status = topic_put_object(m, &nothing, 0, name.len != 0 ? name : id, &hash, e);
    if (status == STATUS_OK)
        status = topic_notice(m, &hash, true, e);
    return status == STATUS_OK ? topic_load(m, &hash, out, e) : status;
}

// A topic of ours that was made before there were statements has the members whom it is granted to.
static enum status begin_statements(struct model *m, struct topic *topic, struct error *e)
{
    struct hash owner;
    struct access_grant grant;
    if (topic->kind != TOPIC_GROUP || channel_owner(m, &topic->channel, &owner) != STATUS_OK ||
        !hash_eq(&owner, &m->self->person))
        return error_set(e, STATUS_REFUSED, "REFUSED", "only who made this chat can change who takes part");
    enum status status = access_get(m, (struct access_target){ACCESS_OBJECT, topic->hash}, &grant, e);
    if (status == STATUS_OK)
        status = first_statement(m, topic, grant.persons, grant.person_count, true, e);
    return status;
}

static enum status begin_change(struct model *m, struct topic *topic, struct members *next, struct error *e)
{
    enum status status = topic->members == NULL ? begin_statements(m, topic, e) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    *next = members_copy(m, topic->members);
    const struct member *self = members_find(next, &m->self->person);
    if (self == NULL || self->role != MEMBER_OWNER)
        return error_set(e, STATUS_REFUSED, "REFUSED",
                         "only its owners change the name of a chat and who takes part; 'tandem topic members' shows "
                         "who they are");
    return STATUS_OK;
}

// ---- Changes --------------------------------------------------------------------------------------------------------

// Whoever joins without the history needs new channels, unless nothing was said in these.
static void join(struct model *m, struct members *next, const struct hash *person, enum member_role role, bool history)
{
    struct member *known = members_find(next, person);
    if (!history && !next->history && topic_epoch_is_used(m, next))
        next->epoch++;
    unsigned since = history || next->history ? 0 : next->epoch;
    if (known == NULL) {
        add_member(m, next, person, role, since);
        return;
    }
    known->role = role;
    known->since = since;
    known->wrote = known->wrote || role >= MEMBER_WRITER;
    find_key(m, person, &known->key);
}

static size_t count_owners(const struct members *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += s->items[i].role == MEMBER_OWNER;
    return count;
}

static enum status check_owners(const struct members *s, struct error *e)
{
    if (count_owners(s) != 0)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "REFUSED", "a group chat needs an owner");
}

enum status topic_set_role(struct model *m, struct topic *topic, const struct hash *person, enum member_role role,
                           bool history, struct error *e)
{
    struct members next;
    enum status status = begin_change(m, topic, &next, e);
    if (status != STATUS_OK)
        return status;
    struct member *known = members_find(&next, person);
    bool joins = known == NULL || known->role == MEMBER_GONE;
    if (joins && !contact_exists(m, person) && !leute_is_me(m, person))
        return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "%s is not a contact", hash_text(person).s);
    if (!joins && known->role == role)
        return STATUS_OK;
    if (joins) {
        join(m, &next, person, role, history);
    } else {
        known->role = role;
        known->wrote = known->wrote || role >= MEMBER_WRITER;
    }
    status = check_owners(&next, e);
    return status == STATUS_OK ? publish(m, topic, &next, e) : status;
}

enum status topic_remove(struct model *m, struct topic *topic, const struct hash *person, struct error *e)
{
    struct members next;
    if (hash_eq(person, &m->self->person))
        return topic_leave(m, topic, e);
    enum status status = begin_change(m, topic, &next, e);
    struct member *known = status == STATUS_OK ? members_find(&next, person) : NULL;
    if (status == STATUS_OK && (known == NULL || known->role == MEMBER_GONE))
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is no member of the chat", hash_text(person).s);
    if (status != STATUS_OK)
        return status;
    known->role = MEMBER_GONE;
    return publish(m, topic, &next, e);
}

enum status topic_rename(struct model *m, struct topic *topic, struct span name, struct error *e)
{
    struct members next;
    if (name.len == 0 || name.len > MAX_NAME || !utf8_valid(name))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "this is not a name for a group conversation");
    enum status status = begin_change(m, topic, &next, e);
    next.name = name;
    if (status != STATUS_OK || span_eq(name, topic->name))
        return status;
    return publish(m, topic, &next, e);
}

// Without one, the member of a role who is there longest owns it; they stand in the order they came.
static void make_owner(struct members *next, enum member_role role)
{
    for (size_t i = 0; i < next->count && count_owners(next) == 0; i++)
        if (next->items[i].role == role) {
            next->items[i].role = MEMBER_OWNER;
            next->items[i].wrote = true;
        }
}

enum status topic_leave(struct model *m, struct topic *topic, struct error *e)
{
    if (topic->members == NULL || !members_has(topic->members, &m->self->person))
        return error_set(e, STATUS_REFUSED, "REFUSED", "this node's person is no member of the chat");
    struct members next = members_copy(m, topic->members);
    members_find(&next, &m->self->person)->role = MEMBER_GONE;
    make_owner(&next, MEMBER_WRITER);
    make_owner(&next, MEMBER_READER); // where all others only read
    return publish(m, topic, &next, e);
}

// ---- What comes -----------------------------------------------------------------------------------------------------

static bool apply_role(struct model *m, struct members *next, const struct member *wanted, const struct member *before)
{
    struct member *there = members_find(next, &wanted->person);
    if ((before != NULL && before->role == wanted->role) || (there != NULL && there->role == wanted->role))
        return false;
    bool joins = there == NULL || there->role == MEMBER_GONE;
    if (joins && wanted->role != MEMBER_GONE)
        join(m, next, &wanted->person, wanted->role, wanted->since == 0);
    else if (there != NULL)
        there->role = wanted->role;
    return true;
}

// What we said meanwhile, when something else holds: said again on top of it.
static enum status say_again(struct model *m, struct topic *topic, const struct members *lost, struct error *e)
{
    struct members common;
    struct members next = members_copy(m, topic->members);
    if (!hash_eq(&lost->signer, &m->self->person) || !members_has(&next, &m->self->person) ||
        members_fork(m, lost, topic->members, &common, NULL) != STATUS_OK)
        return STATUS_OK;
    bool owner = members_find(&next, &m->self->person)->role == MEMBER_OWNER;
    if (!members_has(lost, &m->self->person))
        return topic_leave(m, topic, e);
    bool changed = owner && !span_eq(lost->name, common.name);
    if (changed)
        next.name = lost->name;
    for (size_t i = 0; owner && i < lost->count; i++)
        changed = apply_role(m, &next, &lost->items[i], members_find(&common, &lost->items[i].person)) || changed;
    return changed && count_owners(&next) != 0 ? publish(m, topic, &next, e) : STATUS_OK;
}

enum status topic_notice_statement(struct model *m, const struct hash *message, const struct hash *from,
                                   struct error *e)
{
    struct topic topic = {0};
    struct members *now = arena_alloc(m->arena, sizeof *now);
    struct members lost;
    struct members before;
    bool taken;
    if (members_read(m, message, now, NULL) != STATUS_OK)
        return STATUS_OK;
    bool known = members_current(m, &now->channel, &before, NULL) == STATUS_OK;
    enum status status = members_take(m, message, from, now, &taken, &lost, e);
    if (status == STATUS_OK && taken)
        status = topic_reconcile(m, now, known ? &before : NULL, e);
    topic =
        (struct topic){.id = now->id, .name = now->name, .channel = now->channel, .kind = TOPIC_GROUP, .members = now};
    if (status == STATUS_OK && taken && lost.count != 0)
        status = say_again(m, &topic, &lost, e);
    return status;
}

// A store that was made anew from its files has all statements, but nothing says which of them hold.
static enum status recover_statements(struct model *m, struct error *e)
{
    static const char done[] = "members.known";
    const struct hash nobody = {{0}};
    struct span known;
    struct access_grants grants;
    if (store_setting_get(m->store, done, m->arena, &known, NULL) == STATUS_OK && known.len != 0)
        return STATUS_OK;
    enum status status = access_list(m, NULL, &grants, e);
    for (size_t i = 0; status == STATUS_OK && i < grants.count; i++)
        if (strcmp(grants.items[i].type, "ChatMessage") == 0)
            status = topic_notice_statement(m, &grants.items[i].target.hash, &nobody, e);
    return status == STATUS_OK ? store_setting_set(m->store, done, SPAN("yes"), e) : status;
}

enum status topic_catch_up(struct model *m, struct error *e)
{
    enum status status = recover_statements(m, e);
    return status == STATUS_OK ? topic_write_waiting(m, e) : status;
}
