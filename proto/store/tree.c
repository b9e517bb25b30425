// Keeps the column tree of every object right: whether all that is below it is here. An object knows it when it is
// stored, from its direct links; what arrives late or gets lost afterwards is told upwards along the links.
#include <stdlib.h>

#include "store/access.h"
#include "store/links.h"
#include "store/provenance.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"
#include "store/tree.h"

bool tree_is_lacking(enum link_kind kind, bool found, const struct object_row *row)
{
    return kind == LINK_BLOB && found && row->state == STATE_WANTED && row->type == NULL;
}

// parent: the object with the link. A file that was only named there lacks like one that could not be delivered.
// A link to an object needs an object, a link to an id an id object; a file may be anything.
static enum tree below(struct store *s, enum link_kind kind, bool found, const struct object_row *row,
                       const struct object_row *parent)
{
    if (tree_is_lacking(kind, found, row))
        return TREE_LACKING;
    if (found && row->state == STATE_DELETED)
        return TREE_DELIVERABLE; // a gap that nobody fills
    if (!found || row->state == STATE_WANTED || row->type == NULL)
        return TREE_INCOMPLETE;
    if (kind == LINK_OBJECT)
        return row->type->kind == STORE_OBJECT ? row->tree : TREE_INCOMPLETE;
    if (kind == LINK_ID)
        return row->type->kind == STORE_ID_OBJECT ? row->tree : TREE_INCOMPLETE;
    return provenance_may_show(s, kind, row, parent) ? TREE_DELIVERABLE : TREE_LACKING;
}

static enum tree join(enum tree sum, enum tree one)
{
    static const enum tree worst_first[] = {TREE_REFUSED, TREE_INCOMPLETE, TREE_LACKING};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
        if (sum == worst_first[i] || one == worst_first[i])
            return worst_first[i];
    return TREE_DELIVERABLE;
}

static enum tree start(const struct store_type *type)
{
    return store_type_is_rights((struct span){type->name, type->length}) ? TREE_REFUSED : TREE_DELIVERABLE;
}

enum status tree_of_links(struct store *s, const struct object_row *parent, const struct link *links, size_t count,
                          enum tree *out, struct error *e)
{
    enum status status = STATUS_OK;
    *out = start(parent->type);
    for (size_t i = 0; i < count && status == STATUS_OK && *out != TREE_REFUSED; i++) {
        struct object_row row;
        bool found;
        status = object_row_find(s, &links[i].target, &found, &row, e);
        *out = join(*out, below(s, links[i].kind, found, &row, parent));
    }
    return status;
}

enum status tree_of_row(struct store *s, const struct object_row *row, enum tree *out, struct error *e)
{
    struct child_rows links = {0};
    enum status status = links_load(s, row->seq, &links, e);
    *out = start(row->type);
    for (size_t i = 0; i < links.count; i++)
        *out = join(*out, below(s, links.items[i].kind, links.items[i].found, &links.items[i].row, row));
    free(links.items);
    return status;
}

static enum status set_tree(struct store *s, int64_t seq, enum tree tree, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_TREE);
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int(st, 2, (int)tree);
    return statement_run(s, st, e);
}

// Objects linking to hash that lack something, or whose tree is as said.
static enum status parents(struct store *s, const struct hash *hash, enum tree tree, struct hash_list *out,
                           struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_LINK_PARENTS);
    bind_hash(st, 1, hash);
    sqlite3_bind_int(st, 2, (int)tree);
    sqlite3_bind_int(st, 3, TREE_LACKING);
    return statement_hashes(s, st, out, e);
}

// Looks at one parent again; if its tree has changed, those above it wait in the list.
static enum status revise(struct store *s, const struct hash *hash, struct hash_list *waiting, struct error *e)
{
    struct object_row row;
    bool found;
    enum tree tree;
    enum status status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state >= STATE_WANTED || row.type == NULL)
        return status;
    status = tree_of_row(s, &row, &tree, e);
    if (status != STATUS_OK || tree == row.tree)
        return status;
    hash_list_add(waiting, hash);
    status = set_tree(s, row.seq, tree, e);
    return status == STATUS_OK ? access_object_changed(s, hash, e) : status;
}

static enum status tell_upwards(struct store *s, const struct hash *hash, enum tree of_parents, struct error *e)
{
    struct hash_list waiting = {0};
    struct hash_list above = {0};
    enum status status = access_object_changed(s, hash, e);
    hash_list_add(&waiting, hash);
    while (status == STATUS_OK && waiting.count != 0) {
        struct hash next = waiting.items[--waiting.count];
        above.count = 0;
        status = parents(s, &next, of_parents, &above, e);
        for (size_t i = 0; i < above.count && status == STATUS_OK; i++)
            status = revise(s, &above.items[i], &waiting, e);
    }
    hash_list_free(&above);
    hash_list_free(&waiting);
    return status;
}

enum status tree_arrived(struct store *s, const struct hash *hash, struct error *e)
{
    return tell_upwards(s, hash, TREE_INCOMPLETE, e);
}

enum status tree_vouched(struct store *s, const struct hash *hash, struct error *e)
{
    struct hash_list changed = {0};
    enum status status = revise(s, hash, &changed, e);
    if (status == STATUS_OK && changed.count != 0)
        status = tree_arrived(s, hash, e);
    hash_list_free(&changed);
    return status;
}

enum status tree_lost(struct store *s, const struct hash *hash, struct error *e)
{
    return tell_upwards(s, hash, TREE_DELIVERABLE, e);
}

enum status tree_lacking_for_others(struct store *s, const struct hash *person, struct hash_map *out, struct error *e)
{
    struct hash_list waiting = {0};
    sqlite3_stmt *st = statement(s, SQL_WANTED_OF_OTHERS);
    bind_hash(st, 1, person);
    enum status status = statement_hashes(s, st, &waiting, e);
    struct hash_list above = {0};
    while (status == STATUS_OK && waiting.count != 0) {
        struct hash next = waiting.items[--waiting.count];
        above.count = 0;
        status = parents(s, &next, TREE_LACKING, &above, e);
        for (size_t i = 0; i < above.count && status == STATUS_OK; i++)
            if (hash_map_add(out, &above.items[i]))
                hash_list_add(&waiting, &above.items[i]);
    }
    hash_list_free(&above);
    hash_list_free(&waiting);
    return status;
}
