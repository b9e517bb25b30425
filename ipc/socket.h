// What all our nng sockets have in common. Inside ipc/ only.
//
// nng's defaults do not fit a local control protocol: received messages are unlimited in size and redialling waits a
// second. And nobody but our own user (or root) may connect: peers are checked before a byte of theirs is read.
#pragma once

#include <nng/nng.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

// Who may connect. pid 0: nobody yet; IPC_ANY_PID: every process of the user.
enum { IPC_ANY_PID = -1 };
struct ipc_gate {
    atomic_int pid;
};

// Fills e from an nng error number.
enum status ipc_socket_error(int number, struct error *e, const char *what);

// Message size limit, queue lengths, redial times, and the gate in front (gate is borrowed and outlives the socket).
enum status ipc_socket_prepare(nng_socket socket, struct ipc_gate *gate, struct error *e);

// path: socket file of at most 107 bytes. The file gets mode 0600; one left by a dead process is replaced; one that is
// in use is STATUS_CONFLICT "ALREADY-RUNNING".
enum status ipc_socket_listen(nng_socket socket, const char *path, struct error *e);
// Connects in the background, and again after a loss.
enum status ipc_socket_dial(nng_socket socket, const char *path, struct error *e);

int ipc_socket_receive_fd(nng_socket socket);
struct span ipc_message_text(nng_msg *message);
void ipc_message_destroy(nng_msg *message); // wipes the body first: it may have held a key
