// What cannot be read off a row, which files of others a root lacks, is found out for a person once in a job (once in a
// walk, walk.c), and only if a root is met that lacks any.
#include "store/shown.h"

#include "store/fragment.h"
#include "store/statements.h"
#include "store/tree.h"
#include "store/withheld.h"

enum status shown_begin(struct shown *w, struct store *s, const struct hash *person, bool own, struct error *e)
{
    *w = (struct shown){.store = s, .person = person, .own = own};
    return own ? STATUS_OK : withheld_find(s, person, &w->withheld, e);
}

void shown_end(struct shown *w)
{
    hash_map_destroy(w->hidden);
    w->hidden = NULL;
}

static enum status may_lack(struct shown *w, const struct hash *hash, bool *yes, struct error *e)
{
    enum status status = STATUS_OK;
    *yes = w->own;
    if (w->own)
        return STATUS_OK;
    if (w->hidden == NULL) {
        w->hidden = hash_map_create();
        status = tree_lacking_for_others(w->store, w->person, w->hidden, e);
    }
    *yes = status == STATUS_OK && !hash_map_has(w->hidden, hash);
    return status;
}

enum status shown_entry(struct shown *w, bool has_entry, int lacking, const struct hash *hash, bool *yes,
                        struct error *e)
{
    *yes = has_entry && (w->withheld == NULL || !hash_map_has(w->withheld, hash));
    if (*yes && (lacking == FRAGMENT_OWN || lacking == FRAGMENT_MERGE))
        *yes = w->own;
    else if (*yes && lacking == FRAGMENT_LACKING)
        return may_lack(w, hash, yes, e);
    return STATUS_OK;
}

enum status shown_from(struct store *s, const struct hash *person, int64_t scope, bool *found, int64_t *from,
                       struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_FEED_FROM);
    sqlite3_bind_int64(st, 1, scope);
    bind_hash(st, 2, person);
    enum status status = statement_step(s, st, found, e);
    if (status != STATUS_OK || !*found)
        return status;
    *found = sqlite3_column_type(st, 0) != SQLITE_NULL;
    *from = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return STATUS_OK;
}

// The columns of one of the two: hash, entry, lacking.
static enum status check_columns(struct shown *w, sqlite3_stmt *st, int first, bool *yes, struct error *e)
{
    struct hash hash;
    if (!column_hash(st, first, &hash)) { // the version left the scope
        *yes = false;
        return STATUS_OK;
    }
    return shown_entry(w, sqlite3_column_type(st, first + 1) != SQLITE_NULL, sqlite3_column_int(st, first + 2), &hash,
                       yes, e);
}

enum status shown_root(struct shown *w, int64_t scope, int64_t version, bool *yes, struct error *e)
{
    int64_t ignored;
    enum status status = shown_from(w->store, w->person, scope, yes, &ignored, e);
    if (status != STATUS_OK || !*yes)
        return status;
    sqlite3_stmt *st = statement(w->store, SQL_FEED_SHOWN);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int64(st, 2, version);
    status = statement_step(w->store, st, yes, e);
    if (status != STATUS_OK || !*yes)
        return status;
    status = check_columns(w, st, 0, yes, e);
    if (status == STATUS_OK && *yes && version != 0)
        status = check_columns(w, st, 3, yes, e);
    sqlite3_reset(st);
    return status;
}
