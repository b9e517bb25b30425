#include <stdio.h>

#include "store/internal.h"

enum { RESULT_LIMIT = 1 << 20 };

static enum status get_one(struct store *s, sqlite3_stmt *st, struct span name, struct arena *a, struct span *value,
                           struct error *e)
{
    bool row;
    bind_span(st, 1, name);
    enum status status = statement_step(s, st, &row, e);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "The store has nothing named " SPAN_FMT, SPAN_ARG(name));
    *value = arena_copy(a, column_bytes(st, 0));
    sqlite3_reset(st);
    return STATUS_OK;
}

enum status store_op_get(struct store *s, struct span op_id, struct arena *a, struct span *result, struct error *e)
{
    return get_one(s, statement(s, SQL_OP_GET), op_id, a, result, e);
}

enum status store_op_put(struct store *s, struct span op_id, struct span result, int64_t now_ms, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    if (result.len > RESULT_LIMIT)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "A result of %zu bytes is not kept", result.len);
    sqlite3_stmt *st = statement(s, SQL_OP_PUT);
    bind_span(st, 1, op_id);
    bind_bytes(st, 2, result);
    sqlite3_bind_int64(st, 3, now_ms);
    return statement_run(s, st, e);
}

struct store_setting_name store_setting_about(const char *kind, const struct hash *hash)
{
    struct store_setting_name name;
    snprintf(name.s, sizeof name.s, "%.15s.%s", kind, hash_text(hash).s);
    return name;
}

enum status store_setting_get(struct store *s, const char *name, struct arena *a, struct span *value, struct error *e)
{
    return get_one(s, statement(s, SQL_SETTING_GET), span_of(name), a, value, e);
}

enum status store_setting_set(struct store *s, const char *name, struct span value, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *st = statement(s, SQL_SETTING_SET);
    bind_span(st, 1, span_of(name));
    bind_bytes(st, 2, value);
    return statement_run(s, st, e);
}

static struct store_usage usage_of(struct store *s, sqlite3_stmt *st)
{
    static const enum store_presence presences[] = {
        [STATE_PRESENT] = STORE_PRESENT, [STATE_REMOTE] = STORE_REMOTE, [STATE_WANTED] = STORE_ABSENT};
    const struct store_type *type = type_by_id(s, sqlite3_column_int64(st, 0));
    return (struct store_usage){.kind = type != NULL ? (enum store_content)type->kind : STORE_BLOB,
                                .type = type != NULL ? type->name : "",
                                .presence = presences[sqlite3_column_int(st, 1)],
                                .objects = (uint64_t)sqlite3_column_int64(st, 2),
                                .bytes = (uint64_t)sqlite3_column_int64(st, 3)};
}

enum status store_measure(struct store *s, store_usage_fn visit, void *arg, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_MEASURE);
    for (;;) {
        bool row;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        struct store_usage usage = usage_of(s, st);
        visit(&usage, arg);
    }
}

enum status store_totals(struct store *s, struct store_totals *out, struct error *e)
{
    (void)e;
    *out = store_is_snapshot(s) ? s->marks[0].totals : s->totals;
    return STATUS_OK;
}
