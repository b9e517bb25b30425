// id, storage, events, metrics. Events are asked for and not pushed: each page has a number, so one that was lost, by a
// restart or because the ring is short, is seen and said. Metrics of both nodes are interleaved, as the format wants
// all samples of a name together.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"

enum { FOLLOW_WAIT_MS = 20000, FOLLOW_TIMEOUT_MS = 60000, EVENTS_PAGE = 1000 };

// --- the node --------------------------------------------------------------------------------------------------------

enum status run_id(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Person", "personId", OUTPUT_TEXT},
                                                 {"E-mail", "email", OUTPUT_TEXT},
                                                 {"Instance", "instanceId", OUTPUT_TEXT},
                                                 {"Name of it", "instanceName", OUTPUT_TEXT},
                                                 {"Listens at", "url", OUTPUT_TEXT},
                                                 {"Person's keys", "personKeys.hash", OUTPUT_TEXT},
                                                 {"  to seal with", "personKeys.publicKey", OUTPUT_TEXT},
                                                 {"  to sign with", "personKeys.signKey", OUTPUT_TEXT},
                                                 {"Instance's keys", "instanceKeys.hash", OUTPUT_TEXT},
                                                 {"  to seal with", "instanceKeys.publicKey", OUTPUT_TEXT},
                                                 {"  to sign with", "instanceKeys.signKey", OUTPUT_TEXT}};
    return output_object(c, ctl_call(c, "id", NULL, e), facts, sizeof facts / sizeof *facts, e);
}

enum status run_storage(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"TYPE", "type", OUTPUT_TEXT},
                                                   {"KIND", "kind", OUTPUT_TEXT},
                                                   {"STATE", "state", OUTPUT_STATE},
                                                   {"OBJECTS", "objects", OUTPUT_NUMBER},
                                                   {"BYTES", "bytes", OUTPUT_BYTES}};
    static const struct output_column facts[] = {
        {"Node", "role", OUTPUT_TEXT}, {"Objects", "objects", OUTPUT_NUMBER}, {"Bytes", "bytes", OUTPUT_BYTES}};
    json_t *storage = ctl_call(c, "storage", NULL, e);
    if (storage == NULL || c->json)
        return output_result(storage, e);
    output_facts(storage, facts, sizeof facts / sizeof *facts);
    putchar('\n');
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
    units_date(json_integer_value(json_object_get(event, "time")), time, sizeof time);
    printf("%s  %-10s  %-20s  ", time, json_string_value(json_object_get(event, "node")),
           json_string_value(json_object_get(event, "event")));
    output_members(json_object_get(event, "data"));
    putchar('\n');
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
