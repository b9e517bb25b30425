// stats, report, health, trace: how it goes, in numbers and in words.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static json_int_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

// --- numbers ---------------------------------------------------------------------------------------------------------

static const struct output_column numbers[] = {{"Running for", "uptimeMs", OUTPUT_MS},
                                               {"Processor time", "cpuMs", OUTPUT_MS},
                                               {"Memory", "rssBytes", OUTPUT_BYTES},
                                               {"Memory at most", "maxRssBytes", OUTPUT_BYTES},
                                               {"Connections now", "activeConnections", OUTPUT_COUNT},
                                               {"Connections so far", "totalConnections", OUTPUT_NUMBER},
                                               {"Connections failed", "failedConnections", OUTPUT_NUMBER},
                                               {"Served their purpose", "successRate", OUTPUT_PERCENT},
                                               {"Peers answer within", "averageLatency", OUTPUT_MS},
                                               {"Messages", "totalMessages", OUTPUT_NUMBER},
                                               {"Messages a second", "messageRate", OUTPUT_NUMBER},
                                               {"Bytes of messages", "totalBytes", OUTPUT_BYTES},
                                               {"Bytes of each", "averageMessageSize", OUTPUT_BYTES},
                                               {"Passes", "passes", OUTPUT_NUMBER},
                                               {"Objects sent", "objectsSent", OUTPUT_NUMBER},
                                               {"Bytes of them", "bytesSent", OUTPUT_BYTES},
                                               {"Objects received", "objectsReceived", OUTPUT_NUMBER},
                                               {"Bytes of them", "bytesReceived", OUTPUT_BYTES},
                                               {"Not taken over", "failedRoots", OUTPUT_NUMBER},
                                               {"Left out on purpose", "skippedRoots", OUTPUT_NUMBER},
                                               {"Errors", "totalErrors", OUTPUT_NUMBER}};

static void print_errors(const json_t *errors)
{
    static const struct output_column columns[] = {
        {"WHEN", "timestamp", OUTPUT_AGO},      {"TYPE", "type", OUTPUT_TEXT},     {"CODE", "code", OUTPUT_TEXT},
        {"SEVERITY", "severity", OUTPUT_STATE}, {"TIMES", "count", OUTPUT_NUMBER}, {"ERROR", "error", OUTPUT_TEXT}};
    putchar('\n');
    output_table(errors, columns, COUNT(columns), "No errors.");
}

static void print_transports(const json_t *transports)
{
    static const struct output_column columns[] = {
        {"TRANSPORT", "name", OUTPUT_TEXT},      {"CONNECTIONS", "connections", OUTPUT_NUMBER},
        {"NOW", "active", OUTPUT_NUMBER},        {"FAILURES", "failures", OUTPUT_NUMBER},
        {"MESSAGES", "messages", OUTPUT_NUMBER}, {"BYTES", "bytes", OUTPUT_BYTES}};
    json_t *rows = json_array();
    const char *name;
    json_t *transport;
    json_object_foreach((json_t *)transports, name, transport)
    {
        json_object_set_new(transport, "name", json_string(name));
        json_array_append(rows, transport);
    }
    putchar('\n');
    output_table(rows, columns, COUNT(columns), "No transports.");
    json_decref(rows);
}

static void print_alerts(const json_t *alerts)
{
    static const struct output_column columns[] = {
        {"ALERT", "rule", OUTPUT_TEXT}, {"VALUE", "value", OUTPUT_NUMBER}, {"LIMIT", "limit", OUTPUT_NUMBER}};
    putchar('\n');
    output_table(alerts, columns, COUNT(columns), "No alerts.");
}

static void print_history(const json_t *history)
{
    static const struct output_column columns[] = {{"MINUTE", "time", OUTPUT_AGO},
                                                   {"CONNECTIONS", "totalConnections", OUTPUT_NUMBER},
                                                   {"FAILED", "failedConnections", OUTPUT_NUMBER},
                                                   {"MESSAGES", "totalMessages", OUTPUT_NUMBER},
                                                   {"BYTES", "totalBytes", OUTPUT_BYTES},
                                                   {"SENT", "objectsSent", OUTPUT_NUMBER},
                                                   {"RECEIVED", "objectsReceived", OUTPUT_NUMBER},
                                                   {"ERRORS", "totalErrors", OUTPUT_NUMBER},
                                                   {"MEMORY", "rssBytes", OUTPUT_BYTES}};
    if (history == NULL)
        return;
    putchar('\n');
    output_table(json_object_get(history, "samples"), columns, COUNT(columns), "No minute is over yet.");
}

static json_t *ask_stats(struct ctl *c, struct error *e)
{
    int64_t minutes;
    if (ctl_number(c, "history", 0, CTL_ASKED_SAYS, &minutes, e) != STATUS_OK)
        return NULL;
    return ctl_call(c, "stats", ctl_has(c, "history") ? json_pack("{s:I}", "history", (json_int_t)minutes) : NULL, e);
}

static void print_numbers(const struct ctl *c, const json_t *stats)
{
    output_heading(c->node != NULL ? c->node : "sparse", true);
    output_facts(stats, numbers, COUNT(numbers));
}

enum status run_stats(struct ctl *c, struct error *e)
{
    json_t *stats = ask_stats(c, e);
    if (stats == NULL || c->json)
        return output_result(stats, e);
    print_numbers(c, stats);
    print_transports(json_object_get(stats, "transports"));
    print_alerts(json_object_get(stats, "alerts"));
    print_history(json_object_get(stats, "history"));
    json_decref(stats);
    return STATUS_OK;
}

// --- report ----------------------------------------------------------------------------------------------------------

enum status run_report(struct ctl *c, struct error *e)
{
    json_t *params = ctl_has(c, "errors") ? json_pack("{s:s}", "errors", ctl_value(c, "errors")) : NULL;
    json_t *report = ctl_call(c, "report", params, e);
    if (report == NULL || c->json)
        return output_result(report, e);
    json_t *stats = ask_stats(c, e);
    json_t *connections = stats != NULL ? ctl_list(c, "connections.list", json_pack("{s:b}", "ended", 1), e) : NULL;
    if (connections != NULL) {
        print_numbers(c, stats);
        putchar('\n');
        connections_print(c, connections);
        print_errors(json_object_get(report, "recentErrors"));
    }
    json_decref(connections);
    json_decref(stats);
    json_decref(report);
    return e->status;
}

// --- health ----------------------------------------------------------------------------------------------------------

static void print_unreached(struct ctl *c, const json_t *unreached)
{
    size_t i;
    json_t *person;
    json_t *names = json_array_size(unreached) != 0 ? names_load(c) : NULL;
    json_array_foreach(unreached, i, person)
    {
        if (output_enough(i, unreached))
            break;
        printf("Not reached: ");
        output_string(json_object_get(names, json_string_value(person)));
        printf(" (%.12s)\n", json_string_value(person));
    }
    json_decref(names);
}

static void print_health(struct ctl *c, const json_t *health, const char *word)
{
    struct buf b = {0};
    output_state(word);
    buf_printf(&b, "\n%lld of %lld contacts are connected", (long long)number_of(health, "reached"),
               (long long)number_of(health, "contacts"));
    if (number_of(health, "activeConnections") != 0) {
        buf_add_text(&b, "; they answer within ");
        units_ms(&b, number_of(health, "avgLatency"));
    }
    if (number_of(health, "lastSync") != 0) {
        buf_add_text(&b, "; last synchronised ");
        units_ago(&b, number_of(health, "lastSync"), clock_wall_ms());
    }
    puts(buf_cstr(&b));
    buf_free(&b);
    print_unreached(c, json_object_get(health, "unreached"));
    if (number_of(health, "stuck") != 0)
        printf("Cannot be taken over from peers again and again: %lld; see 'tandem events --type sync'\n",
               (long long)number_of(health, "stuck"));
    if (number_of(health, "twice") != 0)
        printf("Run twice with the same keys: %lld instances; see 'tandem doctor'\n",
               (long long)number_of(health, "twice"));
}

enum status run_health(struct ctl *c, struct error *e)
{
    json_t *health = ctl_call(c, "health", NULL, e);
    const char *word = json_string_value(json_object_get(health, "health"));
    if (word != NULL && strcmp(word, "degraded") == 0)
        c->exit = IPC_EXIT_FAILED;
    else if (word != NULL && strcmp(word, "healthy") != 0)
        c->exit = IPC_EXIT_NOT_RUNNING;
    if (word == NULL || c->json)
        return output_result(health, e);
    print_health(c, health, word);
    json_decref(health);
    return STATUS_OK;
}

// --- trace -----------------------------------------------------------------------------------------------------------

static const struct {
    const char *name;
    const char *what;
} steps[] = {{"chatModelSend", "written"},
             {"channelManagerPost", "put into the conversation"},
             {"accessGrantsCreated", "its readers may read it"},
             {"chumSyncTriggered", "offered to the others"},
             {"channelManagerUpdated", "seen in the conversation"},
             {"remoteDelivery", "stored by the recipient"}};

static const char *what_of(const json_t *name)
{
    for (size_t i = 0; json_is_string(name) && i < COUNT(steps); i++)
        if (strcmp(steps[i].name, json_string_value(name)) == 0)
            return steps[i].what;
    return NULL;
}

static void print_steps(const json_t *trace)
{
    static const struct output_column columns[] = {
        {"AFTER", "after", OUTPUT_MS}, {"STEP", "name", OUTPUT_TEXT}, {"WHAT", "what", OUTPUT_TEXT}};
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(trace, "steps"), i, step)
    {
        const char *what = what_of(json_object_get(step, "name"));
        json_object_set_new(step, "after", json_integer(number_of(step, "time") - number_of(trace, "startTime")));
        json_object_set_new(step, "what", what != NULL ? json_string(what) : json_null());
    }
    putchar('\n');
    output_table(json_object_get(trace, "steps"), columns, COUNT(columns),
                 "It was too long ago: its steps are not known.");
}

static void print_recipients(struct ctl *c, const json_t *trace)
{
    static const struct output_column columns[] = {{"FOR", "personId", OUTPUT_ID},
                                                   {"NAME", "who", OUTPUT_TEXT},
                                                   {"STATE", "state", OUTPUT_STATE},
                                                   {"SINCE", "at", OUTPUT_AGO}};
    json_t *recipients = json_object_get(trace, "recipients");
    if (json_array_size(recipients) == 0)
        return;
    json_t *names = names_load(c);
    names_add(recipients, "personId", names);
    putchar('\n');
    output_table(recipients, columns, COUNT(columns), "");
    json_decref(names);
}

enum status run_trace(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {
        {"Message", "messageId", OUTPUT_TEXT},   {"Text", "content", OUTPUT_TEXT},
        {"Direction", "direction", OUTPUT_TEXT}, {"Written", "startTime", OUTPUT_AGO},
        {"State", "state", OUTPUT_STATE},        {"Why", "why", OUTPUT_TEXT},
        {"Channel", "channelId", OUTPUT_ID},     {"Waits to be", "waits", OUTPUT_TEXT}};
    json_t *trace = ctl_call(c, "trace", json_pack("{s:s}", "message", c->arguments[0]), e);
    if (trace == NULL || c->json)
        return output_result(trace, e);
    const json_t *next = json_object_get(trace, "failurePoint");
    const char *what = what_of(next);
    if (what != NULL)
        json_object_set_new(trace, "waits", json_string(what));
    output_facts(trace, facts, COUNT(facts));
    print_steps(trace);
    print_recipients(c, trace);
    json_decref(trace);
    return STATUS_OK;
}
