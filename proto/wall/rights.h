// The table that everything about walls is made from: who may do what. Used by proto/wall and by what prints the page.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wall/wall.h"

// ---- System calls --------------------------------------------------------------------------------------------------

struct wall_call {
    int number;
    const char *name;
};

// Calls that belong together.
enum wall_group {
    WALL_BASIC,     // every program
    WALL_LOOK,      // looking at files
    WALL_CHANGE,    // changing files
    WALL_TALK,      // on sockets that are there
    WALL_CONNECT,   // new sockets
    WALL_LISTEN,    //
    WALL_CHILDREN,  //
    WALL_NARROWING, // walls of one's own
    WALL_GROUPS
};

struct wall_group_info {
    const char *name;
    const char *what;
    const struct wall_call *calls; // ends with name NULL
};
extern const struct wall_group_info WALL_GROUP[WALL_GROUPS];

// Allowed for nobody, whatever the group. What breaks out of a process ends it; the rest fails with EPERM and is
// logged.
extern const struct wall_call WALL_DEADLY[];  // ends with name NULL
extern const struct wall_call WALL_REFUSED[]; // likewise; so are the calls of groups that a program lacks
// What libraries try first and can do without; fails without a word.
extern const struct wall_call WALL_UNKNOWN[];

// ---- Conditions on arguments ---------------------------------------------------------------------------------------

enum wall_test {
    WALL_ONE_OF,  // the argument is one of the values
    WALL_NONE_OF, // it has none of the bits of values[0]
    WALL_ALL_OF,  // it has all of them
    WALL_NOT_ALL, // not all of them at once
    WALL_OWN_PID, // it is the number of this process
};

enum { WALL_VALUES_MAX = 12, WALL_KILL = -1 };

struct wall_condition {
    const char *text; // for the page
    int call;
    int argument;
    enum wall_test test;
    uint32_t values[WALL_VALUES_MAX];
    int count;
    int otherwise; // an errno, or WALL_KILL
};

enum wall_condition_id {
    WALL_THREADS,          // of clone: threads only
    WALL_NO_NAMESPACES,    // of clone
    WALL_SOCKETS_INTERNET, // of socket
    WALL_SOCKETS_LOCAL,    //
    WALL_SOCKETS_BOTH,     //
    WALL_PRCTL_NAMES,      //
    WALL_PRCTL_START,      // what a process says of itself when it starts
    WALL_IOCTL,            //
    WALL_IOCTL_TERMINAL,   //
    WALL_OWN_SIGNALS,      // of tgkill
    WALL_OWN_KILL,         // of kill
    WALL_OWN_LIMITS,       // of prlimit64
    WALL_NO_CODE,          // of mprotect
    WALL_NO_CODE_MAPPED,   // of mmap
    WALL_PRIVATE_CHMOD,    // modes without set-id and without rights for others
    WALL_PRIVATE_FCHMOD,   //
    WALL_PRIVATE_FCHMODAT, //
    WALL_CONDITIONS
};
extern const struct wall_condition WALL_CONDITION[WALL_CONDITIONS];

// ---- Files ---------------------------------------------------------------------------------------------------------

enum wall_files {
    WALL_FILES_LIBRARIES, // shared libraries
    WALL_FILES_NAMES,     // resolving names, and certificates
    WALL_FILES_SELF,      // the own entry in /proc
    WALL_FILES_PROC,      // all of /proc, where a parent does not know its child's entry yet
    WALL_FILES_SETS
};

struct wall_file_set {
    const char *what;
    const char *const *paths; // ends with NULL
};
extern const struct wall_file_set WALL_FILE_SET[WALL_FILES_SETS];

// ---- The programs --------------------------------------------------------------------------------------------------

struct wall_rights {
    const char *name;
    const char *places;  // what it is given when it starts, for the page
    unsigned groups;     // bits, as the following
    unsigned conditions; //
    unsigned files;      //
    bool any_file;       // whatever its user may touch, but nothing to execute
    bool connects;       // TCP
    bool binds;          // TCP
    bool signals;        // to processes outside
    const char *later;   // what it gives up when, for the page
};
extern const struct wall_rights WALL_RIGHTS[WALL_PROGRAMS];
