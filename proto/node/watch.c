// Control methods for watching: stats, report, health, metrics, trace.
#include <string.h>

#include "base/clock.h"
#include "chum/chum.h"
#include "models/chat.h"
#include "models/delivery.h"
#include "models/selves.h"
#include "node/conversation.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/numbers.h"
#include "node/params.h"
#include "node/peers_internal.h"
#include "node/reach.h"
#include "node/use.h"

enum { SYNC_YOUNG_MS = 30000 };

// ---- health --------------------------------------------------------------------------------------------------------

struct ability { // of the open connections to synchronise
    uint64_t open, active;
    struct chum_counts syncs;
};

static struct ability read_ability(const struct peers *p)
{
    struct ability a = {0};
    for (int kind = 0; p != NULL && kind < TRANSPORT_KINDS; kind++) {
        struct connection_totals t = connections_totals(p, (enum transport_kind)kind);
        a.open += t.open;
        a.active += t.active;
    }
    if (p != NULL)
        a.syncs = syncs_counts(p->syncs);
    return a;
}

static const char *health_word(const struct ability *a, size_t missing, bool twice)
{
    if (a->active == 0)
        return "offline";
    bool young = clock_wall_ms() - a->syncs.last_pass_ms < SYNC_YOUNG_MS;
    bool all = missing == 0 && a->active == a->open;
    return all && young && a->syncs.stuck == 0 && !twice ? "healthy" : "degraded";
}

static void health(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    struct ability a = read_ability(n->peers);
    json_t *missing = json_array();
    struct reach reach = reach_count(n->peers, missing);
    size_t gone = reach.contacts - reach.reached;
    uint64_t total = a.open + gone; // a connection that should be there counts
    bool twice = n->peers != NULL && twins_of_ours(n->peers->twins);
    json_t *shown =
        json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:s}", "totalConnections", (json_int_t)total, "activeConnections",
                  (json_int_t)a.active, "connectionRatio", total != 0 ? (double)a.active / (double)total : 0.0,
                  "avgLatency", (json_int_t)a.syncs.latency_ms, "lastSync", (json_int_t)a.syncs.last_pass_ms, "stuck",
                  (json_int_t)a.syncs.stuck, "health", health_word(&a, gone, twice));
    json_object_set_new(shown, "twice", json_integer(n->peers != NULL ? (json_int_t)twins_count(n->peers->twins) : 0));
    json_object_set_new(shown, "contacts", json_integer((json_int_t)reach.contacts));
    json_object_set_new(shown, "reached", json_integer((json_int_t)reach.reached));
    json_object_set_new(shown, "unreached", missing);
    ipc_request_reply(r, shown);
}

// ---- stats, report, metrics ----------------------------------------------------------------------------------------

// kind NULL: all.
static json_t *show_errors(const struct node *n, const char *kind)
{
    return n->peers != NULL ? incidents_recent(n->peers->incidents, kind) : json_array();
}

static json_t *show_delivery(const struct node *n)
{
    struct traces_summary s = n->peers != NULL ? traces_summary(n->peers->traces) : (struct traces_summary){0};
    double average = s.delivered != 0 ? (double)s.delivered_ms / (double)s.delivered : 0;
    double rate = s.sent != 0 ? (double)s.delivered / (double)s.sent : 0;
    return json_pack("{s:I, s:I, s:f, s:f}", "count", (json_int_t)s.sent, "delivered", (json_int_t)s.delivered, "avgMs",
                     average, "successRate", rate);
}

static json_t *show_alerts(const struct node *n)
{
    return n->peers != NULL ? alerts_show(vitals_alerts(n->peers->vitals)) : json_array();
}

static json_t *only_active(const json_t *connections)
{
    json_t *active = json_array();
    size_t i;
    json_t *c;
    json_array_foreach(connections, i, c)
    {
        if (json_is_true(json_object_get(c, "live")))
            json_array_append(active, c);
    }
    return active;
}

static void stats(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    int64_t minutes = ipc_request_int(r, P_history, 0);
    json_t *global = numbers_show(ctx);
    json_t *result = json_copy(global); // the same at the top level, where some callers look for it
    json_object_set_new(result, "global", global);
    json_object_set_new(result, "transports", numbers_transports(ctx));
    json_object_set_new(result, "connections", connections_show(node_peers(ctx), false));
    json_object_set_new(result, "activeConnections", only_active(json_object_get(result, "connections")));
    json_object_set_new(result, "recentErrors", show_errors(ctx, NULL));
    json_object_set_new(result, "delivery", show_delivery(ctx));
    json_object_set_new(result, "alerts", show_alerts(ctx));
    if (minutes != 0 && n->peers != NULL)
        json_object_set_new(result, "history",
                            history_show(vitals_history(n->peers->vitals), clock_wall_ms(), minutes));
    ipc_request_reply(r, result);
}

static void metrics(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    json_t *items = numbers_metrics(n);
    use_measure(n->peers != NULL ? n->peers->budgets : NULL, items);
    if (n->kind->metrics != NULL && n->kind_state != NULL)
        n->kind->metrics(n->kind_state, items);
    ipc_request_reply(r, json_pack("{s:o}", "items", items));
}

// ---- The report, for people ----------------------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "-";
}

static long long number_of(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static void print_numbers(struct buf *text, json_t *all)
{
    const char *name;
    json_t *value;
    buf_printf(text, "Active connections: %lld\n\n", number_of(all, "activeConnections"));
    json_object_foreach(all, name, value)
    {
        if (json_is_integer(value))
            buf_printf(text, "%-18s %lld\n", name, (long long)json_integer_value(value));
        else
            buf_printf(text, "%-18s %.3f\n", name, json_real_value(value));
    }
}

static void print_connections(struct buf *text, const json_t *connections)
{
    size_t i;
    const json_t *c;
    buf_add_text(text, json_array_size(connections) != 0 ? "\nConnections, newest first\n" : "");
    json_array_foreach(connections, i, c)
    {
        buf_printf(text, "#%lld %s %s, %s %s: %lld messages, %lld bytes\n", number_of(c, "id"), text_of(c, "protocol"),
                   text_of(c, "state"), text_of(c, "direction"), text_of(c, "url"),
                   number_of(c, "messagesSent") + number_of(c, "messagesReceived"),
                   number_of(c, "bytesSent") + number_of(c, "bytesReceived"));
    }
}

static void print_errors(struct buf *text, const json_t *errors)
{
    size_t i;
    const json_t *x;
    buf_add_text(text, json_array_size(errors) != 0 ? "\nRecent errors\n" : "");
    json_array_foreach(errors, i, x)
    {
        buf_printf(text, "- %s (%s): %s %s, %lld times\n", text_of(x, "error"), text_of(x, "severity"),
                   text_of(x, "type"), text_of(x, "code"), number_of(x, "count"));
    }
}

static void report(struct ipc_request *r, void *ctx)
{
    struct buf text = {0};
    json_t *all = numbers_show(ctx);
    json_t *connections = connections_show(node_peers(ctx), true);
    json_t *errors = show_errors(ctx, ipc_request_text(r, P_errors));
    print_numbers(&text, all);
    print_connections(&text, connections);
    print_errors(&text, errors);
    json_decref(all);
    json_decref(connections);
    ipc_request_reply(r, json_pack("{s:s, s:o}", "text", buf_cstr(&text), "recentErrors", errors));
    buf_free(&text);
}

// ---- trace ---------------------------------------------------------------------------------------------------------

static json_t *show_receipt(const struct store_delivery *d)
{
    static const char *const words[] = {
        [DELIVERY_SENT] = "sent", [DELIVERY_DELIVERED] = "delivered", [DELIVERY_FAILED] = "failed"};
    return json_pack("{s:o, s:s, s:I}", "personId", node_json_hash(&d->person), "state", words[d->state], "at",
                     (json_int_t)d->at_ms);
}

// How far it got, which outlives the node; of a message of our own.
static enum status add_receipts(struct model *m, const struct hash *message, json_t *to, struct error *e)
{
    struct store_deliveries rows;
    struct chat_message read;
    if (chat_unposted(m, message, &read, NULL) != STATUS_OK || !selves_is_ours(m, &read.sender))
        return STATUS_OK;
    enum status st = store_delivery_of(m->store, m->arena, message, &rows, e);
    if (st != STATUS_OK)
        return st;
    json_t *list = json_array();
    for (size_t i = 0; i < rows.count; i++)
        json_array_append_new(list, show_receipt(&rows.items[i]));
    json_object_set_new(to, "recipients", list);
    json_object_set_new(to, "startTime", json_integer(read.timestamp));
    return conversation_add_state(m, message, &read.sender, to, e);
}

// The id may be shortened.
static enum status trace_work(struct node_job *job, struct model *m, struct error *e)
{
    struct span text;
    enum status st = node_job_hash(job, P_message, &job->subject, e);
    if (st != STATUS_OK)
        return st;
    job->result = json_object();
    struct store_trace kept;
    if (store_trace_get(m->store, &job->subject, &kept, NULL) == STATUS_OK)
        json_object_set_new(job->result, "kept", traces_show(&kept));
    if (chat_text(m, &job->subject, &text, NULL) == STATUS_OK)
        json_object_set_new(job->result, "content", node_json_text(text));
    return add_receipts(m, &job->subject, job->result, e);
}

// Some of its recipients have it, not all: who, is among the recipients.
static void take_back_delivery(json_t *trace)
{
    static const char last[] = "remoteDelivery";
    json_t *steps = json_object_get(trace, "steps");
    size_t count = json_array_size(steps);
    const char *name = json_string_value(json_object_get(json_array_get(steps, count - 1), "name"));
    if (name == NULL || strcmp(name, last) != 0)
        return;
    json_array_remove(steps, count - 1);
    json_object_set_new(trace, "completedSteps", json_integer((json_int_t)count - 1));
    json_object_set_new(trace, "success", json_false());
    json_object_set_new(trace, "failurePoint", json_string(last));
}

// The steps are those that were just seen, or kept; without them there is what is known of its delivery.
static json_t *put_together(const struct node *n, const struct node_job *job)
{
    json_t *steps = n->peers != NULL ? traces_report(n->peers->traces, &job->subject) : NULL;
    if (steps == NULL)
        steps = json_incref(json_object_get(job->result, "kept"));
    json_object_del(job->result, "kept");
    const char *state = json_string_value(json_object_get(job->result, "state"));
    if (steps == NULL && state == NULL)
        return NULL;
    bool delivered = state != NULL && strcmp(state, "delivered") == 0;
    json_t *trace = json_pack("{s:o, s:s, s:b, s:n, s:[], s:n}", "messageId", node_json_hash(&job->subject),
                              "direction", "out", "success", (int)delivered, "failurePoint", "steps", "content");
    json_object_update(trace, job->result);
    if (steps != NULL)
        json_object_update(trace, steps);
    if (delivered) { // by the archive, whose steps these are not
        json_object_set_new(trace, "success", json_true());
        json_object_set_new(trace, "failurePoint", json_null());
    } else if (strcmp(text_of(trace, "direction"), "out") == 0 && state != NULL) {
        take_back_delivery(trace);
    }
    json_decref(steps);
    return trace;
}

static void trace_done(struct node_job *job, enum status status, const struct error *e, void *ctx)
{
    struct error unknown;
    json_t *trace = status == STATUS_OK ? put_together(ctx, job) : NULL;
    if (status == STATUS_OK && trace == NULL) {
        error_set(&unknown, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not among the last %d messages",
                  hash_text(&job->subject).s, STORE_TRACES);
        e = &unknown;
    }
    json_decref(job->result);
    if (trace != NULL)
        ipc_request_reply(job->request, trace);
    else
        ipc_request_fail(job->request, e);
}

static void trace(struct ipc_request *r, void *ctx)
{
    node_job_start(ctx, r, trace_work, trace_done, ctx);
}

void node_watch_register(struct node *n)
{
    ipc_service_on(n->service, "health", health, n);
    ipc_service_on(n->service, "stats", stats, n);
    ipc_service_on(n->service, "report", report, n);
    ipc_service_on(n->service, "metrics", metrics, n);
    ipc_service_on(n->service, "trace", trace, n);
}
