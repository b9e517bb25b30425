// import and export of a reference storage directory. A node sees only its own folder, so the directory is copied into
// or out of DIR/NODE/import|export/NAME, and the methods take the NAME. Those copies hold keys: the node removes what
// it exported when our connection ends, and what it has imported; the supervisor removes at its start what is left.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/progress.h"
#include "supervisor/ctl/tree.h"

enum { NAME_LENGTH = 16 };

static const char *node_of(const struct ctl *c)
{
    return c->node != NULL ? c->node : "archive";
}

static char *exchange_path(const struct ctl *c, const char *kind, const char *name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s/%s%s%s", c->state_dir, node_of(c), kind, name[0] != '\0' ? "/" : "", name);
    char *path = mem_text(buf_span(&b));
    buf_free(&b);
    return path;
}

static void show_progress(struct progress *p, const json_t *state)
{
    const json_t *at = json_object_get(state, "progress");
    if (at != NULL)
        progress_at(p, (uint64_t)json_integer_value(json_object_get(at, "done")),
                    (uint64_t)json_integer_value(json_object_get(at, "total")));
}

static json_t *wait_for_job(struct ctl *c, const char *job, struct error *e)
{
    struct progress *p = progress_begin(c, "exporting");
    json_t *result = NULL;
    for (bool more = true; more;) {
        json_t *params =
            json_pack("{s:s, s:i, s:s}", "jobId", job, "waitMs", progress_interval_ms(p), "node", node_of(c));
        json_t *state = ctl_call(c, "job.wait", params, e);
        more = state != NULL && !json_is_true(json_object_get(state, "done"));
        show_progress(p, state);
        if (state != NULL && !more) {
            result = json_object_get(state, "result");
            result = json_is_object(result) ? json_incref(result) : json_object();
        }
        json_decref(state);
    }
    progress_end(p);
    return result;
}

static json_t *run_job(struct ctl *c, const char *method, const char *name, struct error *e)
{
    struct secret secret = {0};
    if (ctl_new_secret(c, ctl_value(c, "secret-file"), "Secret of the storage: ", &secret, e) != STATUS_OK)
        return NULL;
    json_t *params = json_pack("{s:s, s:s%, s:s, s:b}", "name", name, "secret", (const char *)secret.data, secret.len,
                               "node", node_of(c), "tied", 1);
    secret_destroy(&secret);
    json_t *job = ctl_call(c, method, params, e);
    const char *id = json_string_value(json_object_get(job, "jobId"));
    json_t *result = id != NULL ? wait_for_job(c, id, e) : NULL;
    json_decref(job);
    return result;
}

// Adopting is the first provisioning; one secret opens the storage and becomes the installation's.
static json_t *adopt(struct ctl *c, const char *name, struct error *e)
{
    struct secret secret = {0};
    if (ctl_secret(c, ctl_value(c, "secret-file"), "Secret of the storage: ", &secret, e) != STATUS_OK)
        return NULL;
    const char *text = (const char *)secret.data;
    json_t *params =
        json_pack("{s:s%, s:s%, s:s, s:s, s:I}", "secret", text, secret.len, "importSecret", text, secret.len,
                  "importName", name, "importNode", node_of(c), "timeoutMs", (json_int_t)c->timeout_s * 1000);
    secret_destroy(&secret);
    if (ctl_has(c, "user"))
        json_object_set_new(params, "user", json_string(ctl_value(c, "user")));
    if (ctl_has(c, "other-email"))
        json_object_set_new(params, strcmp(node_of(c), "archive") == 0 ? "sparseEmail" : "archiveEmail",
                            json_string(ctl_value(c, "other-email")));
    return ctl_call(c, "provision", params, e);
}

// What was interrupted leaves nothing behind.
static enum status copy_safely(const struct ctl *c, const char *from, const char *to, struct error *e)
{
    struct error ignored = {0};
    interrupt_hold();
    enum status s = tree_copy(c, from, to, e);
    if (s == STATUS_OK && interrupt_check(e) != STATUS_OK) {
        s = e->status;
        folder_remove_tree(to, &ignored);
    }
    interrupt_release();
    return s;
}

enum status run_import(struct ctl *c, struct error *e)
{
    struct error ignored = {0};
    char name[NAME_LENGTH + 1];
    char *control = NULL;
    json_t *result = NULL;
    if (!ctl_has(c, "one-db"))
        return ctl_usage(e, "import wants --one-db DIR");
    if (ctl_find_control(c, &control, e) != STATUS_OK)
        return e->status;
    random_text(name, NAME_LENGTH);
    char *folder = exchange_path(c, "import", "");
    char *copy = exchange_path(c, "import", name);
    if (folder_create(folder, 0700, e) == STATUS_OK && copy_safely(c, ctl_value(c, "one-db"), copy, e) == STATUS_OK)
        result = adopt(c, name, e); // which also removes the copy, should we be gone by then
    folder_remove_tree(copy, &ignored);
    rmdir(folder);
    free(control);
    free(folder);
    free(copy);
    if (result == NULL || c->json)
        return output_result(result, e);
    provisioned_print(result);
    json_decref(result);
    return STATUS_OK;
}

enum status run_export(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Objects", "objects", OUTPUT_NUMBER},
                                                 {"Versioned", "heads", OUTPUT_NUMBER},
                                                 {"Files", "files", OUTPUT_NUMBER},
                                                 {"E-mail", "email", OUTPUT_TEXT},
                                                 {"Instance", "instanceName", OUTPUT_TEXT}};
    struct error ignored = {0};
    char name[NAME_LENGTH + 1];
    const char *to = ctl_value(c, "one-db");
    if (to == NULL)
        return ctl_usage(e, "export wants --one-db DIR");
    if (file_exists(to))
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s exists already", to);
    random_text(name, NAME_LENGTH);
    char *written = exchange_path(c, "export", name);
    json_t *result = run_job(c, "onedb.export", name, e);
    if (result != NULL && copy_safely(c, written, to, e) != STATUS_OK) {
        json_decref(result);
        result = NULL;
    }
    folder_remove_tree(written, &ignored);
    free(written);
    return output_object(c, result, facts, sizeof facts / sizeof *facts, e);
}
