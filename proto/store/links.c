// The links between objects, in both directions, and what they mean in a version node.
#include <stdlib.h>
#include <string.h>

#include "store/links.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

// ---- The index ------------------------------------------------------------------------------------------------------

// Above this many links a map tells repetitions apart, below it looking back is faster.
enum { FEW_LINKS = 16 };

static bool is_repetition(const struct link *links, size_t i, struct hash_map *seen)
{
    if (seen != NULL)
        return !hash_map_add(seen, &links[i].target);
    for (size_t k = 0; k < i; k++)
        if (hash_eq(&links[k].target, &links[i].target))
            return true;
    return false;
}

enum status links_add(struct store *s, int64_t src, const struct store_type *type, const struct link *links,
                      size_t count, struct error *e)
{
    struct hash_map *seen = count > FEW_LINKS ? hash_map_create() : NULL;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (is_repetition(links, i, seen))
            continue;
        sqlite3_stmt *st = statement(s, SQL_LINK_ADD);
        sqlite3_bind_int64(st, 1, src);
        sqlite3_bind_int64(st, 2, (int64_t)i);
        bind_hash(st, 3, &links[i].target);
        sqlite3_bind_int(st, 4, (int)links[i].kind);
        sqlite3_bind_int64(st, 5, type->id);
        status = statement_run(s, st, e);
    }
    hash_map_destroy(seen);
    return status;
}

static struct child_row *append_child(struct child_rows *rows)
{
    if (rows->count == rows->cap) {
        rows->cap = rows->cap != 0 ? rows->cap * 2 : 4;
        rows->items = mem_resize(rows->items, rows->cap * sizeof *rows->items);
    }
    struct child_row *c = &rows->items[rows->count++];
    memset(c, 0, sizeof *c);
    return c;
}

enum status links_load(struct store *s, int64_t src, struct child_rows *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_LINK_CHILDREN);
    sqlite3_bind_int64(st, 1, src);
    for (;;) {
        bool row;
        enum status status = statement_step(s, st, &row, e);
        if (status != STATUS_OK || !row)
            return status;
        struct child_row *c = append_child(out);
        (void)column_hash(st, 0, &c->target);
        c->kind = (enum link_kind)sqlite3_column_int(st, 1);
        c->found = sqlite3_column_type(st, 2) != SQLITE_NULL;
        c->row.seq = sqlite3_column_int64(st, 2);
        c->row.type = type_by_id(s, sqlite3_column_int64(st, 3));
        c->row.state = (enum state)sqlite3_column_int(st, 4);
        c->row.tree = (enum tree)sqlite3_column_int(st, 5);
        c->row.source = sqlite3_column_int64(st, 6);
        c->ordinal = sqlite3_column_int64(st, 7);
    }
}

bool type_is_version_node(const struct store_type *type)
{
    return type != NULL && type->kind == STORE_OBJECT &&
           (strcmp(type->name, "VersionNodeEdge") == 0 || strcmp(type->name, "VersionNodeChange") == 0 ||
            strcmp(type->name, "VersionNodeMerge") == 0);
}

// By their rules the links of a version node are its predecessors, then its data. They are known of a lost one, too.
enum status links_of_node(struct store *s, const struct hash *node, struct node_links *out, struct error *e)
{
    struct object_row row;
    struct child_rows links = {0};
    bool found;
    memset(out, 0, sizeof *out);
    enum status status = object_row_find(s, node, &found, &row, e);
    bool lost = status == STATUS_OK && found && row.state == STATE_WANTED && type_is_version_node(row.type);
    if (status == STATUS_OK && !lost)
        status = object_need(s, node, &row, e);
    if (status == STATUS_OK && !type_is_version_node(row.type))
        status = error_set(e, STATUS_INVALID, "NOT-A-VERSION", "%s is not a version node", hash_text(node).s);
    if (status == STATUS_OK)
        status = links_load(s, row.seq, &links, e);
    if (status == STATUS_OK && links.count == 0)
        status = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "The links of %s are gone", hash_text(node).s);
    if (status == STATUS_OK) {
        for (size_t i = 0; i + 1 < links.count; i++)
            hash_list_add(&out->before, &links.items[i].target);
        out->data = links.items[links.count - 1].target;
        out->merge = strcmp(row.type->name, "VersionNodeMerge") == 0;
    }
    free(links.items);
    return status;
}

// ---- Referrers ------------------------------------------------------------------------------------------------------

static enum status ask_referrers(struct store *s, enum statement_id id, const struct hash *target, int64_t second,
                                 struct hash_list *out, struct error *e)
{
    sqlite3_stmt *st = statement(s, id);
    bind_hash(st, 1, target);
    sqlite3_bind_int64(st, 2, second);
    return statement_hashes(s, st, out, e);
}

enum status store_referrers(struct store *s, const struct hash *target, struct span type, bool id_objects,
                            struct hash_list *out, struct error *e)
{
    int kind = id_objects ? STORE_ID_OBJECT : STORE_OBJECT;
    if (type.len == 0)
        return ask_referrers(s, SQL_REFERRERS, target, kind, out, e);
    const struct store_type *t = type_find(s, type, kind);
    return t != NULL ? ask_referrers(s, SQL_REFERRERS_TYPE, target, t->id, out, e) : STATUS_OK;
}

enum status store_current_referrers(struct store *s, const struct hash *target, struct span type, struct hash_list *out,
                                    struct error *e)
{
    if (type.len == 0)
        return ask_referrers(s, SQL_REFERRERS_CURRENT, target, 0, out, e);
    const struct store_type *t = type_find(s, type, STORE_OBJECT);
    return t != NULL ? ask_referrers(s, SQL_REFERRERS_CURRENT_TYPE, target, t->id, out, e) : STATUS_OK;
}
