// The topics there are. The registry is a map from id to Topic, for the reference. Where an id stands for another
// conversation already, the next one lies under the id, unit separators, and its channel: whoever claims such an id too
// moves others further, and gains nothing.
#include <string.h>

#include "models/contact.h"
#include "models/deletion.h"
#include "models/lag.h"
#include "models/own_node.h"
#include "models/selves.h"
#include "models/topic_internal.h"

enum { SAME_ID_MAX = 16 };

// It may lag (lag.h): the Topics that wait to be added are listed in a setting of the store.
static const char REGISTRY[] = "TopicAppRegistry";
static const char WAITING[] = "topics.waiting";

static struct span load_waiting(struct model *m)
{
    struct span hashes;
    bool some = store_setting_get(m->store, WAITING, m->arena, &hashes, NULL) == STATUS_OK;
    return some && hashes.len % HASH_SIZE == 0 ? hashes : (struct span){0};
}

static struct span key_of(struct model *m, const struct topic *t, size_t place)
{
    struct buf key = {0};
    buf_add_span(&key, t->id);
    for (size_t i = 0; i < place; i++)
        buf_add_char(&key, '\x1f');
    if (place != 0)
        buf_add_text(&key, hash_text(&t->channel).s);
    struct span kept = arena_copy(m->arena, buf_span(&key));
    buf_free(&key);
    return kept;
}

static bool read_entry(struct model *m, const struct value *topics, struct span key, struct topic *out)
{
    struct hash hash;
    const struct value *entry = value_map_get(topics, key);
    return entry != NULL && value_as_hash(entry, &hash) && topic_load(m, &hash, out, NULL) == STATUS_OK;
}

// Where a topic lies, or would be put. A conversation of two, or of everyone, has one place only. false: there is none.
static bool find_place(struct model *m, const struct value *topics, const struct topic *t, struct span *key,
                       bool *known, struct topic *there)
{
    *known = false;
    for (size_t place = 0; place < SAME_ID_MAX; place++) {
        *key = key_of(m, t, place);
        if (!read_entry(m, topics, *key, there))
            return true;
        *known = span_eq(there->id, t->id) && hash_eq(&there->channel, &t->channel);
        if (*known || t->kind != TOPIC_GROUP)
            return *known;
    }
    return false;
}

// A topic that is known keeps its channel: news can rename it, but not lead it elsewhere. false: nothing new.
static bool put_topic(struct model *m, struct value *topics, const struct topic *t)
{
    struct span key;
    struct topic there;
    bool known;
    if (!find_place(m, topics, t, &key, &known, &there) || (known && hash_eq(&there.hash, &t->hash)))
        return false;
    value_put(m->arena, topics, value_string(m->arena, key), value_hash(m->arena, &t->hash));
    return true;
}

// The registry, with what waits to be added.
static enum status load_registry(struct model *m, struct value **registry, struct value **topics, struct error *e)
{
    struct value *stored;
    *registry = model_object(m, REGISTRY);
    model_set_text(m, *registry, "id", SPAN("TopicAppRegistry"));
    enum status status = model_latest(m, *registry, REGISTRY, &stored, e);
    *topics = stored != NULL ? value_get(stored, SPAN("topics")) : NULL;
    if (*topics == NULL)
        *topics = value_map(m->arena);
    struct span waiting = load_waiting(m);
    for (size_t i = 0; status == STATUS_OK && i < waiting.len; i += HASH_SIZE) {
        struct hash hash;
        struct topic t;
        memcpy(hash.b, waiting.ptr + i, HASH_SIZE);
        if (topic_load(m, &hash, &t, NULL) == STATUS_OK)
            (void)put_topic(m, *topics, &t);
    }
    return status;
}

static enum status write_registry(struct model *m, struct value *registry, struct value *topics, struct error *e)
{
    value_set_member(m->arena, registry, SPAN("topics"), topics);
    enum status status = model_change(m, registry, NULL, e);
    if (status == STATUS_OK)
        status = store_setting_set(m->store, WAITING, (struct span){"", 0}, e);
    return status == STATUS_OK ? lag_caught_up(m, REGISTRY, topics->map.count, e) : status;
}

static enum status add_waiting(struct model *m, const struct hash *topic, struct error *e)
{
    struct buf list = {0};
    buf_add_span(&list, load_waiting(m));
    buf_add_span(&list, (struct span){(const char *)topic->b, HASH_SIZE});
    enum status status = store_setting_set(m->store, WAITING, buf_span(&list), e);
    buf_free(&list);
    return status;
}

enum status topic_catch_up(struct model *m, struct error *e)
{
    struct value *registry;
    struct value *topics;
    enum status status = topic_recover_statements(m, e);
    if (status != STATUS_OK || !lag_exists(m, REGISTRY))
        return status;
    status = load_registry(m, &registry, &topics, e);
    return status == STATUS_OK ? write_registry(m, registry, topics, e) : status;
}

enum status topic_add_to_registry(struct model *m, const struct topic *t, bool at_once, struct error *e)
{
    bool due = at_once;
    struct value *registry;
    struct value *topics;
    enum status status = load_registry(m, &registry, &topics, e);
    if (status != STATUS_OK || !put_topic(m, topics, t))
        return status;
    if (!at_once)
        status = lag_note(m, REGISTRY, &due, e);
    if (status == STATUS_OK && !due)
        return add_waiting(m, &t->hash, e);
    return status == STATUS_OK ? write_registry(m, registry, topics, e) : status;
}

// ---- Looking up -----------------------------------------------------------------------------------------------------

static bool add_topic(struct topics *out, const struct topic *t)
{
    for (size_t i = 0; i < out->count; i++)
        if (hash_eq(&out->items[i].channel, &t->channel))
            return false;
    out->items[out->count++] = *t;
    return true;
}

// Those beyond the first lie under keys with their channel, which is not known here: they are among all.
enum status topic_with_id(struct model *m, struct span id, struct topics *out, struct error *e)
{
    struct value *registry;
    struct value *topics;
    struct topic t;
    *out = (struct topics){0};
    enum status status = load_registry(m, &registry, &topics, e);
    if (status != STATUS_OK)
        return status;
    out->items = arena_alloc(m->arena, (topics->map.count + 1) * sizeof *out->items);
    if (read_entry(m, topics, id, &t))
        add_topic(out, &t);
    struct span more = arena_printf(m->arena, SPAN_FMT "\x1f", SPAN_ARG(id));
    for (size_t i = 0; i < topics->map.count; i++) {
        const struct value *key = topics->map.pairs[i].key;
        if (key->kind == VALUE_STRING && span_starts_with(key->string, more) &&
            read_entry(m, topics, key->string, &t) && span_eq(t.id, id))
            add_topic(out, &t);
    }
    return out->count != 0 ? STATUS_OK : error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no such topic");
}

enum status topic_find(struct model *m, struct span id, struct topic *out, struct error *e)
{
    struct topics topics;
    enum status status = topic_with_id(m, id, &topics, e);
    if (status == STATUS_OK)
        *out = topics.items[0];
    return status;
}

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
    struct value *registry;
    struct value *topics;
    *out = (struct topics){0};
    enum status status = load_registry(m, &registry, &topics, e);
    if (status != STATUS_OK)
        return status;
    out->items = arena_alloc(m->arena, (topics->map.count + 1) * sizeof *out->items);
    for (size_t i = 0; status == STATUS_OK && i < topics->map.count; i++) {
        struct hash hash;
        struct topic *t = &out->items[out->count];
        if (!value_as_hash(topics->map.pairs[i].value, &hash))
            continue;
        status = topic_load(m, &hash, t, e);
        out->count += status == STATUS_OK && !is_epoch(m, t) && !is_wiped(m, t);
    }
    return status;
}

struct span topic_key(struct model *m, const struct topic *topic)
{
    return topic->kind == TOPIC_GROUP ? arena_printf(m->arena, "%s", hash_text(&topic->channel).s) : topic->id;
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

enum status topic_named(struct model *m, struct span text, struct topic *out, struct error *e)
{
    struct topics all;
    enum status status = topic_list(m, &all, e);
    if (status != STATUS_OK)
        return status;
    status = STATUS_NOT_FOUND;
    for (enum match how = BY_ID; how < MATCHES && status == STATUS_NOT_FOUND; how++)
        status = choose(m, text, &all, how, out, e);
    if (status == STATUS_NOT_FOUND)
        return error_set(e, status, "NOT-FOUND", "there is no chat " SPAN_FMT, SPAN_ARG(text));
    return status;
}
