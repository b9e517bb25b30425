// The secret of the new folder is copied into locked memory and wiped from the request before the answer leaves, as a
// request lives until it is answered. The export is one job of the store thread: it sees one state of the store, and
// nothing else is stored until its end.
#include "node/onedb.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/folder.h"
#include "ipc/jsonrpc.h"
#include "models/onedb.h"
#include "node/node_internal.h"

struct export
{ // on its way through the store thread
    struct node *node;
    struct work *work;
    const struct identity *self;
    struct secret secret;
    char *dir;
    struct onedb_report report;
};

// A plain folder name: nothing that leads elsewhere.
static bool is_plain(const char *name)
{
    return name[0] != '.' && strchr(name, '/') == NULL;
}

static bool note_progress(void *ctx, uint64_t done, uint64_t total)
{
    work_is_at(ctx, done, total);
    return !work_is_cancelled(ctx);
}

static enum status export_work(struct store *s, void *arg, struct error *e)
{
    struct export *x = arg;
    struct arena *arena = arena_create();
    struct model m = {.store = s, .self = x->self, .arena = arena, .now_ms = clock_wall_ms()};
    struct onedb_watcher watcher = {.ctx = x->work, .at = note_progress};
    enum status st = onedb_export(&m, x->node->keychain, x->dir, &x->secret, &watcher, &x->report, e);
    arena_destroy(arena);
    return st;
}

static void export_done(void *arg, enum status status, const struct error *e)
{
    struct export *x = arg;
    const struct onedb_report *r = &x->report;
    if (status == STATUS_OK) {
        work_leaves(x->work, mem_text(span_of(x->dir)));
        work_end(x->work,
                 json_pack("{s:I, s:I, s:I, s:s, s:s}", "objects", (json_int_t)r->objects, "files",
                           (json_int_t)r->files, "heads", (json_int_t)r->heads, "email", r->email, "instanceName",
                           r->instance_name),
                 NULL);
    } else {
        work_end(x->work, NULL, e);
    }
    secret_destroy(&x->secret);
    free(x->dir);
    free(x);
}

static void export_begin(struct ipc_request *r, void *ctx)
{
    struct node *n = ctx;
    struct error e = {0};
    const char *name = ipc_request_text(r, P_name);
    struct work *w = n->queue != NULL ? works_begin(n->works) : NULL;
    if (n->queue == NULL)
        error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    else if (w == NULL)
        error_set(&e, STATUS_FULL, "BUSY", "too much long work is under way");
    else if (!is_plain(name))
        error_set(&e, STATUS_INVALID, "BAD-PARAMS", "name must be a plain folder name");
    if (e.status != STATUS_OK) {
        if (w != NULL)
            work_end(w, NULL, &e);
        ipc_request_fail(r, &e);
        return;
    }
    json_t *text = ipc_request_json(r, P_secret);
    struct buf dir = {0};
    buf_printf(&dir, "export/%s", name);
    struct export *x = mem_alloc(sizeof *x);
    *x = (struct export){.node = n, .work = w, .self = n->self, .dir = node_path(n, buf_cstr(&dir))};
    x->secret = secret_copy(json_string_value(text), json_string_length(text));
    jsonrpc_wipe(ipc_request_params(r), "secret");
    buf_free(&dir);
    store_submit(n->queue, export_work, export_done, x);
    ipc_request_reply(r, json_pack("{s:s}", "jobId", work_id(w)));
}

// ---- What is left of it --------------------------------------------------------------------------------------------

static enum status remove_work(struct store *s, void *arg, struct error *e)
{
    (void)s;
    return folder_remove_tree(arg, e);
}

static void remove_done(void *arg, enum status status, const struct error *e)
{
    if (status != STATUS_OK)
        LOG(LOG_WARN, "export.left", LOG_TEXT("folder", arg), LOG_TEXT("message", e->message));
    free(arg);
}

static void unwanted(void *ctx, char *folder)
{
    struct node *n = ctx;
    store_submit_read(n->queue, remove_work, remove_done, folder);
}

static void progressed(void *ctx, json_t *data)
{
    node_tell(ctx, "job.progress", data);
}

struct works *node_works_create(struct node *n)
{
    struct works_host host = {.ctx = n, .progressed = progressed, .unwanted = unwanted};
    return works_create(n->loop, &host);
}

void node_onedb_register(struct node *n)
{
    ipc_service_on(n->service, "onedb.export", export_begin, n);
    works_register(n->service, &n->works);
}
