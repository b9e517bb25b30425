// Scripted disk faults, for fault builds and crash tests only; never part of an installed program.
//
// TANDEM_FAULT=operation:n:effect
//   operation   open, read, write, fsync, rename, unlink, mkdir, truncate, or any (all but read)
//   n           the n-th such operation, counted from 1; "n+" = that one and all after it, "n-m" = up to the m-th
//   effect      an errno name (ENOSPC, EROFS, EIO, EACCES, EMFILE, EINTR), kill (SIGKILL before the operation), or torn
//               (half of a write, then SIGKILL)
// TANDEM_FAULT=shared:FILE
//   FILE        holds a 64-bit integer that a test sets at any time: after so many operations, other than reads, the
//               process is killed; 0 = never. It is counted down, across processes.
// The environment is read at the first operation; fault_script replaces it. Thread-safe.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_operation {
    FAULT_OPEN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FSYNC,
    FAULT_RENAME,
    FAULT_UNLINK,
    FAULT_MKDIR,
    FAULT_TRUNCATE,
    FAULT_ANY,
};

// To be called before the operation. 0: do it; otherwise the errno to fail with. Does not return when the script says
// kill. *torn (may be NULL; then torn acts as kill): write half, then call fault_kill.
int fault_hit(enum fault_operation operation, bool *torn);
void fault_kill(void);

// Sets the script (NULL = none) and starts counting anew. false: not understood.
bool fault_script(const char *script);
uint64_t fault_count(void); // operations of the scripted kind seen so far; without script, all that change the disk
