// What goes to and fro between the outbox of the sparse node and the archive, with the supervisor in between:
//
//   sparse            supervisor              archive
//   node.outbox   ──►            ──►   node.carry         the methods themselves, each once
//   node.carried  ◄──            ◄──
//   node.delivered ◄──           ◄──   node.deliveries    how far messages got
//
// Every step may happen again: an intent is named by its operation, on the archive too, and a row that is over stays
// so.
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/delivery.h"
#include "models/sharing.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/params.h"
#include "node/peers.h"
#include "store/outbox.h"

#define CURSOR_SETTING "outbox.deliveries" // "EPOCH CHANGE" of the archive's deliveries that are copied

enum { CARRIED_HEX = 40, CARRY_MAX = 64 };

// ---- node.outbox: what waits ----------------------------------------------------------------------------------------

static json_t *show_intent(const struct store_intent *row)
{
    json_t *params = json_loadb(row->params.ptr, row->params.len, 0, NULL);
    return json_pack("{s:I, s:o, s:o, s:o?, s:I}", "seq", (json_int_t)row->seq, "opId", node_json_text(row->op),
                     "method", node_json_text(row->method), "params", params, "at", (json_int_t)row->created_ms);
}

static json_t *delivered_position(struct model *m)
{
    struct span text;
    long long epoch = 0;
    long long change = 0;
    if (store_setting_get(m->store, CURSOR_SETTING, m->arena, &text, NULL) == STATUS_OK) {
        char *end;
        epoch = strtoll(text.ptr, &end, 10);
        change = strtoll(end, NULL, 10);
    }
    return json_pack("{s:I, s:I}", "epoch", (json_int_t)epoch, "change", (json_int_t)change);
}

static enum status outbox(struct node_job *job, struct model *m, struct error *e)
{
    struct store_intents rows;
    size_t limit = (size_t)ipc_request_int(job->request, P_limit, CARRY_MAX);
    enum status st =
        store_outbox_waiting(m->store, m->arena, ipc_request_int(job->request, P_after, 0), limit, &rows, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < rows.count; i++)
        json_array_append_new(items, show_intent(&rows.items[i]));
    for (size_t fit = node_job_fit(items, 0, rows.count); json_array_size(items) > fit;)
        json_array_remove(items, json_array_size(items) - 1);
    job->result = json_pack("{s:o, s:o}", "items", items, "delivered", delivered_position(m));
    return STATUS_OK;
}

// ---- node.carry: done on the archive --------------------------------------------------------------------------------

struct carrying {
    struct ipc_request *request;
    json_t *outcomes;
    size_t open; // items under way, and one for the loop that begins them
};

struct carried_item {
    struct ipc_asker asker;
    struct carrying *carrying;
    json_int_t seq;
};

static void end_item(struct carrying *c)
{
    if (--c->open != 0)
        return;
    ipc_request_reply(c->request, json_pack("{s:o}", "items", c->outcomes));
    free(c);
}

static void add_error(struct carrying *c, json_int_t seq, const struct error *e)
{
    json_array_append_new(
        c->outcomes, json_pack("{s:I, s:{s:s, s:s}}", "seq", seq, "error", "code", e->code, "message", e->message));
}

static void item_answered(struct ipc_asker *asker, json_t *result, const struct error *error)
{
    struct carried_item *item = (struct carried_item *)asker;
    struct carrying *c = item->carrying;
    if (error != NULL)
        add_error(c, item->seq, error);
    else
        json_array_append_new(c->outcomes, json_pack("{s:I, s:o}", "seq", item->seq, "result", result));
    free(item);
    end_item(c);
}

static bool is_message(const char *method)
{
    return strcmp(method, "node.post") == 0;
}

// Only what a client might ask for itself, and messages.
static bool may_be_carried(const char *name)
{
    const struct ipc_method *m = name != NULL ? ipc_method_find(name) : NULL;
    return m != NULL && m->site == IPC_NODE && m->effect == IPC_MUTATES &&
           (m->caller == IPC_CLIENT || is_message(name));
}

// The operation's name at the archive. The store keeps what bears "intent:" for long; messages need not be remembered
// so long, since posting one again changes nothing.
static json_t *carried_op(const json_t *item, const char *method)
{
    struct hash hash = sha256(span_of(json_string_value(json_object_get(item, "opId"))));
    char text[sizeof "intent:" + CARRIED_HEX];
    snprintf(text, sizeof text, "%s:%.*s", is_message(method) ? "post" : "intent", CARRIED_HEX, hash_text(&hash).s);
    return json_string(text);
}

static void carry_item(struct node *n, struct carrying *c, const json_t *item)
{
    struct error e;
    const char *method = json_string_value(json_object_get(item, "method"));
    json_int_t seq = json_integer_value(json_object_get(item, "seq"));
    if (!may_be_carried(method) || json_object_get(item, "opId") == NULL) {
        error_set(&e, STATUS_NOT_FOUND, "UNKNOWN-METHOD", "the archive takes no '%.60s' from the outbox",
                  method != NULL ? method : "");
        add_error(c, seq, &e);
        return;
    }
    json_t *params = json_object();
    json_object_update(params, json_object_get(item, "params"));
    json_object_set_new(params, "opId", carried_op(item, method));
    struct carried_item *x = mem_alloc(sizeof *x);
    *x = (struct carried_item){.asker = {.respond = item_answered}, .carrying = c, .seq = seq};
    c->open++;
    ipc_service_dispatch(n->service, method, params, &x->asker);
}

static void carry(struct ipc_request *r, void *ctx)
{
    size_t i;
    json_t *item;
    struct carrying *c = mem_alloc(sizeof *c);
    *c = (struct carrying){.request = r, .outcomes = json_array(), .open = 1};
    json_array_foreach(ipc_request_json(r, P_items), i, item) carry_item(ctx, c, item);
    end_item(c);
}

// ---- node.post: a message of the outbox -----------------------------------------------------------------------------

static enum status find_topic(struct node_job *job, struct model *m, struct topic *topic, struct hash *to,
                              struct error *e)
{
    *to = (struct hash){{0}};
    if (!hash_parse(node_job_text(job, P_to), to))
        return node_job_topic(job, m, topic, e);
    if (!contact_exists(m, to))
        return error_set(e, STATUS_REFUSED, "NO-WAY", "neither node is paired with %s", hash_text(to).s);
    return topic_open_one_to_one(m, to, topic, e);
}

static enum status post(struct node_job *job, struct model *m, struct error *e)
{
    struct topic topic;
    struct hash to;
    struct chat_sent sent = {0};
    struct chat_written written = {.text = node_job_text(job, P_text),
                                   .timestamp = (double)ipc_request_int(job->request, P_time, 0)};
    enum status st = find_topic(job, m, &topic, &to, e);
    if (st == STATUS_OK)
        st = node_job_hashes(job, P_attachments, &written.attachments, e);
    if (st == STATUS_OK)
        st = node_job_hashes(job, P_thumbnails, &written.thumbnails, e);
    if (st == STATUS_OK)
        st = chat_post_written(m, &topic, &written, &sent, e);
    hash_list_free(&written.attachments);
    hash_list_free(&written.thumbnails);
    struct hash told;
    if (st == STATUS_OK && hash_parse(node_job_text(job, P_id), &told) && !hash_eq(&told, &sent.id))
        st = error_set(e, STATUS_REFUSED, "REFUSED", "it was written for another archive than this one");
    if (st != STATUS_OK)
        return st;
    job->sent = (struct traced_message){
        .id = sent.id, .channel = sent.channel, .recipient = to, .began_ms = m->now_ms, .granted = true};
    job->result = json_pack("{s:o, s:o, s:s}", "id", node_json_hash(&sent.id), "channel", node_json_hash(&sent.channel),
                            "state", "archived");
    return STATUS_OK;
}

static void note_posted(struct node_job *job)
{
    peers_sent(node_peers(job->node), &job->sent);
}

// ---- node.carried: what became of it --------------------------------------------------------------------------------

static void read_outcome(struct model *m, json_t *item, struct store_intent *out)
{
    const json_t *error = json_object_get(item, "error");
    *out = (struct store_intent){.seq = json_integer_value(json_object_get(item, "seq")), .state = INTENT_CARRIED};
    if (error != NULL) {
        out->state = INTENT_FAILED;
        out->code = span_of(json_string_value(json_object_get(error, "code")));
        out->why = span_of(json_string_value(json_object_get(error, "message")));
        return;
    }
    char *text = json_dumps(json_object_get(item, "result"), JSON_COMPACT);
    out->result = arena_copy(m->arena, span_of(text));
    free(text);
}

static enum status settle(struct model *m, json_t *item, struct error *e)
{
    struct store_intents rows;
    struct store_intent outcome;
    read_outcome(m, item, &outcome);
    enum status st = store_outbox_waiting(m->store, m->arena, outcome.seq - 1, 1, &rows, e);
    if (st != STATUS_OK || rows.count == 0 || rows.items[0].seq != outcome.seq)
        return st; // it is over already
    st = store_outbox_settle(m->store, &outcome, e);
    if (st == STATUS_OK && outcome.state == INTENT_CARRIED && rows.items[0].topic.len == 0) // a repeat is answered so
        st = store_op_put(m->store, rows.items[0].op, outcome.result, e);
    json_object_set_new(item, "opId", node_json_text(rows.items[0].op));
    if (rows.items[0].topic.len != 0)
        json_object_set_new(item, "message", node_json_hash(&rows.items[0].message));
    return st;
}

static enum status carried(struct node_job *job, struct model *m, struct error *e)
{
    size_t i;
    json_t *item;
    enum status st = STATUS_OK;
    json_array_foreach(ipc_request_json(job->request, P_items), i, item)
    {
        if (st == STATUS_OK)
            st = settle(m, item, e);
    }
    return st;
}

static void tell_outcome(struct node *n, json_t *item)
{
    json_t *message = json_object_get(item, "message");
    const json_t *error = json_object_get(item, "error");
    json_t *why = json_object_get(error, "message");
    if (message != NULL)
        node_tell(
            n, "message.state",
            json_pack("{s:O, s:s, s:O*}", "id", message, "state", error != NULL ? "failed" : "archived", "why", why));
    else if (error != NULL)
        node_tell(n, "intent.failed",
                  json_pack("{s:O, s:O*, s:O*}", "opId", json_object_get(item, "opId"), "code",
                            json_object_get(error, "code"), "why", why));
}

static void answer_held(struct node *n, json_t *item)
{
    struct error e = {0};
    const char *op = json_string_value(json_object_get(item, "opId"));
    const json_t *error = json_object_get(item, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    if (error != NULL)
        error_set(&e, STATUS_REFUSED, code != NULL ? code : "REFUSED", "%s", message != NULL ? message : "");
    face_settled(n, op, json_object_get(item, "result"), error != NULL ? &e : NULL);
}

static void tell_outcomes(struct node *n, const json_t *items)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        if (json_object_get(item, "opId") == NULL)
            continue;
        tell_outcome(n, item);
        answer_held(n, item);
    }
    followers_wake(n->followers);
}

static void after_carried(struct node_job *job)
{
    tell_outcomes(job->node, ipc_request_json(job->request, P_items));
}

// ---- Given up -------------------------------------------------------------------------------------------------------

static json_t *forgotten(const struct store_intent *row)
{
    return json_pack("{s:I, s:{s:s, s:s}}", "seq", (json_int_t)row->seq, "error", "code", "NO-WAY", "message",
                     "the contact was forgotten before the archive had the message");
}

enum status face_give_up(struct node_job *job, struct model *m, const struct hash *person, struct error *e)
{
    struct hash archive;
    struct store_intents rows;
    int64_t after = 0;
    if (sharing_own_node(m, &archive, NULL) != STATUS_OK)
        return STATUS_OK;
    struct span topic = topic_one_to_one_id(m->arena, &archive, person);
    job->given_up = json_array();
    enum status st = STATUS_OK;
    do {
        st = store_outbox_waiting(m->store, m->arena, after, CARRY_MAX, &rows, e);
        for (size_t i = 0; st == STATUS_OK && i < rows.count; i++) {
            after = rows.items[i].seq;
            if (!span_eq(rows.items[i].topic, topic))
                continue;
            json_t *item = forgotten(&rows.items[i]);
            json_array_append_new(job->given_up, item);
            st = settle(m, item, e);
        }
    } while (st == STATUS_OK && rows.count == CARRY_MAX);
    return st;
}

void face_gave_up(struct node_job *job)
{
    if (json_array_size(job->given_up) != 0)
        tell_outcomes(job->node, job->given_up);
}

// ---- node.delivered -------------------------------------------------------------------------------------------------

static enum status copy_delivery(struct model *m, const json_t *item, struct error *e)
{
    bool changed;
    json_int_t state = json_integer_value(json_object_get(item, "state"));
    struct store_delivery d = {.at_ms = json_integer_value(json_object_get(item, "at")),
                               .state = (enum delivery_state)state,
                               .why = span_of(json_string_value(json_object_get(item, "why")))};
    if (state < DELIVERY_SENT || state > DELIVERY_FAILED ||
        !hash_parse(span_of(json_string_value(json_object_get(item, "message"))), &d.message) ||
        !hash_parse(span_of(json_string_value(json_object_get(item, "person"))), &d.person))
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "this says of no message how far it got");
    return store_delivery_set(m->store, &d, &changed, e);
}

static enum status delivered(struct node_job *job, struct model *m, struct error *e)
{
    size_t i;
    const json_t *item;
    enum status st = STATUS_OK;
    json_array_foreach(ipc_request_json(job->request, P_items), i, item)
    {
        if (st == STATUS_OK)
            st = copy_delivery(m, item, e);
    }
    if (st != STATUS_OK)
        return st;
    struct span cursor = arena_printf(m->arena, "%lld %lld", (long long)ipc_request_int(job->request, P_epoch, 0),
                                      (long long)ipc_request_int(job->request, P_next, 0));
    return store_setting_set(m->store, CURSOR_SETTING, cursor, e);
}

static void after_delivered(struct node_job *job)
{
    deliveries_changed(job->node->deliveries);
}

static void deliveries(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    deliveries_ask(n->deliveries, r);
}

static const struct node_method outbox_methods[] = {
    {"node.outbox", outbox, NULL},
    {"node.carried", carried, after_carried},
    {"node.post", post, note_posted},
    {"node.delivered", delivered, after_delivered},
    {NULL, NULL, NULL},
};

void node_outbox_register(struct node *n)
{
    node_methods_add(n, outbox_methods);
    ipc_service_on(n->service, "node.carry", carry, n);
    ipc_service_on(n->service, "node.deliveries", deliveries, n);
}
