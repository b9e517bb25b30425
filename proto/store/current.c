// Which version of an id is the current one. Making one current is also what makes Access, IdAccess and Group
// take effect, so this stands above the index of grants, and the table of heads (heads.c) below it.
#include "store/current.h"
#include "store/access.h"
#include "store/changes.h"
#include "store/database.h"
#include "store/heads.h"
#include "store/links.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

static enum status save(struct store *s, const struct store_type *type, const struct hash *id_hash,
                        const struct head_row *head, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_HEAD_SET);
    bind_hash(st, 1, id_hash);
    bind_hash(st, 2, &head->node);
    bind_hash(st, 3, &head->data);
    sqlite3_bind_int64(st, 4, type->id);
    sqlite3_bind_int64(st, 5, s->next_seq++);
    sqlite3_bind_int(st, 6, s->kind == STORE_ARCHIVE);
    return statement_run(s, st, e);
}

// A node may become the head of the id its data belongs to, nothing else.
static enum status check(struct store *s, const struct hash *id_hash, const struct hash *node, struct head_row *head,
                         const struct store_type **type, struct error *e)
{
    struct node_links links;
    struct object_row data;
    head->node = *node;
    enum status status = links_of_node(s, node, &links, e);
    hash_list_free(&links.before);
    if (status != STATUS_OK)
        return status;
    head->data = links.data;
    status = object_need(s, &links.data, &data, e);
    if (status != STATUS_OK)
        return status;
    if (data.type->kind != STORE_OBJECT || !hash_eq(&data.id_hash, id_hash))
        return error_set(e, STATUS_INVALID, "NOT-A-VERSION", "%s is not a version of %s", hash_text(node).s,
                         hash_text(id_hash).s);
    *type = data.type;
    return STATUS_OK;
}

enum status current_set(struct store *s, const struct hash *id_hash, const struct hash *node, struct error *e)
{
    struct head_row old;
    struct head_row head;
    const struct store_type *type = NULL;
    enum status status = store_need_transaction(s, e);
    if (status != STATUS_OK)
        return status;
    status = heads_get(s, id_hash, &old, e);
    if (status == STATUS_OK && hash_eq(&old.node, node))
        return STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    bool first = status == STATUS_NOT_FOUND;
    status = check(s, id_hash, node, &head, &type, e);
    if (status != STATUS_OK || type == NULL)
        return status;
    status = save(s, type, id_hash, &head, e);
    if (status != STATUS_OK)
        return status;
    changes_add_head(s, type, id_hash, &head);
    return access_follow(s, type, id_hash, first ? NULL : &old.node, &head, e);
}

enum status store_current(struct store *s, const struct hash *id_hash, struct arena *a, struct object *o,
                          struct error *e)
{
    struct head_row head;
    enum status status = heads_get(s, id_hash, &head, e);
    return status == STATUS_OK ? store_get_object(s, &head.data, a, o, e) : status;
}
