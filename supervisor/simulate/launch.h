// A program started with pipes, whose standard output is read line by line as JSON. It is told to end when we do.
#pragma once

#include <jansson.h>
#include <sys/types.h>
#include <uv.h>

#include "base/error.h"

struct launch;

struct launch_events {
    void (*said)(void *arg, const json_t *line); // borrowed
    void (*ended)(void *arg, int status);        // of waitpid; the launch is gone then. Not after launch_destroy
    void *arg;
};

// words ends with NULL, and so does environment, NAME=VALUE to be added to ours, which may be NULL; errors is a file
// that its standard error is appended to. Its standard input stays open until it is destroyed.
struct launch *launch_start(uv_loop_t *loop, char *const *words, char *const *environment, const char *errors,
                            const struct launch_events *events, struct error *e);
pid_t launch_pid(const struct launch *l);
// Kills what still runs, and waits for it. NULL-safe.
void launch_destroy(struct launch *l);
