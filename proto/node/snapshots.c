// node.snapshot and node.snapshot.drop: what a backup is made of, as it is at one moment, lying in backup/ in the
// node's folder until it was taken from there. The files of objects stay where they are: the list names them.
//
// The copy is made on the worker pool, so neither the loop nor the store waits for it. The pool has several threads:
// one at a time touches the folder, and a copy that was asked for later is not dropped by who asked before.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/keycopy.h"
#include "io/file.h"
#include "io/folder.h"
#include "node/node_internal.h"
#include "store/snapshot.h"

struct snapshot {
    struct node *node;
    struct ipc_request *request;
    char *dir;       // backup/
    bool drops;      // nothing is made
    unsigned number; // of the copies asked for until then
    struct store_snapshot made;
    enum status status;
    struct error error;
};

static char *path_in(const struct snapshot *x, const char *file)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s", x->dir, file);
    buf_cstr(&b);
    return b.data;
}

static enum status keep_keys(struct snapshot *x, struct error *e)
{
    struct buf copy = {0};
    char *from = node_path(x->node, "private");
    char *to = path_in(x, "keys");
    enum status status = keycopy_make(from, &copy, e);
    if (status == STATUS_OK)
        status = file_write(to, buf_span(&copy), 0600, e);
    buf_free(&copy);
    free(from);
    free(to);
    return status;
}

static enum status make(struct snapshot *x, struct error *e)
{
    char *database = path_in(x, "store.db");
    char *list = path_in(x, "files");
    char *store = node_path(x->node, "store");
    enum status status = folder_create(x->dir, 0700, e);
    atomic_store(&x->node->snapshot_unwanted, false);
    if (status == STATUS_OK && atomic_load(&x->node->leaving))
        status = error_set(e, STATUS_CLOSED, "CLOSED", "the node is stopping");
    if (status == STATUS_OK)
        status = store_snapshot(store, database, list, &x->node->snapshot_unwanted, &x->made, e);
    if (status == STATUS_OK)
        status = keep_keys(x, e);
    free(database);
    free(list);
    free(store);
    return status;
}

// An earlier one that nobody fetched makes room.
static void snapshot_work(void *arg)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    struct snapshot *x = arg;
    pthread_mutex_lock(&one_at_a_time);
    bool late = x->number != atomic_load(&x->node->snapshots);
    if (late && !x->drops)
        x->status = error_set(&x->error, STATUS_CONFLICT, "BUSY", "another backup has begun");
    else
        x->status = late ? STATUS_OK : folder_remove_tree(x->dir, &x->error);
    if (x->status == STATUS_OK && !x->drops)
        x->status = make(x, &x->error);
    if (x->status != STATUS_OK && !late)
        (void)folder_remove_tree(x->dir, NULL);
    pthread_mutex_unlock(&one_at_a_time);
}

// What the copy names stays as long as the copy does.
static void keep_files(const struct snapshot *x)
{
    bool newest = x->number == atomic_load(&x->node->snapshots);
    if (newest && x->node->queue != NULL && (x->drops || x->status != STATUS_OK))
        store_queue_keep_files(x->node->queue, false);
}

static void snapshot_done(void *arg)
{
    struct snapshot *x = arg;
    if (x->status != STATUS_OK)
        ipc_request_fail(x->request, &x->error);
    else if (x->drops)
        ipc_request_reply(x->request, NULL);
    else
        ipc_request_reply(x->request, json_pack("{s:I, s:I, s:I, s:I}", "objects", (json_int_t)x->made.objects, "files",
                                                (json_int_t)x->made.files, "fileBytes", (json_int_t)x->made.file_bytes,
                                                "bytes", (json_int_t)x->made.bytes));
    if (!x->drops)
        LOG(x->status == STATUS_OK ? LOG_INFO : LOG_WARN, "store.copied", LOG_INT("bytes", x->made.bytes),
            LOG_TEXT("code", x->status == STATUS_OK ? "" : x->error.code));
    keep_files(x);
    free(x->dir);
    free(x);
}

static void begin(struct ipc_request *r, struct node *n, bool drops)
{
    struct error e = {0};
    enum status status = STATUS_OK;
    if (n->queue == NULL && !drops)
        status = error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    struct snapshot *x = mem_alloc(sizeof *x);
    *x = (struct snapshot){.node = n, .request = r, .dir = node_path(n, "backup"), .drops = drops};
    x->number = atomic_fetch_add(&n->snapshots, drops ? 0 : 1) + (drops ? 0 : 1);
    x->status = error_set(&x->error, STATUS_CLOSED, "NOT-RUNNING", "the node is stopping");
    if (drops)
        atomic_store(&n->snapshot_unwanted, true);
    else if (status == STATUS_OK)
        store_queue_keep_files(n->queue, true);
    if (status == STATUS_OK && pool_submit(n->pool, snapshot_work, snapshot_done, x) == STATUS_OK)
        return;
    if (status == STATUS_OK)
        error_set(&e, STATUS_FULL, "BUSY", "the node has too much to do");
    ipc_request_fail(r, &e);
    free(x->dir);
    free(x);
}

static void make_one(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, false);
}

static void drop_all(struct ipc_request *r, void *ctx)
{
    begin(r, ctx, true);
}

void node_snapshots_register(struct node *n)
{
    ipc_service_on(n->service, "node.snapshot", make_one, n);
    ipc_service_on(n->service, "node.snapshot.drop", drop_all, n);
}
