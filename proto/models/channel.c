// Channels and posting to them; reading is in channel_read.c and channel_since.c. What is posted now gets a time behind
// what it is posted on, and one that makes it an element of its own, as the same object at the same time is the same
// element (place_now). What comes with a time goes where it belongs. list_insert would put what is older than all of a
// list on top, so then the list is made anew above it (insert_below).
#include "models/channel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "models/channel_base.h"
#include "models/lag.h"
#include "models/origin.h"
#include "models/profile.h"

// ---- The ChannelInfo object -----------------------------------------------------------------------------------------

static struct value *make_id(struct model *m, struct span id, const struct hash *owner)
{
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", id);
    if (owner != NULL && !hash_is_zero(owner))
        model_set_hash(m, info, "owner", owner);
    return info;
}

enum status channel_id_hash(struct model *m, struct span id, const struct hash *owner, struct hash *out,
                            struct error *e)
{
    return model_id(m, make_id(m, id, owner), out, e);
}

enum status channel_get(struct model *m, const struct hash *id_hash, struct channel *out, struct error *e)
{
    struct value *info;
    *out = (struct channel){.id_hash = *id_hash};
    enum status status = model_current(m, id_hash, "ChannelInfo", &info, NULL, e);
    if (status != STATUS_OK)
        return status;
    value_get_string(info, "id", &out->id);
    value_get_hash(info, "owner", &out->owner);
    value_get_hash(info, "head", &out->head);
    return STATUS_OK;
}

enum status channel_owner(struct model *m, const struct hash *id_hash, struct hash *owner)
{
    struct value *info;
    *owner = (struct hash){{0}};
    enum status status = model_read(m, id_hash, "ChannelInfo", &info, NULL);
    if (status == STATUS_OK)
        value_get_hash(info, "owner", owner);
    return status;
}

// The first version of a channel: it is ours, whoever has named the same id before without bringing one.
static enum status begin(struct model *m, struct value *info, const struct hash *id_hash, struct error *e)
{
    enum status status = origin_set(m, id_hash, &m->self->person, e);
    return status == STATUS_OK ? model_change(m, info, NULL, e) : status;
}

enum status channel_create(struct model *m, struct span id, const struct hash *owner, struct hash *id_hash,
                           struct error *e)
{
    if (id.len == 0 || id.len > CHANNEL_MAX_ID || !utf8_valid(id))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a channel id is 1 to %d bytes of UTF-8", CHANNEL_MAX_ID);
    struct value *info = make_id(m, id, owner);
    enum status status = model_id(m, info, id_hash, e);
    if (status == STATUS_OK && !model_has_head(m, id_hash))
        status = begin(m, info, id_hash, e);
    if (status == STATUS_OK)
        status = channel_register(m, id_hash, true, e);
    return status;
}

static enum status set_head(struct model *m, const struct channel *channel, const struct hash *head, struct error *e)
{
    struct value *info = make_id(m, channel->id, &channel->owner);
    model_set_hash(m, info, "head", head);
    return model_change(m, info, NULL, e);
}

// ---- The registry ---------------------------------------------------------------------------------------------------

// The channels are those that have a version. The registry says the same, for the reference, and may lag (lag.h).
static const char REGISTRY[] = "ChannelRegistry";

static enum status load_registry(struct model *m, struct hash_list *channels, struct value **registry, struct error *e)
{
    struct value *stored; // it begins with the first channel
    *registry = model_object(m, REGISTRY);
    model_set_text(m, *registry, "id", SPAN("ChannelRegistry"));
    enum status status = model_latest(m, *registry, REGISTRY, &stored, e);
    if (stored != NULL)
        model_read_hashes(value_get(stored, SPAN("channels")), channels);
    return status;
}

// Does the current registry name the channel? Asks the reverse map.
static bool is_listed(struct model *m, const struct hash *id_hash)
{
    struct hash_list versions = {0};
    bool listed = store_current_referrers(m->store, id_hash, span_of(REGISTRY), &versions, NULL) == STATUS_OK &&
                  versions.count != 0;
    hash_list_free(&versions);
    return listed;
}

static void add_all(struct hash_list *list, const struct hash_list *more)
{
    struct hash_map *known = hash_map_create();
    for (size_t i = 0; i < list->count; i++)
        hash_map_add(known, &list->items[i]);
    for (size_t i = 0; i < more->count; i++)
        if (hash_map_add(known, &more->items[i]))
            hash_list_add(list, &more->items[i]);
    hash_map_destroy(known);
}

static enum status write_registry(struct model *m, struct error *e)
{
    struct hash_list channels = {0};
    struct hash_list all = {0};
    struct value *registry;
    enum status status = load_registry(m, &channels, &registry, e);
    if (status == STATUS_OK)
        status = store_ids_of_type(m->store, SPAN("ChannelInfo"), &all, e);
    if (status == STATUS_OK) {
        add_all(&channels, &all);
        value_set_member(m->arena, registry, SPAN("channels"), model_hashes(m, channels.items, channels.count, true));
        status = model_change(m, registry, NULL, e);
    }
    if (status == STATUS_OK)
        status = lag_caught_up(m, REGISTRY, channels.count, e);
    hash_list_free(&channels);
    hash_list_free(&all);
    return status;
}

enum status channel_register(struct model *m, const struct hash *id_hash, bool at_once, struct error *e)
{
    bool due = at_once;
    if (is_listed(m, id_hash))
        return STATUS_OK;
    enum status status = at_once ? STATUS_OK : lag_note(m, REGISTRY, &due, e);
    return status == STATUS_OK && due ? write_registry(m, e) : status;
}

enum status channel_catch_up(struct model *m, struct error *e)
{
    return lag_exists(m, REGISTRY) ? write_registry(m, e) : STATUS_OK;
}

static bool is_channel(struct model *m, const struct hash *id_hash)
{
    struct channel ignored;
    return channel_get(m, id_hash, &ignored, NULL) == STATUS_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct channel *x = a;
    const struct channel *y = b;
    int order = utf16_compare(x->id, y->id);
    return order != 0 ? order : hash_compare(&x->owner, &y->owner);
}

// wanted NULL = all ids.
static enum status list(struct model *m, const struct span *wanted, struct channels *out, struct error *e)
{
    struct hash_list ids = {0};
    *out = (struct channels){0};
    enum status status = store_ids_of_type(m->store, SPAN("ChannelInfo"), &ids, e);
    out->items = arena_alloc(m->arena, (ids.count + 1) * sizeof *out->items);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        struct channel *channel = &out->items[out->count];
        status = channel_get(m, &ids.items[i], channel, e);
        if (status == STATUS_OK && (wanted == NULL || span_eq(channel->id, *wanted)))
            out->count++;
    }
    if (status == STATUS_OK)
        qsort(out->items, out->count, sizeof *out->items, by_id);
    hash_list_free(&ids);
    return status;
}

enum status channel_list(struct model *m, struct channels *out, struct error *e)
{
    return list(m, NULL, out, e);
}

enum status channel_find(struct model *m, struct span id, struct channels *out, struct error *e)
{
    return list(m, &id, out, e);
}

// ---- Posting --------------------------------------------------------------------------------------------------------

struct place {      // what the list says about a new element
    bool exists;    // the very same element is there
    bool is_oldest; // everything else is newer
    struct list_element same;
};

static bool same_time(double a, double b)
{
    return !(a < b) && !(a > b);
}

static bool is_later(const struct list_element *a, double timestamp, const struct hash *creation_time)
{
    return a->timestamp > timestamp ||
           (same_time(a->timestamp, timestamp) && hash_compare(&a->creation_time, creation_time) > 0);
}

static enum status newest_time(struct model *m, const struct channel *channel, double *timestamp, struct error *e)
{
    struct list_element newest;
    bool end;
    struct list_iterator *it = list_iterator_create(store_versions(m->store), &channel->head, 1, false);
    enum status status = list_iterator_next(it, &newest, &end, e);
    *timestamp = status == STATUS_OK && !end ? newest.timestamp : -INFINITY;
    list_iterator_destroy(it);
    return status;
}

// Looks where an element that is not newer than the head belongs. One that was not stored before is in no list.
static enum status find_place(struct model *m, const struct channel *channel, double timestamp,
                              const struct hash *creation_time, bool is_new, struct place *out, struct error *e)
{
    *out = (struct place){.is_oldest = true};
    bool end = false;
    enum status status = STATUS_OK;
    struct list_iterator *it = list_iterator_create(store_versions(m->store), &channel->head, 1, false);
    while (status == STATUS_OK && !end && !out->exists && (!is_new || out->is_oldest)) {
        struct list_element element;
        status = list_iterator_next(it, &element, &end, e);
        if (status != STATUS_OK || end)
            break;
        out->exists = hash_eq(&element.creation_time, creation_time);
        out->same = element;
        out->is_oldest = out->is_oldest && is_later(&element, timestamp, creation_time);
    }
    list_iterator_destroy(it);
    return status;
}

enum status channel_entry_metadata(struct model *m, const struct hash *entry, struct hash_list *out, struct error *e)
{
    struct value *object;
    enum status status = model_read(m, entry, "LinkedListEntry", &object, e);
    if (status == STATUS_OK)
        model_read_hashes(value_get(object, SPAN("metadata")), out);
    return status;
}

static enum status collect_entries(struct model *m, const struct hash *head, struct hash_list *entries,
                                   struct hash_list *creation_times, struct error *e)
{
    bool end = false;
    enum status status = STATUS_OK;
    struct list_iterator *it = list_iterator_create(store_versions(m->store), head, 1, false);
    while (status == STATUS_OK && !end) {
        struct list_element element;
        status = list_iterator_next(it, &element, &end, e);
        if (status == STATUS_OK && !end) {
            hash_list_add(entries, &element.entry);
            hash_list_add(creation_times, &element.creation_time);
        }
    }
    list_iterator_destroy(it);
    return status;
}

// Inserting what is older than everything would put it on top (MODELS.md 5.5): the list is built anew above it.
static enum status insert_below(struct model *m, const struct channel *channel, const struct hash *creation_time,
                                const struct hash_list *metadata, struct hash *head, struct error *e)
{
    const struct version_source *source = store_versions(m->store);
    const struct hash empty = {{0}};
    struct hash_list entries = {0};
    struct hash_list times = {0};
    enum status status = collect_entries(m, &channel->head, &entries, &times, e);
    if (status == STATUS_OK)
        status = list_insert(source, &empty, creation_time, metadata, head, e);
    for (size_t i = entries.count; i-- > 0 && status == STATUS_OK;) {
        struct hash_list old = {0};
        struct hash below = *head;
        status = channel_entry_metadata(m, &entries.items[i], &old, e);
        if (status == STATUS_OK)
            status = list_insert(source, &below, &times.items[i], &old, head, e);
        hash_list_free(&old);
    }
    hash_list_free(&entries);
    hash_list_free(&times);
    return status;
}

static enum status put_creation_time(struct model *m, struct channel_entry *entry, bool *is_new, struct error *e)
{
    struct object o;
    struct value *object = model_object(m, "CreationTime");
    model_set_number(m, object, "timestamp", entry->timestamp);
    model_set_hash(m, object, "data", &entry->data);
    enum status status = object_make(store_recipes(m->store), m->arena, object, MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK)
        status = store_put(m->store, &o, is_new, e);
    if (status == STATUS_OK)
        entry->creation_time = o.hash;
    return status;
}

static enum status make_metadata(struct model *m, const struct identity *author, bool append_profile,
                                 const struct hash *creation_time, struct hash_list *metadata, struct error *e)
{
    struct hash signature;
    struct hash profile;
    struct profile p = {0};
    enum status status = trust_affirm(m, author, creation_time, &signature, e);
    if (status != STATUS_OK)
        return status;
    hash_list_add(metadata, &signature);
    if (!append_profile)
        return STATUS_OK;
    status = profile_id_hash(m, SPAN("default"), &author->person, &author->person, &profile, e);
    if (status == STATUS_OK)
        status = profile_load(m, &profile, &p, e);
    if (status == STATUS_OK)
        hash_list_add(metadata, &p.hash);
    profile_free(&p);
    return status;
}

static enum status insert(struct model *m, const struct channel *channel, const struct channel_entry *entry, bool below,
                          const struct hash_list *metadata, struct hash *head, struct error *e)
{
    enum status status =
        below ? insert_below(m, channel, &entry->creation_time, metadata, head, e)
              : list_insert(store_versions(m->store), &channel->head, &entry->creation_time, metadata, head, e);
    if (status == STATUS_OK)
        status = set_head(m, channel, head, e);
    return status;
}

static double time_behind(double now, double other)
{
    return other >= now ? floor(other) + 1 : now;
}

enum status channel_next_time(struct model *m, const struct hash *channels, size_t count, double behind, double *out,
                              struct error *e)
{
    enum status status = STATUS_OK;
    *out = time_behind((double)m->now_ms, behind);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct channel channel;
        struct channel_base base = {0};
        status = channel_get(m, &channels[i], &channel, e);
        if (status == STATUS_OK)
            status = channel_base_find(m, &channel.head, &base, e);
        if (base.found)
            *out = time_behind(*out, base.time);
    }
    return status;
}

// An entry of now: behind the others, and never one that exists, which the same object at the same time would be.
static enum status place_now(struct model *m, struct channel *channel, double later_than, struct channel_entry *out,
                             bool *below, struct error *e)
{
    struct channel_base base;
    bool is_new = false;
    double step = 1;
    enum status status = channel_base_find(m, &channel->head, &base, e);
    channel->head = base.head;
    double now = time_behind((double)m->now_ms, later_than);
    out->timestamp = base.found ? time_behind(now, base.time) : now;
    *below = !base.found && !hash_is_zero(&base.head);
    while (status == STATUS_OK && !is_new) {
        status = put_creation_time(m, out, &is_new, e);
        out->timestamp += is_new ? 0 : step;
        step *= 2;
    }
    return status;
}

// At the time that is given, where the very same element may be already.
static enum status place_at(struct model *m, const struct channel *channel, double timestamp, struct channel_entry *out,
                            struct place *place, struct error *e)
{
    double newest = 0;
    bool is_new;
    if (!time_is_valid(timestamp))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a timestamp is at most %lld milliseconds from 1970",
                         (long long)TIME_LIMIT);
    out->timestamp = timestamp;
    enum status status = newest_time(m, channel, &newest, e);
    if (status == STATUS_OK)
        status = put_creation_time(m, out, &is_new, e);
    if (status == STATUS_OK && !hash_is_zero(&channel->head) && !(timestamp > newest))
        status = find_place(m, channel, timestamp, &out->creation_time, is_new, place, e);
    out->entry = place->same.entry;
    return status;
}

static enum status post(struct model *m, struct channel *channel, const struct channel_post *options,
                        struct channel_entry *out, struct error *e)
{
    const struct identity *author = options->author != NULL ? options->author : m->self;
    struct hash_list metadata = {0};
    struct place place = {0};
    bool is_given = options->timestamp < 0 || options->timestamp > 0 || isnan(options->timestamp);
    enum status status = is_given ? place_at(m, channel, options->timestamp, out, &place, e)
                                  : place_now(m, channel, options->later_than, out, &place.is_oldest, e);
    if (status == STATUS_OK && place.exists)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = make_metadata(m, author, options->append_profile, &out->creation_time, &metadata, e);
    if (status == STATUS_OK)
        status = insert(m, channel, out, place.is_oldest, &metadata, &out->entry, e);
    out->has_author = true;
    out->author = author->person;
    out->verification = VERIFICATION_VERIFIED;
    hash_list_free(&metadata);
    return status;
}

static enum status find_posted(struct model *m, const struct channel *channel, const struct hash *data,
                               struct channel_entry *out, bool *found, struct error *e)
{
    bool end = false;
    enum status status = STATUS_OK;
    *found = false;
    struct list_iterator *it = list_iterator_create(store_versions(m->store), &channel->head, 1, false);
    while (status == STATUS_OK && !end && !*found) {
        struct list_element element;
        status = list_iterator_next(it, &element, &end, e);
        *found = status == STATUS_OK && !end && hash_eq(&element.data, data);
        if (*found) {
            out->entry = element.entry;
            out->creation_time = element.creation_time;
            out->timestamp = element.timestamp;
        }
    }
    list_iterator_destroy(it);
    return status;
}

static enum status channel_post_hash(struct model *m, const struct hash *channel, const struct hash *data,
                                     const struct channel_post *options, struct channel_entry *out, struct error *e)
{
    static const struct channel_post plain = {0};
    struct channel c;
    struct store_info info;
    bool found = false;
    *out = (struct channel_entry){.channel = *channel, .data = *data};
    if (options == NULL)
        options = &plain;
    if (!is_channel(m, channel))
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no channel %s", hash_text(channel).s);
    enum status status = channel_get(m, channel, &c, e);
    if (status == STATUS_OK)
        status = store_info(m->store, data, &info, e);
    if (status == STATUS_OK)
        memcpy(out->type, info.type, sizeof out->type);
    if (status == STATUS_OK && options->if_new)
        status = find_posted(m, &c, data, out, &found, e);
    if (status == STATUS_OK && !found)
        status = post(m, &c, options, out, e);
    return status;
}

enum status channel_post(struct model *m, const struct hash *channel, const struct value *data,
                         const struct channel_post *options, struct channel_entry *out, struct error *e)
{
    struct hash hash;
    enum status status = model_put(m, data, &hash, e);
    return status == STATUS_OK ? channel_post_hash(m, channel, &hash, options, out, e) : status;
}
