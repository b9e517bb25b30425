// Reads what can still be read from a damaged database. Nothing in it is trusted: bodies are named by their own hash,
// heads are checked by whoever takes them.
#include <stdlib.h>

#include "store/delivery.h"
#include "store/rows.h"
#include "store/salvage.h"
#include "store/state.h"
#include "store/statements.h"

struct salvage {
    sqlite3 *db;
};

struct salvage *salvage_open(const char *path)
{
    struct salvage *old = mem_alloc(sizeof *old);
    int rc = sqlite3_open_v2(path, &old->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        salvage_close(old);
        return NULL;
    }
    sqlite3_db_config(old->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(old->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_exec(old->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
    return old;
}

void salvage_close(struct salvage *old)
{
    if (old == NULL)
        return;
    sqlite3_close_v2(old->db);
    free(old);
}

typedef enum status (*visit_row)(sqlite3_stmt *st, void *arg, struct error *e);

// Rows up to the first damaged page. *whole says whether there was none.
static enum status read_rows(struct salvage *old, const char *sql, visit_row visit, void *arg, bool *whole,
                             struct error *e)
{
    sqlite3_stmt *st = NULL;
    enum status status = STATUS_OK;
    int rc = sqlite3_prepare_v2(old->db, sql, -1, &st, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW)
            break;
        status = visit(st, arg, e);
        if (status != STATUS_OK)
            break;
    }
    *whole = rc == SQLITE_DONE;
    sqlite3_finalize(st);
    return status;
}

// From the beginning, and if there is damage on the way also from the end.
static enum status read_table(struct salvage *old, const char *table, const char *columns, const char *order,
                              visit_row visit, void *arg, struct error *e)
{
    enum status status = STATUS_OK;
    bool whole = false;
    for (int backwards = 0; backwards <= 1 && status == STATUS_OK && !whole; backwards++) {
        char sql[200];
        sqlite3_snprintf(sizeof sql, sql, "SELECT %s FROM %s ORDER BY %s %s", columns, table, order,
                         backwards ? "DESC" : "ASC");
        status = read_rows(old, sql, visit, arg, &whole, e);
    }
    return status;
}

struct body_visit {
    salvage_body visit;
    void *arg;
};

static enum status visit_body(sqlite3_stmt *st, void *arg, struct error *e)
{
    const struct body_visit *v = arg;
    struct span bytes = column_bytes(st, 0);
    struct hash hash = sha256(bytes);
    return v->visit(&hash, bytes, v->arg, e);
}

enum status salvage_bodies(struct salvage *old, salvage_body visit, void *arg, struct error *e)
{
    struct body_visit v = {visit, arg};
    return read_table(old, "body", "bytes", "seq", visit_body, &v, e);
}

struct pair_visit {
    salvage_pair visit;
    void *arg;
};

static enum status visit_pair(sqlite3_stmt *st, void *arg, struct error *e)
{
    const struct pair_visit *v = arg;
    struct hash first;
    struct hash second;
    if (!column_hash(st, 0, &first) || !column_hash(st, 1, &second))
        return STATUS_OK;
    return v->visit(&first, &second, v->arg, e);
}

enum status salvage_heads(struct salvage *old, salvage_pair visit, void *arg, struct error *e)
{
    struct pair_visit v = {visit, arg};
    return read_table(old, "head", "id_hash, node", "id_hash", visit_pair, &v, e);
}

enum status salvage_names(struct salvage *old, salvage_pair visit, void *arg, struct error *e)
{
    struct pair_visit v = {visit, arg};
    return read_table(old, "object WHERE state <> 3", "hash, hash", "seq", visit_pair, &v, e);
}

enum status salvage_deleted(struct salvage *old, salvage_pair visit, void *arg, struct error *e)
{
    struct pair_visit v = {visit, arg};
    return read_table(old, "object WHERE state = 3", "hash, hash", "seq", visit_pair, &v, e);
}

enum status salvage_hidden(struct salvage *old, salvage_pair visit, void *arg, struct error *e)
{
    struct pair_visit v = {visit, arg};
    return read_table(old, "hidden", "hash, hash", "hash", visit_pair, &v, e);
}

struct origin_visit {
    salvage_origin visit;
    void *arg;
};

static enum status visit_origin(sqlite3_stmt *st, void *arg, struct error *e)
{
    const struct origin_visit *v = arg;
    struct hash hash;
    if (!column_hash(st, 0, &hash))
        return STATUS_OK;
    return v->visit(&hash, sqlite3_column_int64(st, 1), sqlite3_column_int(st, 2) != 0, v->arg, e);
}

enum status salvage_origins(struct salvage *old, salvage_origin visit, void *arg, struct error *e)
{
    struct origin_visit v = {visit, arg};
    return read_table(old, "object WHERE state <> 3", "hash, source, part", "seq", visit_origin, &v, e);
}

static enum status visit_setting(sqlite3_stmt *st, void *arg, struct error *e)
{
    struct span name = column_bytes(st, 0);
    char *text = mem_text(name);
    enum status status = store_setting_set(arg, text, column_bytes(st, 1), e);
    free(text);
    return status;
}

enum status salvage_settings(struct salvage *old, struct store *s, struct error *e)
{
    return read_table(old, "setting", "name, value", "name", visit_setting, s, e);
}

static enum status visit_intent(sqlite3_stmt *st, void *arg, struct error *e)
{
    struct store *s = arg;
    struct hash message;
    sqlite3_stmt *add = NULL;
    static const char sql[] =
        "INSERT OR IGNORE INTO outbox(op, method, params, created_at, state, result, code, why, topic, message, time) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    if (sqlite3_column_int(st, 4) == 0 && sqlite3_column_bytes(st, 9) != 0 && !column_hash(st, 9, &message))
        return STATUS_OK;
    sqlite3_prepare_v2(s->main.db, sql, -1, &add, NULL);
    for (int i = 0; i < 11; i++)
        sqlite3_bind_value(add, i + 1, sqlite3_column_value(st, i));
    (void)statement_run(s, add, e); // of a damaged row nothing is left
    sqlite3_finalize(add);
    return STATUS_OK;
}

enum status salvage_outbox(struct salvage *old, struct store *s, struct error *e)
{
    return read_table(old, "outbox", "op, method, params, created_at, state, result, code, why, topic, message, time",
                      "seq", visit_intent, s, e);
}

static enum status visit_delivery(sqlite3_stmt *st, void *arg, struct error *e)
{
    int state = sqlite3_column_int(st, 2);
    struct store_delivery d = {.state = (enum delivery_state)state, .at_ms = sqlite3_column_int64(st, 3)};
    bool changed;
    if (!column_hash(st, 0, &d.message) || !column_hash(st, 1, &d.person) || state < DELIVERY_SENT ||
        state > DELIVERY_FAILED)
        return STATUS_OK;
    d.why = column_bytes(st, 4);
    return store_delivery_set(arg, &d, &changed, e);
}

enum status salvage_deliveries(struct salvage *old, struct store *s, struct error *e)
{
    return read_table(old, "delivery", "message, person, state, at, why", "change", visit_delivery, s, e);
}
