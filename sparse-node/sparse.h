// What makes a node sparse: it keeps little, only dials out, and faces the user interface.
#pragma once

#include "node/node.h"

extern const struct node_kind SPARSE_NODE;
