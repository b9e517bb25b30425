// tandem-sparse: the node that faces the user interface. Started by the supervisor, never by hand.
//
// What this process may do is its row in proto/wall/rights.c, in force before the first byte from a peer. No core
// dumps, and secrets are locked.
#include "sparse-node/sparse.h"

int main(int argc, char **argv)
{
    return node_main(&SPARSE_NODE, argc, argv);
}
