// The conversations that a user sees, and what they are called. A text is tried as an id, then as a channel, a name and
// a beginning, and the first of these that fits anything decides. Among several our own counts, by id; otherwise it is
// an error and never a choice.
#include <string.h>

#include "models/contact.h"
#include "models/deletion.h"
#include "models/selves.h"
#include "models/topic_internal.h"

// ---- Which there are ------------------------------------------------------------------------------------------------

// A Topic that belongs to a later epoch of another one is no conversation of its own.
static bool is_epoch(struct model *m, const struct topic *t)
{
    struct hash owner;
    struct topic_claims claims;
    if (t->kind != TOPIC_GROUP || t->members != NULL || memchr(t->id.ptr, '~', t->id.len) == NULL ||
        channel_owner(m, &t->channel, &owner) != STATUS_OK)
        return false;
    topic_claims_of(m, t->id, &owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        if (hash_eq(&claims.items[i].creator, &owner))
            return true;
    return false;
}

// Of one of the identities of both own nodes, which is one of the two there.
static bool is_with_contact(struct model *m, const struct topic *t)
{
    struct hash one;
    struct hash two;
    if (!topic_is_one_to_one(t->id, &one, &two))
        return false;
    return contact_of_anybody(m, selves_is_ours(m, &one) ? &two : &one);
}

static bool is_left(struct model *m, const struct members *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].role != MEMBER_GONE && selves_is_ours(m, &s->items[i].person))
            return false;
    return true;
}

// Left, or with somebody who is forgotten, and deleted.
static bool is_wiped(struct model *m, const struct topic *t)
{
    if (deletion_until(m, &t->channel) <= 0)
        return false;
    if (t->members != NULL)
        return is_left(m, t->members);
    return t->kind == TOPIC_ONE_TO_ONE && !is_with_contact(m, t);
}

enum status topic_list(struct model *m, struct topics *out, struct error *e)
{
    enum status status = topic_registered(m, out, e);
    size_t count = 0;
    for (size_t i = 0; status == STATUS_OK && i < out->count; i++) {
        const struct topic *t = &out->items[i];
        if (!is_epoch(m, t) && !is_wiped(m, t))
            out->items[count++] = *t;
    }
    out->count = count;
    return status;
}

// ---- What users call them -------------------------------------------------------------------------------------------

enum match { BY_ID, BY_CHANNEL, BY_NAME, BY_BEGINNING, MATCHES };
enum { BEGINNING_MIN = 4 };

static bool matches(const struct topic *t, struct span text, enum match how)
{
    struct hash_text channel = hash_text(&t->channel);
    switch (how) {
    case BY_ID:
        return span_eq(t->id, text);
    case BY_CHANNEL:
        return span_eq_text(text, channel.s);
    case BY_NAME:
        return span_eq(t->name, text);
    default:
        return text.len >= BEGINNING_MIN &&
               (span_starts_with(t->id, text) || span_starts_with(span_of(channel.s), text));
    }
}

static bool is_ours(struct model *m, const struct topic *t)
{
    struct hash owner;
    return channel_owner(m, &t->channel, &owner) == STATUS_OK && hash_eq(&owner, &m->self->person);
}

static enum status ambiguous(struct span text, const struct topic *const *found, size_t count, struct error *e)
{
    struct buf candidates = {0};
    for (size_t i = 0; i < count && i < 5; i++)
        buf_printf(&candidates, "%s" SPAN_FMT " (%.12s)", i != 0 ? ", " : "", SPAN_ARG(found[i]->id),
                   hash_text(&found[i]->channel).s);
    (void)error_set(e, STATUS_REFUSED, "AMBIGUOUS-ID", "several chats may be meant by " SPAN_FMT ": %s", SPAN_ARG(text),
                    buf_cstr(&candidates));
    buf_free(&candidates);
    return STATUS_REFUSED;
}

static enum status choose(struct model *m, struct span text, const struct topics *all, enum match how,
                          struct topic *out, struct error *e)
{
    const struct topic **found = arena_alloc(m->arena, (all->count + 1) * sizeof *found);
    size_t count = 0;
    size_t ours = 0;
    for (size_t i = 0; i < all->count; i++)
        if (matches(&all->items[i], text, how))
            found[count++] = &all->items[i];
    for (size_t i = 0; how == BY_ID && i < count; i++)
        if (is_ours(m, found[i])) {
            *out = *found[i];
            ours++;
        }
    if (count == 0)
        return STATUS_NOT_FOUND;
    if (count == 1)
        *out = *found[0];
    return count == 1 || ours == 1 ? STATUS_OK : ambiguous(text, found, count, e);
}

static enum status choose_any(struct model *m, struct span text, const struct topics *all, struct topic *out,
                              struct error *e)
{
    enum status status = STATUS_NOT_FOUND;
    for (enum match how = BY_ID; how < MATCHES && status == STATUS_NOT_FOUND; how++)
        status = choose(m, text, all, how, out, e);
    if (status == STATUS_NOT_FOUND)
        return error_set(e, status, "NOT-FOUND", "there is no chat " SPAN_FMT, SPAN_ARG(text));
    return status;
}

enum status topic_named(struct model *m, struct span text, struct topic *out, struct error *e)
{
    struct topics all;
    enum status status = topic_list(m, &all, e);
    return status == STATUS_OK ? choose_any(m, text, &all, out, e) : status;
}

bool topic_is_with(const struct topic *topic, const struct hash *person)
{
    struct hash one;
    struct hash two;
    return topic_is_one_to_one(topic->id, &one, &two) && (hash_eq(&one, person) || hash_eq(&two, person));
}

enum status topic_named_besides(struct model *m, struct span text, const struct hash *person, struct topic *out,
                                struct error *e)
{
    struct topics all;
    size_t count = 0;
    enum status status = topic_list(m, &all, e);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < all.count; i++)
        if (!topic_is_with(&all.items[i], person))
            all.items[count++] = all.items[i];
    all.count = count;
    return choose_any(m, text, &all, out, e);
}
