// How much waits is counted by triggers (schema.c), so that the limits cost one row. A row that is over keeps its
// result, or why it failed, and not what was asked.
#include "store/outbox.h"
#include "store/database.h"
#include "store/rows.h"
#include "store/state.h"
#include "store/statements.h"

static struct span keep_text(sqlite3_stmt *st, int column, struct arena *a)
{
    return sqlite3_column_bytes(st, column) != 0 ? arena_copy(a, column_bytes(st, column)) : (struct span){0};
}

static void read_intent(sqlite3_stmt *st, struct arena *a, struct store_intent *out)
{
    *out = (struct store_intent){
        .seq = sqlite3_column_int64(st, 0),
        .op = keep_text(st, 1, a),
        .method = keep_text(st, 2, a),
        .params = keep_text(st, 3, a),
        .created_ms = sqlite3_column_int64(st, 4),
        .state = (enum intent_state)sqlite3_column_int(st, 5),
        .result = keep_text(st, 6, a),
        .code = keep_text(st, 7, a),
        .why = keep_text(st, 8, a),
        .topic = keep_text(st, 9, a),
        .time = sqlite3_column_double(st, 11),
    };
    (void)column_hash(st, 10, &out->message);
}

static enum status read_all(struct store *s, sqlite3_stmt *st, struct arena *a, size_t limit, struct store_intents *out,
                            struct error *e)
{
    *out = (struct store_intents){.items = arena_alloc(a, (limit + 1) * sizeof *out->items)};
    for (;;) {
        bool row;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        if (out->count < limit)
            read_intent(st, a, &out->items[out->count++]);
    }
}

static enum status read_one(struct store *s, sqlite3_stmt *st, struct arena *a, struct store_intent *out,
                            struct error *e)
{
    struct store_intents found;
    enum status status = read_all(s, st, a, 1, &found, e);
    if (status == STATUS_OK && found.count == 0)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "The outbox has no such row");
    if (status == STATUS_OK)
        *out = found.items[0];
    return status;
}

static enum status check_room(struct store *s, size_t bytes, struct error *e)
{
    bool row;
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_TOTAL);
    enum status status = statement_step(s, st, &row, e);
    if (status != STATUS_OK || !row)
        return status;
    bool full = sqlite3_column_int64(st, 0) >= OUTBOX_ROWS_MAX ||
                sqlite3_column_int64(st, 1) + (int64_t)bytes > OUTBOX_BYTES_MAX;
    sqlite3_reset(st);
    return full ? error_set(e, STATUS_FULL, "OUTBOX-FULL",
                            "Too much waits for the archive node already: %d things, or %d MiB, are kept",
                            OUTBOX_ROWS_MAX, OUTBOX_BYTES_MAX >> 20)
                : STATUS_OK;
}

enum status store_outbox_add(struct store *s, const struct store_intent *intent, int64_t *seq, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = check_room(s, intent->params.len, e);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_ADD);
    sqlite3_clear_bindings(st);
    bind_span(st, 1, intent->op);
    bind_span(st, 2, intent->method);
    bind_span(st, 3, intent->params);
    sqlite3_bind_int64(st, 4, intent->created_ms);
    if (intent->topic.len != 0) {
        bind_span(st, 5, intent->topic);
        bind_hash(st, 6, &intent->message);
        sqlite3_bind_double(st, 7, intent->time);
    }
    status = statement_run(s, st, e);
    *seq = sqlite3_last_insert_rowid(s->in_use->db);
    return status;
}

enum status store_outbox_waiting(struct store *s, struct arena *a, int64_t after, size_t limit,
                                 struct store_intents *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_WAITING);
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    return read_all(s, st, a, limit, out, e);
}

enum status store_outbox_by_op(struct store *s, struct arena *a, struct span op, struct store_intent *out,
                               struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_OP);
    bind_span(st, 1, op);
    return read_one(s, st, a, out, e);
}

enum status store_outbox_by_message(struct store *s, struct arena *a, const struct hash *message,
                                    struct store_intent *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_MESSAGE);
    bind_hash(st, 1, message);
    return read_one(s, st, a, out, e);
}

enum status store_outbox_of_topic(struct store *s, struct arena *a, struct span topic, double until, size_t limit,
                                  struct store_intents *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_TOPIC);
    bind_span(st, 1, topic);
    sqlite3_bind_double(st, 2, until);
    sqlite3_bind_int64(st, 3, (int64_t)limit);
    return read_all(s, st, a, limit, out, e);
}

enum status store_outbox_places(struct store *s, struct span topic, double until,
                                void (*each)(void *arg, const struct outbox_place *place), void *arg, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_PLACES);
    bind_span(st, 1, topic);
    sqlite3_bind_double(st, 2, until);
    for (;;) {
        bool row;
        struct outbox_place place;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        place = (struct outbox_place){.time = sqlite3_column_double(st, 1),
                                      .state = (enum intent_state)sqlite3_column_int(st, 2)};
        if (column_hash(st, 0, &place.message))
            each(arg, &place);
    }
}

enum status store_outbox_since(struct store *s, struct arena *a, struct span topic, int64_t after, size_t limit,
                               struct store_intents *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_NEWS);
    bind_span(st, 1, topic);
    sqlite3_bind_int64(st, 2, after);
    sqlite3_bind_int64(st, 3, (int64_t)limit);
    return read_all(s, st, a, limit, out, e);
}

enum status store_outbox_last(struct store *s, struct span topic, double *time, int64_t *seq, struct error *e)
{
    bool row;
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_LAST);
    bind_span(st, 1, topic);
    enum status status = statement_step(s, st, &row, e);
    *time = row ? sqlite3_column_double(st, 0) : 0;
    *seq = row ? sqlite3_column_int64(st, 1) : 0;
    sqlite3_reset(st);
    return status;
}

// What is over is kept for a while: who follows a conversation tells by it what was shown already. What has failed is
// nowhere else, and makes room for other failures only.
static enum status prune(struct store *s, int64_t seq, struct error *e)
{
    if (seq % (OUTBOX_KEPT / 4) != 0)
        return STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_PRUNE);
    sqlite3_bind_int64(st, 1, seq - OUTBOX_KEPT);
    sqlite3_bind_int64(st, 2, OUTBOX_KEPT);
    return statement_run(s, st, e);
}

static void bind_optional(sqlite3_stmt *st, int index, struct span text)
{
    if (text.len != 0)
        bind_span(st, index, text);
    else
        sqlite3_bind_null(st, index);
}

enum status store_outbox_settle(struct store *s, const struct store_intent *outcome, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *st = statement(s, SQL_OUTBOX_SETTLE);
    sqlite3_bind_int64(st, 1, outcome->seq);
    sqlite3_bind_int(st, 2, (int)outcome->state);
    bind_optional(st, 3, outcome->result);
    bind_optional(st, 4, outcome->code);
    bind_optional(st, 5, outcome->why);
    status = statement_run(s, st, e);
    return status == STATUS_OK ? prune(s, outcome->seq, e) : status;
}
