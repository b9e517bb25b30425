// up, relay, provision, secret change, deprovision, wait, restart, listener, down.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"
#include "supervisor/programs.h"
#include "supervisor/statedir.h"

enum { ANSWER_MARGIN_MS = 2000, GONE_MS = 5000, BEGIN_MS = 3000 };

// --- programs that take over this process ----------------------------------------------------------------------------

enum { OWN_WORDS = 7 }; // beside those given: the program, four of a command, --json, and the NULL

struct words {
    char **list;
    size_t count;
};

static void add_word(struct words *w, const char *word)
{
    w->list[w->count++] = (char *)word;
}

static void add_given(struct words *w, const struct ctl *c)
{
    for (size_t i = 0; i < c->given_count; i++) {
        struct buf b = {0};
        buf_printf(&b, "--%s", c->given[i].option->name);
        add_word(w, mem_text(buf_span(&b)));
        buf_free(&b);
        if (c->given[i].value != NULL)
            add_word(w, c->given[i].value);
    }
}

// own: words in front of those given; of two equal options the last counts. Only returns when the program cannot be
// started.
static enum status become(struct ctl *c, const char *name, const char *const *own, struct error *e)
{
    struct words w = {.list = mem_array(2 * c->given_count + OWN_WORDS, sizeof *w.list)};
    char *program = program_beside(name);
    add_word(&w, program);
    while (*own != NULL)
        add_word(&w, *own++);
    if (c->json)
        add_word(&w, "--json");
    add_given(&w, c);
    execv(program, w.list);
    error_errno(e, "cannot start %s", program);
    free(program);
    free(w.list);
    return e->status;
}

enum status run_up(struct ctl *c, struct error *e)
{
    return become(c, "tandem-supervisor", (const char *const[]){"--state-dir", c->state_dir, NULL}, e);
}

enum status run_relay(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "listen"))
        return ctl_usage(e, "relay wants --listen HOST:PORT");
    return become(c, "tandem-relay", (const char *const[]){NULL}, e);
}

enum status run_ui(struct ctl *c, struct error *e)
{
    char *control = NULL;
    char *listen = config_now(c, "ui.listen", e);
    if (listen != NULL && ctl_find_control(c, &control, e) == STATUS_OK)
        become(c, "tandem-ui", (const char *const[]){"--control", control, "--listen", listen, NULL}, e);
    free(control);
    free(listen);
    return e->status;
}

// --- provision -------------------------------------------------------------------------------------------------------

static void add_option(const struct ctl *c, json_t *params, const char *option, const char *name)
{
    const char *value = ctl_value(c, option);
    if (value != NULL)
        json_object_set_new(params, name, json_string(value));
}

static int64_t timeout_ms(const struct ctl *c)
{
    return c->timeout_s < 0 ? IPC_FOREVER : (int64_t)c->timeout_s * 1000;
}

// The server's own TIMEOUT says more than ours, so it gets a moment to arrive.
static json_t *call_with_deadline(struct ctl *c, const char *method, json_t *params, struct error *e)
{
    json_object_set_new(params, "timeoutMs", json_integer(timeout_ms(c)));
    return ctl_call_within(c, method, params, timeout_ms(c) + ANSWER_MARGIN_MS, e);
}

// The address only where others may use it.
static void print_person(const json_t *result, const char *node)
{
    const json_t *object = json_object_get(result, node);
    bool shut = json_is_false(json_object_get(object, "listening"));
    const char *url = shut ? NULL : json_string_value(json_object_get(object, "url"));
    printf("%-8s person %s%s%s\n", node, json_string_value(json_object_get(object, "personId")),
           url != NULL ? "  " : "", url != NULL ? url : "");
}

// Of a node that was made anew without its keys.
static void print_lost(const json_t *contacts)
{
    size_t i;
    const json_t *contact;
    if (json_array_size(contacts) != 0)
        puts("The keys of the lost store were not kept. These contacts have to pair anew with it, and forget it "
             "before:");
    json_array_foreach(contacts, i, contact)
    {
        printf("  %s  ", json_string_value(json_object_get(contact, "personId")));
        output_string(json_object_get(contact, "name"));
        putchar('\n');
    }
}

void provisioned_print(const json_t *result)
{
    bool federated = json_is_true(json_object_get(result, "federated"));
    struct buf time = {0};
    print_person(result, "archive");
    print_person(result, "sparse");
    units_ms(&time, json_integer_value(json_object_get(result, "milliseconds")));
    printf("%s; %s after %s\n", json_is_true(json_object_get(result, "created")) ? "created" : "opened",
           federated ? "federated" : "not federated yet", buf_cstr(&time));
    buf_free(&time);
    print_lost(json_object_get(result, "pairAnew"));
}

// The first provisioning makes the secret, and a slip of the finger would lock the installation for ever.
static enum status ask_secret(struct ctl *c, struct secret *out, struct error *e)
{
    struct buf keys = {0};
    const char *file = ctl_value(c, "secret-file");
    buf_printf(&keys, "%s/keys.json", c->state_dir);
    bool opens = file_exists(buf_cstr(&keys));
    buf_free(&keys);
    return opens ? ctl_secret(c, file, "Secret: ", out, e) : ctl_new_secret(c, file, "New secret: ", out, e);
}

// 'tandem up & tandem provision': it may not have begun yet.
static enum status await_supervisor(struct ctl *c, struct error *e)
{
    for (uint64_t until = clock_monotonic_ms() + BEGIN_MS;; ctl_pause()) {
        error_clear(e);
        json_t *status = ctl_call(c, "status", NULL, e);
        json_decref(status);
        if (status != NULL || strcmp(e->code, "NOT-RUNNING") != 0 || c->client != NULL || clock_monotonic_ms() > until)
            return e->status;
    }
}

enum status run_provision(struct ctl *c, struct error *e)
{
    struct secret secret = {0};
    if (await_supervisor(c, e) != STATUS_OK || ask_secret(c, &secret, e) != STATUS_OK)
        return e->status;
    json_t *params =
        json_pack("{s:s%, s:b}", "secret", (const char *)secret.data, secret.len, "wait", !ctl_has(c, "no-wait"));
    secret_destroy(&secret);
    add_option(c, params, "user", "user");
    add_option(c, params, "archive-email", "archiveEmail");
    add_option(c, params, "sparse-email", "sparseEmail");
    add_option(c, params, "recreate", "recreate");
    json_t *result = call_with_deadline(c, "provision", params, e);
    if (result == NULL || c->json)
        return output_result(result, e);
    provisioned_print(result);
    json_decref(result);
    return STATUS_OK;
}

// --- secret change ---------------------------------------------------------------------------------------------------

static json_t *change_secret(struct ctl *c, struct error *e)
{
    struct secret old = {0};
    struct secret fresh = {0};
    json_t *result = NULL;
    if (ctl_secret(c, ctl_value(c, "secret-file"), "Old secret: ", &old, e) == STATUS_OK &&
        ctl_new_secret(c, ctl_value(c, "new-secret-file"), "New secret: ", &fresh, e) == STATUS_OK)
        result = call_with_deadline(c, "secret.change",
                                    json_pack("{s:s%, s:s%}", "secret", (const char *)old.data, old.len, "newSecret",
                                              (const char *)fresh.data, fresh.len),
                                    e);
    secret_destroy(&old);
    secret_destroy(&fresh);
    return result;
}

static void warn_of_kept_secret(struct ctl *c)
{
    struct error ignored = {0};
    json_t *status = ctl_call(c, "status", NULL, &ignored);
    const json_t *autostart = json_object_get(json_object_get(status, "supervisor"), "autostart");
    if (json_is_object(autostart))
        fprintf(stderr, "The next start takes the secret from the %s: change it there as well.\n",
                json_string_value(json_object_get(autostart, "from")));
    json_decref(status);
}

enum status run_secret_change(struct ctl *c, struct error *e)
{
    char *control = NULL;
    if (ctl_find_control(c, &control, e) != STATUS_OK)
        return e->status;
    free(control);
    json_t *result = change_secret(c, e);
    if (result != NULL)
        warn_of_kept_secret(c);
    return output_done(c, result, "The new secret opens the installation from now on.", e);
}

// --- deprovision -----------------------------------------------------------------------------------------------------

static enum status confirm(const struct ctl *c, struct error *e)
{
    struct buf question = {0};
    if (!ctl_has(c, "wipe"))
        return STATUS_OK;
    buf_printf(&question, "Delete both stores and the keys of %s for ever?", c->state_dir);
    enum status s = ctl_confirm(c, buf_cstr(&question), "nothing was deleted", e);
    buf_free(&question);
    return s;
}

enum status run_deprovision(struct ctl *c, struct error *e)
{
    if (confirm(c, e) != STATUS_OK)
        return e->status;
    json_t *result = ctl_call(c, "deprovision", json_pack("{s:b}", "wipe", ctl_has(c, "wipe")), e);
    if (result == NULL || c->json)
        return output_result(result, e);
    puts(ctl_has(c, "wipe") ? "Both stores and the keys are deleted." : "The nodes have no keys any more.");
    json_decref(result);
    return STATUS_OK;
}

// --- wait, restart, down ---------------------------------------------------------------------------------------------

// 'tandem up & tandem wait ready': it may not have begun yet.
enum status run_wait(struct ctl *c, struct error *e)
{
    uint64_t now = clock_monotonic_ms();
    uint64_t until = c->timeout_s < 0 ? UINT64_MAX : now + (uint64_t)c->timeout_s * 1000;
    json_t *result = NULL;
    for (;; now = clock_monotonic_ms()) {
        int64_t left = c->timeout_s < 0 ? IPC_FOREVER : until > now ? (int64_t)(until - now) : 1;
        error_clear(e);
        result =
            ctl_call_within(c, "wait", json_pack("{s:s, s:I}", "for", c->arguments[0], "timeoutMs", (json_int_t)left),
                            left == IPC_FOREVER ? left : left + ANSWER_MARGIN_MS, e);
        if (result != NULL || strcmp(e->code, "NOT-RUNNING") != 0 || c->client != NULL || now >= until)
            break;
        ctl_pause();
    }
    return output_done(c, result, "It is so.", e);
}

enum status run_restart(struct ctl *c, struct error *e)
{
    return output_done(c, ctl_call(c, "restart", json_pack("{s:s}", "node", c->arguments[0]), e), "It runs again.", e);
}

enum status run_listener(struct ctl *c, struct error *e)
{
    bool start = strcmp(c->command->name, "listener start") == 0;
    json_t *result = ctl_call(c, start ? "listener.start" : "listener.stop", NULL, e);
    return output_done(c, result, start ? "It listens again." : "It listens no more.", e);
}

enum status run_down(struct ctl *c, struct error *e)
{
    json_t *result = ctl_call(c, "down", NULL, e);
    if (result == NULL)
        return e->status;
    for (uint64_t until = clock_monotonic_ms() + GONE_MS; statedir_holder(c->state_dir) != 0;) {
        if (clock_monotonic_ms() > until) {
            json_decref(result);
            return error_set(e, STATUS_TIMEOUT, "TIMEOUT", "the supervisor still runs");
        }
        ctl_pause();
    }
    return output_done(c, result, "Everything is stopped.", e);
}
