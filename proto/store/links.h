// The index of links between objects.
#pragma once

#include "store/rows.h"

struct child_row { // a link with what is known of its target
    enum link_kind kind;
    struct hash target;
    bool found;
    struct object_row row; // seq, type, state, tree and source only
    int64_t ordinal;       // its place in the text; where a target is repeated, a number is left out
};

struct child_rows {
    struct child_row *items;
    size_t count;
    size_t cap;
};

// Appends the direct links of the object numbered src; the caller frees items.
enum status links_load(struct store *s, int64_t src, struct child_rows *out, struct error *e);

struct node_links {          // the links of a version node, told apart by their place (DATA-MODEL.md 6)
    struct hash_list before; // prev of a change, nodes of a merge
    struct hash data;
    bool merge;
};

bool type_is_version_node(const struct store_type *type);
enum status links_of_node(struct store *s, const struct hash *node, struct node_links *out, struct error *e);
enum status links_add(struct store *s, int64_t src, const struct store_type *type, const struct link *links,
                      size_t count, struct error *e);
