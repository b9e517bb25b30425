// Up to STORE_INLINE bytes are kept in memory and become a row. What grows beyond goes to a temporary file, and only
// its name reaches the transaction.
//
// Whoever reads a file from its beginning and leaves nothing out has it checked on the way: the hash so far lies in one
// of VERIFY_SLOTS places. Who begins elsewhere, or whose place was wanted by others, reads unchecked.
#include <stdlib.h>

#include "io/temp.h"
#include "store/database.h"
#include "store/dir.h"
#include "store/objects.h"
#include "store/place.h"
#include "store/put.h"
#include "store/room_internal.h"
#include "store/rows.h"
#include "store/state.h"
#include "store/statements.h"

// ---- Writing --------------------------------------------------------------------------------------------------------

struct store_writer {
    struct store *store;
    bool is_clob;
    struct buf head;   // all bytes while they are few
    struct temp *temp; // takes over when they are more than STORE_INLINE
    struct sha256 *sha;
    uint64_t size;
    bool failed; // some bytes were counted and are not there: it can only be destroyed
};

enum status store_writer_create(struct store *s, bool is_clob, struct store_writer **out, struct error *e)
{
    (void)e;
    struct store_writer *w = mem_alloc(sizeof *w);
    w->store = s;
    w->is_clob = is_clob;
    w->sha = sha256_create();
    *out = w;
    return STATUS_OK;
}

static enum status move_to_file(struct store_writer *w, struct error *e)
{
    char *folder = store_path(w->store, "tmp");
    enum status status = temp_create(folder, 0600, &w->temp, e);
    if (status == STATUS_OK)
        status = temp_add(w->temp, buf_span(&w->head), e);
    if (status == STATUS_OK)
        buf_free(&w->head);
    free(folder);
    return status;
}

static enum status refuse_failed(const struct store_writer *w, struct error *e)
{
    return w->failed ? error_set(e, STATUS_IO, "IO", "A part of this file could not be written") : STATUS_OK;
}

enum status store_writer_add(struct store_writer *w, struct span bytes, struct error *e)
{
    enum status status = refuse_failed(w, e);
    if (status != STATUS_OK)
        return status;
    sha256_update(w->sha, bytes);
    w->size += bytes.len;
    if (w->temp == NULL && w->size > STORE_INLINE)
        status = move_to_file(w, e);
    if (status == STATUS_OK && w->temp != NULL)
        status = temp_add(w->temp, bytes, e);
    else if (status == STATUS_OK)
        buf_add_span(&w->head, bytes);
    w->failed = status != STATUS_OK;
    return status;
}

void store_writer_flush(struct store_writer *w)
{
    if (w->temp != NULL)
        temp_flush(w->temp);
}

enum status store_writer_sync(struct store_writer *w, struct error *e)
{
    enum status status = refuse_failed(w, e);
    if (status == STATUS_OK && w->temp != NULL)
        status = temp_sync(w->temp, e);
    w->failed = status != STATUS_OK;
    return status;
}

static enum status put_temp(struct store_writer *w, const struct hash *hash, int kind, bool *is_new, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = objects_want_damaged(w->store, e);
    if (status == STATUS_OK)
        status = object_row_find(w->store, hash, &found, &row, e);
    if (status != STATUS_OK)
        return status;
    if (!found || row.state != STATE_PRESENT)
        status = place_arrive(w->store, w->temp, hash, e);
    return status == STATUS_OK ? object_put_file(w->store, hash, kind, w->size, NULL, is_new, e) : status;
}

enum status store_writer_finish(struct store_writer *w, const struct hash *expected, struct hash *hash, bool *is_new,
                                struct error *e)
{
    bool ignored;
    int kind = w->is_clob ? STORE_CLOB : STORE_BLOB;
    if (is_new == NULL)
        is_new = &ignored;
    enum status status = refuse_failed(w, e);
    if (status == STATUS_OK)
        status = store_need_transaction(w->store, e);
    if (status != STATUS_OK)
        return status;
    if (w->is_clob && w->size == 0)
        return error_set(e, STATUS_INVALID, "SB-STORE", "A text file cannot be empty");
    *hash = sha256_finish(w->sha);
    if (expected != NULL && !hash_eq(expected, hash))
        return error_set(e, STATUS_INVALID, "CIEC-FBL2", "The bytes are not those of %s", hash_text(expected).s);
    if (w->temp != NULL)
        return put_temp(w, hash, kind, is_new, e);
    struct span body = buf_span(&w->head);
    return object_put_file(w->store, hash, kind, w->size, &body, is_new, e);
}

void store_writer_destroy(struct store_writer *w)
{
    if (w == NULL)
        return;
    temp_destroy(w->temp);
    sha256_destroy(w->sha);
    buf_free(&w->head);
    free(w);
}

// ---- Reading --------------------------------------------------------------------------------------------------------

// Files are checked while they are read from the beginning to the end: the slot of a reader carries its hash so far.
static struct verify_slot *slot_for(struct store *s, const struct hash *hash, uint64_t offset)
{
    struct verify_slot *oldest = &s->slots[0];
    for (size_t i = 0; i < VERIFY_SLOTS; i++) {
        struct verify_slot *slot = &s->slots[i];
        if (slot->sha != NULL && offset != 0 && slot->offset == offset && hash_eq(&slot->hash, hash))
            return slot;
        if (slot->used < oldest->used)
            oldest = slot;
    }
    if (offset != 0)
        return NULL;
    sha256_destroy(oldest->sha);
    *oldest = (struct verify_slot){.hash = *hash, .sha = sha256_create()};
    return oldest;
}

static enum status verify(struct store *s, const struct hash *hash, uint64_t offset, uint64_t size, struct span chunk,
                          struct error *e)
{
    struct verify_slot *slot = slot_for(s, hash, offset);
    if (slot == NULL)
        return STATUS_OK;
    sha256_update(slot->sha, chunk);
    slot->offset = offset + chunk.len;
    slot->used = ++s->slot_clock;
    if (slot->offset < size)
        return STATUS_OK;
    struct hash actual = sha256_finish(slot->sha);
    sha256_destroy(slot->sha);
    *slot = (struct verify_slot){.sha = NULL};
    return hash_eq(&actual, hash) ? STATUS_OK : object_is_damaged(s, hash, e);
}

static enum status read_inside(struct store *s, int64_t seq, uint64_t offset, struct buf *out, bool *inside,
                               struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BODY_PART);
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, (int64_t)offset + 1);
    sqlite3_bind_int(st, 3, STORE_CHUNK);
    enum status status = statement_step(s, st, inside, e);
    if (!*inside)
        return status;
    buf_add_span(out, column_bytes(st, 0));
    sqlite3_reset(st);
    return STATUS_OK;
}

enum status store_read_chunk(struct store *s, const struct hash *hash, uint64_t offset, struct buf *out,
                             struct error *e)
{
    struct object_row row;
    bool inside;
    size_t before = out->len;
    enum status status = object_need(s, hash, &row, e);
    if (status != STATUS_OK)
        return status;
    if (row.state == STATE_REMOTE)
        return object_is_remote(s, hash, e);
    room_use(s, hash, offset + STORE_CHUNK >= row.size);
    if (offset > row.size || (offset == row.size && offset != 0))
        return STATUS_OK;
    status = read_inside(s, row.seq, offset, out, &inside, e);
    if (status == STATUS_OK && !inside)
        status = place_read(s, hash, offset, STORE_CHUNK, out, e);
    if (status == STATUS_NOT_FOUND)
        return object_is_damaged(s, hash, e);
    if (status != STATUS_OK)
        return status;
    uint64_t rest = row.size - offset;
    struct span chunk = out->len != before ? span_from(buf_span(out), before) : SPAN("");
    if (chunk.len != (rest < STORE_CHUNK ? rest : STORE_CHUNK))
        status = object_is_damaged(s, hash, e);
    if (status == STATUS_OK)
        status = verify(s, hash, offset, row.size, chunk, e);
    if (status != STATUS_OK)
        out->len = before;
    return status;
}
