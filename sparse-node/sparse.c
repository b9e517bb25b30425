#include "sparse-node/sparse.h"

const struct node_kind SPARSE_NODE = {
    .name = "sparse",
    .store = STORE_SPARSE,
    .program = WALL_SPARSE,
};
