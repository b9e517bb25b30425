// What is lost and nobody has is given up. A history with a hole cannot be followed: its id begins anew with the newest
// version that is left. The links of what is lost are still known.
#include <stdlib.h>

#include "io/file.h"
#include "store/access.h"
#include "store/database.h"
#include "store/deletion.h"
#include "store/heads.h"
#include "store/links.h"
#include "store/place.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

struct behind { // what lies behind a head
    const struct hash *lost;
    bool has_lost;
    bool has_left;
    struct hash left; // data of the newest version that is here
};

// ---- Histories ------------------------------------------------------------------------------------------------------

static bool is_here(struct store *s, const struct hash *hash)
{
    return store_presence(s, hash) == STORE_PRESENT;
}

// By their rules the last link of a version node is its data, the others lead to those before it.
static enum status look_at_node(struct store *s, const struct hash *node, struct behind *b, struct hash_list *next,
                                struct error *e)
{
    struct object_row row;
    struct child_rows links = {0};
    bool found;
    enum status status = object_row_find(s, node, &found, &row, e);
    if (status == STATUS_OK && found)
        status = links_load(s, row.seq, &links, e);
    for (size_t i = 0; i + 1 < links.count; i++)
        hash_list_add(next, &links.items[i].target);
    if (links.count != 0) {
        const struct hash *data = &links.items[links.count - 1].target;
        b->has_lost = b->has_lost || hash_eq(data, b->lost);
        if (!b->has_left && is_here(s, data)) {
            b->has_left = true;
            b->left = *data;
        }
    }
    b->has_lost = b->has_lost || hash_eq(node, b->lost);
    free(links.items);
    return status;
}

static enum status look_behind(struct store *s, const struct hash *head, struct behind *b, struct error *e)
{
    struct hash_list nodes = {0};
    struct hash_map *seen = hash_map_create();
    enum status status = STATUS_OK;
    hash_list_add(&nodes, head);
    for (size_t i = 0; i < nodes.count && status == STATUS_OK && !(b->has_lost && b->has_left); i++) {
        struct hash node = nodes.items[i];
        if (hash_map_add(seen, &node))
            status = look_at_node(s, &node, b, &nodes, e);
    }
    hash_map_destroy(seen);
    hash_list_free(&nodes);
    return status;
}

// Zero if it belongs to none.
static enum status id_of(struct store *s, const struct hash *hash, const struct object_row *row, struct hash *id,
                         struct error *e)
{
    struct child_rows links = {0};
    struct object_row data;
    bool found;
    enum status status = STATUS_OK;
    *id = row->id_hash;
    if (row->type != NULL && row->type->kind == STORE_ID_OBJECT)
        *id = *hash;
    else if (type_is_version_node(row->type))
        status = links_load(s, row->seq, &links, e);
    if (status == STATUS_OK && links.count != 0) {
        status = object_row_find(s, &links.items[links.count - 1].target, &found, &data, e);
        *id = data.id_hash;
    }
    free(links.items);
    return status;
}

// ---- Giving up ------------------------------------------------------------------------------------------------------

static enum status remove_head(struct store *s, const struct hash *id_hash, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_HEAD_REMOVE);
    bind_hash(st, 1, id_hash);
    enum status status = statement_run(s, st, e);
    char *settled = place_head(s, id_hash);
    if (status == STATUS_OK)
        status = file_remove(settled, e);
    free(settled);
    return status;
}

// The index still knows to whom something is granted. An older version may name whom it was taken from since; of a
// group it is not used either.
static enum status remake_grant(struct store *s, const struct hash *id_hash, struct arena *a, struct value **out,
                                struct error *e)
{
    struct object_row row;
    struct child_rows links = {0};
    bool found;
    enum status status = object_row_find(s, id_hash, &found, &row, e);
    if (status == STATUS_OK && found)
        status = links_load(s, row.seq, &links, e);
    if (links.count == 1)
        status = access_remake(s, &links.items[0].target, links.items[0].kind == LINK_ID, a, out, e);
    free(links.items);
    return status;
}

static enum status what_is_left(struct store *s, const struct hash *id_hash, const struct head_row *head,
                                const struct behind *b, struct arena *a, struct value **out, struct error *e)
{
    struct object o;
    bool is_grant = store_type_is_rights(store_type_known(s, id_hash));
    *out = NULL;
    if (is_grant && !is_here(s, &head->data))
        return remake_grant(s, id_hash, a, out, e);
    if (b->has_left && store_get_object(s, &b->left, a, &o, NULL) == STATUS_OK)
        *out = o.value;
    return STATUS_OK;
}

static enum status begin_anew(struct store *s, const struct hash *id_hash, const struct head_row *head,
                              const struct behind *b, int64_t now_ms, struct error *e)
{
    struct value *left;
    struct version_result ignored;
    struct arena *a = arena_create();
    enum status status = what_is_left(s, id_hash, head, b, a, &left, e);
    if (status == STATUS_OK)
        status = remove_head(s, id_hash, e);
    if (status == STATUS_OK && left != NULL)
        status = version_store(&s->versions, left, VERSION_CHANGE, (double)now_ms, &ignored, e);
    arena_destroy(a);
    return status;
}

static enum status replace_head(struct store *s, const struct hash *hash, const struct object_row *row, int64_t now_ms,
                                struct error *e)
{
    struct hash id_hash;
    struct head_row head;
    struct behind b = {.lost = hash};
    enum status status = id_of(s, hash, row, &id_hash, e);
    if (status != STATUS_OK || hash_is_zero(&id_hash))
        return status;
    status = heads_get(s, &id_hash, &head, e);
    if (status == STATUS_OK)
        status = look_behind(s, &head.node, &b, e);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    if (!b.has_lost && !hash_eq(&id_hash, hash))
        return STATUS_OK;
    return begin_anew(s, &id_hash, &head, &b, now_ms, e);
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
    status = replace_head(s, hash, &row, now_ms, e);
    if (status == STATUS_OK)
        status = object_row_find(s, hash, &found, &row, e); // what was made anew may be the same
    return status == STATUS_OK && found && row.state == STATE_WANTED ? remove_row(s, hash, row.seq, e) : status;
}
