// A connection to the control endpoint for somebody in between: passes requests on and answers back as the texts they
// are, never blocking. What is in a request is judged by the server, as anybody's.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct ipc_line;

struct ipc_line_events {
    void (*answer)(void *ctx, struct span text);
    void (*closed)(void *ctx); // the server went away; the last event
    void *ctx;
};

// path is the socket file. NULL with NOT-RUNNING or NO-PERMISSION.
struct ipc_line *ipc_line_dial(const char *path, struct ipc_line_events events, struct error *e);
void ipc_line_destroy(struct ipc_line *l); // requests under way lose their asker. Not from inside an event. NULL-safe
int ipc_line_fd(const struct ipc_line *l); // watch for readability; owned by the line
void ipc_line_drain(struct ipc_line *l);   // runs everything that is due
void ipc_line_ask(struct ipc_line *l, struct span text);
size_t ipc_line_unsent(const struct ipc_line *l); // bytes that the server has not taken yet
