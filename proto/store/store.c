#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "io/file.h"
#include "io/folder.h"
#include "store/internal.h"

static const char database_name[] = "store.db";
static const char settings[] =
    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
    "PRAGMA cache_size = -3072; PRAGMA secure_delete = FAST; PRAGMA foreign_keys = OFF;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216";
static const char snapshot_settings[] = "PRAGMA mmap_size = 0; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
                                        "PRAGMA trusted_schema = OFF";

char *store_path(const struct store *s, const char *format, ...)
{
    struct buf b = {0};
    buf_printf(&b, "%s/", s->dir);
    va_list ap;
    va_start(ap, format);
    char name[200];
    int n = vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    buf_add(&b, name, n > 0 && (size_t)n < sizeof name ? (size_t)n : 0);
    buf_cstr(&b);
    return b.data;
}

// The database asks after every commit whether to shorten its log; idle time is better for that (settle.c).
static int after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct store *s = arg;
    s->wal_pages = pages;
    if (pages > STORE_WAL_LIMIT)
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

// ---- Opening and closing --------------------------------------------------------------------------------------------

enum status database_open(struct store *s, bool may_create, struct error *e)
{
    char *path = store_path(s, "%s", database_name);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &s->main.db, flags, NULL);
    free(path);
    if (s->main.db == NULL)
        return error_set(e, STATUS_IO, "IO", "Cannot open the database of %s: %s", s->dir, sqlite3_errstr(rc));
    if (rc != SQLITE_OK)
        return store_sql_error(s, e);
    sqlite3_db_config(s->main.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_wal_hook(s->main.db, after_commit, s);
    enum status status = store_sql(s, settings, e);
    if (status == STATUS_OK)
        status = schema_check(s, may_create, e);
    if (status == STATUS_OK)
        status = schema_load(s, e);
    return status;
}

static void connection_close(struct connection *c)
{
    statements_close(c);
    sqlite3_close_v2(c->db);
    c->db = NULL;
}

void database_close(struct store *s)
{
    connection_close(&s->snapshot);
    connection_close(&s->main);
    types_free(s);
}

static bool snapshot_open(struct store *s)
{
    struct connection *c = &s->snapshot;
    if (c->db != NULL)
        return true;
    char *path = store_path(s, "%s", database_name);
    bool opened = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
                  sqlite3_exec(c->db, snapshot_settings, NULL, NULL, NULL) == SQLITE_OK;
    free(path);
    if (!opened)
        connection_close(c);
    return opened;
}

static enum status versions_read(void *ctx, const struct hash *hash, struct arena *a, struct span *text,
                                 struct error *e)
{
    return store_get(ctx, hash, a, text, e);
}

static enum status versions_write(void *ctx, const struct object *o, struct error *e)
{
    struct store *s = ctx;
    s->making = true;
    enum status status = store_put(s, o, NULL, e);
    s->making = false;
    return status;
}

static enum status versions_head(void *ctx, const struct hash *id_hash, struct hash *node, struct error *e)
{
    return store_head(ctx, id_hash, node, e);
}

static enum status versions_set_head(void *ctx, const struct hash *id_hash, const struct hash *node, struct error *e)
{
    return heads_set(ctx, id_hash, node, e);
}

static void versions_lost(void *ctx, const struct version_loss *loss)
{
    changes_add_loss(ctx, loss);
}

static bool versions_links(void *ctx, const struct hash *hash, struct hash_list *targets, struct hash *same_type)
{
    struct store *s = ctx;
    struct object_row row;
    struct child_rows links = {0};
    bool found;
    *same_type = (struct hash){{0}};
    bool known = object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.type != NULL &&
                 links_load(s, row.seq, &links, NULL) == STATUS_OK;
    for (size_t i = 0; known && i < links.count; i++) {
        hash_list_add(targets, &links.items[i].target);
        if (links.items[i].row.type == row.type)
            *same_type = links.items[i].target;
    }
    free(links.items);
    return known;
}

static struct store *create(const struct store_options *options)
{
    struct store *s = mem_alloc(sizeof *s);
    s->in_use = &s->main;
    s->dir = mem_text(span_of(options->dir));
    s->kind = options->kind;
    s->op_age = -1;
    s->recipes = options->recipes;
    s->versions = (struct version_source){.ctx = s,
                                          .recipes = s->recipes,
                                          .marks = list_marks_create(),
                                          .read = versions_read,
                                          .write = versions_write,
                                          .head = versions_head,
                                          .set_head = versions_set_head,
                                          .lost = versions_lost,
                                          .links = versions_links};
    access_events_create(s);
    s->withheld = hash_map_create();
    s->needed = hash_map_create();
    return s;
}

static enum status take_lock(struct store *s, struct error *e)
{
    char *path = store_path(s, "lock");
    struct error why = {0};
    enum status status = lock_acquire(path, &s->lock, &why);
    free(path);
    if (status == STATUS_CONFLICT)
        return error_set(e, status, "STORE-LOCKED", "The store in %s is in use: %.200s", s->dir, why.message);
    return status == STATUS_OK ? status : error_set(e, status, why.code, "%s", why.message);
}

static enum status stop_at_first(const struct folder_file *file, void *arg, struct error *e)
{
    (void)file;
    (void)arg;
    (void)e;
    return STATUS_EXISTS;
}

// A folder that holds objects had a database once, whatever became of it.
static bool has_objects(const struct store *s)
{
    char *path = store_path(s, "objects");
    bool any = folder_walk(path, stop_at_first, NULL, NULL) == STATUS_EXISTS;
    free(path);
    return any;
}

// Opens the database, or makes it anew from the files when it is damaged, empty or gone.
static enum status open_or_recover(struct store *s, struct store_report *report, struct error *e)
{
    bool marked;
    bool damaged;
    enum status status = store_check_format(s->dir, &marked, &damaged, e);
    if (status != STATUS_OK)
        return status;
    char *path = store_path(s, "%s", database_name);
    bool there = file_exists(path);
    bool known = marked || has_objects(s);
    status = STATUS_CORRUPT;
    if ((there || !known) && !recover_is_needed(s))
        status = database_open(s, !known, e);
    bool foreign = status == STATUS_OK && place_is_foreign(s);
    if (status == STATUS_CORRUPT || foreign) {
        status = recover_database(s, foreign, report, e);
        report->rebuilt = true;
    }
    report->created = !known && !report->rebuilt;
    if (status == STATUS_OK && (!marked || damaged))
        status = store_write_format(s->dir, e);
    if (s->stays_long && report->note[0] == '\0')
        snprintf(report->note, sizeof report->note,
                 "There was no room to write the database anew, so that it cannot "
                 "get shorter when something is deleted; the next start tries again");
    if (damaged && report->note[0] == '\0')
        snprintf(report->note, sizeof report->note, "The file 'format' of the store was damaged and was written anew");
    free(path);
    return status;
}

enum status store_open(const struct store_options *options, struct store **out, struct store_report *report,
                       struct error *e)
{
    struct store_report ignored;
    if (report == NULL)
        report = &ignored;
    memset(report, 0, sizeof *report);
    *out = NULL;
    struct store *s = create(options);
    enum status status = folder_create(s->dir, 0700, e);
    if (status == STATUS_OK)
        status = place_clear(s, report, e);
    if (status == STATUS_OK)
        status = take_lock(s, e);
    if (status == STATUS_OK)
        status = place_folders(s, e);
    if (status == STATUS_OK && options->rebuild)
        recover_mark_needed(s);
    if (status == STATUS_OK)
        status = open_or_recover(s, report, e);
    if (status == STATUS_OK)
        status = snapshot_begin_epoch(s, report, e);
    if (status == STATUS_OK)
        status = place_recover(s, &report->repaired, e);
    if (status == STATUS_OK)
        status = recover_recipes(s, e);
    if (status != STATUS_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    if (s->in_transaction)
        store_rollback(s);
    database_close(s);
    for (size_t i = 0; i < VERIFY_SLOTS; i++)
        sha256_destroy(s->slots[i].sha);
    access_events_destroy(s);
    withheld_destroy(s);
    list_marks_destroy(s->versions.marks);
    hash_list_free(&s->arrivals);
    hash_map_destroy(s->needed);
    hash_list_free(&s->damaged);
    changes_free(s->changes, s->change_count);
    free(s->marks);
    lock_release(s->lock);
    free(s->dir);
    free(s);
}

enum store_kind store_kind(const struct store *s)
{
    return s->kind;
}

const struct recipes *store_recipes(const struct store *s)
{
    return s->recipes;
}

enum status store_add_recipe(struct store *s, const struct value *recipe, struct error *e)
{
    return recipes_add(s->recipes, recipe, e);
}

const struct version_source *store_versions(struct store *s)
{
    return &s->versions;
}

void store_set_hook(struct store *s, store_hook hook, void *ctx)
{
    s->hook = hook;
    s->hook_ctx = ctx;
}

// ---- Transactions ---------------------------------------------------------------------------------------------------

// Some failures, like a full disk, make SQLite roll back the whole transaction by itself.
bool store_gave_up(const struct store *s)
{
    return s->in_transaction && sqlite3_get_autocommit(s->main.db);
}

enum status store_need_transaction(const struct store *s, struct error *e)
{
    bool writing = s->in_transaction && !store_is_snapshot(s);
    if (writing && !store_gave_up(s))
        return STATUS_OK;
    if (writing)
        return error_set(e, s->main.last_error.status, s->main.last_error.code, "%s", s->main.last_error.message);
    return error_set(e, STATUS_INTERNAL, "NO-TRANSACTION", "The store is written outside of a transaction");
}

static void push_mark(struct store *s)
{
    s->marks = mem_resize(s->marks, (s->mark_count + 1) * sizeof *s->marks);
    s->marks[s->mark_count++] = (struct mark){.access_events = access_events_count(s),
                                              .changes = s->change_count,
                                              .announced = s->announced,
                                              .arrivals = s->arrivals.count,
                                              .types = s->types.stored,
                                              .next_seq = s->next_seq,
                                              .totals = s->totals};
}

// Forgets in memory what the database forgets: back to the newest mark, which is dropped.
static void pop_mark(struct store *s)
{
    const struct mark *m = &s->marks[--s->mark_count];
    changes_drop(s, m->changes);
    s->announced = m->announced;
    s->types.stored = m->types;
    s->next_seq = m->next_seq;
    s->totals = m->totals;
    place_rollback(s, m->arrivals);
}

enum status store_begin(struct store *s, struct error *e)
{
    if (s->failed)
        return error_set(e, STATUS_IO, "STORE-FAILED", "The store in %s could not be made durable; open it again",
                         s->dir);
    if (s->in_transaction)
        return error_set(e, STATUS_INTERNAL, "NO-TRANSACTION", "A transaction is open already");
    enum status status = statement_run(s, statement(s, SQL_BEGIN), e);
    if (status != STATUS_OK)
        return status;
    s->in_transaction = true;
    memset(&s->transaction_load, 0, sizeof s->transaction_load);
    changes_drop(s, 0);
    s->announced = 0;
    push_mark(s);
    return STATUS_OK;
}

bool store_is_snapshot(const struct store *s)
{
    return s->in_use == &s->snapshot;
}

bool store_begin_reading(struct store *s)
{
    if (s->in_transaction && !snapshot_open(s))
        return false;
    if (s->in_transaction)
        s->in_use = &s->snapshot;
    (void)statement_run(s, statement(s, SQL_BEGIN_READING), NULL);
    return true;
}

// A statement that somebody left in the middle would keep the connection at this state of the database.
void store_end_reading(struct store *s)
{
    statements_reset(s);
    if (!sqlite3_get_autocommit(s->in_use->db))
        (void)statement_run(s, statement(s, SQL_COMMIT), NULL);
    s->in_use = &s->main;
}

static enum status save_totals(struct store *s, struct error *e)
{
    if (s->next_seq == s->marks[0].next_seq && s->totals.objects == s->marks[0].totals.objects &&
        s->totals.bytes == s->marks[0].totals.bytes)
        return STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_TOTAL_SET);
    sqlite3_bind_int64(st, 1, (int64_t)s->totals.objects);
    sqlite3_bind_int64(st, 2, (int64_t)s->totals.bytes);
    sqlite3_bind_int64(st, 3, s->next_seq);
    return statement_run(s, st, e);
}

enum status store_commit(struct store *s, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = objects_want_damaged(s, e);
    if (status == STATUS_OK)
        status = save_totals(s, e);
    if (status == STATUS_OK)
        status = statement_run(s, statement(s, SQL_COMMIT), e);
    if (status != STATUS_OK) {
        store_rollback(s);
        return status;
    }
    s->in_transaction = false;
    s->mark_count = 0;
    place_commit(s);
    return STATUS_OK;
}

void store_rollback(struct store *s)
{
    if (!s->in_transaction)
        return;
    if (!sqlite3_get_autocommit(s->main.db))
        (void)statement_run(s, statement(s, SQL_ROLLBACK), NULL);
    while (s->mark_count != 0)
        pop_mark(s);
    s->in_transaction = false;
}

enum status store_savepoint(struct store *s, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = statement_run(s, statement(s, SQL_SAVEPOINT), e);
    if (status == STATUS_OK)
        push_mark(s);
    return status;
}

enum status store_release(struct store *s, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = statement_run(s, statement(s, SQL_RELEASE), e);
    if (status == STATUS_OK)
        s->mark_count--;
    return status;
}

void store_undo(struct store *s)
{
    if (s->mark_count < 2)
        return;
    pop_mark(s);
    if (sqlite3_get_autocommit(s->main.db))
        return; // the whole transaction is gone, which store_commit will find
    (void)statement_run(s, statement(s, SQL_UNDO), NULL);
    (void)statement_run(s, statement(s, SQL_RELEASE), NULL);
}
