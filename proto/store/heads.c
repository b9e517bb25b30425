// The table of heads. Only current.c changes it.
#include "store/heads.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

enum status heads_get(struct store *s, const struct hash *id_hash, struct head_row *out, struct error *e)
{
    bool row;
    sqlite3_stmt *st = statement(s, SQL_HEAD_GET);
    bind_hash(st, 1, id_hash);
    enum status status = statement_step(s, st, &row, e);
    if (status != STATUS_OK)
        return status;
    if (!row)
        return error_set(e, STATUS_NOT_FOUND, "SB-READ2", "%s has no current version", hash_text(id_hash).s);
    bool whole = column_hash(st, 0, &out->node) && column_hash(st, 1, &out->data);
    sqlite3_reset(st);
    return whole ? STATUS_OK : error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "A version head is damaged");
}

enum status store_head(struct store *s, const struct hash *id_hash, struct hash *node, struct error *e)
{
    struct head_row head;
    enum status status = heads_get(s, id_hash, &head, e);
    if (status == STATUS_OK)
        *node = head.node;
    return status;
}

enum status store_ids_of_type(struct store *s, struct span type, struct hash_list *out, struct error *e)
{
    const struct store_type *t = type_find(s, type, STORE_OBJECT);
    if (t == NULL)
        return STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_HEAD_IDS);
    sqlite3_bind_int64(st, 1, t->id);
    return statement_hashes(s, st, out, e);
}
