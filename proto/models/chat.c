#include "models/chat.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "models/access.h"
#include "models/contact.h"
#include "models/delivery.h"
#include "models/own_node.h"

enum { MAX_FILE_NAME = 1024 };

// ---- Attachments ----------------------------------------------------------------------------------------------------

static enum status put_descriptor(struct model *m, const struct hash *blob, struct span name, struct span type,
                                  int64_t last_modified_ms, struct hash *out, struct error *e)
{
    struct store_info info;
    enum status status = store_info(m->store, blob, &info, e);
    if (status != STATUS_OK)
        return status;
    if (name.len > MAX_FILE_NAME || type.len > MAX_FILE_NAME || !utf8_valid(name) || !utf8_valid(type))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "a file's name and type are at most %d bytes of UTF-8",
                         MAX_FILE_NAME);
    struct value *object = model_object(m, "BlobDescriptor");
    model_set_hash(m, object, "data", blob);
    model_set_number(m, object, "lastModified", (double)last_modified_ms);
    model_set_text(m, object, "name", name);
    model_set_number(m, object, "size", (double)info.size);
    model_set_text(m, object, "type", type);
    return model_put(m, object, out, e);
}

enum status chat_describe_file(struct model *m, const struct hash *file, struct hash *out, struct error *e)
{
    const struct hash_text name = hash_text(file);
    return put_descriptor(m, file, span_of(name.s), SPAN("application/octet-stream"), 0, out, e);
}

static enum status attach(struct model *m, const struct chat_attachment *a, struct value *attachments,
                          struct value *thumbnails, struct error *e)
{
    struct hash descriptor;
    struct span type = a->type.len != 0 ? a->type : SPAN("application/octet-stream");
    enum status status = put_descriptor(m, &a->hash, a->name, type, a->last_modified_ms, &descriptor, e);
    if (status != STATUS_OK)
        return status;
    value_add(m->arena, attachments, value_hash(m->arena, &descriptor));
    if (hash_is_zero(&a->thumbnail))
        return STATUS_OK;
    type = a->thumbnail_type.len != 0 ? a->thumbnail_type : SPAN("image/png");
    status = put_descriptor(m, &a->thumbnail, a->name, type, a->last_modified_ms, &descriptor, e);
    if (status == STATUS_OK)
        value_add(m->arena, thumbnails, value_hash(m->arena, &descriptor));
    return status;
}

static void set_files(struct model *m, struct value *message, struct value *attachments, struct value *thumbnails)
{
    if (attachments->list.count != 0)
        value_set_member(m->arena, message, SPAN("attachments"), attachments);
    if (thumbnails->list.count != 0)
        value_set_member(m->arena, message, SPAN("thumbnails"), thumbnails);
}

// Files with a preview come first: the lists belong together by position.
static enum status attach_all(struct model *m, struct value *message, const struct chat_attachment *items, size_t count,
                              struct error *e)
{
    struct value *attachments = value_list(m->arena);
    struct value *thumbnails = value_list(m->arena);
    enum status status = STATUS_OK;
    for (int with_preview = 1; with_preview >= 0; with_preview--)
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            if (hash_is_zero(&items[i].thumbnail) != (with_preview == 1))
                status = attach(m, &items[i], attachments, thumbnails, e);
    set_files(m, message, attachments, thumbnails);
    return status;
}

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

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isspace((unsigned char)text.ptr[i]))
            return false;
    return true;
}

static enum status check_message(struct span text, size_t count, struct error *e)
{
    if (!utf8_valid(text))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the message is not valid UTF-8");
    if (count == 0 && is_blank(text))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "the message is empty: it needs some text or a file");
    if (text.len > CHAT_MAX_TEXT || count > CHAT_MAX_ATTACHMENTS)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "a message has at most %d bytes and %d attachments",
                         CHAT_MAX_TEXT, CHAT_MAX_ATTACHMENTS);
    return STATUS_OK;
}

static struct value *make_message(struct model *m, const struct hash *sender, struct span text)
{
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", text);
    model_set_hash(m, message, "sender", sender);
    return message;
}

static enum status compose(struct model *m, const struct hash *sender, struct span text,
                           const struct chat_attachment *attachments, size_t count, struct value **message,
                           struct error *e)
{
    enum status status = check_message(text, count, e);
    if (status != STATUS_OK)
        return status;
    *message = make_message(m, sender, text);
    return attach_all(m, *message, attachments, count, e);
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
    enum status status = compose(m, &m->self->person, text, attachments, count, &message, e);
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
    enum status status = compose(m, sender, text, attachments, count, &message, e);
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

static enum status check_files(struct model *m, const struct hash_list *descriptors, struct error *e)
{
    for (size_t i = 0; i < descriptors->count; i++) {
        struct value *object;
        struct hash file;
        if (model_read(m, &descriptors->items[i], "BlobDescriptor", &object, NULL) != STATUS_OK ||
            !value_get_hash(object, "data", &file) || store_presence(m->store, &file) != STORE_PRESENT)
            return error_set(e, STATUS_NOT_FOUND, "BLOB-UNAVAILABLE", "a file of the message is not here yet");
    }
    return STATUS_OK;
}

enum status chat_post_written(struct model *m, const struct topic *topic, const struct chat_written *written,
                              struct chat_sent *out, struct error *e)
{
    enum status status = check_message(written->text, written->attachments.count, e);
    if (status == STATUS_OK)
        status = check_files(m, &written->attachments, e);
    if (status == STATUS_OK)
        status = check_files(m, &written->thumbnails, e);
    if (status != STATUS_OK)
        return status;
    struct value *message = make_message(m, &m->self->person, written->text);
    set_files(m, message, model_hashes(m, written->attachments.items, written->attachments.count, false),
              model_hashes(m, written->thumbnails.items, written->thumbnails.count, false));
    return post(m, topic, message, written->timestamp, out, e);
}

enum status chat_files(struct model *m, const struct hash *message, struct hash_list *attachments,
                       struct hash_list *thumbnails, struct error *e)
{
    struct value *object;
    enum status status = model_read(m, message, "ChatMessage", &object, e);
    if (status == STATUS_OK) {
        model_read_hashes(value_get(object, SPAN("attachments")), attachments);
        model_read_hashes(value_get(object, SPAN("thumbnails")), thumbnails);
    }
    return status;
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

static bool read_descriptor(struct model *m, const struct hash *hash, struct chat_attachment *out)
{
    struct value *object;
    double number;
    *out = (struct chat_attachment){0};
    if (model_read(m, hash, "BlobDescriptor", &object, NULL) != STATUS_OK ||
        !value_get_hash(object, "data", &out->hash))
        return false;
    value_get_string(object, "name", &out->name);
    value_get_string(object, "type", &out->type);
    if (value_get_number(object, "size", &number))
        out->size = (uint64_t)count_clamp(number);
    if (value_get_number(object, "lastModified", &number))
        out->last_modified_ms = time_clamp(number);
    out->present = store_presence(m->store, &out->hash) == STORE_PRESENT;
    return true;
}

static void read_attachments(struct model *m, const struct value *object, struct chat_message *out)
{
    struct hash_list files = {0};
    struct hash_list previews = {0};
    model_read_hashes(value_get(object, SPAN("attachments")), &files);
    model_read_hashes(value_get(object, SPAN("thumbnails")), &previews);
    out->attachments = arena_alloc(m->arena, (files.count + 1) * sizeof *out->attachments);
    for (size_t i = 0; i < files.count && out->attachment_count < CHAT_MAX_ATTACHMENTS; i++) {
        struct chat_attachment *a = &out->attachments[out->attachment_count];
        struct chat_attachment preview;
        if (!read_descriptor(m, &files.items[i], a))
            continue;
        if (i < previews.count && read_descriptor(m, &previews.items[i], &preview)) {
            a->thumbnail = preview.hash;
            a->thumbnail_type = preview.type;
        }
        out->attachment_count++;
    }
    hash_list_free(&files);
    hash_list_free(&previews);
}

static bool read_message(struct model *m, const struct channel_entry *entry, struct chat_message *out)
{
    struct value *object;
    *out = (struct chat_message){
        .id = entry->creation_time,
        .has_author = entry->has_author,
        .author = entry->author,
        .verification = entry->verification,
        .timestamp = (int64_t)entry->timestamp,
    };
    if (strcmp(entry->type, "ChatMessage") != 0 ||
        model_read(m, &entry->data, "ChatMessage", &object, NULL) != STATUS_OK)
        return false;
    value_get_string(object, "text", &out->text);
    value_get_hash(object, "sender", &out->sender);
    if (out->has_author && !hash_eq(&out->author, &out->sender))
        out->verification = VERIFICATION_FORGED;
    read_attachments(m, object, out);
    return true;
}

void chat_show(struct model *m, const struct channel_entries *entries, struct chat_messages *out)
{
    *out = (struct chat_messages){.more = entries->more, .latest = INT64_MIN, .holes = entries->holes};
    out->items = arena_alloc(m->arena, (entries->count + 1) * sizeof *out->items);
    for (size_t i = 0; i < entries->count; i++) {
        int64_t timestamp = (int64_t)entries->items[i].timestamp;
        out->latest = timestamp > out->latest ? timestamp : out->latest;
        bool shown = read_message(m, &entries->items[i], &out->items[out->count]);
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
    return read_message(m, &entry, out)
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

enum status chat_text(struct model *m, const struct hash *id, struct span *text, struct error *e)
{
    struct value *object;
    struct hash data = {0};
    enum status status = model_read(m, id, "CreationTime", &object, e);
    if (status == STATUS_OK)
        value_get_hash(object, "data", &data);
    if (status == STATUS_OK)
        status = model_read(m, &data, "ChatMessage", &object, e);
    if (status == STATUS_OK && !value_get_string(object, "text", text))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not a message", hash_text(id).s);
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
