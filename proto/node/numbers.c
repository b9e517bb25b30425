// The names in this table are what others build on: members of stats, and, with "tandem_" and underscores, metrics of
// Prometheus. A name may be added and never changed. Means are over the whole life of the process, not of late.
#include "node/numbers.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "chum/chum.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

enum number {
    TOTAL_CONNECTIONS,
    ACTIVE_CONNECTIONS,
    FAILED_CONNECTIONS,
    SUCCESS_RATE,
    CONNECTION_RATE,
    TOTAL_MESSAGES,
    TOTAL_BYTES,
    AVERAGE_MESSAGE_SIZE,
    MESSAGE_RATE,
    THROUGHPUT_MBPS,
    AVERAGE_LATENCY,
    OBJECTS_SENT,
    OBJECTS_RECEIVED,
    BYTES_SENT,
    BYTES_RECEIVED,
    PASSES,
    FAILED_ROOTS,
    SKIPPED_ROOTS,
    TOTAL_ERRORS,
    ERROR_RATE,
    UPTIME_MS,
    CPU_MS,
    RSS_BYTES,
    MAX_RSS_BYTES,
    NUMBERS,
};

enum kind { COUNTER, GAUGE, RATIO }; // a ratio has a fraction

static const struct row {
    const char *name;
    enum kind kind;
    const char *help;
} rows[] = {
    [TOTAL_CONNECTIONS] = {"totalConnections", COUNTER, "connections opened since the start"},
    [ACTIVE_CONNECTIONS] = {"activeConnections", GAUGE, "connections that synchronise now"},
    [FAILED_CONNECTIONS] = {"failedConnections", COUNTER, "connections that failed or could not be dialled"},
    [SUCCESS_RATE] = {"successRate", RATIO, "part of the ended attempts and connections that served their purpose"},
    [CONNECTION_RATE] = {"connectionRate", RATIO, "connections opened a minute, mean since the start"},
    [TOTAL_MESSAGES] = {"totalMessages", COUNTER, "WebSocket messages sent and received"},
    [TOTAL_BYTES] = {"totalBytes", COUNTER, "bytes of those messages"},
    [AVERAGE_MESSAGE_SIZE] = {"averageMessageSize", RATIO, "bytes of a message, mean since the start"},
    [MESSAGE_RATE] = {"messageRate", RATIO, "messages a second, mean since the start"},
    [THROUGHPUT_MBPS] = {"throughputMbps", RATIO, "megabits a second, mean since the start"},
    [AVERAGE_LATENCY] = {"averageLatency", GAUGE,
                         "milliseconds a peer took for its last answer, mean of the connected"},
    [OBJECTS_SENT] = {"objectsSent", COUNTER, "objects handed to peers"},
    [OBJECTS_RECEIVED] = {"objectsReceived", COUNTER, "objects taken over from peers"},
    [BYTES_SENT] = {"bytesSent", COUNTER, "bytes of the objects sent"},
    [BYTES_RECEIVED] = {"bytesReceived", COUNTER, "bytes of the objects received"},
    [PASSES] = {"passes", COUNTER, "completed passes over what peers offer"},
    [FAILED_ROOTS] = {"failedRoots", GAUGE, "roots of the last passes that could not be taken over"},
    [SKIPPED_ROOTS] = {"skippedRoots", GAUGE, "roots of the last passes that were left out on purpose"},
    [TOTAL_ERRORS] = {"totalErrors", COUNTER, "errors that nobody waited for"},
    [ERROR_RATE] = {"errorRate", RATIO, "errors per message"},
    [UPTIME_MS] = {"uptimeMs", COUNTER, "milliseconds since the start of the process"},
    [CPU_MS] = {"cpuMs", COUNTER, "milliseconds of processor time"},
    [RSS_BYTES] = {"rssBytes", GAUGE, "resident memory now"},
    [MAX_RSS_BYTES] = {"maxRssBytes", GAUGE, "most resident memory so far"},
};

static uint64_t cpu_ms(const struct rusage *u)
{
    return (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000 +
           (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1000;
}

static double rss_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static struct connection_totals all_connections(const struct peers *p)
{
    struct connection_totals sum = {0};
    for (int kind = 0; p != NULL && kind < TRANSPORT_KINDS; kind++) {
        struct connection_totals t = connections_totals(p, (enum transport_kind)kind);
        sum.opened += t.opened;
        sum.failed += t.failed;
        sum.succeeded += t.succeeded;
        sum.bytes += t.bytes;
        sum.messages += t.messages;
        sum.active += t.active;
    }
    return sum;
}

static void read_connections(const struct peers *p, double seconds, double v[])
{
    struct connection_totals t = all_connections(p);
    v[TOTAL_CONNECTIONS] = (double)t.opened;
    v[ACTIVE_CONNECTIONS] = (double)t.active;
    v[FAILED_CONNECTIONS] = (double)t.failed;
    v[SUCCESS_RATE] = ratio((double)t.succeeded, (double)(t.succeeded + t.failed));
    v[CONNECTION_RATE] = ratio((double)t.opened * 60, seconds);
    v[TOTAL_MESSAGES] = (double)t.messages;
    v[TOTAL_BYTES] = (double)t.bytes;
    v[AVERAGE_MESSAGE_SIZE] = ratio((double)t.bytes, (double)t.messages);
    v[MESSAGE_RATE] = ratio((double)t.messages, seconds);
    v[THROUGHPUT_MBPS] = ratio((double)t.bytes * 8 / 1e6, seconds);
}

static void read_syncs(const struct peers *p, double v[])
{
    struct chum_counts c = p != NULL ? syncs_counts(p->syncs) : (struct chum_counts){0};
    v[AVERAGE_LATENCY] = (double)c.latency_ms;
    v[OBJECTS_SENT] = (double)c.objects_sent;
    v[OBJECTS_RECEIVED] = (double)c.objects_received;
    v[BYTES_SENT] = (double)c.bytes_sent;
    v[BYTES_RECEIVED] = (double)c.bytes_received;
    v[PASSES] = (double)c.passes;
    v[FAILED_ROOTS] = (double)c.failed_roots;
    v[SKIPPED_ROOTS] = (double)c.skipped_roots;
}

static void read_process(const struct node *n, double v[])
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    v[UPTIME_MS] = (double)(clock_monotonic_ms() - n->started);
    v[CPU_MS] = (double)cpu_ms(&usage);
    v[RSS_BYTES] = rss_bytes();
    v[MAX_RSS_BYTES] = (double)usage.ru_maxrss * 1024;
    if (v[MAX_RSS_BYTES] < v[RSS_BYTES]) // the system counts that one late
        v[MAX_RSS_BYTES] = v[RSS_BYTES];
}

static void read_all(const struct node *n, double v[])
{
    read_process(n, v);
    read_connections(n->peers, v[UPTIME_MS] / 1000, v);
    read_syncs(n->peers, v);
    v[TOTAL_ERRORS] = n->peers != NULL ? (double)incidents_total(n->peers->incidents) : 0;
    v[ERROR_RATE] = ratio(v[TOTAL_ERRORS], v[TOTAL_MESSAGES]);
}

static json_t *show(enum kind kind, double value)
{
    return kind == RATIO ? json_real(value) : json_integer((json_int_t)value);
}

json_t *numbers_show(const struct node *n)
{
    double values[NUMBERS];
    json_t *all = json_object();
    read_all(n, values);
    for (int i = 0; i < NUMBERS; i++)
        json_object_set_new(all, rows[i].name, show(rows[i].kind, values[i]));
    return all;
}

json_t *numbers_transports(const struct node *n)
{
    json_t *all = json_object();
    for (int kind = 0; kind < TRANSPORT_KINDS; kind++) {
        struct connection_totals t = {0};
        if (n->peers != NULL)
            t = connections_totals(n->peers, (enum transport_kind)kind);
        json_object_set_new(all, transport_kind_name((enum transport_kind)kind),
                            json_pack("{s:I, s:I, s:I, s:I, s:I}", "connections", (json_int_t)t.opened, "active",
                                      (json_int_t)t.active, "failures", (json_int_t)t.failed, "messages",
                                      (json_int_t)t.messages, "bytes", (json_int_t)t.bytes));
    }
    return all;
}

// totalConnections → tandem_total_connections
static void write_metric_name(const char *name, struct buf *out)
{
    buf_add_text(out, "tandem_");
    for (const char *c = name; *c != '\0'; c++) {
        bool capital = *c >= 'A' && *c <= 'Z';
        if (capital)
            buf_add_char(out, '_');
        buf_add_char(out, (char)(capital ? *c + ('a' - 'A') : *c));
    }
}

json_t *numbers_metrics(const struct node *n)
{
    double values[NUMBERS];
    json_t *items = json_array();
    read_all(n, values);
    for (int i = 0; i < NUMBERS; i++) {
        struct buf name = {0};
        write_metric_name(rows[i].name, &name);
        json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:[{s:{}, s:o}]}", "name", buf_cstr(&name), "type",
                                               rows[i].kind == COUNTER ? "counter" : "gauge", "help", rows[i].help,
                                               "samples", "labels", "value", show(rows[i].kind, values[i])));
        buf_free(&name);
    }
    return items;
}
