// discovery on, off, list. Without a supervisor the setting is written where the next one reads it.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "io/folder.h"
#include "supervisor/config_edit.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

// It is on, but cannot do anything: to whoever asked that is a failure. result: taken over.
static json_t *unless_waiting(json_t *result, struct error *e)
{
    if (strcmp(text_of(result, "state"), "waiting") != 0)
        return result;
    error_set(e, STATUS_CLOSED, text_of(result, "code"), "%s", text_of(result, "reason"));
    json_decref(result);
    return NULL;
}

static json_t *write_setting(struct ctl *c, bool on, struct error *e)
{
    struct buf path = {0};
    bool had;
    error_clear(e);
    buf_printf(&path, "%s/tandem.conf", c->state_dir);
    enum status s = folder_create(c->state_dir, 0700, e);
    if (s == STATUS_OK)
        s = config_edit(buf_cstr(&path), "discovery.on", on ? "true" : "false", &had, e);
    buf_free(&path);
    return s != STATUS_OK ? NULL
                          : json_pack("{s:s, s:n, s:n, s:s, s:n}", "state", "off", "name", "port", "reason",
                                      "tandem does not run; it counts from the next start on", "code");
}

static void tell(const json_t *result, bool on)
{
    const char *state = text_of(result, "state");
    struct buf reason = {0};
    text_escape_controls(span_of(text_of(result, "reason")), &reason);
    if (strcmp(state, "announced") == 0) {
        printf("On. Others in this network find ");
        output_text(text_of(result, "name"));
        printf(", port %lld; to connect they still need an invitation.\n",
               (long long)json_integer_value(json_object_get(result, "port")));
    } else if (strcmp(state, "looking") == 0)
        printf("On, and 'tandem discovery list' shows who is there. Nothing is announced: %s.\n", buf_cstr(&reason));
    else if (on || reason.len != 0)
        printf("%s: %s.\n", on ? "On" : "Off", buf_cstr(&reason));
    else
        puts("Off. Nothing is announced, and nobody is looked for.");
    buf_free(&reason);
}

enum status run_discovery_switch(struct ctl *c, struct error *e)
{
    bool on = strcmp(c->command->name, "discovery on") == 0;
    json_t *result = ctl_call(c, on ? "discovery.on" : "discovery.off", NULL, e);
    if (result == NULL && strcmp(e->code, "NOT-RUNNING") == 0)
        result = write_setting(c, on, e);
    if (result != NULL)
        result = unless_waiting(result, e);
    if (result == NULL || c->json)
        return output_result(result, e);
    tell(result, on);
    json_decref(result);
    return STATUS_OK;
}

static void tell_silence(const json_t *result)
{
    struct buf reason = {0};
    text_escape_controls(span_of(text_of(result, "reason")), &reason);
    if (strcmp(text_of(result, "state"), "looking") == 0 && reason.len != 0)
        fprintf(stderr, "We are not announced: %s.\n", buf_cstr(&reason));
    buf_free(&reason);
}

static const char *nothing_of(const json_t *result)
{
    if (strcmp(text_of(result, "state"), "off") == 0)
        return "Discovery is off, so nobody was looked for: 'tandem discovery on' switches it on.";
    return "Nothing found in this network. Others are found where discovery is on, too, and the listener is reached by "
           "more than their own machine; many routers keep guests apart from everybody else.";
}

enum status run_discovery_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"NAME", "name", OUTPUT_TEXT},
                                                   {"URL", "url", OUTPUT_TEXT},
                                                   {"HOST", "host", OUTPUT_TEXT},
                                                   {"OWN", "own", OUTPUT_YES},
                                                   {"SEEN", "seenAt", OUTPUT_AGO}};
    json_t *result = ctl_call(c, "discovery.list", NULL, e);
    if (result != NULL)
        result = unless_waiting(result, e);
    if (result == NULL)
        return e->status;
    long long left_out = (long long)json_integer_value(json_object_get(result, "leftOut"));
    json_t *items = json_incref(json_object_get(result, "items"));
    enum status s = output_list(c, items, columns, sizeof columns / sizeof *columns, nothing_of(result), e);
    if (s == STATUS_OK)
        tell_silence(result);
    if (left_out > 0)
        fprintf(stderr, "There was no room for more: %lld were left out.\n", left_out);
    json_decref(result);
    return s;
}
