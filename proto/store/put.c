// Storing objects and files, and losing their bytes again. Each time those that refer to them are told, so that
// the column tree stays right, and only then is the change noted for whoever listens.
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/changes.h"
#include "store/database.h"
#include "store/deletion.h"
#include "store/links.h"
#include "store/place.h"
#include "store/provenance.h"
#include "store/put.h"
#include "store/remake.h"
#include "store/room_internal.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/scope_events.h"
#include "store/state.h"
#include "store/statements.h"
#include "store/tree.h"
#include "store/vouch.h"

enum { SNIFF_BYTES = 257 };

int file_kind(struct span first_bytes)
{
    if (first_bytes.len > SNIFF_BYTES)
        first_bytes.len = SNIFF_BYTES;
    return utf8_valid(first_bytes) ? STORE_CLOB : STORE_BLOB;
}

static void count(struct store *s, const struct object_row *before, const struct object_row *after)
{
    if (before == NULL || before->state >= STATE_WANTED)
        s->totals.objects++;
    s->transaction_load.objects++;
    if (after->state != STATE_PRESENT)
        return;
    if (before == NULL || before->state != STATE_PRESENT)
        s->totals.bytes += after->size;
    s->transaction_load.bytes += after->size;
}

static enum status body_add(struct store *s, int64_t seq, struct span body, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BODY_ADD);
    sqlite3_bind_int64(st, 1, seq);
    bind_bytes(st, 2, body);
    s->body_load.objects++;
    s->body_load.bytes += body.len;
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
        status = vouch_again(s, &o->hash, &before, e);
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
        return vouch_again(s, &o->id_hash, &row, e);
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

static enum status file_again(struct store *s, const struct hash *hash, struct object_row *before, struct error *e)
{
    enum status status = vouch_again(s, hash, before, e);
    return status == STATUS_OK ? want_no_more(s, hash, e) : status;
}

// Of one that is only noted (STATE_REMOTE) body is NULL.
static enum status put_file(struct store *s, const struct hash *hash, int kind, uint64_t size, enum state state,
                            const struct span *body, bool *is_new, struct error *e)
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
    bool here = status == STATUS_OK && found && before.state <= state;
    if (status != STATUS_OK || here)
        return here ? file_again(s, hash, &before, e) : status;
    struct object_row row = {.size = size, .state = state, .tree = TREE_DELIVERABLE};
    bool known = found && before.type != NULL && before.state != STATE_DELETED;
    if (known) { // a lost or remote object whose bytes come back as a file stays what it was
        row.seq = before.seq;
        row.type = before.type;
        row.id_hash = before.id_hash;
        status = tree_of_row(s, &row, &row.tree, e);
    } else {
        row.type = type_get(s, SPAN(""), kind, e);
    }
    if (row.type == NULL)
        return STATUS_IO;
    provenance_begin(s, known, &before, &row);
    if (status == STATUS_OK)
        status = put_row(s, hash, found, &before, &row, body, e);
    if (status == STATUS_OK && found)
        status = want_no_more(s, hash, e);
    if (status == STATUS_OK && state == STATE_PRESENT)
        status = room_add(s, &row, e);
    if (status != STATUS_OK)
        return status;
    if (*is_new)
        changes_add_object(s, &row, hash);
    return wake_referrers(s, hash, found, e);
}

enum status object_put_file(struct store *s, const struct hash *hash, int kind, uint64_t size, const struct span *body,
                            bool *is_new, struct error *e)
{
    return put_file(s, hash, kind, size, STATE_PRESENT, body, is_new, e);
}

enum status store_note_remote(struct store *s, const struct hash *hash, bool is_clob, uint64_t size, struct error *e)
{
    bool ignored;
    enum status status = store_need_transaction(s, e);
    return status == STATUS_OK
               ? put_file(s, hash, is_clob ? STORE_CLOB : STORE_BLOB, size, STATE_REMOTE, NULL, &ignored, e)
               : status;
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
        return object_row_set(s, hash, false, &row, e);
    }
    s->totals.objects--;
    s->totals.bytes -= row.state == STATE_PRESENT ? row.size : 0;
    row.state = STATE_WANTED;
    status = object_row_set(s, hash, true, &row, e);
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
    status = object_row_set(s, hash, true, &row, e);
    if (status == STATUS_OK)
        status = deletion_note_gone(s, hash, e);
    return status == STATUS_OK ? body_remove(s, row.seq, e) : status;
}

enum status object_remake(struct store *s, const struct hash *hash, const struct object_row *row, bool *made,
                          struct error *e)
{
    struct span text = SPAN("");
    struct object o;
    struct arena *a = arena_create();
    bool recovering = s->recovering;
    enum status status = STATUS_OK;
    enum microdata_form form =
        row->type != NULL && row->type->kind == STORE_ID_OBJECT ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT;
    *made = remake_from_links(s, hash, row, store_get_object, a, &text);
    s->recovering = true; // it stays whose it was
    if (*made)
        status = object_read(s->recipes, a, text, form, hash, &o, e);
    if (*made && status == STATUS_OK)
        status = store_put(s, &o, NULL, e);
    s->recovering = recovering;
    if (*made && status == STATUS_OK)
        LOG(LOG_INFO, "store.remade", LOG_HASH("hash", hash));
    arena_destroy(a);
    return status;
}

static enum status want_or_remake(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found;
    bool ignored;
    enum status status = object_want(s, hash, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    bool lost = status == STATUS_OK && found && row.state == STATE_WANTED;
    return lost ? object_remake(s, hash, &row, &ignored, e) : status;
}

enum status objects_want_damaged(struct store *s, struct error *e)
{
    struct hash_list damaged = s->damaged;
    enum status status = STATUS_OK;
    if (damaged.count == 0)
        return STATUS_OK;
    s->damaged = (struct hash_list){0};
    for (size_t i = 0; i < damaged.count && status == STATUS_OK; i++)
        status = want_or_remake(s, &damaged.items[i], e);
    hash_list_free(&damaged);
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
    scope_events_note_all(s); // who may see what lacks it has changed
    if (found)
        return STATUS_OK;
    status = object_want(s, hash, e);
    return status == STATUS_OK ? wake_referrers(s, hash, false, e) : status;
}
