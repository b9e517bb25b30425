// The roots of a person as CHUM version 8 lists them (WIRE.md 10.4).
#include "data/merge.h"
#include "store/fragment.h"
#include "store/shown.h"
#include "store/state.h"
#include "store/statements.h"

struct listing {
    struct store *store;
    store_root_fn emit;
    void *arg;
    uint64_t *skipped;
    bool winners; // versions that lost to one from elsewhere are left out
    struct shown shown;
};

// Whether the root with this entry (NULL: it cannot be delivered) and the mark "lacking" behind it is listed.
static enum status may_show(struct listing *l, sqlite3_stmt *st, int entry, const struct hash *hash, bool *yes,
                            struct error *e)
{
    int lacking = sqlite3_column_int(st, entry + 1);
    enum status status = shown_entry(&l->shown, sqlite3_column_type(st, entry) != SQLITE_NULL, lacking, hash, yes, e);
    if (!*yes && lacking != FRAGMENT_MERGE)
        ++*l->skipped;
    return status;
}

// The row of a version. first, unless NULL, was emitted already. *shown: whether it is listed.
static enum status emit_node(struct listing *l, sqlite3_stmt *st, const struct hash *id_hash, const struct hash *first,
                             bool *shown, struct error *e)
{
    struct hash node;
    *shown = false;
    if (!column_hash(st, 0, &node) || (first != NULL && hash_eq(first, &node)))
        return STATUS_OK;
    enum status status = may_show(l, st, 1, &node, shown, e);
    return status == STATUS_OK && *shown ? l->emit(column_bytes(st, 1), &node, id_hash, l->arg) : status;
}

// Of the versions that are new to it, the reference takes the deepest, and of those the first, and leaves the others.
// What came from others are edges here, all equally deep. Where such a one won over a version of ours, and is offered
// for that (winners), it is the first, and what is deeper is not listed; of a channel, whose lists come together in any
// order, the one that holds what the current version does has to come first, else messages would be lost.
static bool has_lists_only(const struct listing *l, struct span entry)
{
    const struct recipe *recipe = recipes_find(l->store->recipes, store_root_type(entry));
    return recipe != NULL && !merge_needs_history(recipe);
}

static enum status emit_edge(struct listing *l, enum statement_id which, int64_t scope, const struct hash *id_hash,
                             struct hash *current, bool *found, struct error *e)
{
    sqlite3_stmt *st = statement(l->store, which);
    sqlite3_bind_int64(st, 1, scope);
    bind_hash(st, 2, id_hash);
    enum status status = statement_step(l->store, st, found, e);
    if (status == STATUS_OK && *found) {
        (void)column_hash(st, 0, current);
        status = emit_node(l, st, id_hash, NULL, found, e); // what may not be shown stands for nothing
        sqlite3_reset(st);
    }
    return status;
}

static enum status emit_nodes(struct listing *l, int64_t scope, const struct hash *id_hash, bool lists_only,
                              struct error *e)
{
    struct hash first;
    bool won = false;
    bool found = false;
    bool row = true;
    bool ignored;
    enum status status =
        !l->winners ? STATUS_OK : emit_edge(l, SQL_SCOPE_WINNING_EDGE, scope, id_hash, &first, &won, e);
    found = won;
    if (status == STATUS_OK && !l->shown.own && !won && lists_only)
        status = emit_edge(l, SQL_SCOPE_CURRENT_EDGE, scope, id_hash, &first, &found, e);
    sqlite3_stmt *st = statement(l->store, won ? SQL_SCOPE_EDGES : SQL_SCOPE_NODES);
    sqlite3_bind_int64(st, 1, scope);
    while (status == STATUS_OK && row) {
        status = statement_step(l->store, st, &row, e);
        if (status == STATUS_OK && row)
            status = emit_node(l, st, id_hash, found ? &first : NULL, &ignored, e);
    }
    sqlite3_reset(st);
    return status;
}

// One row of SQL_PERSON_SCOPES.
static enum status emit_scope(struct listing *l, sqlite3_stmt *st, struct error *e)
{
    struct hash target;
    struct hash id_hash;
    bool shown;
    bool is_id = sqlite3_column_int(st, 1) == SCOPE_ID;
    bool versioned = column_hash(st, 3, &id_hash);
    if (!column_hash(st, 2, &target))
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "A granted root is damaged");
    enum status status = may_show(l, st, 4, &target, &shown, e);
    if (status != STATUS_OK || !shown)
        return status;
    bool lists_only = is_id && !l->shown.own && has_lists_only(l, column_bytes(st, 4));
    status = l->emit(column_bytes(st, 4), is_id ? NULL : &target, versioned ? &id_hash : NULL, l->arg);
    return status == STATUS_OK && is_id ? emit_nodes(l, sqlite3_column_int64(st, 0), &target, lists_only, e) : status;
}

enum audience { ANYBODY, PEER, OWN };

static enum status list_roots(struct store *s, const struct hash *person, enum audience to, store_root_fn emit,
                              void *arg, uint64_t *skipped, struct error *e)
{
    uint64_t ignored;
    struct listing l = {.store = s, .emit = emit, .arg = arg, .winners = to == PEER};
    l.skipped = skipped != NULL ? skipped : &ignored;
    *l.skipped = 0;
    enum status status = shown_begin(&l.shown, s, person, to == OWN, e);
    sqlite3_stmt *st = statement(s, SQL_PERSON_SCOPES);
    bind_hash(st, 1, person);
    bool row = true;
    while (status == STATUS_OK && row) {
        status = statement_step(s, st, &row, e);
        if (status == STATUS_OK && row)
            status = emit_scope(&l, st, e);
    }
    sqlite3_reset(st);
    shown_end(&l.shown);
    return status;
}

enum status store_roots(struct store *s, const struct hash *person, store_root_fn emit, void *arg, uint64_t *skipped,
                        struct error *e)
{
    return list_roots(s, person, ANYBODY, emit, arg, skipped, e);
}

enum status store_roots_offered(struct store *s, const struct hash *person, store_root_fn emit, void *arg,
                                uint64_t *skipped, struct error *e)
{
    return list_roots(s, person, PEER, emit, arg, skipped, e);
}

enum status store_roots_own(struct store *s, const struct hash *person, store_root_fn emit, void *arg,
                            uint64_t *skipped, struct error *e)
{
    return list_roots(s, person, OWN, emit, arg, skipped, e);
}
