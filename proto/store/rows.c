// The row of an object, as the table "object" has it. Within a transaction each is asked for several times: by whoever
// looks whether the object is here, by what is stored next and refers to it, by the place in the tree. So the last ones
// are remembered, and what is not there too, until anything changes a row that is there (rows_changed
// of struct store).
#include <stdlib.h>
#include <string.h>

#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

bool store_type_is_rights(struct span name)
{
    return span_eq(name, SPAN("Access")) || span_eq(name, SPAN("IdAccess")) || span_eq(name, SPAN("Group"));
}

// ---- Those asked for last -------------------------------------------------------------------------------------------

enum { REMEMBERED = UINT8_MAX + 1 }; // by the first byte of the hash

struct remembered {
    struct hash hash;
    uint64_t time; // rows_changed when it was noted; another one: it says nothing
    bool found;
    struct object_row row;
};

struct row_memory {
    struct remembered rows[REMEMBERED];
};

void rows_create(struct store *s)
{
    s->rows = mem_alloc(sizeof *s->rows);
}

void rows_destroy(struct store *s)
{
    free(s->rows);
}

// NULL outside of transactions: then others may write what is read next.
static struct remembered *place_of(struct store *s, const struct hash *hash)
{
    return s->in_transaction && s->in_use == &s->main ? &s->rows->rows[hash->b[0]] : NULL;
}

static void remember(struct store *s, const struct hash *hash, bool found, const struct object_row *row)
{
    struct remembered *r = place_of(s, hash);
    if (r != NULL)
        *r = (struct remembered){.hash = *hash, .time = s->rows_changed, .found = found, .row = *row};
}

// ---- Reading and writing --------------------------------------------------------------------------------------------

static enum status read_row(struct store *s, const struct hash *hash, bool *found, struct object_row *row,
                            struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_FIND);
    bind_hash(st, 1, hash);
    enum status status = statement_step(s, st, found, e);
    if (!*found)
        return status;
    row->seq = sqlite3_column_int64(st, 0);
    row->type = type_by_id(s, sqlite3_column_int64(st, 1));
    row->size = (uint64_t)sqlite3_column_int64(st, 2);
    (void)column_hash(st, 3, &row->id_hash);
    row->state = (enum state)sqlite3_column_int(st, 4);
    row->tree = (enum tree)sqlite3_column_int(st, 5);
    row->source = sqlite3_column_int64(st, 6);
    row->part = sqlite3_column_int(st, 7) != 0;
    sqlite3_reset(st);
    return STATUS_OK;
}

enum status object_row_find(struct store *s, const struct hash *hash, bool *found, struct object_row *row,
                            struct error *e)
{
    const struct remembered *r = place_of(s, hash);
    if (r != NULL && r->time == s->rows_changed && hash_eq(&r->hash, hash)) {
        *found = r->found;
        *row = r->row;
        return STATUS_OK;
    }
    memset(row, 0, sizeof *row);
    enum status status = read_row(s, hash, found, row, e);
    if (status == STATUS_OK)
        remember(s, hash, *found, row);
    return status;
}

static void bind_details(sqlite3_stmt *st, int first, const struct object_row *row)
{
    if (row->type != NULL)
        sqlite3_bind_int64(st, first, row->type->id);
    else
        sqlite3_bind_null(st, first);
    sqlite3_bind_int64(st, first + 1, (int64_t)row->size);
    if (hash_is_zero(&row->id_hash))
        sqlite3_bind_null(st, first + 2);
    else
        bind_hash(st, first + 2, &row->id_hash);
    sqlite3_bind_int(st, first + 3, (int)row->state);
    sqlite3_bind_int(st, first + 4, (int)row->tree);
    sqlite3_bind_int64(st, first + 5, row->source);
    sqlite3_bind_int(st, first + 6, row->part);
}

static enum status row_add(struct store *s, const struct hash *hash, struct object_row *row, struct error *e)
{
    row->seq = s->next_seq++;
    sqlite3_stmt *st = statement(s, SQL_OBJECT_ADD);
    sqlite3_bind_int64(st, 1, row->seq);
    bind_hash(st, 2, hash);
    bind_details(st, 3, row);
    enum status status = statement_run(s, st, e);
    if (status == STATUS_OK)
        remember(s, hash, true, row);
    else
        s->rows_changed++;
    return status;
}

static enum status row_fill(struct store *s, const struct object_row *row, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_FILL);
    sqlite3_bind_int64(st, 1, row->seq);
    bind_details(st, 2, row);
    return statement_run(s, st, e);
}

enum status object_row_set(struct store *s, const struct hash *hash, bool found, struct object_row *row,
                           struct error *e)
{
    return found ? row_fill(s, row, e) : row_add(s, hash, row, e);
}

bool store_is_wanted(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    return object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.state == STATE_WANTED;
}

bool store_has_lost(struct store *s)
{
    bool row = false;
    sqlite3_stmt *st = statement(s, SQL_OBJECT_LOST);
    if (statement_step(s, st, &row, NULL) != STATUS_OK)
        return false;
    if (row)
        sqlite3_reset(st);
    return row;
}

bool store_is_complete(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    return object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.state < STATE_WANTED &&
           !hash_list_has(&s->damaged, hash) && row.tree != TREE_INCOMPLETE && row.tree != TREE_LACKING;
}

enum status object_need(struct store *s, const struct hash *hash, struct object_row *row, struct error *e)
{
    bool found;
    enum status status = object_row_find(s, hash, &found, row, e);
    if (status != STATUS_OK)
        return status;
    if (found && row->state == STATE_DELETED)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s was deleted here", hash_text(hash).s);
    if (found && row->state == STATE_WANTED && row->type != NULL)
        return error_set(e, STATUS_NOT_FOUND, "OBJECT-DAMAGED", "%s is known here, but its bytes are lost",
                         hash_text(hash).s);
    if (!found || row->state == STATE_WANTED)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not here", hash_text(hash).s);
    return STATUS_OK;
}
