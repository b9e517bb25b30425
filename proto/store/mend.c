// What store_verify found is put right: what is lost is noted, so that it can be fetched, and what is here after all is
// taken in again.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"
#include "store/internal.h"

enum { HEAD_BYTES = 300 };

// Big files were hashed just now; the others are quickly read again.
enum status store_lose(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state != STATE_PRESENT)
        return status;
    if (row.size > STORE_BODY_LIMIT)
        return object_want(s, hash, e);
    struct arena *a = arena_create();
    struct span text;
    status = store_get(s, hash, a, &text, NULL); // notes what is damaged
    arena_destroy(a);
    return status == STATUS_OK || status == STATUS_CORRUPT ? objects_want_damaged(s, e) : object_want(s, hash, e);
}

struct span store_type_known(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    bool known = object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found && row.type != NULL;
    return known ? (struct span){row.type->name, row.type->length} : (struct span){0};
}

void store_rebuild_next(const struct store *s)
{
    recover_mark_needed(s);
}

static bool size_of(const struct store *s, const struct hash *hash, uint64_t *size)
{
    struct stat st;
    char *path = place_settled(s, hash);
    bool found = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    *size = found ? (uint64_t)st.st_size : 0;
    free(path);
    return found;
}

enum status store_find_again(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    struct buf beginning = {0};
    uint64_t size;
    bool found;
    bool is_new;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state != STATE_WANTED || !size_of(s, hash, &size))
        return status;
    status = place_read(s, hash, 0, HEAD_BYTES, &beginning, e);
    if (status == STATUS_OK)
        status = object_put_file(s, hash, file_kind(buf_span(&beginning)), size, NULL, &is_new, e);
    buf_free(&beginning);
    return status == STATUS_OK ? store_reread(s, hash, e) : status;
}

enum status store_reread(struct store *s, const struct hash *hash, struct error *e)
{
    struct store_info info;
    struct span text;
    struct span type;
    enum microdata_form form;
    struct object o;
    enum status status = store_info(s, hash, &info, e);
    if (status != STATUS_OK || info.kind == STORE_OBJECT || info.kind == STORE_ID_OBJECT ||
        info.size > STORE_BODY_LIMIT)
        return status;
    struct arena *a = arena_create();
    status = store_get(s, hash, a, &text, e);
    bool is_object = status == STATUS_OK && microdata_sniff(text, &type, &form) &&
                     object_read(s->recipes, a, text, form, NULL, &o, NULL) == STATUS_OK;
    s->recovering = true; // by whom it is shown is for others to say
    if (is_object)
        status = store_put(s, &o, NULL, e);
    s->recovering = false;
    arena_destroy(a);
    return status;
}

// ---- Giving up ------------------------------------------------------------------------------------------------------

static enum status begin_anew(struct store *s, const struct hash *id_hash, const struct hash *data, int64_t now_ms,
                              struct error *e)
{
    struct object o;
    struct version_result ignored;
    struct arena *a = arena_create();
    sqlite3_stmt *st = statement(s, SQL_HEAD_REMOVE);
    bind_hash(st, 1, id_hash);
    enum status status = statement_run(s, st, e);
    char *settled = place_head(s, id_hash);
    if (status == STATUS_OK)
        status = file_remove(settled, e);
    free(settled);
    if (status == STATUS_OK && store_get_object(s, data, a, &o, NULL) == STATUS_OK)
        status = version_store(&s->versions, o.value, VERSION_CHANGE, (double)now_ms, &ignored, e);
    arena_destroy(a);
    return status;
}

// hash: of the node or of the data of a current version.
static enum status replace_head(struct store *s, const struct hash *hash, int64_t now_ms, struct error *e)
{
    struct hash id_hash;
    struct hash data;
    bool row;
    sqlite3_stmt *st = statement(s, SQL_HEAD_OF_NODE);
    bind_hash(st, 1, hash);
    enum status status = statement_step(s, st, &row, e);
    if (!row)
        return status;
    bool whole = column_hash(st, 0, &id_hash) && column_hash(st, 1, &data);
    sqlite3_reset(st);
    return whole ? begin_anew(s, &id_hash, &data, now_ms, e) : STATUS_OK;
}

static enum status remove_row(struct store *s, const struct hash *hash, int64_t seq, struct error *e)
{
    static const enum statement_id of_row[] = {SQL_LINK_REMOVE, SQL_BODY_REMOVE, SQL_OBJECT_REMOVE};
    sqlite3_stmt *st = statement(s, SQL_WANTED_FORGET);
    bind_hash(st, 1, hash);
    enum status status = statement_run(s, st, e);
    if (status == STATUS_OK)
        status = deletion_note_gone(s, hash, e); // what lies there under its name is something else
    for (size_t i = 0; i < sizeof of_row / sizeof *of_row && status == STATUS_OK; i++) {
        st = statement(s, of_row[i]);
        sqlite3_bind_int64(st, 1, seq);
        status = statement_run(s, st, e);
    }
    return status;
}

enum status store_forget(struct store *s, const struct hash *hash, int64_t now_ms, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state != STATE_WANTED)
        return status;
    status = replace_head(s, hash, now_ms, e);
    return status == STATUS_OK ? remove_row(s, hash, row.seq, e) : status;
}
