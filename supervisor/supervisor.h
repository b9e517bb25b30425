// The supervisor: owns the state directory, runs both nodes and answers the control endpoint. See docs/architecture.md.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "supervisor/config.h"

struct supervisor_options { // all borrowed
    const char *state_dir;
    struct config *config;
    const char *config_file; // read again on SIGHUP
    bool config_required;    // it was named on the command line
    const char *archive_binary;
    const char *sparse_binary;
    const char *discovery_binary; // there may be none
    bool json;                    // standard output: one JSON document per line
    bool stdin_lifetime;          // stop when standard input ends
};

// Runs until it is told to stop. STATUS_OK after a clean stop; otherwise e says why it could not start.
enum status supervisor_run(const struct supervisor_options *options, struct error *e);
