// Looks at a store that is closed and changes nothing: damaged pages are found, missing files are not. A database that
// somebody has locked counts as sound, since whoever opens it will say.
#include "store/look.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"

enum { PATIENCE_MS = 1000 };

static enum status damaged(const char *path, const char *why, struct error *e)
{
    return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "%s is damaged: %.160s", path, why);
}

// Of what the disk or a lock says nothing follows for the database.
static enum status failed(sqlite3 *db, const char *path, int rc, struct error *e)
{
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        return damaged(path, sqlite3_errmsg(db), e);
    return error_set(e, STATUS_IO, "STORE-FAILED", "%s cannot be read: %s", path, sqlite3_errmsg(db));
}

// The first complaint, or "ok".
static enum status check(sqlite3 *db, const char *path, struct error *e)
{
    sqlite3_stmt *statement = NULL;
    enum status st = STATUS_OK;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (rc == SQLITE_BUSY)
        st = STATUS_OK; // somebody opens it now, who will say
    else if (rc != SQLITE_ROW)
        st = failed(db, path, rc, e);
    else if (said == NULL || strcmp(said, "ok") != 0)
        st = damaged(path, said != NULL ? said : "it does not say how", e);
    sqlite3_finalize(statement);
    return st;
}

static enum status look_at_database(const char *path, struct error *e)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum status st = STATUS_OK;
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(db, PATIENCE_MS);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        st = check(db, path, e);
    } else {
        st = error_set(e, STATUS_IO, "STORE-FAILED", "%s cannot be opened: %s", path, sqlite3_errstr(rc));
    }
    sqlite3_close_v2(db);
    return st;
}

// SQLite takes it for a new database, in which all is well.
static bool is_empty(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && file.st_size == 0;
}

enum status store_look(const char *dir, enum store_kind kind, struct error *e)
{
    struct buf path = {0};
    enum status st;
    buf_printf(&path, "%s/store.db", dir);
    if (store_is_lost(dir, kind))
        st = error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "there is no store in %s", dir);
    else if (!file_exists(buf_cstr(&path)))
        st = damaged(buf_cstr(&path), "it is missing", e);
    else if (is_empty(buf_cstr(&path)))
        st = damaged(buf_cstr(&path), "it is empty", e);
    else
        st = look_at_database(buf_cstr(&path), e);
    buf_free(&path);
    return st;
}
