// The database of a store that is verified: only read, beside the store that may be open; what is wrong is a finding.
#include "store/verify_internal.h"

#include <stdio.h>
#include <string.h>

#include "store/schema.h"

enum { PROGRESS_STEPS = 10000 };

bool verify_is_stopped(const struct verifying *v)
{
    return atomic_load(&v->watch->stop);
}

// ---- Findings -------------------------------------------------------------------------------------------------------

void verify_found(struct verifying *v, const struct hash *hash, const char *type, int what)
{
    struct store_verification *out = v->out;
    if (out->count == out->cap) {
        out->cap = out->cap != 0 ? 2 * out->cap : 64;
        out->items = mem_resize(out->items, out->cap * sizeof *out->items);
    }
    struct store_finding *f = &out->items[out->count++];
    *f = (struct store_finding){.hash = *hash};
    f->what = (__typeof__(f->what))what;
    snprintf(f->type, sizeof f->type, "%s", type);
}

void verify_say(struct verifying *v, const char *what, const char *detail)
{
    if (v->out->why[0] == '\0')
        snprintf(v->out->why, sizeof v->out->why, "%.40s: %.150s", what, detail);
}

static void database_is_damaged(struct verifying *v, const char *detail)
{
    v->out->is_damaged_database = true;
    verify_say(v, "the database", detail);
}

void verify_index_is_wrong(struct verifying *v, const char *what, const struct hash *about)
{
    v->out->index_faults++;
    verify_say(v, what, hash_text(about).s);
}

// ---- The database ---------------------------------------------------------------------------------------------------

static int keep_on(void *arg)
{
    return verify_is_stopped(arg);
}

static sqlite3_stmt *prepare(struct verifying *v, const char *sql)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(v->db, sql, -1, &st, NULL) != SQLITE_OK)
        database_is_damaged(v, sqlite3_errmsg(v->db));
    return st;
}

void verify_prepare(struct verifying *v)
{
    v->page = prepare(v, "SELECT o.seq, o.hash, o.size, o.id_hash, o.state, t.kind, t.name, b.bytes, EXISTS(SELECT 1 "
                         "FROM wanted w WHERE w.hash = o.hash) FROM object o LEFT JOIN type t ON t.id = o.type LEFT "
                         "JOIN body b ON b.seq = o.seq WHERE o.seq > ?1 ORDER BY o.seq LIMIT ?2");
    v->links = prepare(v, "SELECT target, kind FROM link WHERE src = ?1 ORDER BY ordinal");
    v->one = prepare(v, "SELECT o.state, b.bytes FROM object o LEFT JOIN body b ON b.seq = o.seq WHERE o.hash = ?1");
    v->state = prepare(v, "SELECT state FROM object WHERE hash = ?1");
    v->heads =
        prepare(v, "SELECT h.id_hash, h.node, h.data, h.unsettled, d.id_hash, (SELECT l.target FROM link l WHERE "
                   "l.src = n.seq ORDER BY l.ordinal DESC LIMIT 1) FROM head h LEFT JOIN object n ON n.hash = "
                   "h.node LEFT JOIN object d ON d.hash = h.data WHERE h.id_hash > ?1 ORDER BY h.id_hash LIMIT "
                   "?2");
}

// What the store itself is about to write may be in the log: who opens it only for reading might not find it.
bool verify_open(struct verifying *v)
{
    struct buf path = {0};
    buf_printf(&path, "%s/store.db", v->dir);
    int rc = sqlite3_open_v2(buf_cstr(&path), &v->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    buf_free(&path);
    if (rc != SQLITE_OK) {
        database_is_damaged(v, sqlite3_errstr(rc));
        return false;
    }
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(v->db, 1000);
    sqlite3_progress_handler(v->db, PROGRESS_STEPS, keep_on, v);
    rc = sqlite3_exec(v->db, "PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA mmap_size = 0", NULL, NULL,
                      NULL);
    if (rc != SQLITE_OK)
        database_is_damaged(v, sqlite3_errmsg(v->db));
    return rc == SQLITE_OK;
}

int64_t verify_ask(struct verifying *v, const char *sql)
{
    int64_t answer = -1;
    sqlite3_stmt *st = prepare(v, sql);
    if (sqlite3_step(st) == SQLITE_ROW)
        answer = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return answer;
}

void verify_database(struct verifying *v)
{
    sqlite3_stmt *st = prepare(v, "PRAGMA integrity_check(1)");
    int rc = sqlite3_step(st);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : sqlite3_errmsg(v->db);
    if (!verify_is_stopped(v) && (said == NULL || strcmp(said, "ok") != 0))
        database_is_damaged(v, said != NULL ? said : "no answer");
    sqlite3_finalize(st);
    if (!verify_is_stopped(v) && verify_ask(v, "PRAGMA application_id") != STORE_APPLICATION)
        database_is_damaged(v, "it is not one of a store");
}

// One step of a statement of ours; false at the end, which damage is too.
bool verify_next(struct verifying *v, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE && !verify_is_stopped(v))
        database_is_damaged(v, sqlite3_errmsg(v->db));
    if (rc != SQLITE_ROW)
        sqlite3_reset(st);
    return rc == SQLITE_ROW;
}

void verify_close(struct verifying *v)
{
    sqlite3_stmt *const all[] = {v->page, v->links, v->one, v->state, v->heads};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    sqlite3_close_v2(v->db);
}
