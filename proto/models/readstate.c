// A position is the time and the id of a message. Each own node writes its own into the Settings object of the
// conversation; the later one counts, so that what both say at once never makes anything unread again:
//
//   "chat.read.CONVERSATION": PERSON → "TIME ID"
#include "models/readstate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "models/selves.h"
#include "models/settings.h"

static struct span store_name(struct model *m, const struct topic *topic)
{
    return arena_printf(m->arena, "chat.read." SPAN_FMT, SPAN_ARG(topic_key(m, topic)));
}

static bool parse(struct span text, struct list_key *out)
{
    char copy[32] = "";
    const char *blank = text.len != 0 ? memchr(text.ptr, ' ', text.len) : NULL;
    size_t len = blank != NULL ? (size_t)(blank - text.ptr) : 0;
    struct hash id;
    if (len == 0 || len >= sizeof copy || !hash_parse(span_from(text, len + 1), &id))
        return false;
    memcpy(copy, text.ptr, len);
    *out = list_key_of((double)strtoll(copy, NULL, 10), &id);
    return true;
}

static bool find_position(struct model *m, const struct topic *topic, struct list_key *out)
{
    struct settings settings;
    bool found = false;
    if (settings_list(m, store_name(m, topic), &settings, NULL) != STATUS_OK)
        return false;
    for (size_t i = 0; i < settings.count; i++) {
        struct list_key key;
        if (parse(settings.items[i].value, &key) && (!found || list_key_compare(out, &key) < 0)) {
            *out = key;
            found = true;
        }
    }
    return found;
}

static enum status read_entries(struct model *m, const struct topic *topic, size_t limit, double from,
                                struct channel_entries *out, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = topic_channels(m, topic, &channels, e);
    const struct channel_query query = {.channels = channels.items,
                                        .channel_count = channels.count,
                                        .limit = limit,
                                        .from = from,
                                        .type = "ChatMessage",
                                        .unverified = true};
    if (status == STATUS_OK)
        status = channel_read(m, &query, out, e);
    hash_list_free(&channels);
    return status;
}

static enum status key_of(struct model *m, const struct hash *message, struct list_key *out, struct error *e)
{
    struct value *object;
    double time = 0;
    enum status status = model_read(m, message, "CreationTime", &object, e);
    if (status == STATUS_OK && value_get_number(object, "timestamp", &time))
        *out = list_key_of(time, message);
    return status;
}

static enum status find_newest(struct model *m, const struct topic *topic, struct hash *message, bool *found,
                               struct error *e)
{
    struct channel_entries entries;
    enum status status = read_entries(m, topic, 1, 0, &entries, e);
    *found = status == STATUS_OK && entries.count != 0;
    if (*found)
        *message = entries.items[0].creation_time;
    return status;
}

enum status readstate_set(struct model *m, const struct topic *topic, const struct hash *message, struct error *e)
{
    struct list_key now = {0};
    struct list_key before;
    struct hash newest;
    bool found = message != NULL;
    enum status status = STATUS_OK;
    if (message == NULL)
        status = find_newest(m, topic, &newest, &found, e);
    if (status == STATUS_OK && found)
        status = key_of(m, message != NULL ? message : &newest, &now, e);
    if (status != STATUS_OK || !found)
        return status;
    if (find_position(m, topic, &before) && list_key_compare(&before, &now) >= 0)
        return STATUS_OK;
    struct span value = arena_printf(m->arena, "%lld %s", (long long)time_clamp(now.timestamp),
                                     hash_text(message != NULL ? message : &newest).s);
    return settings_set(m, store_name(m, topic), span_of(hash_text(&m->self->person).s), value, e);
}

static bool is_ours(struct model *m, const struct channel_entry *entry)
{
    struct value *object;
    struct hash sender;
    return model_read(m, &entry->data, "ChatMessage", &object, NULL) == STATUS_OK &&
           value_get_hash(object, "sender", &sender) && selves_is_ours(m, &sender);
}

// What is read lies below the position; of one time there may be several.
static enum status add(struct model *m, const struct topic *topic, struct readstate *out, struct error *e)
{
    struct list_key position;
    struct channel_entries entries;
    struct channel_entries newest;
    bool some = find_position(m, topic, &position);
    enum status status = read_entries(m, topic, 1, 0, &newest, e);
    if (status == STATUS_OK && newest.count != 0) {
        int64_t last_ms = (int64_t)newest.items[0].timestamp;
        out->last_ms = out->has_last && out->last_ms > last_ms ? out->last_ms : last_ms;
        out->has_last = true;
    }
    if (status == STATUS_OK)
        status = read_entries(m, topic, READSTATE_MANY, some ? position.timestamp : 0, &entries, e);
    for (size_t i = 0; status == STATUS_OK && i < entries.count; i++) {
        struct list_key key = list_key_of(entries.items[i].timestamp, &entries.items[i].creation_time);
        out->unread += (!some || list_key_compare(&key, &position) > 0) && !is_ours(m, &entries.items[i]);
    }
    return status;
}

enum status readstate_get(struct model *m, const struct topic *topics, size_t count, struct readstate *out,
                          struct error *e)
{
    enum status status = STATUS_OK;
    *out = (struct readstate){0};
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = add(m, &topics[i], out, e);
    if (out->unread > READSTATE_MANY)
        out->unread = READSTATE_MANY;
    return status;
}
