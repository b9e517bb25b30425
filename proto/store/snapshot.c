// The copy is made over a connection of its own. Its read transaction begins first and lasts to the end, so that all
// of it is of that moment, however long it takes; in the log mode of the database nobody who writes waits for it.
#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"
#include "io/temp.h"
#include "store/dir.h"
#include "store/state.h"
#include "store/statements.h"

enum { PAGES_AT_A_TIME = 256, LINES_AT_A_TIME = 64 << 10, MARK_MAX = 64 };

struct copying {
    sqlite3 *from;
    sqlite3 *to;
    const atomic_bool *stop;
    struct store_snapshot *out;
};

static enum status failed(sqlite3 *db, const char *what, struct error *e)
{
    int rc = db != NULL ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    const char *why = db != NULL ? sqlite3_errmsg(db) : "out of memory";
    if ((rc & 0xff) == SQLITE_FULL)
        return error_set(e, STATUS_FULL, "DISK-FULL", "%s: %s", what, why);
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "%s: %s", what, why);
    return error_set(e, STATUS_IO, "IO", "%s: %s", what, why);
}

static enum status is_over(const struct copying *c, struct error *e)
{
    return atomic_load(c->stop) ? error_set(e, STATUS_CLOSED, "CLOSED", "nobody wants the copy any more") : STATUS_OK;
}

// What is copied is a throw-away file until it is whole.
static enum status open_both(struct copying *c, const char *dir, const char *database, struct error *e)
{
    struct buf path = {0};
    buf_printf(&path, "%s/store.db", dir);
    int rc = sqlite3_open_v2(buf_cstr(&path), &c->from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    buf_free(&path);
    if (rc != SQLITE_OK || sqlite3_exec(c->from, "PRAGMA trusted_schema = OFF; BEGIN; SELECT value FROM epoch", NULL,
                                        NULL, NULL) != SQLITE_OK)
        return failed(c->from, "cannot read the database", e);
    rc = sqlite3_open_v2(database, &c->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK ||
        sqlite3_exec(c->to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK)
        return failed(c->to, "cannot make a copy of the database", e);
    return STATUS_OK;
}

static enum status copy_pages(struct copying *c, struct error *e)
{
    sqlite3_backup *b = sqlite3_backup_init(c->to, "main", c->from, "main");
    enum status status = b != NULL ? STATUS_OK : failed(c->to, "cannot copy the database", e);
    int rc = SQLITE_OK;
    while (status == STATUS_OK && rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, PAGES_AT_A_TIME);
        status = is_over(c, e);
    }
    int finished = sqlite3_backup_finish(b);
    if (status == STATUS_OK && (rc != SQLITE_DONE || finished != SQLITE_OK))
        status = failed(c->to, "cannot copy the database", e);
    return status;
}

static enum status add_line(struct copying *c, sqlite3_stmt *st, struct buf *lines, struct error *e)
{
    struct hash hash;
    sqlite3_int64 size = sqlite3_column_int64(st, 1);
    if (!column_hash(st, 0, &hash) || size < 0)
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "the database has an object without a name");
    buf_printf(lines, "%s %lld\n", hash_text(&hash).s, (long long)size);
    c->out->files++;
    c->out->file_bytes += (uint64_t)size;
    return is_over(c, e);
}

static enum status write_lines(struct copying *c, struct temp *t, struct error *e)
{
    static const char sql[] = "SELECT hash, size FROM object o WHERE state = 0 AND NOT EXISTS(SELECT 1 FROM body b "
                              "WHERE b.seq = o.seq)";
    struct buf lines = {0};
    sqlite3_stmt *st = NULL;
    enum status status = STATUS_OK;
    int rc = sqlite3_prepare_v2(c->from, sql, -1, &st, NULL);
    while (status == STATUS_OK && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
            status = add_line(c, st, &lines, e);
        if (status == STATUS_OK && (rc != SQLITE_ROW || lines.len >= LINES_AT_A_TIME)) {
            status = temp_add(t, buf_span(&lines), e);
            buf_clear(&lines);
        }
    }
    if (status == STATUS_OK && rc != SQLITE_DONE)
        status = failed(c->from, "cannot list the files", e);
    sqlite3_finalize(st);
    buf_free(&lines);
    return status;
}

static enum status write_list(struct copying *c, const char *folder, const char *list, struct error *e)
{
    struct temp *t = NULL;
    enum status status = temp_create(folder, 0600, &t, e);
    if (status == STATUS_OK)
        status = write_lines(c, t, e);
    if (status == STATUS_OK)
        status = temp_publish(t, list, e);
    temp_destroy(t);
    return status;
}

static enum status measure(struct copying *c, const char *database, struct error *e)
{
    sqlite3_stmt *st = NULL;
    struct stat info;
    int rc = sqlite3_prepare_v2(c->from, "SELECT objects FROM total", -1, &st, NULL);
    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        c->out->objects = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (stat(database, &info) != 0)
        return error_errno(e, "cannot look at %s", database);
    c->out->bytes = (uint64_t)info.st_size;
    return STATUS_OK;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return mem_text((struct span){path, slash != NULL ? (size_t)(slash - path) : 0});
}

enum status store_snapshot(const char *dir, const char *database, const char *list, const atomic_bool *stop,
                           struct store_snapshot *out, struct error *e)
{
    struct copying c = {.stop = stop, .out = out};
    char *folder = folder_of(list);
    *out = (struct store_snapshot){0};
    enum status status = open_both(&c, dir, database, e);
    if (status == STATUS_OK)
        status = copy_pages(&c, e);
    if (status == STATUS_OK)
        status = write_list(&c, folder, list, e);
    if (status == STATUS_OK)
        status = measure(&c, database, e);
    sqlite3_close_v2(c.to);
    sqlite3_close_v2(c.from);
    free(folder);
    return status;
}

// ---- Afterwards -----------------------------------------------------------------------------------------------------

// What was done once is still done once, whenever that was; and the heads have no files yet.
static const char begin_anew[] = "BEGIN IMMEDIATE; UPDATE epoch SET value = random(); UPDATE op SET time = max(time, "
                                 "coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'op.age'), 0));";

static void read_mark(struct store *s, struct store_report *report)
{
    struct buf text = {0};
    char *mark = store_path(s, STORE_RESTORED);
    report->restored = file_exists(mark);
    if (report->restored && file_read(mark, MARK_MAX, &text, NULL) == STATUS_OK)
        report->restored_at = strtoll(buf_cstr(&text), NULL, 10);
    buf_free(&text);
    free(mark);
}

enum status snapshot_begin_epoch(struct store *s, struct store_report *report, struct error *e)
{
    read_mark(s, report);
    if (!report->restored)
        return STATUS_OK;
    enum status status = store_sql(s, begin_anew, e);
    if (status == STATUS_OK && s->kind == STORE_ARCHIVE)
        status = store_sql(s, "UPDATE head SET unsettled = 1", e);
    if (status == STATUS_OK)
        return store_sql(s, "COMMIT", e);
    if (!sqlite3_get_autocommit(s->main.db))
        (void)store_sql(s, "ROLLBACK", NULL);
    return status;
}

enum status store_forget_restored(struct store *s, struct error *e)
{
    char *mark = store_path(s, STORE_RESTORED);
    enum status status = file_remove(mark, e);
    free(mark);
    return status;
}
