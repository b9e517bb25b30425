// simulate: scenarios from files, or those that come with tandem.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/output.h"
#include "supervisor/programs.h"
#include "supervisor/simulate/plan.h"
#include "supervisor/simulate/ready.h"
#include "supervisor/simulate/report.h"
#include "supervisor/simulate/simulate.h"

#define SEED_MAX 0x7fffffff

static enum status list_ready(const struct ctl *c, const struct error *e)
{
    static const struct output_column columns[] = {{"NAME", "name", OUTPUT_TEXT}, {"ABOUT", "about", OUTPUT_TEXT}};
    json_t *items = json_array();
    for (size_t i = 0; i < READY_COUNT; i++) {
        json_t *scenario = json_loadb(READY[i].text.ptr, READY[i].text.len, 0, NULL);
        json_array_append_new(
            items, json_pack("{s:s, s:O}", "name", READY[i].name, "about", json_object_get(scenario, "about")));
        json_decref(scenario);
    }
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "There are none.", e);
}

static enum status load(const char *name, struct scenario **out, struct error *e)
{
    struct buf text = {0};
    for (size_t i = 0; i < READY_COUNT; i++)
        if (strcmp(READY[i].name, name) == 0)
            return scenario_parse(name, READY[i].text, out, e);
    if (file_read(name, SCENARIO_FILE_MAX, &text, e) == STATUS_OK)
        scenario_parse(name, buf_span(&text), out, e);
    else if (e->status == STATUS_NOT_FOUND)
        error_set(e, STATUS_NOT_FOUND, "NOT-FOUND",
                  "there is no file %s, and no scenario of that name; 'tandem simulate "
                  "--list' lists them",
                  name);
    buf_free(&text);
    return e->status;
}

static const char *place(const struct ctl *c)
{
    const char *tmp = getenv("TMPDIR");
    if (ctl_has(c, "dir"))
        return ctl_value(c, "dir");
    return tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp";
}

static void print_checks(const json_t *result)
{
    size_t i;
    const json_t *check;
    json_array_foreach(json_object_get(result, "checks"), i, check)
    {
        printf("%-6s %-16s ", json_is_true(json_object_get(check, "passed")) ? "ok" : "FAILED",
               json_string_value(json_object_get(check, "name")));
        output_string(json_object_get(check, "why"));
        putchar('\n');
    }
    printf("%s after %.1f s, at most %.0f MB, seed %lld\n",
           json_is_true(json_object_get(result, "passed")) ? "passed" : "FAILED",
           (double)json_integer_value(json_object_get(result, "milliseconds")) / 1000,
           (double)json_integer_value(json_object_get(json_object_get(result, "measured"), "memory")) / 1e6,
           (long long)json_integer_value(json_object_get(result, "seed")));
    if (json_object_get(result, "kept") != NULL)
        printf("logs are kept in %s\n", json_string_value(json_object_get(result, "kept")));
}

static enum status print_result(struct ctl *c, json_t *result, struct error *e)
{
    struct buf report = {0};
    if (ctl_has(c, "junit")) {
        report_junit(result, &report);
        file_write(ctl_value(c, "junit"), buf_span(&report), 0644, e);
        buf_clear(&report);
    }
    c->exit = json_is_true(json_object_get(result, "passed")) ? IPC_EXIT_DONE : IPC_EXIT_FAILED;
    if (c->json) {
        output_json(json_incref(result));
    } else if (ctl_has(c, "tap")) {
        report_tap(result, &report);
        fputs(buf_cstr(&report), stdout);
    } else {
        print_checks(result);
    }
    buf_free(&report);
    return e->status;
}

static enum status run_scenario(struct ctl *c, const struct scenario *s, uint64_t seed, struct error *e)
{
    json_t *result = NULL;
    char *program = program_beside("tandem-supervisor");
    char *relay_program = program_beside("tandem-relay");
    enum timeline_show show = c->json ? TIMELINE_SILENT : ctl_has(c, "tap") ? TIMELINE_COMMENTS : TIMELINE_LINES;
    const struct simulate_options options = {.seed = seed,
                                             .place = place(c),
                                             .program = program,
                                             .relay_program = relay_program,
                                             .show = show,
                                             .keep = ctl_has(c, "keep"),
                                             .interrupted = interrupt_came};
    signal(SIGPIPE, SIG_IGN);
    interrupt_hold();
    if (simulate_run(s, &options, &result, e) == STATUS_OK)
        print_result(c, result, e);
    json_decref(result);
    free(program);
    free(relay_program);
    return e->status;
}

enum status run_simulate(struct ctl *c, struct error *e)
{
    struct scenario *s = NULL;
    int64_t seed = 0;
    if (ctl_has(c, "list"))
        return list_ready(c, e);
    if (c->argument_count == 0)
        return ctl_usage(e, "simulate wants a FILE or the NAME of a scenario; --list lists them");
    if (ctl_has(c, "tap") && c->json)
        return ctl_usage(e, "--tap and --json are two ways to say the same");
    if (load(c->arguments[0], &s, e) != STATUS_OK || s == NULL ||
        ctl_number(c, "seed", (int64_t)s->seed, SEED_MAX, &seed, e) != STATUS_OK) {
        scenario_destroy(s);
        return e->status;
    }
    if (ctl_has(c, "plan")) {
        struct plan *plan = plan_make(s, (uint64_t)seed);
        output_json(plan_show(plan, s));
        plan_destroy(plan);
    } else {
        run_scenario(c, s, (uint64_t)seed, e);
    }
    scenario_destroy(s);
    return e->status;
}
