// What is read is only remembered, so that reading stays reading; whoever keeps the store within its room writes it
// down now and then. What that forgets, at the end of the process, is the order in which files go, and no file.
#include "store/room.h"

#include "base/clock.h"
#include "store/room_internal.h"
#include "store/state.h"
#include "store/statements.h"

enum { USES_MAX = 4096 };

enum status room_add(struct store *s, const struct object_row *row, struct error *e)
{
    bool is_file = row->type->kind == STORE_BLOB || row->type->kind == STORE_CLOB;
    if (s->kind != STORE_SPARSE || !is_file)
        return STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_USED_ADD);
    sqlite3_bind_int64(st, 1, row->seq);
    sqlite3_bind_int64(st, 2, (int64_t)row->size);
    sqlite3_bind_int64(st, 3, clock_wall_ms());
    return statement_run(s, st, e);
}

// The time, and whether it was read to its end, in what is a pointer to the map.
static void *use_value(int64_t ms, bool to_end)
{
    return (void *)((uintptr_t)ms << 1 | to_end);
}

static int64_t use_ms(const void *value)
{
    return (int64_t)((uintptr_t)value >> 1);
}

void room_use(struct store *s, const struct hash *hash, bool to_end)
{
    if (s->kind == STORE_SPARSE && (hash_map_count(s->uses) < USES_MAX || hash_map_has(s->uses, hash)))
        hash_map_set(s->uses, hash, use_value(clock_wall_ms(), to_end));
}

bool store_has_uses(const struct store *s)
{
    return hash_map_count(s->uses) != 0;
}

bool store_is_in_use(const struct store *s, const struct hash *hash)
{
    return hash_map_has(s->uses, hash);
}

enum status store_keep_uses(struct store *s, int64_t keep_ms, struct error *e)
{
    size_t cursor = 0;
    struct hash hash;
    void *value;
    struct hash_map *reading = hash_map_create();
    enum status status = STATUS_OK;
    while (status == STATUS_OK && hash_map_next(s->uses, &cursor, &hash, &value)) {
        sqlite3_stmt *st = statement(s, SQL_USED_NOTE);
        bind_hash(st, 1, &hash);
        sqlite3_bind_int64(st, 2, use_ms(value));
        status = statement_run(s, st, e);
        if (((uintptr_t)value & 1) == 0 && use_ms(value) > clock_wall_ms() - keep_ms)
            hash_map_set(reading, &hash, value);
    }
    hash_map_destroy(status == STATUS_OK ? s->uses : reading);
    if (status == STATUS_OK)
        s->uses = reading;
    return status;
}

enum status store_room(struct store *s, uint64_t *files, uint64_t *bytes, struct error *e)
{
    bool row = false;
    sqlite3_stmt *st = statement(s, SQL_USED_TOTAL);
    enum status status = statement_step(s, st, &row, e);
    *files = row ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    *bytes = row ? (uint64_t)sqlite3_column_int64(st, 1) : 0;
    sqlite3_reset(st);
    return status;
}

enum status store_least_used(struct store *s, size_t skip, struct store_use *uses, size_t *count, struct error *e)
{
    size_t most = *count;
    bool row = true;
    sqlite3_stmt *st = statement(s, SQL_USED_LEAST);
    sqlite3_bind_int64(st, 1, (int64_t)most);
    sqlite3_bind_int64(st, 2, (int64_t)skip);
    *count = 0;
    for (;;) {
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        struct store_use *use = &uses[*count];
        *use = (struct store_use){.size = (uint64_t)sqlite3_column_int64(st, 1), .at = sqlite3_column_int64(st, 2)};
        *count += column_hash(st, 0, &use->hash) && !store_is_in_use(s, &use->hash);
    }
}
