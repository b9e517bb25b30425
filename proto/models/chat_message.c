// A message and its files as the objects they are; where they are posted is in chat.c. Attachments and thumbnails are
// two lists that belong together by position, so files with a preview come first, and a reader pairs them as far as
// both go. A message whose sender is not who signed the entry is shown as forged, whatever the signature is worth.
#include "models/chat_message.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

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

// ---- Writing --------------------------------------------------------------------------------------------------------

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

enum status chat_compose(struct model *m, const struct hash *sender, struct span text,
                         const struct chat_attachment *attachments, size_t count, struct value **message,
                         struct error *e)
{
    enum status status = check_message(text, count, e);
    if (status != STATUS_OK)
        return status;
    *message = make_message(m, sender, text);
    return attach_all(m, *message, attachments, count, e);
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

enum status chat_compose_written(struct model *m, const struct chat_written *written, struct value **message,
                                 struct error *e)
{
    enum status status = check_message(written->text, written->attachments.count, e);
    if (status == STATUS_OK)
        status = check_files(m, &written->attachments, e);
    if (status == STATUS_OK)
        status = check_files(m, &written->thumbnails, e);
    if (status != STATUS_OK)
        return status;
    *message = make_message(m, &m->self->person, written->text);
    set_files(m, *message, model_hashes(m, written->attachments.items, written->attachments.count, false),
              model_hashes(m, written->thumbnails.items, written->thumbnails.count, false));
    return STATUS_OK;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

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

bool chat_read_message(struct model *m, const struct channel_entry *entry, struct chat_message *out)
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
