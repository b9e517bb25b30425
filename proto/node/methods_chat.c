// Control methods on what is said in conversations: chat.*, topic.send, topic.read.
#include "base/clock.h"
#include "models/access.h"
#include "models/chat.h"
#include "node/methods.h"
#include "node/peers.h"

static json_t *show_attachments(const struct chat_message *message)
{
    json_t *list = json_array();
    for (size_t i = 0; i < message->attachment_count; i++) {
        const struct chat_attachment *a = &message->attachments[i];
        json_t *item =
            json_pack("{s:o, s:o, s:I, s:o, s:b}", "name", node_json_text(a->name), "type", node_json_text(a->type),
                      "size", (json_int_t)a->size, "hash", node_json_hash(&a->hash), "present", (int)a->present);
        if (!hash_is_zero(&a->thumbnail))
            json_object_set_new(item, "thumbnail",
                                json_pack("{s:o, s:o}", "hash", node_json_hash(&a->thumbnail), "type",
                                          node_json_text(a->thumbnail_type)));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *show_message(const struct chat_message *m)
{
    json_t *shown = json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:o}", "id", node_json_hash(&m->id), "text",
                              node_json_beginning(m->text, CHAT_MAX_TEXT), "sender", node_json_hash(&m->sender),
                              "author", m->has_author ? node_json_hash(&m->author) : json_null(), "verification",
                              verification_name(m->verification), "timestamp", (json_int_t)m->timestamp, "attachments",
                              show_attachments(m));
    if (m->text.len > CHAT_MAX_TEXT)
        json_object_set_new(shown, "truncated", json_true());
    return shown;
}

static json_t *show_messages(const struct chat_messages *messages)
{
    json_t *items = json_array();
    for (size_t i = 0; i < messages->count; i++)
        json_array_append_new(items, show_message(&messages->items[i]));
    return items;
}

// ---- Sending -------------------------------------------------------------------------------------------------------

static bool read_thumbnail(const json_t *item, struct chat_attachment *out)
{
    const json_t *thumbnail = json_object_get(item, "thumbnail");
    if (thumbnail == NULL)
        return true;
    out->thumbnail_type = span_of(json_string_value(json_object_get(thumbnail, "type")));
    return hash_parse(span_of(json_string_value(json_object_get(thumbnail, "hash"))), &out->thumbnail);
}

static enum status read_attachment(struct node_job *job, struct model *m, json_t *item, struct chat_attachment *out,
                                   struct error *e)
{
    const char *hash = json_string_value(json_object_get(item, "hash"));
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *type = json_string_value(json_object_get(item, "type"));
    const json_t *modified = json_object_get(item, "lastModified");
    struct store_info info;
    (void)job;
    if (modified != NULL && (!json_is_integer(modified) || !time_is_valid((double)json_integer_value(modified))))
        return error_set(e, STATUS_INVALID, "BAD-INPUT",
                         "\"lastModified\" of an attachment is in milliseconds since 1970");
    if (hash == NULL || !hash_parse(span_of(hash), &out->hash))
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "an attachment needs \"hash\", the id of a stored file");
    if (!read_thumbnail(item, out))
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "a thumbnail needs \"hash\", the id of a stored picture");
    enum status st = store_info(m->store, &out->hash, &info, e);
    if (st != STATUS_OK)
        return st;
    out->size = info.size;
    out->name = span_of(name != NULL ? name : hash);
    out->type = span_of(type);
    out->last_modified_ms = (int64_t)json_integer_value(modified);
    return STATUS_OK;
}

static enum status read_attachments(struct node_job *job, struct model *m, struct chat_attachment **out, size_t *count,
                                    struct error *e)
{
    json_t *items = json_object_get(ipc_request_params(job->request), "attachments");
    *count = json_array_size(items);
    *out = arena_alloc(m->arena, (*count + 1) * sizeof **out);
    for (size_t i = 0; i < *count; i++) {
        enum status st = read_attachment(job, m, json_array_get(items, i), &(*out)[i], e);
        if (st != STATUS_OK)
            return st;
    }
    return STATUS_OK;
}

// recipient: NULL for whoever sees the topic.
static void answer_sent(struct node_job *job, struct model *m, const struct chat_sent *sent,
                        const struct hash *recipient)
{
    struct access_target channel = {ACCESS_ID, sent->channel};
    job->sent = (struct traced_message){.id = sent->id, .channel = sent->channel, .began_ms = m->now_ms};
    job->sent.granted = recipient == NULL || access_has(m, channel, recipient);
    if (recipient != NULL)
        job->sent.recipient = *recipient;
    job->result = json_pack("{s:o, s:o}", "id", node_json_hash(&sent->id), "channel", node_json_hash(&sent->channel));
}

static enum status chat_send_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash to;
    struct chat_attachment *attachments;
    size_t count;
    struct chat_sent sent;
    enum status st = node_job_hash(job, "to", &to, e);
    if (st == STATUS_OK)
        st = read_attachments(job, m, &attachments, &count, e);
    if (st == STATUS_OK)
        st = chat_send_to(m, &to, node_job_text(job, "text"), attachments, count, &sent, e);
    if (st == STATUS_OK)
        answer_sent(job, m, &sent, &to);
    return st;
}

static enum status topic_send(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct chat_attachment *attachments;
    size_t count;
    struct chat_sent sent;
    enum status st = topic_find(m, node_job_text(job, "topic"), &topic, e);
    if (st == STATUS_OK)
        st = read_attachments(job, m, &attachments, &count, e);
    if (st == STATUS_OK)
        st = chat_send(m, &topic, node_job_text(job, "text"), attachments, count, &sent, e);
    if (st == STATUS_OK)
        answer_sent(job, m, &sent, NULL);
    return st;
}

static void note_sent(struct node_job *job)
{
    peers_sent(node_peers(job->node), &job->sent);
}

// ---- Reading -------------------------------------------------------------------------------------------------------

// A page keeps the newest messages that one answer holds; how many it leaves to the next.
static size_t drop_oldest(json_t *items)
{
    size_t bytes = 0;
    size_t first = json_array_size(items);
    while (first > 0) {
        bytes += node_json_size(json_array_get(items, first - 1));
        if (bytes > IPC_PAGE_MAX && first < json_array_size(items))
            break;
        first--;
    }
    for (size_t i = 0; i < first; i++)
        json_array_remove(items, 0);
    return first;
}

static enum status read_page(struct node_job *job, struct model *m, const struct topic *topic, struct error *e)
{
    struct hash before;
    bool given;
    struct chat_messages messages = {0};
    enum status st = node_job_optional_hash(job, "before", &before, &given, e);
    if (st == STATUS_OK)
        st = chat_page(m, topic, (size_t)ipc_request_int(job->request, "limit", 50), given ? &before : NULL, &messages,
                       e);
    if (st != STATUS_OK)
        return st;
    json_t *items = show_messages(&messages);
    size_t dropped = drop_oldest(items);
    job->result = json_pack("{s:o}", "items", items);
    if ((messages.more || dropped > 0) && messages.count != 0)
        json_object_set_new(job->result, "next", node_json_hash(&messages.items[dropped].id));
    return STATUS_OK;
}

static void answer_nothing(struct node_job *job, const char *next)
{
    job->result = json_pack("{s:[], s:s*}", "items", "next", next);
}

typedef enum status (*read_topic)(struct node_job *job, struct model *m, const struct topic *topic, struct error *e);

// Reads the conversation with the person named by "with". Where nothing was said yet the answer is empty, with next.
static enum status read_with(struct node_job *job, struct model *m, read_topic read, const char *next, struct error *e)
{
    struct hash with;
    struct topic topic;
    enum status st = node_job_hash(job, "with", &with, e);
    if (st != STATUS_OK)
        return st;
    st = chat_with(m, &with, &topic, e);
    if (st == STATUS_OK)
        return read(job, m, &topic, e);
    if (st != STATUS_NOT_FOUND)
        return st;
    answer_nothing(job, next);
    return STATUS_OK;
}

static enum status chat_list(struct node_job *job, struct model *m, struct error *e)
{
    return read_with(job, m, read_page, NULL, e);
}

static enum status topic_read(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    enum status st = topic_find(m, node_job_text(job, "topic"), &topic, e);
    return st == STATUS_OK ? read_page(job, m, &topic, e) : st;
}

// The cursor of a conversation that does not exist yet: everything that will ever be said comes after it.
#define CURSOR_BEFORE_ALL "0"

// Reads again with a lower limit when one answer does not hold them all.
static enum status read_since(struct node_job *job, struct model *m, const struct topic *topic, size_t limit,
                              struct error *e)
{
    struct span cursor = node_job_text(job, "cursor");
    struct span next = {0};
    struct chat_messages messages = {0};
    enum status st;
    if (cursor.len == 0)
        st = chat_cursor(m, topic, &next, e);
    else
        st = chat_since(m, topic, span_eq_text(cursor, CURSOR_BEFORE_ALL) ? (struct span){0} : cursor, limit, &messages,
                        &next, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = show_messages(&messages);
    size_t fit = node_job_fit(items, 0, messages.count);
    if (fit < messages.count) {
        json_decref(items);
        return read_since(job, m, topic, fit, e);
    }
    job->result = json_pack("{s:o, s:o}", "items", items, "next", node_json_text(next));
    return STATUS_OK;
}

static enum status read_news(struct node_job *job, struct model *m, const struct topic *topic, struct error *e)
{
    return read_since(job, m, topic, (size_t)ipc_request_int(job->request, "limit", 100), e);
}

enum status node_chat_since(struct node_job *job, struct model *m, struct error *e)
{
    return read_with(job, m, read_news, CURSOR_BEFORE_ALL, e);
}

const struct node_method NODE_METHODS_CHAT[] = {
    {"chat.send", chat_send_work, note_sent},
    {"chat.list", chat_list, NULL},
    {"topic.send", topic_send, note_sent},
    {"topic.read", topic_read, NULL},
    {NULL, NULL, NULL},
};
