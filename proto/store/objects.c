#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "store/internal.h"

enum { SNIFF_BYTES = 257, EACH_PAGE = 256 };

bool type_is_refused(struct span name)
{
    return span_eq(name, SPAN("Access")) || span_eq(name, SPAN("IdAccess")) || span_eq(name, SPAN("Group"));
}

int file_kind(struct span first_bytes)
{
    if (first_bytes.len > SNIFF_BYTES)
        first_bytes.len = SNIFF_BYTES;
    return utf8_valid(first_bytes) ? STORE_CLOB : STORE_BLOB;
}

// ---- Rows -----------------------------------------------------------------------------------------------------------

enum status object_row_find(struct store *s, const struct hash *hash, bool *found, struct object_row *row,
                            struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_FIND);
    bind_hash(st, 1, hash);
    memset(row, 0, sizeof *row);
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
    return statement_run(s, st, e);
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

static void count(struct store *s, const struct object_row *before, const struct object_row *after)
{
    if (before == NULL || before->state >= STATE_WANTED)
        s->totals.objects++;
    if (before == NULL || before->state != STATE_PRESENT)
        s->totals.bytes += after->size;
    s->transaction_load.objects++;
    s->transaction_load.bytes += after->size;
}

static enum status body_add(struct store *s, int64_t seq, struct span body, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BODY_ADD);
    sqlite3_bind_int64(st, 1, seq);
    bind_bytes(st, 2, body);
    return statement_run(s, st, e);
}

static enum status body_remove(struct store *s, int64_t seq, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BODY_REMOVE);
    sqlite3_bind_int64(st, 1, seq);
    return statement_run(s, st, e);
}

// Something that was known before may be waited for without being linked to: a version node, a granted root.
static enum status wake_referrers(struct store *s, const struct hash *hash, bool known, struct error *e)
{
    if (known)
        return tree_arrived(s, hash, e);
    bool any;
    sqlite3_stmt *st = statement(s, SQL_LINK_ANY_REFERRER);
    bind_hash(st, 1, hash);
    enum status status = statement_step(s, st, &any, e);
    if (!any)
        return status;
    sqlite3_reset(st);
    return tree_arrived(s, hash, e);
}

// ---- Putting --------------------------------------------------------------------------------------------------------

// What store_put and object_put_file have in common: the row, the body and whoever waited for it.
static enum status put_row(struct store *s, const struct hash *hash, bool found, const struct object_row *before,
                           struct object_row *row, const struct span *body, struct error *e)
{
    enum status status = STATUS_OK;
    if (body != NULL && body->len > STORE_INLINE)
        status = place_write(s, hash, *body, e);
    if (status != STATUS_OK)
        return status;
    row->seq = before->seq;
    status = object_row_set(s, hash, found, row, e);
    if (status == STATUS_OK && body != NULL && body->len <= STORE_INLINE)
        status = body_add(s, row->seq, *body, e);
    hash_map_remove(s->needed, hash);
    if (status == STATUS_OK)
        count(s, found ? before : NULL, row);
    return status;
}

// body NULL: the file is settled already.
static enum status put_one(struct store *s, const struct object *o, const struct span *body, bool *is_new,
                           struct error *e)
{
    int kind = o->form == MICRODATA_ID_OBJECT ? STORE_ID_OBJECT : STORE_OBJECT;
    struct object_row before = {0};
    bool found;
    enum status status = object_row_find(s, &o->hash, &found, &before, e);
    bool known = found && before.state != STATE_DELETED && before.type != NULL && before.type->kind == kind;
    *is_new = false;
    if (status == STATUS_OK && found && deletion_stays(s, &before, &o->hash))
        return STATUS_OK;
    *is_new = !known || before.state == STATE_WANTED;
    if (status == STATUS_OK && known && before.state == STATE_PRESENT)
        status = provenance_again(s, &o->hash, &before, e);
    if (status != STATUS_OK || (known && before.state == STATE_PRESENT))
        return status;

    struct object_row row = {.size = o->microdata.len, .id_hash = o->id_hash, .state = STATE_PRESENT};
    row.type = type_get(s, o->recipe->name, kind, e);
    if (row.type == NULL)
        return STATUS_IO;
    provenance_begin(s, known, &before, &row);
    status = tree_of_links(s, &row, o->links, o->link_count, &row.tree, e);
    if (status == STATUS_OK)
        status = put_row(s, &o->hash, found, &before, &row, body, e);
    if (status == STATUS_OK && !known)
        status = links_add(s, row.seq, row.type, o->links, o->link_count, e);
    if (status != STATUS_OK)
        return status;
    if (*is_new)
        changes_add_object(s, &row, &o->hash);
    return wake_referrers(s, &o->hash, found, e);
}

enum status object_put_id(struct store *s, const struct object *o, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = object_row_find(s, &o->id_hash, &found, &row, e);
    if (status == STATUS_OK && found && row.state == STATE_PRESENT && row.type->kind == STORE_ID_OBJECT)
        return provenance_again(s, &o->id_hash, &row, e);
    if (status != STATUS_OK)
        return status;
    struct arena *a = arena_create();
    struct object id;
    bool ignored;
    status = object_read(s->recipes, a, o->id_microdata, MICRODATA_ID_OBJECT, &o->id_hash, &id, e);
    if (status == STATUS_OK)
        status = put_one(s, &id, &id.microdata, &ignored, e);
    arena_destroy(a);
    return status;
}

static enum status put(struct store *s, const struct object *o, const struct span *body, bool *is_new, struct error *e)
{
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = objects_want_damaged(s, e);
    if (status == STATUS_OK && o->form == MICRODATA_OBJECT && o->recipe->versioned)
        status = object_put_id(s, o, e);
    return status == STATUS_OK ? put_one(s, o, body, is_new, e) : status;
}

enum status store_put(struct store *s, const struct object *o, bool *is_new, struct error *e)
{
    bool ignored;
    return put(s, o, &o->microdata, is_new != NULL ? is_new : &ignored, e);
}

enum status object_put_settled(struct store *s, const struct object *o, struct error *e)
{
    bool ignored;
    return put(s, o, NULL, &ignored, e);
}

// By those who brought it; for the others it is as missing as before.
static enum status want_no_more(struct store *s, const struct hash *hash, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_WANTED_REMOVE);
    bind_hash(st, 1, hash);
    bind_hash(st, 2, &s->sender);
    return statement_run(s, st, e);
}

enum status object_put_file(struct store *s, const struct hash *hash, int kind, uint64_t size, const struct span *body,
                            bool *is_new, struct error *e)
{
    struct object_row before = {0};
    bool found = false;
    enum status status = objects_want_damaged(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &before, e);
    *is_new = false;
    if (status == STATUS_OK && found && deletion_stays(s, &before, hash))
        return STATUS_OK;
    *is_new = !found || before.state >= STATE_WANTED;
    if (status == STATUS_OK && found && before.state == STATE_PRESENT)
        return provenance_again(s, hash, &before, e);
    if (status != STATUS_OK)
        return status;
    struct object_row row = {.size = size, .state = STATE_PRESENT, .tree = TREE_DELIVERABLE};
    if (found && before.type != NULL &&
        before.state != STATE_DELETED) { // a lost or remote object whose bytes come back as a file stays what it was
        row.seq = before.seq;
        row.type = before.type;
        row.id_hash = before.id_hash;
        status = tree_of_row(s, &row, &row.tree, e);
    } else {
        row.type = type_get(s, SPAN(""), kind, e);
    }
    if (row.type == NULL)
        return STATUS_IO;
    provenance_begin(s, found && before.type != NULL && before.state != STATE_DELETED, &before, &row);
    if (status == STATUS_OK)
        status = put_row(s, hash, found, &before, &row, body, e);
    if (status == STATUS_OK && found)
        status = want_no_more(s, hash, e);
    if (status != STATUS_OK)
        return status;
    if (*is_new)
        changes_add_object(s, &row, hash);
    return wake_referrers(s, hash, found, e);
}

// ---- Losing ---------------------------------------------------------------------------------------------------------

static void object_damaged(struct store *s, const struct hash *hash)
{
    if (store_is_snapshot(s))
        return; // the open transaction may just be storing it anew; whoever asks next will find it
    LOG(LOG_ERROR, "store.damaged", LOG_HASH("hash", hash));
    if (!hash_list_has(&s->damaged, hash))
        hash_list_add(&s->damaged, hash);
}

enum status object_want(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || (found && row.state >= STATE_WANTED))
        return status;
    if (!found) {
        row = (struct object_row){.state = STATE_WANTED};
        return row_add(s, hash, &row, e);
    }
    s->totals.objects--;
    s->totals.bytes -= row.state == STATE_PRESENT ? row.size : 0;
    row.state = STATE_WANTED;
    status = row_fill(s, &row, e);
    if (status == STATUS_OK)
        status = body_remove(s, row.seq, e);
    return status == STATUS_OK ? tree_lost(s, hash, e) : status;
}

static bool is_evictable(const struct store_type *type)
{
    return type != NULL &&
           (type->kind == STORE_BLOB || type->kind == STORE_CLOB || strcmp(type->name, "ChatMessage") == 0);
}

enum status store_evict(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_need(s, hash, &row, e);
    if (status != STATUS_OK || row.state == STATE_REMOTE)
        return status;
    if (!is_evictable(row.type))
        return error_set(e, STATUS_REFUSED, "NOT-EVICTABLE", "%s must stay", hash_text(hash).s);
    row.state = STATE_REMOTE;
    s->totals.bytes -= row.size;
    status = row_fill(s, &row, e);
    if (status == STATUS_OK)
        status = deletion_note_gone(s, hash, e);
    return status == STATUS_OK ? body_remove(s, row.seq, e) : status;
}

enum status objects_want_damaged(struct store *s, struct error *e)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && s->damaged.count != 0)
        status = object_want(s, &s->damaged.items[--s->damaged.count], e);
    return status;
}

enum status store_want_file(struct store *s, const struct hash *hash, const struct hash *shown_by, struct error *e)
{
    struct object_row row;
    bool found = false;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    bool here = found && row.state != STATE_WANTED;
    if (status != STATUS_OK || (found && row.state == STATE_DELETED) ||
        (here && provenance_has(s, &row, provenance_source(shown_by))))
        return status;
    sqlite3_stmt *st = statement(s, SQL_WANTED_ADD);
    bind_hash(st, 1, hash);
    bind_hash(st, 2, shown_by);
    status = statement_run(s, st, e);
    if (status != STATUS_OK)
        return status;
    access_note_all(s); // who may see what lacks it has changed
    if (found)
        return STATUS_OK;
    status = object_want(s, hash, e);
    return status == STATUS_OK ? wake_referrers(s, hash, false, e) : status;
}

bool store_is_wanted(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    return object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.state == STATE_WANTED;
}

bool store_is_complete(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    return object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.state < STATE_WANTED &&
           !hash_list_has(&s->damaged, hash) && row.tree != TREE_INCOMPLETE && row.tree != TREE_LACKING;
}

enum status store_wanted(struct store *s, struct hash_list *out, size_t limit, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_WANTED);
    sqlite3_bind_int64(st, 1, (int64_t)limit);
    return statement_hashes(s, st, out, e);
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

enum status object_need(struct store *s, const struct hash *hash, struct object_row *row, struct error *e)
{
    bool found;
    enum status status = object_row_find(s, hash, &found, row, e);
    if (status != STATUS_OK)
        return status;
    if (found && row->state == STATE_DELETED)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s was deleted here", hash_text(hash).s);
    if (!found || row->state == STATE_WANTED)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not here", hash_text(hash).s);
    return STATUS_OK;
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

enum status store_get(struct store *s, const struct hash *hash, struct arena *a, struct span *text, struct error *e)
{
    struct object_row row;
    enum status status = object_need(s, hash, &row, e);
    if (status != STATUS_OK)
        return status;
    if (row.state == STATE_REMOTE)
        return error_set(e, STATUS_NOT_FOUND, "REMOTE", "The archive holds the bytes of %s", hash_text(hash).s);
    if (row.size > STORE_BODY_LIMIT)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s has %llu bytes; read it in chunks", hash_text(hash).s,
                         (unsigned long long)row.size);
    status = read_whole(s, hash, &row, a, text, e);
    if (status == STATUS_NOT_FOUND)
        return object_is_damaged(s, hash, e);
    if (status != STATUS_OK)
        return status;
    struct hash actual = sha256(*text);
    return hash_eq(&actual, hash) ? STATUS_OK : object_is_damaged(s, hash, e);
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
