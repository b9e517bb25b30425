// Unix stream sockets by path, and who is at the other end.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

// A descriptor that accepts without blocking, or -1 with e filled. path: at most 107 bytes. The file has mode 0600 from
// its first moment; one left by a dead process is replaced; one in use is STATUS_CONFLICT "ALREADY-RUNNING".
int ipc_socket_listen(const char *path, struct error *e);

// A connected descriptor that does not block, or -1: NOT-RUNNING, NO-PERMISSION when another user listens there.
int ipc_socket_dial(const char *path, struct error *e);

struct ipc_other {
    uid_t uid;
    pid_t pid;
};
// The process that connected or listens; both members are -1 when it cannot be told.
struct ipc_other ipc_socket_other(int fd);
bool ipc_socket_trusts(struct ipc_other other); // it is our user's or root's
