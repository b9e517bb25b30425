// Which peer was used last is noted only if many others were since then, so that a node with few of them writes nothing
// for it.
//
// A root that is counted twice only makes a sum that is nobody's: its leaf is asked for, and counted anew.
#include "store/settled.h"

#include <string.h>

#include "crypto/secret.h"
#include "store/database.h"
#include "store/state.h"
#include "store/statements.h"

enum { NOTED = STORE_SETTLED_PEERS / 4 }; // uses of others after which the next one is noted again

static void bind_leaf(sqlite3_stmt *st, int index, unsigned leaf)
{
    const unsigned char bytes[2] = {(unsigned char)(leaf >> 8), (unsigned char)leaf};
    sqlite3_bind_blob(st, index, bytes, sizeof bytes, SQLITE_TRANSIENT);
}

static void bind_range(sqlite3_stmt *st, const struct store_settled *p, struct store_range range)
{
    sqlite3_bind_int64(st, 1, p->number);
    bind_leaf(st, 2, range.first);
    bind_leaf(st, 3, range.first + store_range_size(range.digits) - 1);
}

enum status store_settled_forget(struct store *s, const struct store_settled *p, struct store_range range,
                                 struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_SETTLED_FORGET);
    bind_range(st, p, range);
    return statement_run(s, st, e);
}

// ---- Peers ----------------------------------------------------------------------------------------------------------

static enum status make_room(struct store *s, struct error *e)
{
    bool row;
    struct store_settled oldest = {0};
    sqlite3_stmt *st = statement(s, SQL_SETTLED_PEERS);
    enum status status = statement_step(s, st, &row, e);
    bool full = row && sqlite3_column_int(st, 1) >= STORE_SETTLED_PEERS;
    oldest.number = row ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    if (status != STATUS_OK || !full)
        return status;
    status = store_settled_forget(s, &oldest, (struct store_range){0}, e);
    st = statement(s, SQL_SETTLED_PEER_REMOVE);
    sqlite3_bind_int64(st, 1, oldest.number);
    return status == STATUS_OK ? statement_run(s, st, e) : status;
}

static enum status note_use(struct store *s, const struct store_settled *p, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_SETTLED_PEER_USED);
    sqlite3_bind_int64(st, 1, p->number);
    sqlite3_bind_int64(st, 2, NOTED);
    return statement_run(s, st, e);
}

static enum status add_peer(struct store *s, const struct hash *peer, const struct hash *self,
                            struct store_settled *out, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = make_room(s, e);
    random_bytes(out->key.b, sizeof out->key.b);
    sqlite3_stmt *st = statement(s, SQL_SETTLED_PEER_ADD);
    bind_hash(st, 1, peer);
    bind_hash(st, 2, self);
    sqlite3_bind_blob(st, 3, out->key.b, sizeof out->key.b, SQLITE_TRANSIENT);
    if (status == STATUS_OK)
        status = statement_run(s, st, e);
    out->number = sqlite3_last_insert_rowid(s->main.db);
    return status;
}

enum status store_settled_find(struct store *s, const struct hash *peer, const struct hash *self, bool add, bool *found,
                               struct store_settled *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_SETTLED_PEER);
    bind_hash(st, 1, peer);
    bind_hash(st, 2, self);
    enum status status = statement_step(s, st, found, e);
    if (status == STATUS_OK && *found) {
        struct span key = column_bytes(st, 1);
        out->number = sqlite3_column_int64(st, 0);
        if (key.len == sizeof out->key.b)
            memcpy(out->key.b, key.ptr, key.len);
        else
            status = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "What is known of a peer is damaged");
        sqlite3_reset(st);
    }
    if (status == STATUS_OK && *found && add)
        return note_use(s, out, e);
    if (status != STATUS_OK || *found || !add)
        return status;
    status = add_peer(s, peer, self, out, e);
    *found = status == STATUS_OK;
    return status;
}

// ---- Sums -----------------------------------------------------------------------------------------------------------

enum status store_settled_add(struct store *s, const struct store_settled *p, const struct hash *hash,
                              const struct hash *id_hash, struct error *e)
{
    if (!store_is_admitted(s, hash_is_zero(hash) ? id_hash : hash))
        return STATUS_OK;
    const struct store_sum one = store_sum_of(&p->key, hash, id_hash);
    sqlite3_stmt *st = statement(s, SQL_SETTLED_ADD);
    sqlite3_bind_int64(st, 1, p->number);
    bind_leaf(st, 2, store_sum_leaf(hash, id_hash));
    sqlite3_bind_int64(st, 3, (int64_t)one.count);
    sqlite3_bind_int64(st, 4, (int64_t)one.low);
    sqlite3_bind_int64(st, 5, (int64_t)one.high);
    return statement_run(s, st, e);
}

// A row of another form counts for nothing.
static void add_row(sqlite3_stmt *st, struct store_range range, struct store_sum *parts)
{
    struct span leaf = column_bytes(st, 0);
    if (leaf.len != 2)
        return;
    unsigned at = (unsigned)(uint8_t)leaf.ptr[0] << 8 | (uint8_t)leaf.ptr[1];
    const struct store_sum sum = {(uint64_t)sqlite3_column_int64(st, 1), (uint64_t)sqlite3_column_int64(st, 2),
                                  (uint64_t)sqlite3_column_int64(st, 3)};
    store_sum_add(&parts[(at - range.first) / store_range_size(range.digits + 1)], &sum);
}

enum status store_settled_parts(struct store *s, const struct store_settled *p, struct store_range range,
                                struct store_sum parts[STORE_SUM_FAN], struct error *e)
{
    bool row = true;
    enum status status = STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_SETTLED_LIST);
    memset(parts, 0, STORE_SUM_FAN * sizeof *parts);
    bind_range(st, p, range);
    while (status == STATUS_OK && row) {
        status = statement_step(s, st, &row, e);
        if (status == STATUS_OK && row)
            add_row(st, range, parts);
    }
    return status;
}
