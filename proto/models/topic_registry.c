// The topics there are. The registry is a map from id to Topic, for the reference. Where an id stands for another
// conversation already, the next one lies under the id, unit separators, and its channel: whoever claims such an id too
// moves others further, and gains nothing.
#include <string.h>

#include "models/lag.h"
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

enum status topic_write_waiting(struct model *m, struct error *e)
{
    struct value *registry;
    struct value *topics;
    if (!lag_exists(m, REGISTRY))
        return STATUS_OK;
    enum status status = load_registry(m, &registry, &topics, e);
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

enum status topic_registered(struct model *m, struct topics *out, struct error *e)
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
        if (!value_as_hash(topics->map.pairs[i].value, &hash))
            continue;
        status = topic_load(m, &hash, &out->items[out->count], e);
        out->count += status == STATUS_OK;
    }
    return status;
}
