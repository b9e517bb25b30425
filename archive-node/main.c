// tandem-archive: the node that keeps everything. Started by the supervisor, never by hand.
//
//   rights    before the first byte from a peer        enforced by
//   files     write below --dir; read /etc/hosts, resolver and TLS files, libraries   Landlock
//   calls     no execution, tracing, mounting, identity changes                        seccomp
//   sockets   one listener (ws), outgoing connections, the supervisor's channel
//   memory    no core dumps, secrets locked
#include "archive-node/archive.h"

int main(int argc, char **argv)
{
    return node_main(&ARCHIVE_NODE, argc, argv);
}
