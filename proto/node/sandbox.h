// Giving up rights before the first byte from a peer arrives: no new privileges, Landlock for files, seccomp for system
// calls.
//
// After it the process can write below its own directory only, read what name resolution, TLS and shared libraries
// need, and cannot execute, trace, mount or change identity. The sparse node cannot listen either. A kernel without
// Landlock or seccomp is a warning for the status, never a refusal.
#pragma once

#include "base/error.h"

struct sandbox_rights {
    const char *dir;     // the only place to write
    const char *ca_file; // one more file to read; NULL = none
    bool may_listen;
};

// Call while there is one thread. warning (≥ 200 bytes) gets a sentence when less than everything could be enforced,
// otherwise "". Fails only when a mechanism exists and refuses to be set up. Does nothing in builds with
// TANDEM_SANDBOX=off, with a warning that says so.
enum status sandbox_enter(const struct sandbox_rights *rights, char *warning, size_t size, struct error *e);
