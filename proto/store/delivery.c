// What comes late or twice changes nothing and gets no number, so whoever follows the numbers never sees a step back.
#include "store/delivery.h"
#include "store/database.h"
#include "store/rows.h"
#include "store/state.h"
#include "store/statements.h"

static enum status read_all(struct store *s, sqlite3_stmt *st, struct arena *a, struct store_deliveries *out,
                            struct error *e)
{
    size_t cap = 0;
    *out = (struct store_deliveries){0};
    for (;;) {
        bool row;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        if (out->count == cap) {
            cap = 2 * cap + 8;
            struct store_delivery *more = arena_alloc(a, cap * sizeof *more);
            for (size_t i = 0; i < out->count; i++)
                more[i] = out->items[i];
            out->items = more;
        }
        struct store_delivery *d = &out->items[out->count++];
        (void)column_hash(st, 0, &d->message);
        (void)column_hash(st, 1, &d->person);
        d->state = (enum delivery_state)sqlite3_column_int(st, 2);
        d->at_ms = sqlite3_column_int64(st, 3);
        d->why = arena_copy(a, column_bytes(st, 4));
        d->change = sqlite3_column_int64(st, 5);
    }
}

static enum status ask_number(struct store *s, sqlite3_stmt *st, int64_t otherwise, int64_t *out, struct error *e)
{
    bool row;
    enum status status = statement_step(s, st, &row, e);
    *out = row ? sqlite3_column_int64(st, 0) : otherwise;
    sqlite3_reset(st);
    return status;
}

enum status store_delivery_set(struct store *s, const struct store_delivery *d, bool *changed, struct error *e)
{
    int64_t old = -1;
    *changed = false;
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    sqlite3_stmt *st = statement(s, SQL_DELIVERY_GET);
    bind_hash(st, 1, &d->message);
    bind_hash(st, 2, &d->person);
    status = ask_number(s, st, -1, &old, e);
    bool is_forwards = (int64_t)d->state > old && old != DELIVERY_DELIVERED;
    if (status != STATUS_OK || !(is_forwards || (old == DELIVERY_FAILED && d->state == DELIVERY_DELIVERED)))
        return status;
    st = statement(s, SQL_DELIVERY_SET);
    bind_hash(st, 1, &d->message);
    bind_hash(st, 2, &d->person);
    sqlite3_bind_int(st, 3, (int)d->state);
    sqlite3_bind_int64(st, 4, d->at_ms);
    bind_span(st, 5, d->why);
    *changed = true;
    return statement_run(s, st, e);
}

enum status store_delivery_of(struct store *s, struct arena *a, const struct hash *message,
                              struct store_deliveries *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_DELIVERY_OF);
    bind_hash(st, 1, message);
    return read_all(s, st, a, out, e);
}

enum status store_delivery_since(struct store *s, struct arena *a, int64_t change, size_t limit,
                                 struct store_deliveries *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_DELIVERY_SINCE);
    sqlite3_bind_int64(st, 1, change);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    return read_all(s, st, a, out, e);
}

enum status store_delivery_waiting(struct store *s, size_t limit, struct hash_list *messages, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_DELIVERY_WAITING);
    sqlite3_bind_int64(st, 1, (int64_t)limit);
    return statement_hashes(s, st, messages, e);
}

enum status store_delivery_to(struct store *s, struct arena *a, const struct hash *person, size_t limit,
                              struct store_deliveries *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_DELIVERY_PERSON);
    bind_hash(st, 1, person);
    sqlite3_bind_int64(st, 2, (int64_t)limit);
    return read_all(s, st, a, out, e);
}

enum status store_delivery_last(struct store *s, int64_t *change, struct error *e)
{
    return ask_number(s, statement(s, SQL_DELIVERY_LAST), 0, change, e);
}

enum status store_epoch(struct store *s, int64_t *epoch, struct error *e)
{
    return ask_number(s, statement(s, SQL_EPOCH), 0, epoch, e);
}
