// Control methods for watching: stats, report, health, metrics, trace.
#include <sys/resource.h>

#include "base/clock.h"
#include "chum/chum.h"
#include "models/chat.h"
#include "node/job.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

enum { SYNC_YOUNG_MS = 30000 };

static struct connection_totals count_connections(const struct peers *p)
{
    return p != NULL ? connections_totals(p) : (struct connection_totals){0};
}

static struct chum_counts count_syncs(const struct peers *p)
{
    return p != NULL ? syncs_counts(p->syncs) : (struct chum_counts){0};
}

static long resident_kib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static uint64_t cpu_ms(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole != 0 ? (double)part / (double)whole : 0;
}

// ---- health
// ----------------------------------------------------------------------------------------------------------

static const char *health_word(const struct connection_totals *t, const struct chum_counts *c)
{
    if (t->active == 0)
        return "offline";
    bool young = clock_wall_ms() - c->last_pass_ms < SYNC_YOUNG_MS;
    return t->active == t->open && young ? "healthy" : "degraded";
}

static void health(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    struct connection_totals t = count_connections(n->peers);
    struct chum_counts c = count_syncs(n->peers);
    ipc_request_reply(r, json_pack("{s:I, s:I, s:f, s:I, s:I, s:s}", "totalConnections", (json_int_t)t.open,
                                   "activeConnections", (json_int_t)t.active, "connectionRatio",
                                   ratio(t.active, t.open), "avgLatency", (json_int_t)c.latency_ms, "lastSync",
                                   (json_int_t)c.last_pass_ms, "health", health_word(&t, &c)));
}

// ---- stats, report, metrics ----------------------------------------------------------------------------------------

static void add_number(json_t *to, const char *name, uint64_t value)
{
    json_object_set_new(to, name, json_integer((json_int_t)value));
}

static void add_connections(json_t *to, const struct connection_totals *t, double seconds)
{
    add_number(to, "totalConnections", t->opened);
    add_number(to, "activeConnections", t->active);
    add_number(to, "failedConnections", t->failed);
    json_object_set_new(to, "successRate", json_real(ratio(t->succeeded, t->succeeded + t->failed)));
    json_object_set_new(to, "connectionRate", json_real((double)t->opened * 60 / seconds));
    add_number(to, "totalMessages", t->messages);
    add_number(to, "totalBytes", t->bytes);
    json_object_set_new(to, "averageMessageSize", json_real(ratio(t->bytes, t->messages)));
    json_object_set_new(to, "messageRate", json_real((double)t->messages / seconds));
    json_object_set_new(to, "throughputMbps", json_real((double)t->bytes * 8 / seconds / 1e6));
}

static void add_syncs(json_t *to, const struct chum_counts *c)
{
    add_number(to, "averageLatency", c->latency_ms);
    add_number(to, "objectsSent", c->objects_sent);
    add_number(to, "objectsReceived", c->objects_received);
    add_number(to, "bytesSent", c->bytes_sent);
    add_number(to, "bytesReceived", c->bytes_received);
    add_number(to, "passes", c->passes);
    add_number(to, "failedRoots", c->failed_roots);
    add_number(to, "skippedRoots", c->skipped_roots);
}

// Rates are means since the start.
static json_t *show_stats(const struct node *n)
{
    struct connection_totals t = count_connections(n->peers);
    struct chum_counts c = count_syncs(n->peers);
    uint64_t errors = n->peers != NULL ? incidents_total(n->peers->incidents) : 0;
    uint64_t up_ms = clock_monotonic_ms() - n->started;
    json_t *all = json_object();
    add_connections(all, &t, up_ms != 0 ? (double)up_ms / 1000 : 1);
    add_syncs(all, &c);
    add_number(all, "totalErrors", errors);
    json_object_set_new(all, "errorRate", json_real(ratio(errors, t.messages)));
    add_number(all, "uptimeMs", up_ms);
    add_number(all, "cpuMs", cpu_ms());
    add_number(all, "maxResidentKiB", (uint64_t)resident_kib());
    return all;
}

static json_t *show_errors(const struct node *n)
{
    return n->peers != NULL ? incidents_recent(n->peers->incidents) : json_array();
}

static json_t *show_delivery(const struct node *n)
{
    struct traces_summary s = n->peers != NULL ? traces_summary(n->peers->traces) : (struct traces_summary){0};
    return json_pack("{s:I, s:I, s:f, s:f}", "count", (json_int_t)s.sent, "delivered", (json_int_t)s.delivered, "avgMs",
                     ratio(s.delivered_ms, s.delivered), "successRate", ratio(s.delivered, s.sent));
}

static void stats(struct ipc_request *r, void *ctx)
{
    json_t *global = show_stats(ctx);
    json_t *result = json_copy(global); // the same at the top level, as callers of the seeds expect
    json_object_set_new(result, "global", global);
    json_object_set_new(result, "connections", connections_show(node_peers(ctx)));
    json_object_set_new(result, "recentErrors", show_errors(ctx));
    json_object_set_new(result, "delivery", show_delivery(ctx));
    ipc_request_reply(r, result);
}

static void print_errors(struct buf *text, const json_t *errors)
{
    size_t i;
    const json_t *x;
    json_array_foreach(errors, i, x)
    {
        buf_printf(text, "%s%s, %s (%lld times): %s\n", i == 0 ? "\nrecent errors\n" : "",
                   json_string_value(json_object_get(x, "type")), json_string_value(json_object_get(x, "code")),
                   (long long)json_integer_value(json_object_get(x, "count")),
                   json_string_value(json_object_get(x, "error")));
    }
}

static void report(struct ipc_request *r, void *ctx)
{
    json_t *all = show_stats(ctx);
    json_t *errors = show_errors(ctx);
    struct buf text = {0};
    const char *name;
    json_t *value;
    json_object_foreach(all, name, value)
    {
        if (json_is_integer(value))
            buf_printf(&text, "%-18s %lld\n", name, (long long)json_integer_value(value));
        else
            buf_printf(&text, "%-18s %.3f\n", name, json_real_value(value));
    }
    print_errors(&text, errors);
    json_decref(all);
    ipc_request_reply(r, json_pack("{s:s, s:o}", "text", buf_cstr(&text), "recentErrors", errors));
    buf_free(&text);
}

static void metrics(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    json_t *all = show_stats(n);
    json_t *items = json_array();
    const char *name;
    json_t *value;
    json_object_foreach(all, name, value)
    {
        struct buf metric = {0};
        buf_add_text(&metric, "tandem_");
        for (const char *c = name; *c != '\0'; c++) {
            if (*c >= 'A' && *c <= 'Z')
                buf_add_char(&metric, '_');
            buf_add_char(&metric, (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c));
        }
        json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:[{s:{}, s:O}]}", "name", buf_cstr(&metric), "type",
                                               "gauge", "help", name, "samples", "labels", "value", value));
        buf_free(&metric);
    }
    json_decref(all);
    if (n->kind->metrics != NULL && n->kind_state != NULL)
        n->kind->metrics(n->kind_state, items);
    ipc_request_reply(r, json_pack("{s:o}", "items", items));
}

// ---- trace ---------------------------------------------------------------------------------------------------------

// The id may be shortened.
static enum status trace_work(struct node_job *job, struct model *m, struct error *e)
{
    struct span text;
    enum status st = node_job_hash(job, "message", &job->subject, e);
    if (st == STATUS_OK && chat_text(m, &job->subject, &text, NULL) == STATUS_OK)
        job->result = node_json_text(text);
    return st;
}

static void trace_done(struct node_job *job, enum status status, const struct error *e, void *ctx)
{
    const struct node *n = ctx;
    struct error unknown;
    json_t *trace = status == STATUS_OK && n->peers != NULL ? traces_report(n->peers->traces, &job->subject) : NULL;
    if (status == STATUS_OK && trace == NULL) {
        error_set(&unknown, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not among the last %d messages since the start",
                  hash_text(&job->subject).s, TRACES_MAX);
        e = &unknown;
    }
    if (trace != NULL) {
        json_object_set(trace, "content", job->result != NULL ? job->result : json_null());
        ipc_request_reply(job->request, trace);
    } else {
        ipc_request_fail(job->request, e);
    }
    json_decref(job->result);
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
