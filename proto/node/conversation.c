// What waits in the outbox is shown as if it were posted, and then must not be shown twice: a row has the id that the
// message will have, so pages leave out rows that a channel shows (merge), and "since" leaves out messages whose row
// was told (drop_told). That is why a cursor on the face has two parts.
#include "node/conversation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/chat.h"
#include "models/delivery.h"
#include "models/selves.h"
#include "models/way.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/params.h"
#include "store/outbox.h"

// The cursor of a conversation that does not exist yet: everything that will ever be said comes after it.
#define CURSOR_BEFORE_ALL "0"
// On the face a cursor begins with the number of the last outbox row: "f12;" and then that of the channels.
#define CURSOR_OF_FACE 'f'

// ---- Showing --------------------------------------------------------------------------------------------------------

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

enum status conversation_add_state(struct model *m, const struct hash *message, const struct hash *sender, json_t *to,
                                   struct error *e)
{
    struct delivery_summary s;
    enum status st = delivery_summary(m, message, sender, &s, e);
    if (st != STATUS_OK)
        return st;
    json_t *persons = json_array();
    for (size_t i = 0; i < s.delivered_count; i++)
        json_array_append_new(persons, node_json_hash(&s.delivered_to[i]));
    json_object_set_new(to, "state", json_string(s.state));
    json_object_set_new(to, "deliveredTo", persons);
    if (s.why.len != 0)
        json_object_set_new(to, "why", node_json_text(s.why));
    return STATUS_OK;
}

json_t *conversation_show(struct model *m, const struct chat_message *message, bool is_face)
{
    json_t *shown =
        json_pack("{s:o, s:o, s:o, s:o, s:s, s:I, s:o}", "id", node_json_hash(&message->id), "text",
                  node_json_beginning(message->text, CHAT_MAX_TEXT), "sender", node_json_hash(&message->sender),
                  "author", message->has_author ? node_json_hash(&message->author) : json_null(), "verification",
                  verification_name(message->verification), "timestamp", (json_int_t)message->timestamp, "attachments",
                  show_attachments(message));
    if (message->text.len > CHAT_MAX_TEXT)
        json_object_set_new(shown, "truncated", json_true());
    bool is_own = hash_eq(&message->sender, &m->self->person) || (is_face && selves_is_ours(m, &message->sender));
    if (is_own && message->verification != VERIFICATION_FORGED)
        (void)conversation_add_state(m, &message->id, &message->sender, shown, NULL);
    return shown;
}

static json_t *show_messages(struct model *m, const struct chat_messages *messages, bool is_face)
{
    json_t *items = json_array();
    for (size_t i = 0; i < messages->count; i++)
        json_array_append_new(items, conversation_show(m, &messages->items[i], is_face));
    return items;
}

// ---- What belongs together ------------------------------------------------------------------------------------------

struct conversation {
    struct hash_list channels;
    struct span outbox; // topic of what waits for the archive; empty = nothing does
    bool is_face;
};

static enum status find_on_face(struct model *m, const struct hash *with, struct conversation *c, struct error *e)
{
    struct hash voice;
    struct way_topics topics;
    c->is_face = true;
    if (way_voice(m, &voice, NULL) == STATUS_OK && !hash_eq(&voice, with))
        c->outbox = topic_one_to_one_id(m->arena, &voice, with);
    enum status st = way_conversation(m, with, &topics, e);
    return st == STATUS_OK ? way_channels(m, topics.items, topics.count, &c->channels, e) : st;
}

// With the person named by "with". Where nothing was said yet there are no channels.
static enum status find_with(struct node_job *job, struct model *m, struct conversation *c, struct error *e)
{
    struct hash with;
    struct topic topic;
    *c = (struct conversation){0};
    enum status st = node_job_hash(job, P_with, &with, e);
    if (st == STATUS_OK && face_is(job))
        return find_on_face(m, &with, c, e);
    if (st == STATUS_OK)
        st = chat_with(m, &with, &topic, e);
    if (st == STATUS_OK)
        return topic_channels(m, &topic, &c->channels, e);
    bool is_new = st == STATUS_NOT_FOUND && hash_parse(node_job_text(job, P_with), &with);
    if (!is_new)
        return st;
    error_clear(e);
    return STATUS_OK;
}

// ---- What waits -----------------------------------------------------------------------------------------------------

static int by_time(const void *a, const void *b)
{
    const struct chat_message *x = a;
    const struct chat_message *y = b;
    if (x->timestamp != y->timestamp)
        return x->timestamp < y->timestamp ? -1 : 1;
    return hash_compare(&x->id, &y->id);
}

static bool is_among(const struct chat_message *items, size_t count, const struct hash *id)
{
    for (size_t i = count; i-- > 0;)
        if (hash_eq(&items[i].id, id))
            return true;
    return false;
}

// As its channel will show it: what the archive has said to have posted it has signed.
bool conversation_row(struct model *m, const struct store_intent *row, struct chat_message *out)
{
    if (chat_unposted(m, &row->message, out, NULL) != STATUS_OK)
        return false;
    if (row->state == INTENT_CARRIED) {
        out->has_author = true;
        out->author = out->sender;
        out->verification = VERIFICATION_VERIFIED;
    }
    return true;
}

// Adds the messages of rows that the channels do not show yet, in order.
static void merge(struct model *m, const struct store_intents *rows, struct chat_messages *messages)
{
    size_t shown = messages->count;
    struct chat_message *all = arena_alloc(m->arena, (shown + rows->count + 1) * sizeof *all);
    for (size_t i = 0; i < shown; i++)
        all[i] = messages->items[i];
    messages->items = all;
    for (size_t i = 0; i < rows->count; i++)
        if (!is_among(all, shown, &rows->items[i].message) &&
            conversation_row(m, &rows->items[i], &all[messages->count]))
            messages->count++;
    if (messages->count > shown)
        qsort(all, messages->count, sizeof *all, by_time);
}

static void keep_newest(struct chat_messages *messages, size_t limit)
{
    if (messages->count <= limit)
        return;
    messages->items += messages->count - limit;
    messages->count = limit;
    messages->more = true;
}

// ---- Pages ----------------------------------------------------------------------------------------------------------

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

double conversation_time(struct model *m, const struct hash *message)
{
    struct value *object;
    double time = INFINITY;
    if (model_read(m, message, "CreationTime", &object, NULL) == STATUS_OK)
        value_get_number(object, "timestamp", &time);
    return time;
}

static enum status add_waiting(struct model *m, const struct conversation *c, const struct hash *before, size_t limit,
                               struct chat_messages *messages, struct error *e)
{
    struct store_intents rows;
    if (c->outbox.len == 0)
        return STATUS_OK;
    double until = before != NULL ? conversation_time(m, before) : INFINITY;
    enum status st = store_outbox_of_topic(m->store, m->arena, c->outbox, until, limit + 1, &rows, e);
    for (size_t i = 0; st == STATUS_OK && before != NULL && i < rows.count; i++)
        if (hash_eq(&rows.items[i].message, before) ||
            (rows.items[i].time >= until && hash_compare(&rows.items[i].message, before) > 0))
            rows.items[i--] = rows.items[--rows.count];
    if (st == STATUS_OK)
        merge(m, &rows, messages);
    keep_newest(messages, limit);
    return st;
}

static enum status read_page(struct node_job *job, struct model *m, const struct conversation *c, struct error *e)
{
    struct hash before;
    bool given;
    struct chat_messages messages = {0};
    size_t limit = (size_t)ipc_request_int(job->request, P_limit, 50);
    enum status st = node_job_optional_hash(job, P_before, &before, &given, e);
    if (st == STATUS_OK && c->channels.count != 0)
        st = chat_page_of(m, &c->channels, limit, given ? &before : NULL, &messages, e);
    if (st == STATUS_OK)
        st = add_waiting(m, c, given ? &before : NULL, limit, &messages, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = show_messages(m, &messages, c->is_face);
    size_t dropped = drop_oldest(items);
    job->result = json_pack("{s:o}", "items", items);
    if (messages.holes != 0)
        json_object_set_new(job->result, "holes", json_integer((json_int_t)messages.holes));
    if ((messages.more || dropped > 0) && messages.count != 0)
        json_object_set_new(job->result, "next", node_json_hash(&messages.items[dropped].id));
    return STATUS_OK;
}

enum status conversation_page(struct node_job *job, struct model *m, struct error *e)
{
    struct conversation c;
    enum status st = find_with(job, m, &c, e);
    if (st == STATUS_OK)
        st = read_page(job, m, &c, e);
    hash_list_free(&c.channels);
    return st;
}

enum status conversation_topic_page(struct node_job *job, struct model *m, const struct topic *topic, struct error *e)
{
    struct conversation c = {.is_face = face_is(job)};
    if (c.is_face)
        c.outbox = topic_key(m, topic);
    enum status st = topic_channels(m, topic, &c.channels, e);
    if (st == STATUS_OK)
        st = read_page(job, m, &c, e);
    hash_list_free(&c.channels);
    return st;
}

// ---- What is new ----------------------------------------------------------------------------------------------------

struct position {
    int64_t row;         // of the outbox
    struct span channel; // empty = before everything
};

static struct position read_cursor(struct span cursor)
{
    struct position p = {.channel = cursor};
    if (span_eq_text(cursor, CURSOR_BEFORE_ALL))
        p.channel = (struct span){0};
    if (cursor.len == 0 || cursor.ptr[0] != CURSOR_OF_FACE)
        return p;
    char *end;
    p.row = strtoll(cursor.ptr + 1, &end, 10);
    size_t used = (size_t)(end - cursor.ptr);
    p.channel = used < cursor.len && *end == ';' ? span_from(cursor, used + 1) : cursor;
    return p;
}

static struct span write_cursor(struct model *m, const struct conversation *c, int64_t row, struct span channel)
{
    if (!c->is_face)
        return channel.len != 0 ? channel : SPAN(CURSOR_BEFORE_ALL);
    return arena_printf(m->arena, "%c%lld;" SPAN_FMT, CURSOR_OF_FACE, (long long)row, SPAN_ARG(channel));
}

// What was told as waiting is not told again once its channel shows it.
static enum status drop_told(struct model *m, const struct position *since, struct chat_messages *messages,
                             struct error *e)
{
    size_t left = 0;
    for (size_t i = 0; i < messages->count; i++) {
        struct store_intent row;
        enum status st = store_outbox_by_message(m->store, m->arena, &messages->items[i].id, &row, NULL);
        if (st != STATUS_OK && st != STATUS_NOT_FOUND)
            return error_set(e, st, "STORE-FAILED", "the outbox cannot be read");
        if (st == STATUS_NOT_FOUND || row.seq > since->row)
            messages->items[left++] = messages->items[i];
    }
    messages->count = left;
    return STATUS_OK;
}

static enum status read_rows(struct model *m, const struct conversation *c, const struct position *since, size_t limit,
                             struct chat_messages *messages, int64_t *last, struct error *e)
{
    struct store_intents rows;
    *last = since->row;
    if (c->outbox.len == 0)
        return STATUS_OK;
    enum status st = drop_told(m, since, messages, e);
    if (st == STATUS_OK)
        st = store_outbox_since(m->store, m->arena, c->outbox, since->row, limit, &rows, e);
    if (st != STATUS_OK)
        return st;
    if (rows.count != 0)
        *last = rows.items[rows.count - 1].seq;
    merge(m, &rows, messages);
    return STATUS_OK;
}

static enum status answer_cursor(struct node_job *job, struct model *m, const struct conversation *c, struct error *e)
{
    double time;
    int64_t row = 0;
    struct span channel = {0};
    enum status st = STATUS_OK;
    if (c->channels.count != 0)
        st = channel_cursor(m, c->channels.items, c->channels.count, &channel, e);
    if (st == STATUS_OK && c->outbox.len != 0)
        st = store_outbox_last(m->store, c->outbox, &time, &row, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:[], s:o}", "items", "next", node_json_text(write_cursor(m, c, row, channel)));
    return st;
}

// Reads again with a lower limit when one answer does not hold them all.
static enum status read_since(struct node_job *job, struct model *m, const struct conversation *c, size_t limit,
                              struct error *e)
{
    struct position since = read_cursor(node_job_text(job, P_cursor));
    struct span next = {0};
    int64_t last;
    struct chat_messages messages = {0};
    enum status st = STATUS_OK;
    if (c->channels.count != 0)
        st = chat_since_of(m, &c->channels, since.channel, limit, &messages, &next, e);
    if (st == STATUS_OK)
        st = read_rows(m, c, &since, limit, &messages, &last, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = show_messages(m, &messages, c->is_face);
    size_t fit = node_job_fit(items, 0, messages.count);
    if (fit < messages.count && limit > 1) {
        json_decref(items);
        return read_since(job, m, c, fit < 2 ? 1 : fit / 2, e);
    }
    job->result = json_pack("{s:o, s:o}", "items", items, "next", node_json_text(write_cursor(m, c, last, next)));
    job->unchanged = messages.count == 0;
    return STATUS_OK;
}

enum status conversation_since(struct node_job *job, struct model *m, struct error *e)
{
    struct conversation c;
    enum status st = find_with(job, m, &c, e);
    if (st == STATUS_OK && ipc_request_text(job->request, P_cursor) == NULL)
        st = answer_cursor(job, m, &c, e);
    else if (st == STATUS_OK)
        st = read_since(job, m, &c, (size_t)ipc_request_int(job->request, P_limit, 100), e);
    hash_list_free(&c.channels);
    return st;
}

// ---- One message ----------------------------------------------------------------------------------------------------

enum status conversation_state(struct node_job *job, struct model *m, struct error *e)
{
    struct hash id;
    struct chat_message message;
    const char *known = ipc_request_text(job->request, P_known);
    enum status st = node_job_hash(job, P_message, &id, e);
    if (st == STATUS_OK)
        st = chat_unposted(m, &id, &message, e);
    if (st == STATUS_OK && !selves_is_ours(m, &message.sender))
        st = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not a message of ours", hash_text(&id).s);
    if (st != STATUS_OK)
        return st;
    job->result = json_pack("{s:o}", "id", node_json_hash(&id));
    st = conversation_add_state(m, &id, &message.sender, job->result, e);
    const char *state = json_string_value(json_object_get(job->result, "state"));
    if (st == STATUS_OK)
        job->unchanged = known != NULL && strcmp(known, state) == 0;
    return st;
}
