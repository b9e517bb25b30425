// Control methods on what is said: chat.* and topic.send, topic.read. How messages are read and shown is in
// conversation.c.
#include <stdlib.h>

#include "base/clock.h"
#include "models/access.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/way.h"
#include "node/conversation.h"
#include "node/face.h"
#include "node/followers.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"
#include "node/peers.h"
#include "node/search.h"
#include "store/outbox.h"

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
    json_t *items = ipc_request_json(job->request, P_attachments);
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
    job->result = json_pack("{s:o, s:o, s:s}", "id", node_json_hash(&sent->id), "channel",
                            node_json_hash(&sent->channel), "state", "sent");
}

// ---- By way of the archive ------------------------------------------------------------------------------------------

static json_t *hashes(const struct hash_list *list)
{
    json_t *items = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(items, node_json_hash(&list->items[i]));
    return items;
}

// As node.post wants it.
static enum status describe(struct node_job *job, struct model *m, struct span topic, const struct hash *to,
                            const struct chat_sent *sent, json_t **params, struct error *e)
{
    struct hash_list files = {0};
    struct hash_list previews = {0};
    enum status st = chat_files(m, &sent->message, &files, &previews, e);
    if (st == STATUS_OK)
        *params =
            json_pack("{s:o, s:o, s:I, s:o, s:o, s:o}", "topic", node_json_text(topic), "text",
                      node_json_text(node_job_text(job, P_text)), "time", (json_int_t)sent->timestamp, "attachments",
                      hashes(&files), "thumbnails", hashes(&previews), "id", node_json_hash(&sent->id));
    if (st == STATUS_OK && to != NULL)
        json_object_set_new(*params, "to", node_json_hash(to));
    if (st == STATUS_OK && m->self->elsewhere)
        json_object_set_new(*params, "as", node_json_hash(&m->self->person));
    hash_list_free(&files);
    hash_list_free(&previews);
    return st;
}

static enum status add_intent(struct node_job *job, struct model *m, struct span topic, const struct hash *to,
                              const struct chat_sent *sent, struct error *e)
{
    int64_t seq;
    json_t *params = NULL;
    enum status st = describe(job, m, topic, to, sent, &params, e);
    if (st != STATUS_OK)
        return st;
    char *text = json_dumps(params, JSON_COMPACT);
    job->intent.op = face_op(job);
    const struct store_intent row = {.op = job->intent.op,
                                     .method = SPAN("node.post"),
                                     .params = span_of(text),
                                     .created_ms = m->now_ms,
                                     .topic = topic,
                                     .message = sent->id,
                                     .time = (double)sent->timestamp};
    st = store_outbox_add(m->store, &row, &seq, e);
    free(text);
    json_decref(params);
    return st;
}

// Writes the message that the archive will post as its own into the topic. to: whom it is for, NULL for a group.
static enum status intend(struct node_job *job, struct model *m, const struct topic *topic, const struct hash *to,
                          const struct hash_list *channels, struct error *e)
{
    struct hash voice;
    struct chat_attachment *attachments;
    size_t count;
    double last;
    int64_t seq;
    struct chat_sent sent;
    enum status st = read_attachments(job, m, &attachments, &count, e);
    if (st == STATUS_OK)
        st = way_voice(m, &voice, e);
    if (st == STATUS_OK)
        st = store_outbox_last(m->store, topic_key(m, topic), &last, &seq, e);
    if (st == STATUS_OK)
        st = chat_write_for(m, &voice, channels, last, node_job_text(job, P_text), attachments, count, &sent, e);
    if (st == STATUS_OK)
        st = topic_outlet_of(m, topic, &voice, &sent.channel, e);
    if (st == STATUS_OK)
        st = add_intent(job, m, topic_key(m, topic), to, &sent, e);
    if (st != STATUS_OK)
        return st;
    job->sent = (struct traced_message){.id = sent.id, .channel = sent.channel, .began_ms = m->now_ms};
    job->result = json_pack("{s:o, s:o, s:s}", "id", node_json_hash(&sent.id), "channel", node_json_hash(&sent.channel),
                            "state", "pending");
    return STATUS_OK;
}

static enum status intend_to(struct node_job *job, struct model *m, const struct hash *to, struct error *e)
{
    struct hash voice;
    struct way_topics topics;
    struct hash_list channels = {0};
    struct topic topic = {0};
    enum status st = way_voice(m, &voice, e);
    if (st == STATUS_OK)
        st = way_conversation(m, to, &topics, e);
    if (st == STATUS_OK)
        st = way_channels(m, topics.items, topics.count, &channels, e);
    if (st == STATUS_OK) {
        topic.id = topic_one_to_one_id(m->arena, &voice, to);
        st = intend(job, m, &topic, to, &channels, e);
    }
    hash_list_free(&channels);
    return st;
}

static enum status intend_into(struct node_job *job, struct model *m, const struct topic *topic, struct error *e)
{
    struct hash voice;
    struct hash_list channels = {0};
    enum status st = way_voice(m, &voice, e);
    if (st == STATUS_OK)
        st = topic_may_write(topic, &voice, e);
    if (st == STATUS_OK)
        st = topic_channels(m, topic, &channels, e);
    if (st == STATUS_OK)
        st = intend(job, m, topic, NULL, &channels, e);
    hash_list_free(&channels);
    return st;
}

static enum status no_way(const struct hash *to, struct error *e)
{
    return error_set(e, STATUS_REFUSED, "NO-WAY", "neither node is paired with %s", hash_text(to).s);
}

// Whom this node does not know, the archive may have paired with a moment ago: then it is its answer that counts.
static enum status send_by_way(struct node_job *job, struct model *m, const struct hash *to, enum way way,
                               struct error *e)
{
    bool repeats;
    enum status st = face_repeats(job, m, &repeats, e);
    if (st != STATUS_OK || repeats)
        return st;
    if (way == WAY_NONE && face_is_alone(job))
        return no_way(to, e);
    st = intend_to(job, m, to, e);
    job->intent.waits = way == WAY_NONE;
    return st;
}

// ---- To a person, into a topic --------------------------------------------------------------------------------------

static enum status send_to(struct node_job *job, struct model *m, const struct hash *to, struct error *e)
{
    struct chat_attachment *attachments;
    size_t count;
    struct chat_sent sent;
    enum way way = WAY_DIRECT;
    enum status st = face_is(job) ? way_to(m, to, &way, e) : STATUS_OK;
    if (st == STATUS_OK && way != WAY_DIRECT)
        return send_by_way(job, m, to, way, e);
    if (st == STATUS_OK)
        st = read_attachments(job, m, &attachments, &count, e);
    if (st == STATUS_OK)
        st = chat_send_to(m, to, node_job_text(job, P_text), attachments, count, &sent, e);
    if (st == STATUS_OK)
        answer_sent(job, m, &sent, to);
    return st;
}

// It is kept, but whoever waits for an answer is to know.
static enum status chat_send_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash to;
    enum status st = node_job_hash(job, P_to, &to, e);
    if (st == STATUS_OK && face_is_self(job, m, &to))
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a conversation needs another person");
    if (st == STATUS_OK)
        st = send_to(job, m, &to, e);
    if (st == STATUS_OK && contact_is_disabled(m, &to))
        json_object_set_new(job->result, "disabledContact", node_json_hash(&to));
    return st;
}

static enum status topic_send(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct chat_attachment *attachments;
    size_t count;
    struct chat_sent sent;
    enum way way = WAY_DIRECT;
    enum status st = node_job_topic_or_person(job, m, &topic, P_to, e);
    if (st == STATUS_OK && ipc_request_text(job->request, P_to) != NULL)
        return chat_send_work(job, m, e);
    if (st == STATUS_OK && face_is(job))
        st = way_into(m, &topic, &way, e);
    if (st == STATUS_OK && way == WAY_NONE)
        return error_set(e, STATUS_REFUSED, "NO-WAY", "neither node is paired with anybody in this conversation");
    if (st == STATUS_OK && way == WAY_ARCHIVE)
        return intend_into(job, m, &topic, e);
    if (st == STATUS_OK)
        st = read_attachments(job, m, &attachments, &count, e);
    if (st == STATUS_OK)
        st = chat_send(m, &topic, node_job_text(job, P_text), attachments, count, &sent, e);
    if (st == STATUS_OK)
        answer_sent(job, m, &sent, NULL);
    return st;
}

static void note_sent(struct node_job *job)
{
    peers_sent(node_peers(job->node), &job->sent);
    if (job->intent.op.len != 0)
        followers_written(job->node, &job->sent.id);
}

// ---- Reading -------------------------------------------------------------------------------------------------------

static enum status topic_read(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    enum status st = node_job_topic_or_person(job, m, &topic, P_with, e);
    if (st == STATUS_OK && ipc_request_text(job->request, P_with) != NULL)
        return conversation_page(job, m, e);
    return st == STATUS_OK ? conversation_topic_page(job, m, &topic, e) : st;
}

const struct node_method NODE_METHODS_CHAT[] = {
    {"chat.search", search_work, NULL},     {"chat.send", chat_send_work, note_sent},
    {"chat.list", conversation_page, NULL}, {"topic.send", topic_send, note_sent},
    {"topic.read", topic_read, NULL},       {NULL, NULL, NULL},
};
