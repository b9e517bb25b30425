#include "models/topic.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "models/access.h"
#include "models/group.h"
#include "models/lag.h"
#include "models/origin.h"
#include "models/sharing.h"

enum { ONE_TO_ONE_LEN = 2 * HASH_HEX + 3, MAX_NAME = 1024 };

// ---- Ids ------------------------------------------------------------------------------------------------------------

struct span topic_one_to_one_id(struct arena *a, const struct hash *one, const struct hash *two)
{
    bool ordered = hash_compare(one, two) <= 0;
    const struct hash_text first = hash_text(ordered ? one : two);
    const struct hash_text second = hash_text(ordered ? two : one);
    return arena_printf(a, "%s<->%s", first.s, second.s);
}

bool topic_is_one_to_one(struct span id, struct hash *one, struct hash *two)
{
    return id.len == ONE_TO_ONE_LEN && memcmp(id.ptr + HASH_HEX, "<->", 3) == 0 &&
           hash_parse((struct span){id.ptr, HASH_HEX}, one) && hash_parse(span_from(id, HASH_HEX + 3), two);
}

static enum topic_kind kind_of(struct span id)
{
    struct hash one;
    struct hash two;
    if (topic_is_one_to_one(id, &one, &two))
        return TOPIC_ONE_TO_ONE;
    return span_eq_text(id, TOPIC_EVERYONE) || span_eq_text(id, TOPIC_GLUE) ? TOPIC_FOR_EVERYONE : TOPIC_GROUP;
}

static void find_peer(struct model *m, struct topic *t)
{
    struct hash one;
    struct hash two;
    if (!topic_is_one_to_one(t->id, &one, &two))
        return;
    if (hash_eq(&one, &m->self->person))
        t->peer = two;
    else if (hash_eq(&two, &m->self->person))
        t->peer = one;
}

static enum status read_topic(struct model *m, const struct hash *hash, struct topic *out, struct error *e)
{
    struct value *object;
    *out = (struct topic){.hash = *hash};
    enum status status = model_read(m, hash, "Topic", &object, e);
    if (status != STATUS_OK)
        return status;
    value_get_string(object, "name", &out->name);
    value_get_string(object, "id", &out->id);
    value_get_hash(object, "channel", &out->channel);
    out->kind = kind_of(out->id);
    find_peer(m, out);
    return STATUS_OK;
}

// ---- The registry ---------------------------------------------------------------------------------------------------

// It may lag (lag.h): the Topics that wait to be added are listed in a setting of the store.
static const char REGISTRY[] = "TopicAppRegistry";
static const char WAITING[] = "topics.waiting";

static struct span load_waiting(struct model *m)
{
    struct span hashes;
    bool some = store_setting_get(m->store, WAITING, m->arena, &hashes, NULL) == STATUS_OK;
    return some && hashes.len % HASH_SIZE == 0 ? hashes : (struct span){0};
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
        if (read_topic(m, &hash, &t, NULL) == STATUS_OK)
            value_put(m->arena, *topics, value_string(m->arena, t.id), value_hash(m->arena, &hash));
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
    if (!lag_exists(m, REGISTRY))
        return STATUS_OK;
    enum status status = load_registry(m, &registry, &topics, e);
    return status == STATUS_OK ? write_registry(m, registry, topics, e) : status;
}

enum status topic_find(struct model *m, struct span id, struct topic *out, struct error *e)
{
    struct value *registry;
    struct value *topics;
    struct hash hash;
    enum status status = load_registry(m, &registry, &topics, e);
    if (status != STATUS_OK)
        return status;
    const struct value *entry = value_map_get(topics, id);
    if (entry == NULL || !value_as_hash(entry, &hash))
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no such topic");
    return read_topic(m, &hash, out, e);
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
        if (!value_as_hash(topics->map.pairs[i].value, &hash))
            continue;
        status = read_topic(m, &hash, &out->items[out->count], e);
        out->count += status == STATUS_OK;
    }
    return status;
}

// A topic that is known keeps its channel: news can rename it, but not lead it elsewhere.
static enum status add_to_registry(struct model *m, const struct topic *t, bool at_once, struct error *e)
{
    bool due = at_once;
    struct value *registry;
    struct value *topics;
    struct topic known;
    struct hash old;
    enum status status = load_registry(m, &registry, &topics, e);
    if (status != STATUS_OK)
        return status;
    const struct value *entry = value_map_get(topics, t->id);
    if (entry != NULL && value_as_hash(entry, &old) && read_topic(m, &old, &known, NULL) == STATUS_OK &&
        (hash_eq(&old, &t->hash) || !hash_eq(&known.channel, &t->channel)))
        return STATUS_OK;
    if (!at_once)
        status = lag_note(m, REGISTRY, &due, e);
    if (status == STATUS_OK && !due)
        return add_waiting(m, &t->hash, e);
    value_put(m->arena, topics, value_string(m->arena, t->id), value_hash(m->arena, &t->hash));
    return status == STATUS_OK ? write_registry(m, registry, topics, e) : status;
}

// ---- Validation -----------------------------------------------------------------------------------------------------

static bool is_channel_of(struct model *m, struct span id, const struct hash *owner, const struct hash *channel)
{
    struct hash expected;
    return channel_id_hash(m, id, owner, &expected, NULL) == STATUS_OK && hash_eq(&expected, channel);
}

// A group's channel has an owner; its id object says which.
static bool is_channel_of_somebody(struct model *m, struct span id, const struct hash *channel)
{
    struct value *info;
    struct span found;
    return model_read(m, channel, "ChannelInfo", &info, NULL) == STATUS_OK && value_get_string(info, "id", &found) &&
           span_eq(found, id);
}

enum status topic_validate(struct model *m, const struct value *topic, struct error *e)
{
    struct span id;
    struct hash channel;
    struct hash one;
    struct hash two;
    if (!value_get_string(topic, "id", &id) || !value_get_hash(topic, "channel", &channel) || id.len == 0 ||
        id.len > CHANNEL_MAX_ID)
        return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the Topic has no usable id or channel");
    bool pair = topic_is_one_to_one(id, &one, &two);
    if (is_channel_of(m, id, NULL, &channel) ||
        (pair && (is_channel_of(m, id, &one, &channel) || is_channel_of(m, id, &two, &channel))) ||
        (kind_of(id) == TOPIC_GROUP && is_channel_of_somebody(m, id, &channel)))
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "the Topic names a channel that is not its own");
}

// ---- Granting -------------------------------------------------------------------------------------------------------

static enum status grant(struct model *m, const struct topic *t, const struct hash *persons, size_t person_count,
                         const struct hash *groups, size_t group_count, struct error *e)
{
    enum status status =
        access_add(m, (struct access_target){ACCESS_ID, t->channel}, persons, person_count, groups, group_count, e);
    if (status == STATUS_OK)
        status = access_add(m, (struct access_target){ACCESS_OBJECT, t->hash}, persons, person_count, groups,
                            group_count, e);
    return status;
}

// So that a grant has a target at once (MODELS.md 8.7).
static enum status put_shared_channel(struct model *m, const struct topic *t, struct error *e)
{
    struct hash channel;
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", t->id);
    return model_put_id(m, info, &channel, e);
}

// Who brought us the one channel of a group reads what we write there; whom else it is for, the user says.
static enum status grant_origin(struct model *m, const struct topic *t, struct error *e)
{
    struct hash origin;
    if (!is_channel_of(m, t->id, NULL, &t->channel) || origin_get(m, &t->channel, &origin, NULL) != STATUS_OK ||
        hash_eq(&origin, &m->self->person))
        return STATUS_OK;
    enum status status = put_shared_channel(m, t, e);
    return status == STATUS_OK ? grant(m, t, &origin, 1, NULL, 0, e) : status;
}

static enum status grant_by_kind(struct model *m, const struct topic *t, struct error *e)
{
    struct hash pair[2];
    struct hash everyone;
    if (t->kind == TOPIC_GROUP)
        return grant_origin(m, t, e);
    if (t->kind == TOPIC_ONE_TO_ONE && hash_is_zero(&t->peer))
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (is_channel_of(m, t->id, NULL, &t->channel))
        status = put_shared_channel(m, t, e);
    if (status != STATUS_OK)
        return status;
    if (topic_is_one_to_one(t->id, &pair[0], &pair[1]))
        return grant(m, t, pair, 2, NULL, 0, e);
    status = group_create(m, SPAN(GROUP_EVERYONE), true, &everyone, e);
    return status == STATUS_OK ? grant(m, t, NULL, 0, &everyone, 1, e) : status;
}

enum status topic_notice(struct model *m, const struct hash *topic, bool at_once, struct error *e)
{
    struct value *object;
    struct topic t;
    struct error why = {0};
    enum status status = model_read(m, topic, "Topic", &object, e);
    if (status != STATUS_OK)
        return status;
    if (topic_validate(m, object, &why) != STATUS_OK) {
        LOG(LOG_WARN, "topic.ignored", LOG_HASH("topic", topic), LOG_TEXT("why", why.message));
        return STATUS_OK;
    }
    status = read_topic(m, topic, &t, e);
    if (status == STATUS_OK)
        status = add_to_registry(m, &t, at_once, e);
    if (status == STATUS_OK)
        status = grant_by_kind(m, &t, e);
    return status;
}

enum status topic_add_persons(struct model *m, const struct topic *topic, const struct hash *persons, size_t count,
                              struct error *e)
{
    return grant(m, topic, persons, count, NULL, 0, e);
}

enum status topic_add_group(struct model *m, const struct topic *topic, const struct hash *group, struct error *e)
{
    return grant(m, topic, NULL, 0, group, 1, e);
}

// ---- Creating -------------------------------------------------------------------------------------------------------

static enum status create(struct model *m, struct span id, struct span name, const struct hash *owner,
                          struct topic *out, struct error *e)
{
    struct hash channel;
    struct hash hash;
    enum status status = channel_create(m, id, owner, &channel, e);
    if (status != STATUS_OK)
        return status;
    struct value *topic = model_object(m, "Topic");
    model_set_text(m, topic, "name", name);
    model_set_text(m, topic, "id", id);
    model_set_hash(m, topic, "channel", &channel);
    status = model_put(m, topic, &hash, e);
    if (status == STATUS_OK)
        status = topic_notice(m, &hash, true, e);
    if (status == STATUS_OK)
        status = read_topic(m, &hash, out, e);
    return status;
}

static enum status open_shared(struct model *m, struct span id, struct span name, struct topic *out, struct error *e)
{
    enum status status = topic_find(m, id, out, e);
    if (status != STATUS_NOT_FOUND)
        return status;
    error_clear(e);
    return create(m, id, name, NULL, out, e);
}

enum status topic_open_one_to_one(struct model *m, const struct hash *person, struct topic *out, struct error *e)
{
    if (hash_eq(person, &m->self->person))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a conversation needs another person");
    struct span id = topic_one_to_one_id(m->arena, &m->self->person, person);
    return open_shared(m, id, id, out, e);
}

enum status topic_open_everyone(struct model *m, struct topic *out, struct error *e)
{
    return open_shared(m, SPAN(TOPIC_EVERYONE), SPAN("Everyone"), out, e);
}

enum status topic_open_glue(struct model *m, struct topic *out, struct error *e)
{
    return open_shared(m, SPAN(TOPIC_GLUE), SPAN("glue.one"), out, e);
}

// Lower case, everything outside a-z0-9 a dash (MODELS.md 6.5).
static struct span id_from_name(struct model *m, struct span name)
{
    static const char from[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char to[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789";
    if (name.len == 0)
        return arena_printf(m->arena, "group-%lld", (long long)m->now_ms);
    char *id = arena_alloc(m->arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        const char *known = memchr(from, name.ptr[i], sizeof from - 1);
        id[i] = '-';
        if (known != NULL)
            id[i] = to[known - from];
    }
    return (struct span){id, name.len};
}

static struct span free_id(struct model *m, struct span wanted)
{
    struct span id = wanted;
    struct topic taken;
    for (unsigned n = 2; topic_find(m, id, &taken, NULL) == STATUS_OK; n++)
        id = arena_printf(m->arena, SPAN_FMT "-%u", SPAN_ARG(wanted), n);
    return id;
}

enum status topic_create_group(struct model *m, struct span name, struct span id, const struct hash *persons,
                               size_t count, struct topic *out, struct error *e)
{
    struct topic taken;
    if (name.len > MAX_NAME || !utf8_valid(name) || kind_of(id) != TOPIC_GROUP)
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "this is not a name or id for a group conversation");
    if (id.len == 0)
        id = free_id(m, id_from_name(m, name));
    else if (topic_find(m, id, &taken, NULL) == STATUS_OK)
        return error_set(e, STATUS_EXISTS, "EXISTS", "there is a topic with this id");
    enum status status = create(m, id, name.len != 0 ? name : id, &m->self->person, out, e);
    if (status == STATUS_OK && count != 0)
        status = topic_add_persons(m, out, persons, count, e);
    return status;
}

// ---- The channels of a conversation ---------------------------------------------------------------------------------

static enum status collect_members(struct model *m, const struct topic *t, struct hash_list *members, struct error *e)
{
    struct hash own;
    struct channel first;
    hash_list_add(members, &m->self->person);
    if (channel_get(m, &t->channel, &first, NULL) == STATUS_OK && !hash_is_zero(&first.owner))
        hash_list_add(members, &first.owner);
    enum status status = channel_id_hash(m, t->id, &m->self->person, &own, e);
    if (status == STATUS_OK)
        status = access_persons(m, (struct access_target){ACCESS_ID, own}, members, e);
    if (status == STATUS_OK)
        status = access_persons(m, (struct access_target){ACCESS_OBJECT, t->hash}, members, e);
    return status;
}

enum status topic_channels(struct model *m, const struct topic *topic, struct hash_list *channels, struct error *e)
{
    struct channels all;
    struct channel only;
    struct hash_list members = {0};
    if (topic->kind != TOPIC_GROUP && is_channel_of(m, topic->id, NULL, &topic->channel)) {
        if (channel_get(m, &topic->channel, &only, NULL) == STATUS_OK)
            hash_list_add(channels, &topic->channel);
        return STATUS_OK;
    }
    enum status status = collect_members(m, topic, &members, e);
    if (status == STATUS_OK && !hash_is_zero(&topic->peer))
        hash_list_add(&members, &topic->peer);
    if (status == STATUS_OK)
        status = channel_find(m, topic->id, &all, e);
    for (size_t i = 0; status == STATUS_OK && i < all.count; i++)
        if (hash_is_zero(&all.items[i].owner) || hash_list_has(&members, &all.items[i].owner))
            hash_list_add(channels, &all.items[i].id_hash);
    hash_list_free(&members);
    return status;
}

enum status topic_recipients(struct model *m, const struct topic *topic, struct hash_list *persons, struct error *e)
{
    struct hash own = {{0}};
    struct hash_list members = {0};
    enum status status = STATUS_OK;
    if (topic->kind == TOPIC_ONE_TO_ONE && !hash_is_zero(&topic->peer))
        hash_list_add(persons, &topic->peer);
    if (topic->kind == TOPIC_GROUP)
        status = collect_members(m, topic, &members, e);
    (void)sharing_own_node(m, &own, NULL);
    for (size_t i = 0; i < members.count; i++) {
        const struct hash *person = &members.items[i];
        if (!hash_eq(person, &own) && !hash_eq(person, &m->self->person) && !hash_list_has(persons, person))
            hash_list_add(persons, person);
    }
    hash_list_free(&members);
    return status;
}
