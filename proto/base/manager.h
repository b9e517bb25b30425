// The service manager that started this program, told as sd_notify(3) says: datagrams of KEY=value to $NOTIFY_SOCKET.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct manager {
    int fd;            // -1 = nobody wants to know
    uint64_t alive_ms; // how often it wants to hear WATCHDOG=1; 0 = never
};

// From the environment, which then has nothing of it any more: it is this program's, not of those it starts. Before
// walls stand.
void manager_open(struct manager *m);
bool manager_listens(const struct manager *m);
void manager_tell(const struct manager *m, const char *text); // lines of KEY=value; never blocks
void manager_close(struct manager *m);
