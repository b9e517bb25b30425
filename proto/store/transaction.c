// Transactions and savepoints: what is kept in memory about the open one goes back together with the database.
#include <string.h>

#include "store/changes.h"
#include "store/database.h"
#include "store/op.h"
#include "store/place.h"
#include "store/put.h"
#include "store/scope_events.h"
#include "store/state.h"
#include "store/statements.h"

static void push_mark(struct store *s)
{
    s->marks = mem_resize(s->marks, (s->mark_count + 1) * sizeof *s->marks);
    s->marks[s->mark_count++] = (struct mark){.scope_events = scope_events_count(s),
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
    s->rows_changed++;
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
    s->rows_changed++;
    memset(&s->transaction_load, 0, sizeof s->transaction_load);
    memset(&s->body_load, 0, sizeof s->body_load);
    changes_drop(s, 0);
    s->announced = 0;
    push_mark(s);
    return STATUS_OK;
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
        status = op_write_notes(s, e);
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
