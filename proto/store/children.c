// All that is below an object, in the order in which the reference sends it (WIRE.md 10.4).
#include <stdlib.h>
#include <string.h>

#include "store/links.h"
#include "store/provenance.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/tree.h"

struct frame { // an object whose links are being visited
    struct object_row self;
    struct child_rows links;
    size_t next;
};

struct traversal {
    struct store *store;
    struct hash_map *seen;
    struct frame *frames;
    size_t depth;
    size_t cap;
    struct store_children *out;
    size_t out_cap;
};

static enum status enter(struct traversal *t, const struct object_row *row, struct error *e)
{
    if (t->depth == t->cap) {
        t->cap = t->cap != 0 ? t->cap * 2 : 16;
        t->frames = mem_resize(t->frames, t->cap * sizeof *t->frames);
    }
    struct frame *f = &t->frames[t->depth++];
    *f = (struct frame){.self = *row};
    return links_load(t->store, row->seq, &f->links, e);
}

static void emit(struct traversal *t, const struct child_row *c)
{
    struct store_children *out = t->out;
    if (out->count == t->out_cap) {
        t->out_cap = t->out_cap != 0 ? t->out_cap * 2 : 16;
        out->items = mem_resize(out->items, t->out_cap * sizeof *out->items);
    }
    out->items[out->count++] = (struct store_child){c->kind, c->target};
}

// An object is left after everything below it: now the link that led to it follows.
static void leave(struct traversal *t)
{
    free(t->frames[--t->depth].links.items);
    if (t->depth == 0)
        return;
    const struct frame *above = &t->frames[t->depth - 1];
    emit(t, &above->links.items[above->next - 1]);
}

static enum status visit(struct traversal *t, const struct child_row *c, const struct object_row *parent,
                         struct error *e)
{
    if (c->found && c->row.state == STATE_DELETED)
        return STATUS_OK; // whoever is told of it would ask for it
    if (!provenance_may_show(t->store, c->kind, &c->row, parent))
        return STATUS_OK;
    if (!hash_map_add(t->seen, &c->target))
        return STATUS_OK;
    if (tree_is_lacking(c->kind, c->found, &c->row)) { // whoever is shown the tree has it, or can do without
        emit(t, c);
        return STATUS_OK;
    }
    if (!c->found || c->row.state == STATE_WANTED)
        return error_set(e, STATUS_NOT_FOUND, "SB-READ2", "File not found: %s", hash_text(&c->target).s);
    if (c->kind == LINK_OBJECT || c->kind == LINK_ID)
        return enter(t, &c->row, e);
    emit(t, c);
    return STATUS_OK;
}

static void reverse(struct store_children *out)
{
    for (size_t i = 0; i < out->count / 2; i++) {
        struct store_child c = out->items[i];
        out->items[i] = out->items[out->count - 1 - i];
        out->items[out->count - 1 - i] = c;
    }
}

static enum status traverse(struct traversal *t, const struct object_row *row, struct error *e)
{
    enum status status = enter(t, row, e);
    while (status == STATUS_OK && t->depth != 0) {
        struct frame *f = &t->frames[t->depth - 1];
        if (f->next == f->links.count) {
            leave(t);
            continue;
        }
        struct child_row c = f->links.items[f->next++]; // entering moves the frames
        struct object_row self = f->self;
        status = visit(t, &c, &self, e);
    }
    return status;
}

enum status store_children(struct store *s, const struct hash *hash, struct store_children *out, struct error *e)
{
    struct object_row row;
    bool found;
    memset(out, 0, sizeof *out);
    enum status status = object_row_find(s, hash, &found, &row, e);
    if (status != STATUS_OK)
        return status;
    if (!found || row.state >= STATE_WANTED)
        return error_set(e, STATUS_NOT_FOUND, "SB-READ2", "File not found: %s", hash_text(hash).s);
    if (row.type->kind != STORE_OBJECT && row.type->kind != STORE_ID_OBJECT)
        return error_set(e, STATUS_INVALID, "M2O-PH1", "%s is a file, not an object", hash_text(hash).s);
    struct traversal t = {.store = s, .seen = hash_map_create(), .out = out};
    status = traverse(&t, &row, e);
    while (t.depth != 0)
        free(t.frames[--t.depth].links.items);
    free(t.frames);
    hash_map_destroy(t.seen);
    if (status == STATUS_OK) {
        reverse(out);
    } else {
        free(out->items);
        memset(out, 0, sizeof *out);
    }
    return status;
}
