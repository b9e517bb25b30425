// What a node process does first: its arguments, and ending with the supervisor.
//
//   tandem-archive --dir DIR/archive --channel DIR/run/archive.sock --parent PID [--log-level info]
//                  [--files DIR/run/archive.file.sock] [--ca-file FILE]
//
// Standard error is a pipe to the supervisor, which writes and rotates the log files; log_open(STDERR_FILENO,
// LOG_FORMAT_JSON, args.log_level, "archive") is all a node needs. Credentials never come this way.
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"

enum { IPC_CHILD_FILES_FD = 3 }; // with --files

struct ipc_child {
    const char *dir;     // the node's own directory; made by the supervisor, 0700
    const char *channel; // socket file of the private channel
    pid_t parent;
    enum log_level log_level;
    const char *files;   // socket file at which IPC_CHILD_FILES_FD listens; NULL: there is none
    const char *ca_file; // certificates that wss:// peers may be signed by besides the system's; NULL = none
};

// The strings belong to argv. STATUS_INVALID "USAGE".
enum status ipc_child_parse(int argc, char **argv, struct ipc_child *out, struct error *e);

// Before anything else, while there is one thread: dies with the parent (PR_SET_PDEATHSIG), forbids core dumps and
// tracing, closes every inherited descriptor above 2 but the one of files, ignores SIGPIPE. Fails with STATUS_CLOSED
// "NOT-RUNNING" when the parent is no longer the process that started us.
enum status ipc_child_guard(const struct ipc_child *child, struct error *e);
