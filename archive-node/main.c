// tandem-archive: the node that keeps everything. Started by the supervisor, never by hand.
//
// What this process may do is its row in proto/wall/rights.c, in force before the first byte from a peer. No core
// dumps, and secrets are locked.
#include "archive-node/archive.h"

int main(int argc, char **argv)
{
    return node_main(&ARCHIVE_NODE, argc, argv);
}
