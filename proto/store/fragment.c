// The JSON entries of the root list (WIRE.md 10.4), made once when a root or what lies below it changes and kept with
// its scope, so that listing 100,000 roots reads rows in a line and looks nothing up.
#include <string.h>

#include "base/text.h"
#include "store/fragment.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"

static void add_type(struct buf *b, const char *name, const struct store_type *type)
{
    buf_printf(b, ",\"%s\":", name);
    text_add_json((struct span){type->name, type->length}, b);
    buf_add_char(b, '}');
}

struct span store_root_type(struct span fragment)
{
    static const char before[] = "Type\":\"";
    static const char after[] = "\"}";
    const char *at = memmem(fragment.ptr, fragment.len, before, sizeof before - 1);
    if (at == NULL || memchr(fragment.ptr, '\\', fragment.len) != NULL)
        return (struct span){0};
    struct span type = span_from(fragment, (size_t)(at - fragment.ptr) + sizeof before - 1);
    type.len -= sizeof after - 1;
    return type;
}

static bool may_be_listed(bool found, const struct object_row *row, int kind)
{
    return found && row->state < STATE_WANTED && row->type != NULL && row->type->kind == kind &&
           row->tree != TREE_INCOMPLETE;
}

// Not for everybody.
static int lacking_of(const struct object_row *row)
{
    return row->tree == TREE_REFUSED ? FRAGMENT_OWN : row->tree == TREE_LACKING ? FRAGMENT_LACKING : FRAGMENT_WHOLE;
}

enum status fragment_of_scope(struct store *s, int kind, const struct hash *target, struct fragment *f, struct error *e)
{
    struct object_row row;
    bool found;
    enum status status = object_row_find(s, target, &found, &row, e);
    if (status != STATUS_OK || !may_be_listed(found, &row, kind == SCOPE_ID ? STORE_ID_OBJECT : STORE_OBJECT))
        return status;
    struct buf *out = &f->text;
    f->lacking = lacking_of(&row);
    f->id_hash = row.id_hash;
    bool versioned = !hash_is_zero(&row.id_hash);
    if (kind == SCOPE_ID)
        buf_printf(out, "{\"type\":\"id\"");
    else
        buf_printf(out, "{\"type\":\"%s\",\"hash\":\"%s\"", versioned ? "versioned" : "unversioned",
                   hash_text(target).s);
    if (versioned)
        buf_printf(out, ",\"idHash\":\"%s\"", hash_text(&row.id_hash).s);
    add_type(out, "oneType", row.type);
    return STATUS_OK;
}

enum status fragment_of_node(struct store *s, const struct hash *node, const struct hash *id_hash, struct fragment *f,
                             struct error *e)
{
    struct object_row row;
    struct object_row id;
    bool found;
    enum status status = object_row_find(s, node, &found, &row, e);
    if (status != STATUS_OK || !may_be_listed(found, &row, STORE_OBJECT))
        return status;
    status = object_row_find(s, id_hash, &found, &id, e);
    if (status != STATUS_OK || !found || id.type == NULL)
        return status;
    struct buf *out = &f->text;
    f->lacking = strcmp(row.type->name, "VersionNodeMerge") == 0 ? FRAGMENT_MERGE : lacking_of(&row);
    buf_printf(out, "{\"type\":\"version_node\",\"node\":\"%s\",\"dataIdHash\":\"%s\"", hash_text(node).s,
               hash_text(id_hash).s);
    add_type(out, "dataType", id.type);
    return STATUS_OK;
}
