// What store_verify found is put right: what is lost is noted, so that it can be fetched, and what is here after all is
// taken in again.
#include <stdlib.h>
#include <sys/stat.h>

#include "store/database.h"
#include "store/dir.h"
#include "store/place.h"
#include "store/put.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

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
    dir_mark_rebuild(s);
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

// ---- Making again ---------------------------------------------------------------------------------------------------

static enum status take_id_of(struct store *s, const struct hash *version, const struct hash *id_hash, bool *made,
                              struct error *e)
{
    struct object o;
    struct arena *a = arena_create();
    enum status status = STATUS_OK;
    *made = store_get_object(s, version, a, &o, NULL) == STATUS_OK && o.form == MICRODATA_OBJECT &&
            hash_eq(&o.id_hash, id_hash);
    if (*made)
        status = object_put_id(s, &o, e);
    arena_destroy(a);
    return status;
}

static enum status take_version(struct store *s, const struct hash *hash, struct error *e)
{
    struct hash_list versions = {0};
    bool made = false;
    sqlite3_stmt *st = statement(s, SQL_OBJECT_VERSIONS);
    bind_hash(st, 1, hash);
    enum status status = statement_hashes(s, st, &versions, e);
    s->recovering = true; // it stays whose it was
    for (size_t i = 0; i < versions.count && !made && status == STATUS_OK; i++)
        status = take_id_of(s, &versions.items[i], hash, &made, e);
    s->recovering = false;
    hash_list_free(&versions);
    return status;
}

enum status store_remake(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found;
    bool made = false;
    enum status status = store_need_transaction(s, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state != STATE_WANTED || row.type == NULL)
        return status;
    status = object_remake(s, hash, &row, &made, e);
    return status == STATUS_OK && !made && row.type->kind == STORE_ID_OBJECT ? take_version(s, hash, e) : status;
}
