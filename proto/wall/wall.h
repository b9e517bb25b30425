// The walls around each program: what it may still do once it has begun, taken from one table (wall/rights.h) and kept
// by no_new_privs, Landlock and seccomp. docs/security.md shows the same table; tests try what is forbidden.
//
// A child inherits its parent's walls and can only add to them, so the supervisor's rights hold those of its nodes.
// A kernel without Landlock or seccomp is a warning for the status, never a refusal. Builds with TANDEM_SANDBOX=off
// have no walls and say so.
#pragma once

#include <stddef.h>

#include "base/error.h"

enum wall_program {
    WALL_TANDEM,        // the command line, except up, relay and demo's start, which become other programs
    WALL_DOCTOR,        // tandem doctor, which tries addresses
    WALL_SUPERVISOR,    //
    WALL_ARCHIVE,       //
    WALL_SPARSE,        //
    WALL_RELAY,         // once it listens
    WALL_RELAY_CLUSTER, // with --cluster
    WALL_UI,            // once it listens
    WALL_DISCOVERY,     // before it asks Avahi
    WALL_PROGRAMS
};

// What a place that only the start knows is for. One that is not there is left out.
enum wall_use {
    WALL_KEEP,  // to read, write, create and remove in it
    WALL_READ,  // a file or a folder
    WALL_RUN,   // a program to execute, or the folder of such programs
    WALL_LEAVE, // a folder from which an empty folder may be removed
};

struct wall_place {
    enum wall_use use;
    const char *path; // NULL or "": none
};

// What else is given up later, when it was used for the last time.
enum wall_step {
    WALL_CONNECTED, // no further Unix sockets
    WALL_LISTENING, // no further listeners
};

struct wall_state {
    bool seccomp;
    int landlock;      // its version; 0 = none
    char warning[200]; // a sentence when less than everything could be enforced, else ""
};

// Call while there is one thread. Fails only when a mechanism exists and refuses to be set up.
enum status wall_enter(enum wall_program program, const struct wall_place *places, size_t count, struct error *e);

// From any thread, for all of them. Nothing without seccomp.
enum status wall_give_up(enum wall_step step, struct error *e);

const struct wall_state *wall_state(void); // of this process
