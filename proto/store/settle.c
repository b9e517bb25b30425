// Background work: moves bodies and heads of the archive from the database into files, and keeps the log of the
// database short. Bodies go first and heads after them, so that the files alone always make sense; a row goes only
// after its file is durable under its final name.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "io/folder.h"
#include "io/temp.h"
#include "store/deletion.h"
#include "store/dir.h"
#include "store/op.h"
#include "store/place.h"
#include "store/settle.h"
#include "store/state.h"
#include "store/statements.h"

enum {
    SETTLE_FILES = 256, // per batch
    SETTLE_BYTES = 4 << 20,
    SYNC_THREADS = 15,       // besides the one that asks
    CHECKPOINT_PAGES = 1000, // of the write-ahead log, when idle
};

struct settled {      // a file on its way
    int64_t seq;      // of a body
    struct hash hash; // object, or id of a head
    struct hash node; // of a head
    struct span bytes;
    char *path;
    struct temp *temp;
};

struct settle_batch {
    struct settled items[SETTLE_FILES];
    size_t count;
    size_t bytes;
    bool heads; // heads, not bodies
    char *tmp;  // folder of temporary files
    struct arena *arena;
};

static void batch_free(struct settle_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        temp_destroy(b->items[i].temp);
        free(b->items[i].path);
    }
    arena_destroy(b->arena);
    free(b->tmp);
    free(b);
}

// ---- Collecting -----------------------------------------------------------------------------------------------------

static bool is_full(const struct settle_batch *b)
{
    return b->count == SETTLE_FILES || b->bytes >= SETTLE_BYTES;
}

static void collect_body(struct store *s, sqlite3_stmt *st, struct settle_batch *b)
{
    struct settled *item = &b->items[b->count++];
    item->seq = sqlite3_column_int64(st, 0);
    (void)column_hash(st, 1, &item->hash);
    item->bytes = arena_copy(b->arena, column_bytes(st, 2));
    item->path = place_settled(s, &item->hash);
    b->bytes += item->bytes.len;
}

static void collect_head(struct store *s, sqlite3_stmt *st, struct settle_batch *b)
{
    struct settled *item = &b->items[b->count++];
    (void)column_hash(st, 0, &item->hash);
    (void)column_hash(st, 1, &item->node);
    item->bytes = arena_copy(b->arena, span_of(hash_text(&item->node).s));
    item->path = place_head(s, &item->hash);
}

static enum status collect(struct store *s, struct settle_batch *b, struct error *e)
{
    sqlite3_stmt *st = statement(s, b->heads ? SQL_HEAD_UNSETTLED : SQL_BODY_NEXT);
    sqlite3_bind_int(st, 1, SETTLE_FILES);
    enum status status = STATUS_OK;
    bool row = true;
    while (status == STATUS_OK && row && !is_full(b)) {
        status = statement_step(s, st, &row, e);
        if (row && b->heads)
            collect_head(s, st, b);
        else if (row)
            collect_body(s, st, b);
    }
    sqlite3_reset(st);
    return status;
}

enum status settle_collect(struct store *s, struct settle_batch **out, struct error *e)
{
    *out = NULL;
    if (s->kind != STORE_ARCHIVE)
        return STATUS_OK;
    struct settle_batch *b = mem_alloc(sizeof *b);
    b->tmp = store_path(s, "tmp");
    b->arena = arena_create();
    enum status status = collect(s, b, e);
    if (status == STATUS_OK && b->count == 0) {
        b->heads = true;
        status = collect(s, b, e);
    }
    if (status == STATUS_OK && b->count != 0)
        *out = b;
    else
        batch_free(b);
    return status;
}

// ---- Writing --------------------------------------------------------------------------------------------------------

static enum status write_temp(struct settle_batch *b, struct settled *item, struct error *e)
{
    enum status status = temp_create(b->tmp, 0600, &item->temp, e);
    if (status == STATUS_OK)
        status = temp_add(item->temp, item->bytes, e);
    if (status == STATUS_OK)
        temp_flush(item->temp);
    return status;
}

typedef enum status (*sync_fn)(const struct settle_batch *b, size_t i, struct error *e);

static enum status sync_content(const struct settle_batch *b, size_t i, struct error *e)
{
    return temp_sync(b->items[i].temp, e);
}

// Of several files in one folder, the first does it for all.
static enum status sync_folder(const struct settle_batch *b, size_t i, struct error *e)
{
    size_t len = (size_t)(strrchr(b->items[i].path, '/') - b->items[i].path);
    for (size_t k = 0; k < i; k++)
        if (strncmp(b->items[k].path, b->items[i].path, len + 1) == 0)
            return STATUS_OK;
    char *folder = mem_text((struct span){b->items[i].path, len});
    enum status status = folder_sync(folder, e);
    free(folder);
    return status;
}

// Syncs that wait at the same time share a commit of the file system's journal. Syncing the whole file system instead
// would wait for the bytes of every neighbour on the disk.
struct syncing {
    const struct settle_batch *batch;
    sync_fn sync;
    atomic_size_t next;
    pthread_mutex_t lock;
    enum status status;
    struct error error;
};

static void *sync_some(void *arg)
{
    struct syncing *y = arg;
    size_t i;
    while ((i = atomic_fetch_add(&y->next, 1)) < y->batch->count) {
        struct error e = {0};
        enum status status = y->sync(y->batch, i, &e);
        if (status == STATUS_OK)
            continue;
        pthread_mutex_lock(&y->lock);
        y->status = status;
        y->error = e;
        pthread_mutex_unlock(&y->lock);
        break;
    }
    return NULL;
}

static enum status sync_all(const struct settle_batch *b, sync_fn sync, struct error *e)
{
    struct syncing y = {.batch = b, .sync = sync, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[SYNC_THREADS];
    size_t count = 0;
    while (count < SYNC_THREADS && count + 1 < b->count && pthread_create(&threads[count], NULL, sync_some, &y) == 0)
        count++;
    sync_some(&y);
    while (count != 0)
        pthread_join(threads[--count], NULL);
    if (y.status != STATUS_OK && e != NULL)
        *e = y.error;
    return y.status;
}

static enum status publish(struct settle_batch *b, struct error *e)
{
    enum status status = STATUS_OK;
    bool made = false;
    for (size_t i = 0; i < b->count && status == STATUS_OK; i++) {
        status = place_prepare(b->items[i].path, &made, e);
        if (status == STATUS_OK)
            status = temp_publish(b->items[i].temp, b->items[i].path, e);
    }
    if (status != STATUS_OK || !made)
        return status;
    char *above = place_above(b->items[0].path);
    status = folder_sync(above, e);
    free(above);
    return status;
}

enum status settle_write(struct settle_batch *b, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < b->count && status == STATUS_OK; i++)
        status = write_temp(b, &b->items[i], e);
    if (status == STATUS_OK)
        status = sync_all(b, sync_content, e);
    if (status == STATUS_OK)
        status = publish(b, e);
    return status == STATUS_OK ? sync_all(b, sync_folder, e) : status;
}

// ---- Noting ---------------------------------------------------------------------------------------------------------

static enum status note(struct store *s, const struct settle_batch *b, const struct settled *item, struct error *e)
{
    sqlite3_stmt *st = statement(s, b->heads ? SQL_HEAD_SETTLED : SQL_BODY_REMOVE);
    if (b->heads) {
        bind_hash(st, 1, &item->hash);
        bind_hash(st, 2, &item->node);
    } else {
        sqlite3_bind_int64(st, 1, item->seq);
    }
    enum status status = statement_run(s, st, e);
    bool deleted = !b->heads && sqlite3_changes(s->main.db) == 0; // while its file was written
    return status == STATUS_OK && deleted ? deletion_note_gone(s, &item->hash, e) : status;
}

enum status settle_finish(struct store *s, struct settle_batch *b, enum status written, struct error *e)
{
    enum status status = written;
    if (status == STATUS_OK)
        status = store_begin(s, e);
    for (size_t i = 0; i < b->count && status == STATUS_OK; i++)
        status = note(s, b, &b->items[i], e);
    if (status == STATUS_OK)
        status = store_commit(s, e);
    else
        store_rollback(s);
    batch_free(b);
    return status;
}

// ---- Upkeep ---------------------------------------------------------------------------------------------------------

// What was found out while reading: damaged objects become wanted, so that a peer that holds them is asked for them.
static enum status keep_findings(struct store *s, struct error *e)
{
    if (s->damaged.count == 0 && s->note_count == 0)
        return STATUS_OK;
    enum status status = store_begin(s, e);
    return status == STATUS_OK ? store_commit(s, e) : status;
}

enum status settle_upkeep(struct store *s, int64_t now_ms, bool *more, struct error *e)
{
    *more = false;
    enum status status = keep_findings(s, e);
    if (status == STATUS_OK)
        status = op_expire(s, now_ms, e);
    if (status == STATUS_OK)
        status = deletion_clear(s, more, e);
    if (status != STATUS_OK || s->wal_pages <= CHECKPOINT_PAGES)
        return status;
    s->wal_pages = 0;
    if (sqlite3_wal_checkpoint_v2(s->main.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
        return store_sql_error(s, e);
    return STATUS_OK;
}

enum status store_maintain(struct store *s, int64_t now_ms, bool *more, struct error *e)
{
    struct settle_batch *b;
    *more = false;
    if (s->in_transaction)
        return error_set(e, STATUS_INTERNAL, "NO-TRANSACTION", "The store is maintained inside of a transaction");
    enum status status = settle_collect(s, &b, e);
    if (status != STATUS_OK || b == NULL)
        return status == STATUS_OK ? settle_upkeep(s, now_ms, more, e) : status;
    enum status written = settle_write(b, e);
    status = settle_finish(s, b, written, e);
    *more = status == STATUS_OK;
    return status;
}
