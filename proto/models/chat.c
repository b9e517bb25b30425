// Messages in conversations: posted, handed to another own node to post, and read page by page. What a message is made
// of is in chat_message.c. In a group everybody has a channel, so a message takes its time from all of them
// (find_latest): with clocks that differ, an answer would stand above what it answers. What the archive is to post for
// us is made here as the objects it will be, in no channel yet, and so has its id from the beginning (chat_write_for).
#include "models/chat.h"

#include <string.h>

#include "models/access.h"
#include "models/chat_message.h"
#include "models/contact.h"
#include "models/delivery.h"
#include "models/own_node.h"

// ---- Sending --------------------------------------------------------------------------------------------------------

// Later than all that is shown of the conversation, of times that a clock may show today.
static enum status find_latest(struct model *m, const struct topic *topic, double *latest, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = topic_channels(m, topic, &channels, e);
    if (status == STATUS_OK)
        status = channel_next_time(m, channels.items, channels.count, 0, latest, e);
    *latest -= 1;
    hash_list_free(&channels);
    return status;
}

// timestamp: 0 = now.
static enum status post(struct model *m, const struct topic *topic, const struct value *message, double timestamp,
                        struct chat_sent *out, struct error *e)
{
    struct channel_entry entry;
    struct channel_post options = {.timestamp = timestamp};
    enum status status = topic_outlet(m, topic, &out->channel, e);
    if (status == STATUS_OK && options.timestamp <= 0 && topic->kind != TOPIC_ONE_TO_ONE)
        status = find_latest(m, topic, &options.later_than, e);
    if (status == STATUS_OK)
        status = channel_post(m, &out->channel, message, &options, &entry, e);
    if (status != STATUS_OK)
        return status;
    out->id = entry.creation_time;
    out->message = entry.data;
    out->timestamp = (int64_t)entry.timestamp;
    return delivery_begin(m, topic, &out->id, e);
}

enum status chat_send(struct model *m, const struct topic *topic, struct span text,
                      const struct chat_attachment *attachments, size_t count, struct chat_sent *out, struct error *e)
{
    struct value *message;
    enum status status = chat_compose(m, &m->self->person, text, attachments, count, &message, e);
    return status == STATUS_OK ? post(m, topic, message, 0, out, e) : status;
}

// ---- By way of another own node -------------------------------------------------------------------------------------

static enum status grant_files(struct model *m, const struct hash *message, struct error *e)
{
    struct hash archive;
    struct hash_list files = {0};
    struct hash_list previews = {0};
    enum status status = sharing_own_node(m, &archive, e);
    if (status == STATUS_OK)
        status = chat_files(m, message, &files, &previews, e);
    for (size_t i = 0; status == STATUS_OK && i < files.count + previews.count; i++) {
        const struct hash *file = i < files.count ? &files.items[i] : &previews.items[i - files.count];
        status = access_grant(m, (struct access_target){ACCESS_OBJECT, *file}, &archive, e);
    }
    hash_list_free(&files);
    hash_list_free(&previews);
    return status;
}

enum status chat_write_for(struct model *m, const struct hash *sender, const struct hash_list *channels, double behind,
                           struct span text, const struct chat_attachment *attachments, size_t count,
                           struct chat_sent *out, struct error *e)
{
    struct value *message;
    double time;
    enum status status = chat_compose(m, sender, text, attachments, count, &message, e);
    if (status == STATUS_OK)
        status = channel_next_time(m, channels->items, channels->count, behind, &time, e);
    if (status == STATUS_OK)
        status = model_put(m, message, &out->message, e);
    if (status != STATUS_OK)
        return status;
    struct value *object = model_object(m, "CreationTime");
    model_set_number(m, object, "timestamp", time);
    model_set_hash(m, object, "data", &out->message);
    out->timestamp = (int64_t)time;
    status = model_put(m, object, &out->id, e);
    return status == STATUS_OK && count != 0 ? grant_files(m, &out->message, e) : status;
}

enum status chat_post_written(struct model *m, const struct topic *topic, const struct chat_written *written,
                              struct chat_sent *out, struct error *e)
{
    struct value *message;
    enum status status = chat_compose_written(m, written, &message, e);
    return status == STATUS_OK ? post(m, topic, message, written->timestamp, out, e) : status;
}

// ---- To a contact ---------------------------------------------------------------------------------------------------

enum status chat_send_to(struct model *m, const struct hash *person, struct span text,
                         const struct chat_attachment *attachments, size_t count, struct chat_sent *out,
                         struct error *e)
{
    struct topic topic;
    if (!contact_exists(m, person))
        return error_set(e, STATUS_REFUSED, "NOT-TRUSTED", "%s is not a contact", hash_text(person).s);
    enum status status = topic_open_one_to_one(m, person, &topic, e);
    return status == STATUS_OK ? chat_send(m, &topic, text, attachments, count, out, e) : status;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

void chat_show(struct model *m, const struct channel_entries *entries, struct chat_messages *out)
{
    *out = (struct chat_messages){.more = entries->more, .latest = INT64_MIN, .holes = entries->holes};
    out->items = arena_alloc(m->arena, (entries->count + 1) * sizeof *out->items);
    for (size_t i = 0; i < entries->count; i++) {
        int64_t timestamp = (int64_t)entries->items[i].timestamp;
        out->latest = timestamp > out->latest ? timestamp : out->latest;
        bool shown = chat_read_message(m, &entries->items[i], &out->items[out->count]);
        out->holes += !shown && strcmp(entries->items[i].type, "ChatMessage") == 0;
        out->count += shown;
    }
}

enum status chat_page_of(struct model *m, const struct hash_list *channels, size_t limit, const struct hash *before,
                         struct chat_messages *out, struct error *e)
{
    struct channel_entries entries;
    const struct channel_query query = {
        .channels = channels->items,
        .channel_count = channels->count,
        .limit = limit,
        .before = before,
        .type = "ChatMessage",
        .ascending = true,
    };
    *out = (struct chat_messages){0};
    enum status status = channel_read(m, &query, &entries, e);
    if (status == STATUS_OK)
        chat_show(m, &entries, out);
    return status;
}

enum status chat_since_of(struct model *m, const struct hash_list *channels, struct span cursor, size_t limit,
                          struct chat_messages *out, struct span *next, struct error *e)
{
    struct channel_entries entries;
    *out = (struct chat_messages){0};
    enum status status = channel_since(m, channels->items, channels->count, cursor, limit, false, &entries, next, e);
    if (status == STATUS_OK)
        chat_show(m, &entries, out);
    return status;
}

enum status chat_unposted(struct model *m, const struct hash *id, struct chat_message *out, struct error *e)
{
    struct value *object;
    double time = 0;
    struct channel_entry entry = {.creation_time = *id, .type = "ChatMessage", .verification = VERIFICATION_UNSIGNED};
    enum status status = model_read(m, id, "CreationTime", &object, e);
    if (status == STATUS_OK && store_is_hidden(m->store, id))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s was deleted", hash_text(id).s);
    if (status != STATUS_OK)
        return status;
    value_get_hash(object, "data", &entry.data);
    value_get_number(object, "timestamp", &time);
    entry.timestamp = time;
    return chat_read_message(m, &entry, out)
               ? STATUS_OK
               : error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not a message", hash_text(id).s);
}

enum status chat_arrivals(struct model *m, const struct hash *channel, struct span cursor, size_t limit,
                          struct chat_messages *out, struct span *next, struct error *e)
{
    struct channel_entries entries;
    *out = (struct chat_messages){0};
    enum status status = channel_since(m, channel, 1, cursor, limit, true, &entries, next, e);
    if (status == STATUS_OK)
        chat_show(m, &entries, out);
    out->late = entries.late;
    out->late_count = entries.late_count;
    return status;
}

enum status chat_between(struct model *m, const struct hash *self, const struct hash *person, struct topic *out,
                         struct error *e)
{
    struct channel channel;
    struct span id = topic_one_to_one_id(m->arena, self, person);
    enum status status = topic_find(m, id, out, e);
    if (status != STATUS_NOT_FOUND)
        return status;
    error_clear(e); // a channel without a Topic is readable too (MODELS.md 6.4)
    *out = (struct topic){.id = id, .name = id, .kind = TOPIC_ONE_TO_ONE, .peer = *person};
    status = channel_id_hash(m, id, NULL, &out->channel, e);
    return status == STATUS_OK ? channel_get(m, &out->channel, &channel, e) : status;
}

enum status chat_with(struct model *m, const struct hash *person, struct topic *out, struct error *e)
{
    return chat_between(m, &m->self->person, person, out, e);
}
