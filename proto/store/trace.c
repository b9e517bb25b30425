// The times of a message are one blob in the order of this machine's bytes; one of another length counts as no times.
#include "store/trace.h"

#include <string.h>

#include "store/database.h"
#include "store/state.h"
#include "store/statements.h"

enum { STEPS_BYTES = STORE_TRACE_STEPS * sizeof(int64_t) };

static enum status prune(struct store *s, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_TRACE_PRUNE);
    sqlite3_bind_int64(st, 1, STORE_TRACES);
    return statement_run(s, st, e);
}

enum status store_trace_set(struct store *s, const struct store_trace *t, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *st = statement(s, SQL_TRACE_SET);
    bind_hash(st, 1, &t->message);
    sqlite3_bind_int(st, 2, t->incoming);
    bind_hash(st, 3, &t->channel);
    bind_hash(st, 4, &t->recipient);
    sqlite3_bind_blob(st, 5, t->times, STEPS_BYTES, SQLITE_TRANSIENT); // in the order of this machine's bytes
    status = statement_run(s, st, e);
    return status == STATUS_OK ? prune(s, e) : status;
}

static void read_row(sqlite3_stmt *st, struct store_trace *out)
{
    struct span times = column_bytes(st, 4);
    *out = (struct store_trace){.incoming = sqlite3_column_int(st, 1) != 0};
    (void)column_hash(st, 0, &out->message);
    (void)column_hash(st, 2, &out->channel);
    (void)column_hash(st, 3, &out->recipient);
    if (times.len == STEPS_BYTES)
        memcpy(out->times, times.ptr, STEPS_BYTES);
}

enum status store_trace_get(struct store *s, const struct hash *message, struct store_trace *out, struct error *e)
{
    bool row;
    sqlite3_stmt *st = statement(s, SQL_TRACE_GET);
    bind_hash(st, 1, message);
    enum status status = statement_step(s, st, &row, e);
    if (status != STATUS_OK)
        return status;
    if (row)
        read_row(st, out);
    sqlite3_reset(st);
    return row ? STATUS_OK : error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "The way of this message is not kept");
}

enum status store_trace_latest(struct store *s, bool incoming, size_t limit, struct store_trace *out, size_t *count,
                               struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_TRACE_LATEST);
    sqlite3_bind_int(st, 1, incoming);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    for (*count = 0;; (*count)++) {
        bool row;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        read_row(st, &out[*count]);
    }
}
