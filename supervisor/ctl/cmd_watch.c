// id, storage, events, stats, report, health, trace, metrics.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

enum { FOLLOW_WAIT_MS = 20000, FOLLOW_TIMEOUT_MS = 60000, EVENTS_PAGE = 1000 };

// --- the node --------------------------------------------------------------------------------------------------------

enum status run_id(struct ctl *c, struct error *e)
{
    return output_result(c, ctl_call(c, "id", NULL, e), e);
}

enum status run_storage(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"TYPE", "type", OUTPUT_TEXT},
                                                   {"KIND", "kind", OUTPUT_TEXT},
                                                   {"STATE", "state", OUTPUT_TEXT},
                                                   {"OBJECTS", "objects", OUTPUT_NUMBER},
                                                   {"BYTES", "bytes", OUTPUT_NUMBER}};
    json_t *storage = ctl_call(c, "storage", NULL, e);
    if (storage == NULL || c->json)
        return output_result(c, storage, e);
    printf("%s: %lld objects, %lld bytes\n", json_string_value(json_object_get(storage, "role")),
           (long long)json_integer_value(json_object_get(storage, "objects")),
           (long long)json_integer_value(json_object_get(storage, "bytes")));
    output_table(json_object_get(storage, "items"), columns, sizeof columns / sizeof *columns, "Nothing.");
    json_decref(storage);
    return STATUS_OK;
}

// --- events ----------------------------------------------------------------------------------------------------------

static void print_event(const struct ctl *c, json_t *event)
{
    char time[32];
    if (c->json) {
        output_json(json_incref(event));
        return;
    }
    char *data = json_dumps(json_object_get(event, "data"), JSON_COMPACT);
    output_time(json_integer_value(json_object_get(event, "time")), time, sizeof time);
    printf("%s  %-10s  %-20s  ", time, json_string_value(json_object_get(event, "node")),
           json_string_value(json_object_get(event, "event")));
    output_text(data);
    putchar('\n');
    free(data);
}

static json_int_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

// How many were lost between two pages. Where the numbers have begun anew: those before the page.
static json_int_t count_lost(const json_t *position, const json_t *page)
{
    const json_t *first = json_array_get(json_object_get(page, "events"), 0);
    json_int_t seq = first != NULL ? number_of(first, "seq") : number_of(page, "next");
    json_int_t expected = number_of(position, "seq");
    return seq >= expected ? seq - expected : seq - 1;
}

static void print_events(const struct ctl *c, const json_t *position, const json_t *page)
{
    size_t i;
    json_t *event;
    if (json_object_size(position) != 0 && json_is_true(json_object_get(page, "gap"))) {
        json_int_t lost = count_lost(position, page);
        if (c->json)
            output_json(json_pack("{s:s, s:I}", "event", "stream.gap", "lost", lost));
        else
            printf("(%lld events were lost here)\n", (long long)lost);
    }
    json_array_foreach(json_object_get(page, "events"), i, event) print_event(c, event);
    fflush(stdout);
}

enum status run_events(struct ctl *c, struct error *e)
{
    bool follow = ctl_has(c, "follow");
    bool more = true;
    json_t *position = json_object();
    for (bool first = true; more; first = false) {
        json_t *params = json_copy(position);
        if (first)
            json_object_set_new(params, "from", json_string(ctl_has(c, "from") ? ctl_value(c, "from") : "oldest"));
        if (c->node != NULL)
            json_object_set_new(params, "node", json_string(c->node));
        ctl_add(c, params, "type", "type");
        json_object_set_new(params, "limit", json_integer(EVENTS_PAGE));
        json_object_set_new(params, "waitMs", json_integer(follow && !first ? FOLLOW_WAIT_MS : 0));
        json_t *page = ctl_call_within(c, "events.since", params, FOLLOW_TIMEOUT_MS, e);
        if (page == NULL)
            break;
        print_events(c, position, page);
        json_object_set(position, "bootId", json_object_get(page, "bootId"));
        json_object_set(position, "seq", json_object_get(page, "next"));
        more = !output_failed() && (follow || json_array_size(json_object_get(page, "events")) > 0);
        json_decref(page);
    }
    json_decref(position);
    return e->status;
}

// --- numbers ---------------------------------------------------------------------------------------------------------

enum status run_stats(struct ctl *c, struct error *e)
{
    int64_t minutes;
    if (ctl_number(c, "history", 0, CTL_ASKED_SAYS, &minutes, e) != STATUS_OK)
        return e->status;
    json_t *params = ctl_has(c, "history") ? json_pack("{s:I}", "history", (json_int_t)minutes) : NULL;
    json_t *stats = ctl_call(c, "stats", params, e);
    if (!c->json)
        json_object_del(stats, "global"); // the same once more
    return output_result(c, stats, e);
}

enum status run_report(struct ctl *c, struct error *e)
{
    json_t *params = ctl_has(c, "errors") ? json_pack("{s:s}", "errors", ctl_value(c, "errors")) : NULL;
    json_t *report = ctl_call(c, "report", params, e);
    const char *text = json_string_value(json_object_get(report, "text"));
    if (report == NULL || c->json || text == NULL)
        return output_result(c, report, e);
    while (*text != '\0') { // line by line: only the line ends are ours
        size_t n = strcspn(text, "\n");
        char *line = mem_text((struct span){text, n});
        output_text(line);
        putchar('\n');
        free(line);
        text += n + (text[n] == '\n' ? 1 : 0);
    }
    json_decref(report);
    return STATUS_OK;
}

enum status run_health(struct ctl *c, struct error *e)
{
    json_t *health = ctl_call(c, "health", NULL, e);
    const char *word = json_string_value(json_object_get(health, "health"));
    if (word != NULL && strcmp(word, "degraded") == 0)
        c->exit = IPC_EXIT_FAILED;
    else if (word != NULL && strcmp(word, "healthy") != 0)
        c->exit = IPC_EXIT_NOT_RUNNING;
    return output_result(c, health, e);
}

enum status run_trace(struct ctl *c, struct error *e)
{
    return output_result(c, ctl_call(c, "trace", json_pack("{s:s}", "message", c->arguments[0]), e), e);
}

// --- Prometheus ------------------------------------------------------------------------------------------------------

static void print_label(const char *name, const char *value, bool first)
{
    printf("%s%s=\"", first ? "" : ",", name);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            putchar('\\');
        if (*value == '\n')
            fputs("\\n", stdout);
        else
            putchar(*value);
    }
    putchar('"');
}

static void print_samples(const json_t *metric, const char *node)
{
    size_t i;
    json_t *sample;
    const char *label;
    json_t *value;
    json_array_foreach(json_object_get(metric, "samples"), i, sample)
    {
        printf("%s{", json_string_value(json_object_get(metric, "name")));
        print_label("node", node, true);
        json_object_foreach(json_object_get(sample, "labels"), label, value)
            print_label(label, json_string_value(value), false);
        json_t *number = json_object_get(sample, "value");
        if (json_is_integer(number))
            printf("} %lld\n", (long long)json_integer_value(number));
        else
            printf("} %.17g\n", json_number_value(number));
    }
}

static const json_t *find_metric(const json_t *items, const char *name)
{
    size_t i;
    json_t *metric;
    json_array_foreach(items, i,
                       metric) if (strcmp(json_string_value(json_object_get(metric, "name")), name) == 0) return metric;
    return NULL;
}

// The format wants all samples of a metric together, so the other node's follow at once.
static void print_metrics(const json_t *by_node)
{
    const char *node;
    const char *other;
    json_t *result;
    json_t *peer;
    size_t i;
    json_t *metric;
    json_t *printed = json_object();
    json_object_foreach((json_t *)by_node, node, result)
    {
        json_array_foreach(json_object_get(result, "items"), i, metric)
        {
            const char *name = json_string_value(json_object_get(metric, "name"));
            if (name == NULL || json_object_get(printed, name) != NULL)
                continue;
            json_object_set_new(printed, name, json_true());
            printf("# HELP %s %s\n# TYPE %s %s\n", name, json_string_value(json_object_get(metric, "help")), name,
                   json_string_value(json_object_get(metric, "type")));
            json_object_foreach((json_t *)by_node, other, peer)
                print_samples(find_metric(json_object_get(peer, "items"), name), other);
        }
    }
    json_decref(printed);
}

enum status run_metrics(struct ctl *c, struct error *e)
{
    static const char *const nodes[] = {"archive", "sparse"};
    json_t *by_node = json_object();
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        if (c->node != NULL && strcmp(c->node, nodes[i]) != 0)
            continue;
        json_t *result = ctl_call(c, "metrics", json_pack("{s:s}", "node", nodes[i]), e);
        if (result == NULL) {
            json_decref(by_node);
            return e->status;
        }
        json_object_set_new(by_node, nodes[i], result);
    }
    if (c->json) {
        output_json(by_node);
        return STATUS_OK;
    }
    print_metrics(by_node);
    json_decref(by_node);
    return STATUS_OK;
}
