// Scopes are found by who they were granted to: the person, or one group of it after the other, each in the order of an
// index. One that is found in two ways is passed over the second time.
//
// What was passed and what is to come have to be of one state. The number that stands for what the person is shown
// (store_roots_version) is looked at with each job: if it has moved, the walk says so, and what it found is no set.
#include "store/walk.h"

#include "base/clock.h"
#include "store/fragment.h"
#include "store/shown.h"
#include "store/statements.h"
#include "store/sums.h"

enum { ROWS = 1024, JOB_MS = 5, LOOK = 32 }; // of a job; rows between two looks at the clock

enum { BY_PERSON = 0, BY_OFFER = 2, BY_GROUP = 1, BY_NOTHING = 3 }; // as column is_group of table member says

struct job {
    struct store *store;
    struct store_walk *walk;
    const struct store_walk_visitor *visitor;
    struct shown shown;
    size_t rows;
    uint64_t until_ms;
    bool full;
};

static bool is_over(struct job *j)
{
    j->rows++;
    bool late = j->rows % LOOK == 0 && clock_monotonic_ms() >= j->until_ms;
    j->full = j->full || late || j->rows > ROWS || j->visitor->full(j->visitor->ctx);
    return j->full;
}

static bool is_wanted(const struct job *j, const struct store_feed_root *root)
{
    return j->visitor->wants(j->visitor->ctx, store_sum_leaf(&root->hash, &root->id_hash));
}

// The entry in columns first and first + 1 of a row; *yes: it is shown. What has to be found out for it once in a walk
// may take longer than a job, and is none of its time.
static enum status is_shown(struct job *j, sqlite3_stmt *st, int first, const struct hash *hash, bool *yes,
                            struct error *e)
{
    bool has_entry = sqlite3_column_type(st, first) != SQLITE_NULL;
    bool knew = j->shown.hidden != NULL;
    enum status status = shown_entry(&j->shown, has_entry, sqlite3_column_int(st, first + 1), hash, yes, e);
    if (!knew && j->shown.hidden != NULL)
        j->until_ms = clock_monotonic_ms() + JOB_MS;
    return status;
}

static enum status visit_version(struct job *j, sqlite3_stmt *st, const struct hash *id_hash, struct error *e)
{
    struct store_feed_root root = {.id_hash = *id_hash};
    bool shown = false;
    j->walk->version_seq = sqlite3_column_int64(st, 0);
    if (!column_hash(st, 1, &root.hash) || !is_wanted(j, &root))
        return STATUS_OK;
    enum status status = is_shown(j, st, 2, &root.hash, &shown, e);
    root.fragment = column_bytes(st, 2);
    return status == STATUS_OK && shown ? j->visitor->root(j->visitor->ctx, &root, e) : status;
}

// *over: all of them.
static enum status visit_versions(struct job *j, const struct hash *id_hash, bool *over, struct error *e)
{
    bool row = true;
    sqlite3_stmt *st = statement(j->store, SQL_WALK_VERSIONS);
    sqlite3_bind_int64(st, 1, j->walk->scope);
    sqlite3_bind_int64(st, 2, j->walk->version_seq);
    enum status status = STATUS_OK;
    *over = false;
    while (status == STATUS_OK && !*over && !is_over(j)) {
        status = statement_step(j->store, st, &row, e);
        if (status == STATUS_OK && row)
            status = visit_version(j, st, id_hash, e);
        *over = !row;
    }
    sqlite3_reset(st);
    return status;
}

static enum status was_found_before(struct job *j, int64_t scope, bool *yes, struct error *e)
{
    static const struct hash none;
    const struct store_walk *w = j->walk;
    *yes = false;
    if (w->by == BY_PERSON)
        return STATUS_OK;
    sqlite3_stmt *st = statement(j->store, SQL_WALK_BEFORE);
    sqlite3_bind_int64(st, 1, scope);
    bind_hash(st, 2, &w->person);
    sqlite3_bind_int(st, 3, w->by == BY_GROUP ? BY_OFFER : BY_PERSON);
    bind_hash(st, 4, w->by == BY_GROUP ? &w->group : &none);
    enum status status = statement_step(j->store, st, yes, e);
    sqlite3_reset(st);
    return status;
}

// A row of SQL_WALK_SCOPES: the scope's own entry, unless it was visited, and its versions.
static enum status visit_scope(struct job *j, sqlite3_stmt *st, bool *over, struct error *e)
{
    struct store_walk *w = j->walk;
    struct store_feed_root root = {0};
    struct hash target;
    bool is_id = sqlite3_column_int(st, 1) == SCOPE_ID;
    bool shown = false;
    bool before;
    *over = true;
    if (sqlite3_column_int64(st, 0) != w->scope)
        w->version_seq = -1;
    w->scope = sqlite3_column_int64(st, 0);
    if (!column_hash(st, 2, &target))
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "A granted root is damaged");
    (void)column_hash(st, 3, &root.id_hash);
    root.hash = is_id ? root.hash : target;
    root.fragment = column_bytes(st, 4);
    bool wanted = w->version_seq < 0 && is_wanted(j, &root);
    if (!is_id && !wanted)
        return STATUS_OK;
    enum status status = was_found_before(j, w->scope, &before, e);
    if (status == STATUS_OK && !before)
        status = is_shown(j, st, 4, &target, &shown, e);
    if (status == STATUS_OK && shown && wanted)
        status = j->visitor->root(j->visitor->ctx, &root, e);
    if (status != STATUS_OK || !shown || !is_id)
        return status;
    w->version_seq = w->version_seq < 0 ? 0 : w->version_seq;
    return visit_versions(j, &target, over, e);
}

// *over: there is no scope left that was granted so.
static enum status visit_scopes(struct job *j, bool *over, struct error *e)
{
    struct store_walk *w = j->walk;
    bool row = true;
    bool through = true;
    sqlite3_stmt *st = statement(j->store, SQL_WALK_SCOPES);
    bind_hash(st, 1, w->by == BY_GROUP ? &w->group : &w->person);
    sqlite3_bind_int(st, 2, w->by);
    sqlite3_bind_int64(st, 3, w->scope);
    enum status status = STATUS_OK;
    *over = false;
    while (status == STATUS_OK && !*over && through && !is_over(j)) {
        status = statement_step(j->store, st, &row, e);
        if (status == STATUS_OK && row)
            status = visit_scope(j, st, &through, e);
        if (status == STATUS_OK && row && through) {
            w->scope++;
            w->version_seq = -1;
        }
        *over = !row;
    }
    sqlite3_reset(st);
    return status;
}

static enum status next_group(struct job *j, bool *found, struct error *e)
{
    sqlite3_stmt *st = statement(j->store, SQL_WALK_GROUP);
    bind_hash(st, 1, &j->walk->person);
    bind_hash(st, 2, &j->walk->group);
    enum status status = statement_step(j->store, st, found, e);
    *found = status == STATUS_OK && *found && column_hash(st, 0, &j->walk->group);
    sqlite3_reset(st);
    return status;
}

static enum status next_way(struct job *j, struct error *e)
{
    struct store_walk *w = j->walk;
    bool found = true;
    enum status status = STATUS_OK;
    w->scope = 0;
    w->version_seq = -1;
    if (w->by == BY_PERSON) {
        w->by = BY_OFFER;
        return STATUS_OK;
    }
    status = next_group(j, &found, e);
    w->by = found ? BY_GROUP : BY_NOTHING;
    return status;
}

static enum status begin(struct job *j, struct error *e)
{
    struct store_walk *w = j->walk;
    uint64_t version;
    enum status status = store_roots_version(j->store, &w->person, &version, e);
    if (status != STATUS_OK)
        return status;
    if (w->begun && version != w->version)
        store_walk_end(w);
    w->moved = w->moved || (w->begun && version != w->version);
    if (!w->begun)
        w->version_seq = -1;
    w->version = version;
    w->begun = true;
    status = shown_begin(&j->shown, j->store, &w->person, w->own, e);
    j->shown.hidden = w->hidden; // lent to the job
    w->hidden = NULL;
    return status;
}

// What a failed job found out may be half of it.
static void end_job(struct job *j, enum status status)
{
    if (status == STATUS_OK && j->walk->by != BY_NOTHING) {
        j->walk->hidden = j->shown.hidden;
        j->shown.hidden = NULL;
    }
    shown_end(&j->shown);
}

void store_walk_end(struct store_walk *w)
{
    hash_map_destroy(w->hidden);
    w->hidden = NULL;
}

enum status store_walk_go_on(struct store *s, struct store_walk *w, const struct store_walk_visitor *v, bool *end,
                             struct error *e)
{
    struct job j = {.store = s, .walk = w, .visitor = v, .until_ms = clock_monotonic_ms() + JOB_MS};
    bool over = false;
    enum status status = begin(&j, e);
    while (status == STATUS_OK && w->by != BY_NOTHING && !j.full) {
        status = visit_scopes(&j, &over, e);
        if (status == STATUS_OK && over)
            status = next_way(&j, e);
    }
    *end = w->by == BY_NOTHING;
    end_job(&j, status);
    return status;
}
