// The control endpoint: a raw REP socket whose requests are answered in any order, so that one that waits delays no
// other. At most 64 requests are in flight, then BUSY; each gets exactly one reply. All calls: one thread.
#pragma once

#include "ipc/service.h"

struct ipc_server;

enum { IPC_IN_FLIGHT_MAX = 64 };

// service is borrowed. ALREADY-RUNNING when a living process listens at path.
struct ipc_server *ipc_server_listen(const char *path, struct ipc_service *service, struct error *e);
// Sends what was answered; requests not answered yet lose their asker.
void ipc_server_destroy(struct ipc_server *s);
int ipc_server_fd(const struct ipc_server *s); // watch for readability; belongs to nng: never read or close it
void ipc_server_drain(struct ipc_server *s);   // never blocks
