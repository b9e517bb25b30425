// Somebody stores what is here already: it then came from that person too, is ours, or is a part no more.
#include "store/vouch.h"
#include "store/changes.h"
#include "store/provenance.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"
#include "store/tree.h"

// Who has it too. What refers to a file may be waiting for that, and an object for somebody who brought its files.
static enum status brought(struct store *s, const struct hash *hash, const struct object_row *row, int64_t source,
                           struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_BROUGHT_ADD);
    sqlite3_bind_int64(st, 1, row->seq);
    sqlite3_bind_int64(st, 2, source);
    enum status status = statement_run(s, st, e);
    bool file = row->type->kind == STORE_BLOB || row->type->kind == STORE_CLOB;
    if (status == STATUS_OK && file && sqlite3_changes(s->main.db) != 0)
        return tree_arrived(s, hash, e);
    return status == STATUS_OK && row->tree == TREE_LACKING ? tree_vouched(s, hash, e) : status;
}

enum status vouch_again(struct store *s, const struct hash *hash, struct object_row *row, struct error *e)
{
    if (s->recovering)
        return STATUS_OK;
    int64_t source = provenance_sender(s);
    bool ours = source == 0 && row->source != 0 && !s->making;
    bool admitted = row->part && !provenance_as_part(s, row);
    enum status status = STATUS_OK;
    if (ours || (source != 0 && source != row->source))
        status = brought(s, hash, row, ours ? row->source : source, e);
    if (status != STATUS_OK || (!ours && !admitted))
        return status;
    row->source = ours ? 0 : row->source;
    row->part = row->part && !admitted;
    status = provenance_set(s, hash, row->source, row->part, e);
    if (status == STATUS_OK && ours)
        status = tree_vouched(s, hash, e);
    if (status == STATUS_OK && admitted)
        changes_add_object(s, row, hash);
    return status;
}

enum status store_vouch(struct store *s, const struct hash *hash, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK || !found || row.state >= STATE_WANTED || row.source == provenance_sender(s))
        return status;
    return brought(s, hash, &row, provenance_sender(s), e);
}
