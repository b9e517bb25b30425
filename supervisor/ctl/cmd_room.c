// storage quota, sync rule. Sizes are read as they are printed: in thousands.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

// "64MB", "1.5 GB" and "300000" as people write them: thousands, as they are printed.
static enum status read_size(const char *text, int64_t *out, struct error *e)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"", 1}, {"b", 1}, {"k", 1e3}, {"kb", 1e3}, {"m", 1e6}, {"mb", 1e6}, {"g", 1e9}, {"gb", 1e9}};
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    bool is_number = errno == 0 && end != text && number >= 0;
    while (*end == ' ')
        end++;
    for (size_t i = 0; is_number && i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(end, units[i].name) != 0 || number * units[i].bytes > 9e18)
            continue;
        *out = (int64_t)(number * units[i].bytes);
        return STATUS_OK;
    }
    return ctl_usage(e, "a size is a number with B, kB, MB or GB, not '%.40s'", text);
}

enum status run_storage_quota(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {
        {"Quota", "quota", OUTPUT_BYTES}, {"Here", "bytes", OUTPUT_BYTES}, {"Files", "files", OUTPUT_NUMBER}};
    json_t *params = json_object();
    int64_t bytes;
    if (c->argument_count != 0 && read_size(c->arguments[0], &bytes, e) != STATUS_OK) {
        json_decref(params);
        return e->status;
    }
    if (c->argument_count != 0)
        json_object_set_new(params, "bytes", json_integer(bytes));
    return output_object(c, ctl_call(c, "rule.quota", params, e), facts, sizeof facts / sizeof *facts, e);
}

static enum status read_rule(struct ctl *c, json_t *params, struct error *e)
{
    int64_t number;
    const char *size = ctl_value(c, "size");
    const char *type = ctl_value(c, "type");
    const char *topic = ctl_value(c, "topic");
    if ((size != NULL) + (type != NULL) + (topic != NULL) + (ctl_value(c, "age") != NULL) != 1)
        return ctl_usage(e, "sync rule add wants one of --size, --type, --topic and --age");
    if (type != NULL)
        json_object_set_new(params, "type", json_string(type));
    if (topic != NULL)
        json_object_set_new(params, "topic", json_string(topic));
    if (size != NULL && read_size(size, &number, e) != STATUS_OK)
        return e->status;
    if (size != NULL)
        json_object_set_new(params, "size", json_integer(number));
    if (ctl_value(c, "age") == NULL)
        return STATUS_OK;
    enum status s = ctl_number(c, "age", 0, 36500, &number, e);
    json_object_set_new(params, "days", json_integer(number));
    return s;
}

static enum status add_rule(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Rule", "id", OUTPUT_NUMBER}};
    json_t *params = json_object();
    if (read_rule(c, params, e) == STATUS_OK)
        return output_object(c, ctl_call(c, "rule.add", params, e), facts, 1, e);
    json_decref(params);
    return e->status;
}

static enum status remove_rule(struct ctl *c, struct error *e)
{
    char *end;
    errno = 0;
    long long id = c->argument_count == 2 ? strtoll(c->arguments[1], &end, 10) : 0;
    if (id <= 0 || errno != 0 || *end != '\0')
        return ctl_usage(e, "sync rule remove wants the number of a rule, as 'sync rule list' has it");
    return output_result(ctl_call(c, "rule.remove", json_pack("{s:I}", "id", (json_int_t)id), e), e);
}

enum status run_sync_rule(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"RULE", "id", OUTPUT_NUMBER},   {"KIND", "kind", OUTPUT_TEXT},
                                                   {"SIZE", "size", OUTPUT_BYTES},  {"TYPE", "type", OUTPUT_TEXT},
                                                   {"TOPIC", "topic", OUTPUT_TEXT}, {"DAYS", "days", OUTPUT_NUMBER}};
    if (strcmp(c->arguments[0], "add") == 0)
        return add_rule(c, e);
    if (strcmp(c->arguments[0], "remove") == 0)
        return remove_rule(c, e);
    if (strcmp(c->arguments[0], "list") != 0)
        return ctl_usage(e, "sync rule wants add, list or remove, not '%.40s'", c->arguments[0]);
    return output_list(c, ctl_list(c, "rule.list", NULL, e), columns, sizeof columns / sizeof *columns, "No rules.", e);
}
