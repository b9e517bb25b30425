// Control methods for watching: stats, report, health, metrics, trace.
#include <sys/resource.h>

#include "base/clock.h"
#include "chum/chum.h"
#include "node/job.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

enum { SYNC_YOUNG_MS = 30000 };

struct totals { // of the connections open now
    size_t connections;
    size_t active;
    uint64_t bytes;
    uint64_t messages;
};

static struct totals count_connections(const struct peers *p)
{
    struct totals t = {0};
    for (const struct connection *c = p != NULL ? p->connections : NULL; c != NULL; c = c->next) {
        const struct transport *transport = conn_transport(c->conn);
        t.connections++;
        t.active += conn_state(c->conn) == CONN_ACTIVE;
        t.bytes += transport->bytes_sent + transport->bytes_received;
        t.messages += transport->messages_sent + transport->messages_received;
    }
    return t;
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

static double ratio(const struct totals *t)
{
    return t->connections != 0 ? (double)t->active / (double)t->connections : 0;
}

static const char *health_word(const struct totals *t, const struct chum_counts *c)
{
    if (t->active == 0)
        return "offline";
    bool young = clock_wall_ms() - c->last_pass_ms < SYNC_YOUNG_MS;
    return t->active == t->connections && young ? "healthy" : "degraded";
}

static void health(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    struct totals t = count_connections(n->peers);
    struct chum_counts c = count_syncs(n->peers);
    ipc_request_reply(r, json_pack("{s:I, s:I, s:f, s:I, s:I, s:s}", "totalConnections", (json_int_t)t.connections,
                                   "activeConnections", (json_int_t)t.active, "connectionRatio", ratio(&t),
                                   "avgLatency", (json_int_t)c.latency_ms, "lastSync", (json_int_t)c.last_pass_ms,
                                   "health", health_word(&t, &c)));
}

static json_t *show_stats(const struct node *n)
{
    struct totals t = count_connections(n->peers);
    struct chum_counts c = count_syncs(n->peers);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "totalConnections",
                     (json_int_t)t.connections, "activeConnections", (json_int_t)t.active, "totalMessages",
                     (json_int_t)t.messages, "totalBytes", (json_int_t)t.bytes, "objectsSent",
                     (json_int_t)c.objects_sent, "objectsReceived", (json_int_t)c.objects_received, "bytesSent",
                     (json_int_t)c.bytes_sent, "bytesReceived", (json_int_t)c.bytes_received, "passes",
                     (json_int_t)c.passes, "failedRoots", (json_int_t)c.failed_roots, "skippedRoots",
                     (json_int_t)c.skipped_roots, "maxResidentKiB", (json_int_t)resident_kib());
}

static void stats(struct ipc_request *r, void *ctx)
{
    json_t *global = show_stats(ctx);
    json_t *result = json_pack("{s:O}", "global", global);
    json_object_update(result, global); // the same at the top level, as callers of the seeds expect
    json_decref(global);
    ipc_request_reply(r, result);
}

static void report(struct ipc_request *r, void *ctx)
{
    json_t *all = show_stats(ctx);
    struct buf text = {0};
    const char *name;
    json_t *value;
    json_object_foreach(all, name, value)
    {
        buf_printf(&text, "%-18s %lld\n", name, (long long)json_integer_value(value));
    }
    json_decref(all);
    ipc_request_reply(r, json_pack("{s:s, s:[]}", "text", buf_cstr(&text), "recentErrors"));
    buf_free(&text);
}

static void metrics(struct ipc_request *r, void *ctx)
{
    json_t *all = show_stats(ctx);
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
    ipc_request_reply(r, json_pack("{s:o}", "items", items));
}

void node_watch_register(struct node *n)
{
    ipc_service_on(n->service, "health", health, n);
    ipc_service_on(n->service, "stats", stats, n);
    ipc_service_on(n->service, "report", report, n);
    ipc_service_on(n->service, "metrics", metrics, n);
}
