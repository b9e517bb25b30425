// Background work: moves bodies and heads of the archive from the database into files, and keeps the log of the
// database short. A step is small, so that jobs do not wait long behind it.
#include <stdlib.h>
#include <string.h>

#include "io/folder.h"
#include "io/temp.h"
#include "store/internal.h"

enum {
    SETTLE_STEP = 64,        // files per step
    CHECKPOINT_PAGES = 1000, // of the write-ahead log, when idle
    OP_EXPIRY_MS = 60 * 60 * 1000,
};

struct settled { // a file on its way
    int64_t seq;
    struct hash hash; // object, or id of a head
    struct hash node; // of a head
    struct temp *temp;
    char *path;
};

struct batch {
    struct settled items[SETTLE_STEP];
    size_t count;
};

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        temp_destroy(b->items[i].temp);
        free(b->items[i].path);
    }
    free(b);
}

static enum status write_one(struct store *s, struct settled *item, struct span bytes, struct error *e)
{
    char *folder = store_path(s, "tmp");
    enum status status = temp_create(folder, 0600, &item->temp, e);
    if (status == STATUS_OK)
        status = temp_add(item->temp, bytes, e);
    if (status == STATUS_OK)
        temp_flush(item->temp);
    free(folder);
    return status;
}

static enum status sync_folder_once(const struct batch *b, size_t i, struct error *e)
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

// Everything durable under its temporary name, then renamed, then the folders: after a crash a name means a whole file.
static enum status publish(struct store *s, struct batch *b, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < b->count && status == STATUS_OK; i++)
        status = temp_sync(b->items[i].temp, e);
    for (size_t i = 0; i < b->count && status == STATUS_OK; i++) {
        status = place_prepare(s, b->items[i].path, e);
        if (status == STATUS_OK)
            status = temp_publish(b->items[i].temp, b->items[i].path, e);
    }
    for (size_t i = 0; i < b->count && status == STATUS_OK; i++)
        status = sync_folder_once(b, i, e);
    return status;
}

static enum status write_bodies(struct store *s, struct batch *b, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BODY_NEXT);
    sqlite3_bind_int(st, 1, SETTLE_STEP);
    enum status status;
    for (;;) {
        bool row;
        status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            break;
        struct settled *item = &b->items[b->count++];
        item->seq = sqlite3_column_int64(st, 0);
        (void)column_hash(st, 1, &item->hash);
        item->path = place_settled(s, &item->hash);
        status = write_one(s, item, column_bytes(st, 2), e);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_reset(st);
    return status;
}

static enum status write_heads(struct store *s, struct batch *b, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_HEAD_UNSETTLED);
    sqlite3_bind_int(st, 1, SETTLE_STEP);
    enum status status;
    for (;;) {
        bool row;
        status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            break;
        struct settled *item = &b->items[b->count++];
        (void)column_hash(st, 0, &item->hash);
        (void)column_hash(st, 1, &item->node);
        item->path = place_head(s, &item->hash);
        struct hash_text text = hash_text(&item->node);
        status = write_one(s, item, (struct span){text.s, HASH_HEX}, e);
        if (status != STATUS_OK)
            break;
    }
    sqlite3_reset(st);
    return status;
}

static enum status forget_body(struct store *s, const struct settled *item, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BODY_REMOVE);
    sqlite3_bind_int64(st, 1, item->seq);
    return statement_run(s, st, e);
}

static enum status note_head(struct store *s, const struct settled *item, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_HEAD_SETTLED);
    bind_hash(st, 1, &item->hash);
    bind_hash(st, 2, &item->node);
    return statement_run(s, st, e);
}

typedef enum status (*settle_write)(struct store *s, struct batch *b, struct error *e);
typedef enum status (*settle_note)(struct store *s, const struct settled *item, struct error *e);

static enum status settle(struct store *s, settle_write write, settle_note note, size_t *count, struct error *e)
{
    struct batch *b = mem_alloc(sizeof *b);
    enum status status = write(s, b, e);
    *count = b->count;
    if (status == STATUS_OK && b->count != 0) {
        status = publish(s, b, e);
        if (status == STATUS_OK)
            status = store_begin(s, e);
        for (size_t i = 0; i < b->count && status == STATUS_OK; i++)
            status = note(s, &b->items[i], e);
        if (status == STATUS_OK)
            status = store_commit(s, e);
        else
            store_rollback(s);
    }
    batch_free(b);
    return status;
}

// Heads follow the objects they lead to, so that the files alone always make sense.
static enum status settle_some(struct store *s, bool *more, struct error *e)
{
    size_t count = 0;
    *more = false;
    if (s->kind != STORE_ARCHIVE)
        return STATUS_OK;
    enum status status = settle(s, write_bodies, forget_body, &count, e);
    if (status == STATUS_OK && count == 0)
        status = settle(s, write_heads, note_head, &count, e);
    *more = status == STATUS_OK && count != 0;
    return status;
}

static enum status expire_operations(struct store *s, int64_t now_ms, struct error *e)
{
    if (now_ms - s->expired_at < OP_EXPIRY_MS)
        return STATUS_OK;
    s->expired_at = now_ms;
    sqlite3_stmt *st = statement(s, SQL_OP_EXPIRE);
    sqlite3_bind_int64(st, 1, now_ms - STORE_OP_AGE_MS);
    return statement_run(s, st, e);
}

enum status store_maintain(struct store *s, int64_t now_ms, bool *more, struct error *e)
{
    *more = false;
    if (s->in_transaction)
        return error_set(e, STATUS_INTERNAL, "NO-TRANSACTION", "The store is maintained inside of a transaction");
    enum status status = settle_some(s, more, e);
    if (status == STATUS_OK && !*more)
        status = expire_operations(s, now_ms, e);
    if (status == STATUS_OK && !*more && s->wal_pages > CHECKPOINT_PAGES) {
        s->wal_pages = 0;
        if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
            status = store_sql_error(s, e);
    }
    return status;
}
