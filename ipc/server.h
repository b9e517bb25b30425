// The control endpoint: a REP socket whose requests are answered in any order, so that one that waits delays no other.
// Each gets exactly one reply, or none when its connection is gone. A connection has at most 64 requests in flight and
// all of them 1,024, then BUSY; one that has none has room for one, up to 1,280 with those whose connections are gone.
// All calls: one thread.
#pragma once

#include "ipc/service.h"

struct ipc_server;

enum { IPC_IN_FLIGHT_MAX = 64, IPC_IN_FLIGHT_OF_ALL = 1024, IPC_IN_FLIGHT_EVER = 1280 };

// service is borrowed. ALREADY-RUNNING when a living process listens at path.
struct ipc_server *ipc_server_listen(const char *path, struct ipc_service *service, struct error *e);
enum status ipc_server_listen_again(struct ipc_server *s, struct error *e); // when its socket file was removed
// Sends what was answered; requests not answered yet lose their asker.
void ipc_server_destroy(struct ipc_server *s);
int ipc_server_fd(const struct ipc_server *s); // watch for readability
void ipc_server_drain(struct ipc_server *s);   // never blocks
