// Statements about members: which of them holds. A statement is as good as its chain, back to one that holds or to the
// first, each signed by somebody who had the right before it; of two that fork, wins() takes the same one everywhere,
// whatever came first. Who brings one matters only where nobody we know signed it. Their text is in members_text.c,
// what follows from them for grants and channels in topic_members.c.
#include "models/members.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "models/channel.h"
#include "models/members_text.h"
#include "models/own_node.h"
#include "models/selves.h"

enum { MAX_TEXT = 96 << 10 };

// ---- Reading --------------------------------------------------------------------------------------------------------

struct statement { // with what proves it
    struct members members;
    struct signature signature;
    struct span signed_part;
};

static bool is_only_attachment(const struct value *message, const struct hash *previous)
{
    struct hash_list links = {0};
    model_read_hashes(value_get(message, SPAN("attachments")), &links);
    bool good = hash_is_zero(previous) ? links.count == 0 : links.count == 1 && hash_eq(&links.items[0], previous);
    hash_list_free(&links);
    return good;
}

static enum status read_statement(struct model *m, const struct hash *hash, struct statement *out, struct error *e)
{
    struct value *message;
    struct span text;
    struct hash signer;
    enum status status = model_read(m, hash, "ChatMessage", &message, e);
    if (status != STATUS_OK)
        return status;
    if (!value_get_string(message, "text", &text) || text.len > MAX_TEXT ||
        !value_get_hash(message, "sender", &signer) ||
        !members_parse(m, text, &out->members, &out->signature, &out->signed_part) ||
        !is_only_attachment(message, &out->members.previous))
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s says nothing about members", hash_text(hash).s);
    out->members.hash = *hash;
    out->members.signer = signer;
    return channel_id_hash(m, out->members.id, &out->members.creator, &out->members.channel, e);
}

enum status members_read(struct model *m, const struct hash *hash, struct members *out, struct error *e)
{
    struct statement s;
    enum status status = read_statement(m, hash, &s, e);
    if (status == STATUS_OK)
        *out = s.members;
    return status;
}

enum status members_current(struct model *m, const struct hash *channel, struct members *out, struct error *e)
{
    struct span text;
    struct hash hash;
    enum status status = store_setting_get(m->store, store_setting_about("members", channel).s, m->arena, &text, e);
    if (status == STATUS_OK && !hash_parse(text, &hash))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "nothing is said about the members");
    return status == STATUS_OK ? members_read(m, &hash, out, e) : status;
}

static enum status set_current(struct model *m, const struct members *members, struct error *e)
{
    return store_setting_set(m->store, store_setting_about("members", &members->channel).s,
                             span_of(hash_text(&members->hash).s), e);
}

// ---- Checking -------------------------------------------------------------------------------------------------------

static enum status wrong(struct error *e, const char *why)
{
    return error_set(e, STATUS_REFUSED, "REFUSED", "a statement about members is wrong: %s", why);
}

static bool has_key(const struct member *one)
{
    static const struct sign_public none;
    return memcmp(one->key.b, none.b, SIGN_PUBLIC) != 0;
}

static bool fits(const struct statement *s, const struct member *signer)
{
    return has_key(signer) && sign_verify(&signer->key, span_of(members_signed_text(s->signed_part).s), &s->signature);
}

// Is it certain who signed this statement?
static bool is_vouched(struct model *m, const struct members *members)
{
    const struct member *signer = members_find(members, &members->signer);
    struct trust_key key;
    if (signer == NULL || !has_key(signer))
        return false;
    trust_of_key(m, &signer->person, &signer->key, &key);
    return key.trusted;
}

// Does what is known here speak against a key? Of those whose keys are not known anything is believed.
static bool is_contradicted(struct model *m, const struct member *one)
{
    struct trust_keys keys;
    bool knows = false;
    if (hash_eq(&one->person, &m->self->person))
        return memcmp(one->key.b, m->self->person_keys.sign_public.b, SIGN_PUBLIC) != 0;
    if (trust_keys_of(m, &one->person, &keys, NULL) != STATUS_OK)
        return false;
    for (size_t i = 0; i < keys.count; i++) {
        if (keys.items[i].trusted && memcmp(keys.items[i].key.b, one->key.b, SIGN_PUBLIC) == 0)
            return false;
        knows = knows || keys.items[i].trusted;
    }
    return knows;
}

static enum status check_first(struct model *m, const struct statement *s, struct error *e)
{
    const struct members *first = &s->members;
    const struct member *creator = &first->items[0];
    if (first->number != 1 || !hash_is_zero(&first->previous) || !hash_eq(&first->signer, &first->creator) ||
        !hash_eq(&creator->person, &first->creator) || creator->role != MEMBER_OWNER)
        return wrong(e, "the first one is not the creator's");
    if (!fits(s, creator))
        return wrong(e, "the creator did not sign it");
    return is_contradicted(m, creator) ? wrong(e, "the creator has another key") : STATUS_OK;
}

// Whoever leaves changes nothing but that; the last owner hands over to the first who may write.
static bool is_leaving(const struct members *before, const struct members *after)
{
    bool owners = false;
    bool heir = false;
    for (size_t i = 0; i < after->count; i++)
        owners =
            owners || (before->items[i].role == MEMBER_OWNER && !hash_eq(&before->items[i].person, &after->signer));
    for (size_t i = 0; i < after->count; i++) {
        const struct member *old = &before->items[i];
        const struct member *new = &after->items[i];
        bool leaves = hash_eq(&new->person, &after->signer);
        bool rises = !leaves && new->role == MEMBER_OWNER && old->role == MEMBER_WRITER && !owners && !heir;
        heir = heir || rises;
        if (leaves ? new->role != MEMBER_GONE : (new->role != old->role && !rises))
            return false;
        if (new->since != old->since || new->wrote != old->wrote || memcmp(&new->key, &old->key, sizeof new->key) != 0)
            return false;
    }
    return after->count == before->count && after->epoch == before->epoch && after->history == before->history &&
           span_eq(after->name, before->name);
}

static enum status check_next(const struct members *before, const struct statement *s, struct error *e)
{
    const struct members *after = &s->members;
    const struct member *signer = members_find(before, &after->signer);
    if (!hash_eq(&after->channel, &before->channel) || after->number != before->number + 1 ||
        after->epoch < before->epoch || after->epoch > before->epoch + 1 || after->count < before->count)
        return wrong(e, "it does not follow the one before");
    for (size_t i = 0; i < before->count; i++)
        if (!hash_eq(&before->items[i].person, &after->items[i].person))
            return wrong(e, "members changed places");
    if (signer == NULL || signer->role == MEMBER_GONE || !fits(s, signer))
        return wrong(e, "who signed it had no part in it");
    return signer->role == MEMBER_OWNER || is_leaving(before, after) ? STATUS_OK : wrong(e, "its signer is no owner");
}

// Checks everything between a statement and one that holds already, or the first.
static enum status check_chain(struct model *m, const struct hash *hash, const struct members *known, struct error *e)
{
    struct statement s;
    struct statement before;
    enum status status = read_statement(m, hash, &s, e);
    for (unsigned steps = 0; status == STATUS_OK; steps++) {
        if (known != NULL && hash_eq(&s.members.hash, &known->hash))
            return STATUS_OK;
        if (hash_is_zero(&s.members.previous))
            return check_first(m, &s, e);
        if (steps >= MEMBERS_CHAIN)
            return wrong(e, "there are too many before it");
        status = read_statement(m, &s.members.previous, &before, e);
        if (status == STATUS_OK)
            status = check_next(&before.members, &s, e);
        s = before;
    }
    return status;
}

// ---- Which one holds ------------------------------------------------------------------------------------------------

// One step back; from and then, where the chains are equally long, both.
static enum status step_back(struct model *m, struct members *s, struct hash *passed, struct error *e)
{
    *passed = s->signer;
    if (hash_is_zero(&s->previous))
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "the statements have nothing in common");
    struct hash previous = s->previous;
    return members_read(m, &previous, s, e);
}

struct fork {
    struct members common;
    struct hash signer_a; // of the first statement behind it; zero if there is none
    struct hash signer_b;
};

static enum status find_fork(struct model *m, const struct members *a, const struct members *b, struct fork *out,
                             struct error *e)
{
    struct members x = *a;
    struct members y = *b;
    enum status status = STATUS_OK;
    *out = (struct fork){0};
    while (status == STATUS_OK && !hash_eq(&x.hash, &y.hash)) {
        bool back_a = x.number >= y.number;
        bool back_b = y.number >= x.number;
        if (back_a)
            status = step_back(m, &x, &out->signer_a, e);
        if (status == STATUS_OK && back_b)
            status = step_back(m, &y, &out->signer_b, e);
    }
    out->common = x;
    return status;
}

enum status members_fork(struct model *m, const struct members *a, const struct members *b, struct members *out,
                         struct error *e)
{
    struct fork fork;
    enum status status = find_fork(m, a, b, &fork, e);
    *out = fork.common;
    return status;
}

static enum member_role role_in(const struct members *members, const struct hash *person)
{
    const struct member *found = members_find(members, person);
    return found != NULL ? found->role : MEMBER_GONE;
}

static bool demotes(const struct fork *fork, const struct members *by, const struct hash *person)
{
    return role_in(by, person) < role_in(&fork->common, person);
}

static size_t place_of(const struct members *members, const struct hash *person)
{
    const struct member *found = members_find(members, person);
    return found != NULL ? (size_t)(found - members->items) : members->count;
}

// Does b win over a, which holds? An owner who was sent away cannot go on from before.
static bool wins(const struct fork *fork, const struct members *a, const struct members *b)
{
    bool a_demotes = demotes(fork, a, &fork->signer_b);
    bool b_demotes = demotes(fork, b, &fork->signer_a);
    bool same = hash_eq(&fork->signer_a, &fork->signer_b);
    if (!same && a_demotes != b_demotes)
        return b_demotes;
    if (!same && a_demotes)
        return place_of(&fork->common, &fork->signer_b) < place_of(&fork->common, &fork->signer_a);
    if (a->number != b->number)
        return b->number > a->number;
    return hash_compare(&b->hash, &a->hash) > 0;
}

bool members_is_ours(struct model *m, const struct hash *person)
{
    if (hash_eq(person, &m->self->person))
        return true;
    return !m->self->further && (sharing_is_own_node(m, person) || selves_is_elsewhere(m, person));
}

static bool is_ours(struct model *m, const struct members *members)
{
    for (size_t i = 0; i < members->count; i++)
        if (members_is_ours(m, &members->items[i].person))
            return true;
    return false;
}

// Whose signer we know speaks for itself. It has to: one that is here already is not noticed again when somebody who
// takes part brings it, so another who was quicker could keep it from us.
static bool speaks_for_itself(struct model *m, const struct members *members)
{
    struct statement s;
    return is_vouched(m, members) && read_statement(m, &members->hash, &s, NULL) == STATUS_OK &&
           fits(&s, members_find(members, &members->signer));
}

static bool may_bring(struct model *m, const struct members *members, const struct hash *from)
{
    return hash_is_zero(from) || sharing_is_own_node(m, from) || members_has(members, from) ||
           hash_eq(from, &members->signer) || speaks_for_itself(m, members);
}

// A statement that does not go on from what holds: what holds may be another beginning of the same topic, which counts
// if a key we know speaks for it, or no key for the new one.
static enum status compare(struct model *m, const struct members *now, const struct members *news, bool *taken,
                           struct members *lost, struct error *e)
{
    struct fork fork;
    struct error why = {0};
    enum status status = find_fork(m, now, news, &fork, &why);
    if (status == STATUS_NOT_FOUND) {
        *taken = is_contradicted(m, &now->items[0]);
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        if (e != NULL)
            *e = why;
        return status;
    }
    if (hash_eq(&fork.common.hash, &news->hash))
        return STATUS_OK;
    bool onwards = hash_eq(&fork.common.hash, &now->hash);
    *taken = onwards || wins(&fork, now, news);
    if (*taken && !onwards)
        *lost = *now;
    return STATUS_OK;
}

enum status members_take(struct model *m, const struct hash *hash, const struct hash *from, struct members *out,
                         bool *taken, struct members *lost, struct error *e)
{
    struct members now;
    struct error why = {0};
    *taken = false;
    *lost = (struct members){0};
    if (members_read(m, hash, out, NULL) != STATUS_OK || !is_ours(m, out) || !may_bring(m, out, from))
        return STATUS_OK;
    bool known = members_current(m, &out->channel, &now, NULL) == STATUS_OK;
    if (known && hash_eq(&now.hash, hash))
        return STATUS_OK;
    if (check_chain(m, hash, known ? &now : NULL, &why) != STATUS_OK) {
        LOG(LOG_WARN, "members.refused", LOG_HASH("statement", hash), LOG_TEXT("why", why.message));
        return STATUS_OK;
    }
    *taken = !known;
    enum status status = known ? compare(m, &now, out, taken, lost, e) : STATUS_OK;
    return status == STATUS_OK && *taken ? set_current(m, out, e) : status;
}

// ---- Making ---------------------------------------------------------------------------------------------------------

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ')
            return true;
    return false;
}

static enum status check_made(const struct members *next, struct error *e)
{
    if (has_control(next->id) || has_control(next->name) || !utf8_valid(next->id) || !utf8_valid(next->name) ||
        next->id.len == 0)
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "names and ids of group chats are one line of UTF-8");
    if (next->count > MEMBERS_MAX || next->epoch >= MEMBERS_EPOCHS || next->number > MEMBERS_CHAIN)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG",
                         "a group chat has at most %d members, %d changes of them, and %d times somebody joins without "
                         "the history",
                         MEMBERS_MAX, MEMBERS_CHAIN, MEMBERS_EPOCHS - 1);
    return STATUS_OK;
}

static enum status put_statement(struct model *m, struct members *next, struct error *e)
{
    struct buf text = {0};
    struct signature signature;
    members_write_unsigned(next, &text);
    sign_make(&m->self->person_keys.sign_secret, span_of(members_signed_text(buf_span(&text)).s), &signature);
    members_write_signature(&signature, &text);
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", buf_span(&text));
    model_set_hash(m, message, "sender", &m->self->person);
    if (!hash_is_zero(&next->previous))
        value_set_member(m->arena, message, SPAN("attachments"), model_hashes(m, &next->previous, 1, false));
    buf_free(&text);
    return model_put(m, message, &next->hash, e);
}

enum status members_publish(struct model *m, struct members *next, struct error *e)
{
    next->previous = next->hash;
    next->number++;
    next->signer = m->self->person;
    enum status status = check_made(next, e);
    if (status == STATUS_OK)
        status = put_statement(m, next, e);
    if (status == STATUS_OK)
        status = channel_id_hash(m, next->id, &next->creator, &next->channel, e);
    return status == STATUS_OK ? set_current(m, next, e) : status;
}

// ---- Introducing ----------------------------------------------------------------------------------------------------

bool members_introduced_key(struct model *m, const struct members *members, const struct hash *person,
                            struct sign_public *key)
{
    struct members s = *members;
    const struct member *found = members_find(&s, person);
    if (found == NULL || !has_key(found))
        return false;
    *key = found->key;
    for (unsigned steps = 0; steps < 16; steps++) {
        found = members_find(&s, person);
        if (found == NULL || memcmp(found->key.b, key->b, SIGN_PUBLIC) != 0)
            return false;
        if (is_vouched(m, &s))
            return true;
        struct hash previous = s.previous;
        if (hash_is_zero(&previous) || members_read(m, &previous, &s, NULL) != STATUS_OK)
            return false;
    }
    return false;
}
