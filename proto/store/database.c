// The two ways into the database: one writes, the other reads what is committed while the first has a transaction open.
#include <stdlib.h>

#include "store/database.h"
#include "store/dir.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

enum { WAL_LIMIT = 16000 }; // pages; a busy store checkpoints here, an idle one much earlier

static const char settings[] =
    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
    "PRAGMA cache_size = -3072; PRAGMA secure_delete = FAST; PRAGMA foreign_keys = OFF;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216";

static const char snapshot_settings[] = "PRAGMA mmap_size = 0; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
                                        "PRAGMA trusted_schema = OFF";

char *database_path(const struct store *s)
{
    return store_path(s, "store.db");
}

// The database asks after every commit whether to shorten its log; idle time is better for that (settle.c).
static int after_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct store *s = arg;
    s->wal_pages = pages;
    if (pages > WAL_LIMIT)
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

enum status database_open(struct store *s, bool may_create, struct error *e)
{
    char *path = database_path(s);
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
    char *path = database_path(s);
    bool opened = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
                  sqlite3_exec(c->db, snapshot_settings, NULL, NULL, NULL) == SQLITE_OK;
    free(path);
    if (!opened)
        connection_close(c);
    return opened;
}

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
