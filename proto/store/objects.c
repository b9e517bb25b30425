// Reading what is stored. Whatever is read whole is compared with its hash; bytes that do not fit are noted, and the
// next transaction asks for them anew (put.c).
#include <string.h>

#include "base/log.h"
#include "store/database.h"
#include "store/objects.h"
#include "store/place.h"
#include "store/remake.h"
#include "store/room_internal.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

enum { EACH_PAGE = 256, MISSED_MAX = 256 };

static void object_damaged(struct store *s, const struct hash *hash)
{
    if (store_is_snapshot(s))
        return; // the open transaction may just be storing it anew; whoever asks next will find it
    LOG(LOG_ERROR, "store.damaged", LOG_HASH("hash", hash));
    if (!hash_list_has(&s->damaged, hash))
        hash_list_add(&s->damaged, hash);
}

// ---- Reading --------------------------------------------------------------------------------------------------------

enum store_presence store_presence(struct store *s, const struct hash *hash)
{
    struct object_row row;
    struct error e = {0};
    bool found;
    if (object_row_find(s, hash, &found, &row, &e) != STATUS_OK) {
        LOG(LOG_ERROR, "store.unreadable", LOG_TEXT("why", e.message));
        return STORE_ABSENT;
    }
    if (!found || row.state >= STATE_WANTED || hash_list_has(&s->damaged, hash))
        return STORE_ABSENT;
    return row.state == STATE_REMOTE ? STORE_REMOTE : STORE_PRESENT;
}

bool store_holds(struct store *s, const struct hash *hash, uint64_t *size)
{
    struct object_row row;
    struct buf end = {0};
    bool inside = false;
    if (store_presence(s, hash) != STORE_PRESENT || object_need(s, hash, &row, NULL) != STATUS_OK)
        return false;
    sqlite3_stmt *st = statement(s, SQL_BODY_GET);
    sqlite3_bind_int64(st, 1, row.seq);
    (void)statement_step(s, st, &inside, NULL);
    sqlite3_reset(st);
    uint64_t at = row.size != 0 ? row.size - 1 : 0;
    bool whole = inside || (place_read(s, hash, at, 2, &end, NULL) == STATUS_OK && end.len == row.size - at);
    buf_free(&end);
    *size = row.size;
    return whole;
}

static enum status read_whole(struct store *s, const struct hash *hash, const struct object_row *row, struct arena *a,
                              struct span *text, struct error *e)
{
    bool inside;
    sqlite3_stmt *st = statement(s, SQL_BODY_GET);
    sqlite3_bind_int64(st, 1, row->seq);
    enum status status = statement_step(s, st, &inside, e);
    if (inside) {
        *text = arena_copy(a, column_bytes(st, 0));
        sqlite3_reset(st);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    struct buf b = {0};
    status = place_read(s, hash, 0, (size_t)row->size + 1, &b, e);
    if (status == STATUS_OK)
        *text = arena_copy(a, buf_span(&b));
    buf_free(&b);
    return status;
}

enum status object_is_damaged(struct store *s, const struct hash *hash, struct error *e)
{
    object_damaged(s, hash);
    return error_set(e, STATUS_CORRUPT, "OBJECT-DAMAGED", "The stored bytes of %s are damaged or gone",
                     hash_text(hash).s);
}

enum status object_is_remote(struct store *s, const struct hash *hash, struct error *e)
{
    if (s->missed.count < MISSED_MAX && !hash_list_has(&s->missed, hash))
        hash_list_add(&s->missed, hash);
    return error_set(e, STATUS_NOT_FOUND, "REMOTE", "The archive holds the bytes of %s", hash_text(hash).s);
}

void store_take_missed(struct store *s, struct hash_list *out)
{
    *out = s->missed;
    s->missed = (struct hash_list){0};
}

static enum status get(struct store *s, const struct hash *hash, const struct object_row *row, struct arena *a,
                       struct span *text, struct error *e)
{
    if (row->state == STATE_REMOTE)
        return object_is_remote(s, hash, e);
    if (row->size > STORE_BODY_LIMIT)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s has %llu bytes; read it in chunks", hash_text(hash).s,
                         (unsigned long long)row->size);
    if (row->type != NULL && (row->type->kind == STORE_BLOB || row->type->kind == STORE_CLOB))
        room_use(s, hash, true);
    enum status status = read_whole(s, hash, row, a, text, e);
    if (status == STATUS_NOT_FOUND)
        return object_is_damaged(s, hash, e);
    if (status != STATUS_OK)
        return status;
    struct hash actual = sha256(*text);
    return hash_eq(&actual, hash) ? STATUS_OK : object_is_damaged(s, hash, e);
}

enum status store_get(struct store *s, const struct hash *hash, struct arena *a, struct span *text, struct error *e)
{
    struct object_row row;
    struct error why = {0};
    enum status status = object_need(s, hash, &row, &why);
    if (status == STATUS_OK)
        status = get(s, hash, &row, a, text, &why);
    if (status != STATUS_OK && strcmp(why.code, "OBJECT-DAMAGED") == 0 &&
        remake_from_links(s, hash, &row, store_get_object, a, text))
        return STATUS_OK;
    if (status != STATUS_OK && e != NULL)
        *e = why;
    return status;
}

enum status store_get_object(struct store *s, const struct hash *hash, struct arena *a, struct object *o,
                             struct error *e)
{
    struct span text = SPAN("");
    struct span type;
    enum microdata_form form;
    enum status status = store_get(s, hash, a, &text, e);
    if (status != STATUS_OK)
        return status;
    if (!microdata_sniff(text, &type, &form))
        return error_set(e, STATUS_INVALID, "M2O-PH1", "%s is a file, not an object", hash_text(hash).s);
    return object_read(s->recipes, a, text, form, NULL, o, e);
}

static void row_info(const struct object_row *row, struct store_info *out)
{
    memset(out, 0, sizeof *out);
    out->seq = (uint64_t)row->seq;
    out->size = row->size;
    out->id_hash = row->id_hash;
    out->kind = STORE_BLOB;
    if (row->type == NULL)
        return;
    out->kind = (enum store_content)row->type->kind;
    size_t len = row->type->length < sizeof out->type - 1 ? row->type->length : sizeof out->type - 1;
    memcpy(out->type, row->type->name, len);
}

enum status store_info(struct store *s, const struct hash *hash, struct store_info *out, struct error *e)
{
    struct object_row row;
    enum status status = object_need(s, hash, &row, e);
    if (status != STATUS_OK)
        return status;
    row_info(&row, out);
    return STATUS_OK;
}

enum status store_find_prefix(struct store *s, struct span hex_prefix, struct hash_list *matches, size_t limit,
                              struct error *e)
{
    char low[HASH_HEX + 1];
    char high[HASH_HEX + 1];
    struct hash first;
    struct hash last;
    memset(low, '0', HASH_HEX);
    memset(high, 'f', HASH_HEX);
    if (hex_prefix.len <= HASH_HEX) {
        memcpy(low, hex_prefix.ptr, hex_prefix.len);
        memcpy(high, hex_prefix.ptr, hex_prefix.len);
    }
    if (hex_prefix.len > HASH_HEX || !hash_parse((struct span){low, HASH_HEX}, &first) ||
        !hash_parse((struct span){high, HASH_HEX}, &last))
        return error_set(e, STATUS_INVALID, "UTC-EHASH", "A hash has up to 64 digits 0-9 and a-f");
    sqlite3_stmt *st = statement(s, SQL_OBJECT_PREFIX);
    bind_hash(st, 1, &first);
    bind_hash(st, 2, &last);
    sqlite3_bind_int64(st, 3, (int64_t)limit);
    return statement_hashes(s, st, matches, e);
}

// ---- All of them ----------------------------------------------------------------------------------------------------

static enum status next_page(struct store *s, int64_t *after, struct hash_list *page, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_EACH);
    sqlite3_bind_int64(st, 1, *after);
    sqlite3_bind_int(st, 2, EACH_PAGE);
    page->count = 0;
    return statement_numbered_hashes(s, st, after, page, e);
}

enum status store_each(struct store *s, store_each_fn visit, void *arg, struct error *e)
{
    struct hash_list page = {0};
    int64_t after = 0;
    enum status status;
    do {
        status = next_page(s, &after, &page, e);
        for (size_t i = 0; i < page.count && status == STATUS_OK; i++) {
            struct store_info info;
            status = store_info(s, &page.items[i], &info, e);
            if (status == STATUS_OK)
                status = visit(&page.items[i], &info, arg, e);
        }
    } while (status == STATUS_OK && page.count != 0);
    hash_list_free(&page);
    return status;
}
