// tandem-sparse: the node that faces the user interface. Started by the supervisor, never by hand.
//
//   rights    before the first byte from a peer        enforced by
//   files     write below --dir; read /etc/hosts, resolver and TLS files, libraries   Landlock
//   calls     no execution, tracing, mounting, identity changes, no listening          seccomp
//   sockets   outgoing connections, the supervisor's channel
//   memory    no core dumps, secrets locked
#include "sparse-node/sparse.h"

int main(int argc, char **argv)
{
    return node_main(&SPARSE_NODE, argc, argv);
}
