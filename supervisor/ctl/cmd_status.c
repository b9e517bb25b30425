// status, once or again and again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"

enum { LOOK_S = 1 };

static const char *purpose_of(const char *type)
{
    static const struct {
        const char *type, *purpose;
    } all[] = {{"own", ", for the sparse node alone"},
               {"relay", ", through this relay"},
               {"relay-server", ", a relay for others"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(type, all[i].type) == 0)
            return all[i].purpose;
    return "";
}

static void print_listener(const json_t *listener)
{
    const char *public_url = json_string_value(json_object_get(listener, "publicUrl"));
    output_text(json_string_value(json_object_get(listener, "url")));
    printf(" (%s)%s", json_string_value(json_object_get(listener, "state")),
           purpose_of(json_string_value(json_object_get(listener, "type"))));
    if (public_url != NULL) {
        printf(", for others ");
        output_text(public_url);
    }
    putchar('\n');
}

static void print_walls(const json_t *process)
{
    const json_t *walls = json_object_get(process, "walls");
    if (!json_is_object(walls))
        return;
    printf("%12swalls: system calls %s, files %s (Landlock %lld)\n", "",
           json_is_true(json_object_get(walls, "seccomp")) ? "filtered" : "free",
           json_integer_value(json_object_get(walls, "landlock")) > 0 ? "limited" : "free",
           (long long)json_integer_value(json_object_get(walls, "landlock")));
}

static void print_failure(const json_t *failure)
{
    if (!json_is_object(failure))
        return;
    printf("%12sdoes not open: ", "");
    output_text(json_string_value(json_object_get(failure, "message")));
    printf(" (%s)\n%12s%s\n", json_string_value(json_object_get(failure, "code")), "",
           json_string_value(json_object_get(failure, "hint")));
}

static void print_node(const json_t *status, const char *name)
{
    const json_t *n = json_object_get(status, name);
    const char *person = json_string_value(json_object_get(n, "personId"));
    size_t i;
    json_t *item;
    struct buf size = {0};
    printf("%-10s  ", name);
    output_state(json_string_value(json_object_get(n, "state")));
    if (json_is_integer(json_object_get(n, "pid")))
        printf(", pid %lld", (long long)json_integer_value(json_object_get(n, "pid")));
    units_bytes(&size, json_number_value(json_object_get(n, "bytes")));
    long long restarts = json_integer_value(json_object_get(n, "restarts"));
    printf(", %lld restart%s, %lld objects, %s\n", restarts, restarts == 1 ? "" : "s",
           (long long)json_integer_value(json_object_get(n, "objects")), buf_cstr(&size));
    buf_free(&size);
    if (person != NULL)
        printf("%12sperson %s\n", "", person);
    print_failure(json_object_get(n, "failure"));
    print_walls(n);
    json_array_foreach(json_object_get(n, "listeners"), i, item)
    {
        printf("%12s", "");
        print_listener(item);
    }
    json_array_foreach(json_object_get(n, "warnings"), i, item)
    {
        printf("%12swarning: ", "");
        output_text(json_string_value(item));
        putchar('\n');
    }
}

static void print_status(const json_t *status)
{
    const json_t *own = json_object_get(status, "supervisor");
    struct buf uptime = {0};
    units_seconds(&uptime, (uint64_t)json_integer_value(json_object_get(own, "uptimeMs")) / 1000);
    printf("supervisor  ");
    output_state("running");
    printf(", pid %lld, up %s, version %s\n", (long long)json_integer_value(json_object_get(own, "pid")),
           buf_cstr(&uptime), json_string_value(json_object_get(own, "version")));
    buf_free(&uptime);
    print_walls(own);
    print_node(status, "archive");
    print_node(status, "sparse");
    printf("federated   %s\n", json_is_true(json_object_get(status, "federated")) ? "yes" : "no");
    output_components(json_object_get(status, "components"));
}

// --- again and again -------------------------------------------------------------------------------------------------

// That it runs longer is no news.
static bool is_news(const json_t *status, const json_t *before)
{
    json_t *now = json_deep_copy(status);
    json_t *then = json_deep_copy(before);
    json_object_del(json_object_get(now, "supervisor"), "uptimeMs");
    json_object_del(json_object_get(then, "supervisor"), "uptimeMs");
    bool same = before != NULL && json_equal(now, then);
    json_decref(then);
    json_decref(now);
    return !same;
}

// On a terminal each picture takes the place of the one before; elsewhere what is new follows it, with its time.
static void show_again(const struct ctl *c, const json_t *status, const json_t *before)
{
    char date[32];
    if (c->json) {
        output_json(json_deep_copy(status));
        return;
    }
    if (output_is_colourful()) {
        fputs(before == NULL ? "\x1b[2J\x1b[H" : "\x1b[H\x1b[J", stdout);
    } else {
        units_date(clock_wall_ms(), date, sizeof date);
        printf("%s%s\n", before == NULL ? "" : "\n", date);
    }
    print_status(status);
    fflush(stdout);
}

static enum status watch(struct ctl *c, struct error *e)
{
    json_t *before = NULL;
    while (!output_failed()) {
        json_t *status = ctl_call(c, "status", NULL, e);
        if (status == NULL)
            break;
        if ((!c->json && output_is_colourful()) || is_news(status, before))
            show_again(c, status, before);
        json_decref(before);
        before = status;
        nanosleep(&(struct timespec){.tv_sec = LOOK_S}, NULL);
    }
    json_decref(before);
    return e->status;
}

enum status run_status(struct ctl *c, struct error *e)
{
    if (ctl_has(c, "watch"))
        return watch(c, e);
    json_t *status = ctl_call(c, "status", NULL, e);
    if (status == NULL || c->json)
        return output_result(status, e);
    print_status(status);
    json_decref(status);
    return STATUS_OK;
}
