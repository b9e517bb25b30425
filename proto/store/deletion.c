// What was deleted, and how its bytes leave the disk.
//
// The transaction that deletes notes each name in the table gone. Whenever there is nothing else to do, the files of
// these are removed, the pages they had in the database given back to the file system, and the log of the database,
// which still has them, emptied; then the names are dropped from the table. A crash on the way makes it begin anew.
#include "store/deletion.h"
#include "base/log.h"
#include "store/database.h"
#include "store/place.h"
#include "store/provenance.h"
#include "store/rows.h"
#include "store/state.h"
#include "store/statements.h"
#include "store/tree.h"

enum { FILES = 256, PAGES = 512, NEEDED_MAX = 4096 };

bool store_is_deleted(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    return object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.state == STATE_DELETED;
}

bool store_need_again(struct store *s, const struct hash *hash)
{
    return hash_map_count(s->needed) < NEEDED_MAX && hash_map_add(s->needed, hash);
}

bool deletion_stays(const struct store *s, const struct object_row *row, const struct hash *hash)
{
    if (row->state != STATE_DELETED || row->part)
        return false;
    bool is_ours = (hash_is_zero(&s->sender) || s->making) && !s->recovering;
    return !is_ours && !hash_map_has(s->needed, hash);
}

enum status store_is_held(struct store *s, const struct hash *hash, const struct hash *self, const struct hash *own,
                          bool *held, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_HELD);
    bind_hash(st, 1, hash);
    bind_hash(st, 2, self);
    bind_hash(st, 3, own);
    enum status status = statement_step(s, st, held, e);
    sqlite3_reset(st);
    return status;
}

enum status deletion_note_gone(struct store *s, const struct hash *hash, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_GONE_ADD);
    bind_hash(st, 1, hash);
    return statement_run(s, st, e);
}

static enum status remove_rest(struct store *s, const struct hash *hash, int64_t seq, struct error *e)
{
    static const enum statement_id by_seq[] = {SQL_BODY_REMOVE, SQL_BROUGHT_REMOVE, SQL_LINK_REMOVE};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof by_seq / sizeof *by_seq; i++) {
        sqlite3_stmt *st = statement(s, by_seq[i]);
        sqlite3_bind_int64(st, 1, seq);
        status = statement_run(s, st, e);
    }
    sqlite3_stmt *st = statement(s, SQL_WANTED_FORGET);
    bind_hash(st, 1, hash);
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    return status == STATUS_OK ? deletion_note_gone(s, hash, e) : status;
}

enum status store_delete(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found = false;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || (found && row.state == STATE_DELETED && !row.part))
        return status;
    s->totals.objects -= found && row.state < STATE_WANTED;
    s->totals.bytes -= found && row.state == STATE_PRESENT ? row.size : 0;
    row.state = STATE_DELETED;
    row.tree = TREE_DELIVERABLE;
    row.part = false;
    hash_map_remove(s->needed, hash);
    status = object_row_set(s, hash, found, &row, e);
    if (status == STATUS_OK && found)
        status = remove_rest(s, hash, row.seq, e);
    return status == STATUS_OK ? tree_arrived(s, hash, e) : status; // who lacked it lacks nothing now
}

enum status store_delete_id(struct store *s, const struct hash *id_hash, struct error *e)
{
    struct hash_list hashes = {0};
    sqlite3_stmt *st = statement(s, SQL_OBJECT_VERSIONS);
    bind_hash(st, 1, id_hash);
    enum status status = statement_hashes(s, st, &hashes, e);
    st = statement(s, SQL_HEAD_REMOVE);
    bind_hash(st, 1, id_hash);
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    for (size_t i = 0; status == STATUS_OK && i < hashes.count; i++)
        status = store_delete(s, &hashes.items[i], e);
    hash_list_free(&hashes);
    return status;
}

enum status store_given_by(struct store *s, const struct hash *person, int64_t *after, size_t limit,
                           struct hash_list *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_GIVEN);
    sqlite3_bind_int64(st, 1, provenance_source(person));
    sqlite3_bind_int64(st, 2, *after);
    sqlite3_bind_int64(st, 3, (int64_t)limit);
    return statement_numbered_hashes(s, st, after, out, e);
}

enum status store_undelete(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found = false;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state != STATE_DELETED)
        return status;
    row.state = STATE_WANTED;
    row.type = NULL; // its links are gone
    row.part = true; // whoever sent it may have deleted it, too
    status = object_row_set(s, hash, true, &row, e);
    return status == STATUS_OK ? tree_lost(s, hash, e) : status;
}

enum status store_note_gap(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found = false;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    bool is_lost = found && row.state == STATE_WANTED && !row.part; // it was here, and is looked for
    if (status != STATUS_OK || (found && row.state < STATE_WANTED) || is_lost)
        return status;
    row.state = STATE_DELETED;
    row.tree = TREE_DELIVERABLE;
    row.part = true;
    status = object_row_set(s, hash, found, &row, e);
    return status == STATUS_OK ? tree_arrived(s, hash, e) : status;
}

// ---- What is not shown ----------------------------------------------------------------------------------------------

enum status store_hide(struct store *s, const struct hash *hash, bool *is_new, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *st = statement(s, SQL_HIDDEN_ADD);
    bind_hash(st, 1, hash);
    sqlite3_bind_int(st, 2, 1);
    status = statement_run(s, st, e);
    if (is_new != NULL)
        *is_new = status == STATUS_OK && sqlite3_changes(s->main.db) != 0;
    return status;
}

bool store_is_hidden(struct store *s, const struct hash *hash)
{
    bool hidden;
    sqlite3_stmt *st = statement(s, SQL_HIDDEN_HAS);
    bind_hash(st, 1, hash);
    (void)statement_step(s, st, &hidden, NULL);
    sqlite3_reset(st);
    return hidden;
}

enum status store_hidden_kept(struct store *s, const struct hash *after, size_t limit, struct hash_list *out,
                              struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_HIDDEN_KEPT);
    bind_hash(st, 1, after);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    return statement_hashes(s, st, out, e);
}

static enum status set_kept(struct store *s, const struct hash *hash, bool kept, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_HIDDEN_KEEP);
    bind_hash(st, 1, hash);
    sqlite3_bind_int(st, 2, kept);
    return statement_run(s, st, e);
}

enum status store_hidden_done(struct store *s, const struct hash *hash, struct error *e)
{
    return set_kept(s, hash, false, e);
}

enum status store_hidden_again(struct store *s, const struct hash *hash, struct error *e)
{
    return set_kept(s, hash, true, e);
}

// ---- The bytes ------------------------------------------------------------------------------------------------------

static enum status next_gone(struct store *s, struct hash_list *out, int64_t *last, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_GONE_LIST);
    sqlite3_bind_int64(st, 1, s->cleared);
    sqlite3_bind_int(st, 2, FILES);
    *last = s->cleared;
    return statement_numbered_hashes(s, st, last, out, e);
}

static enum status remove_files(struct store *s, bool *any, struct error *e)
{
    struct hash_list gone = {0};
    int64_t last;
    enum status status = next_gone(s, &gone, &last, e);
    *any = status == STATUS_OK && last != s->cleared;
    for (size_t i = 0; i < gone.count && status == STATUS_OK; i++)
        if (store_presence(s, &gone.items[i]) != STORE_PRESENT && // it may have come back
            place_remove(s, &gone.items[i], &s->unremoved) != STATUS_OK)
            LOG(LOG_WARN, "store.unremoved", LOG_HASH("hash", &gone.items[i]), LOG_TEXT("why", s->unremoved.message));
    if (status == STATUS_OK)
        s->cleared = last;
    hash_list_free(&gone);
    return status;
}

static enum status count_free_pages(struct store *s, int64_t *pages, struct error *e)
{
    sqlite3_stmt *st = NULL;
    bool row;
    sqlite3_prepare_v2(s->main.db, "PRAGMA freelist_count", -1, &st, NULL);
    enum status status = statement_step(s, st, &row, e);
    *pages = row ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return status;
}

// *any: it got shorter, and may get shorter still.
static enum status shorten(struct store *s, bool *any, struct error *e)
{
    int64_t before;
    int64_t after = 0;
    char sql[48];
    enum status status = count_free_pages(s, &before, e);
    *any = false;
    if (status != STATUS_OK || before == 0)
        return status;
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA incremental_vacuum(%d)", PAGES);
    status = store_sql(s, sql, e);
    if (status == STATUS_OK)
        status = count_free_pages(s, &after, e);
    *any = status == STATUS_OK && after < before;
    return status;
}

// Files that could not be removed are tried again with all the others, after whatever is stored next.
static enum status begin_again(struct store *s, struct error *e)
{
    struct error why = s->unremoved;
    s->cleared = 0;
    error_clear(&s->unremoved);
    return error_set(e, why.status, why.code, "%s", why.message);
}

enum status deletion_clear(struct store *s, bool *more, struct error *e)
{
    if (atomic_load(&s->files_kept))
        return STATUS_OK;
    enum status status = remove_files(s, more, e);
    if (status != STATUS_OK || *more || s->cleared == 0)
        return status;
    status = shorten(s, more, e);
    if (status != STATUS_OK || *more)
        return status;
    if (s->unremoved.status != STATUS_OK)
        return begin_again(s, e);
    sqlite3_stmt *st = statement(s, SQL_GONE_REMOVE);
    sqlite3_bind_int64(st, 1, s->cleared);
    status = statement_run(s, st, e);
    if (status != STATUS_OK)
        return status;
    s->cleared = 0;
    (void)sqlite3_wal_checkpoint_v2(s->main.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return STATUS_OK;
}
