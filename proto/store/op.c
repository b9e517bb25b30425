// Three things that are a row each: results of requests, settings, and what the store holds, in sums. Results grow old
// by the time the store was open, counted in the setting op.age, because the machine's clock may jump.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/database.h"
#include "store/op.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

enum { STORE_OP_AGE_MS = 24 * 60 * 60 * 1000 };

#define STORE_CARRIED_AGE_MS ((int64_t)90 * STORE_OP_AGE_MS)

enum { RESULT_LIMIT = 1 << 20, OP_EXPIRY_MS = 60 * 60 * 1000 };

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

static const char age_name[] = "op.age";

// Before it was counted, operations bore the time of the day: it goes on from the latest.
static enum status load_age(struct store *s, int64_t *age, struct error *e)
{
    bool row;
    struct arena *a = arena_create();
    struct span text;
    enum status status = store_setting_get(s, age_name, a, &text, e);
    if (status == STATUS_OK) {
        *age = strtoll(text.ptr, NULL, 10);
    } else if (status == STATUS_NOT_FOUND) {
        sqlite3_stmt *st = statement(s, SQL_OP_LATEST);
        status = statement_step(s, st, &row, e);
        *age = row ? sqlite3_column_int64(st, 0) : 0;
        sqlite3_reset(st);
    }
    arena_destroy(a);
    return status;
}

static enum status current_age(struct store *s, int64_t *age, struct error *e)
{
    enum status status = s->op_age < 0 ? load_age(s, &s->op_age, e) : STATUS_OK;
    *age = s->op_age;
    return status;
}

enum status store_op_get(struct store *s, struct span op_id, struct arena *a, struct span *result, struct error *e)
{
    return get_one(s, statement(s, SQL_OP_GET), op_id, a, result, e);
}

enum status store_op_put(struct store *s, struct span op_id, struct span result, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    if (result.len > RESULT_LIMIT)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "A result of %zu bytes is not kept", result.len);
    int64_t age = 0;
    status = current_age(s, &age, e);
    sqlite3_stmt *st = statement(s, SQL_OP_PUT);
    bind_span(st, 1, op_id);
    bind_bytes(st, 2, result);
    sqlite3_bind_int64(st, 3, age);
    return status == STATUS_OK ? statement_run(s, st, e) : status;
}

static enum status grow_older(struct store *s, int64_t ms, struct error *e)
{
    char text[24];
    int64_t age = 0;
    enum status status = current_age(s, &age, e);
    int len = snprintf(text, sizeof text, "%lld", (long long)(age + ms));
    sqlite3_stmt *st = statement(s, SQL_SETTING_SET);
    bind_span(st, 1, span_of(age_name));
    bind_bytes(st, 2, (struct span){text, (size_t)len});
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    if (status == STATUS_OK)
        s->op_age = age + ms;
    return status;
}

// A step of the clock counts as no more than what passes between two calls.
enum status op_expire(struct store *s, int64_t now_ms, struct error *e)
{
    int64_t passed = now_ms - s->expired_at;
    bool first = s->expired_at == 0;
    if (passed >= 0 && passed < OP_EXPIRY_MS)
        return STATUS_OK;
    s->expired_at = now_ms;
    if (passed < 0 || first)
        return STATUS_OK;
    enum status status = grow_older(s, passed < 2 * OP_EXPIRY_MS ? passed : OP_EXPIRY_MS, e);
    sqlite3_stmt *st = statement(s, SQL_OP_EXPIRE);
    sqlite3_bind_int64(st, 1, s->op_age - STORE_OP_AGE_MS);
    sqlite3_bind_int64(st, 2, s->op_age - STORE_CARRIED_AGE_MS);
    return status == STATUS_OK ? statement_run(s, st, e) : status;
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

// ---- Notes ----------------------------------------------------------------------------------------------------------

enum { NOTES_MAX = 32 };

struct note {
    struct store_setting_name name;
    char bytes[STORE_NOTE_MAX];
    size_t len;
};

void store_setting_note(struct store *s, const struct store_setting_name *name, struct span value)
{
    size_t i = 0;
    while (i < s->note_count && strcmp(s->notes[i].name.s, name->s) != 0)
        i++;
    if (i == NOTES_MAX || value.len > STORE_NOTE_MAX)
        return;
    if (s->notes == NULL)
        s->notes = mem_array(NOTES_MAX, sizeof *s->notes);
    s->note_count += i == s->note_count;
    s->notes[i] = (struct note){.name = *name, .len = value.len};
    memcpy(s->notes[i].bytes, value.ptr, value.len);
}

enum status op_write_notes(struct store *s, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < s->note_count && status == STATUS_OK; i++)
        status = store_setting_set(s, s->notes[i].name.s, (struct span){s->notes[i].bytes, s->notes[i].len}, e);
    s->note_count = 0;
    return status;
}

// ---- Usage ----------------------------------------------------------------------------------------------------------

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
