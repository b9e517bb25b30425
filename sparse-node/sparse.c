// A table without functions: a sparse node has no listener and no relays of its own.
#include "sparse-node/sparse.h"

const struct node_kind SPARSE_NODE = {
    .name = "sparse",
    .store = STORE_SPARSE,
    .program = WALL_SPARSE,
};
