// The one error idiom of the house: functions that can fail return an enum status and fill a caller-owned struct error.
//
// The status says what kind of failure it was and is what code branches on. The code is a stable text that people,
// tests and other programs see: an UPPER-KEBAB noun of the table in ipc/errors.h ("BAD-SECRET"), or the reference's
// code where the specification names one ("M2O-PV1"). A message is written once, where the failure is decided.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,   // the caller's or a peer's input is malformed
    STATUS_NOT_FOUND, // the thing named does not exist here
    STATUS_EXISTS,    // it exists already and may not exist twice
    STATUS_REFUSED,   // well-formed, but not allowed (secret, permission, policy, trust)
    STATUS_CONFLICT,  // the current state does not permit it (busy, already running, wrong phase)
    STATUS_TOO_BIG,   // a limit on size, depth or count was passed
    STATUS_TIMEOUT,   // a deadline passed
    STATUS_CLOSED,    // the connection or channel is gone
    STATUS_FULL,      // no space, or a bounded queue is full
    STATUS_IO,        // the operating system or a library failed
    STATUS_CORRUPT,   // stored data is damaged
    STATUS_INTERNAL,  // a bug of ours
};

struct error {
    enum status status;
    char code[40];     // "" when status is STATUS_OK
    char message[320]; // one sentence without a final full stop
};

// Fills e (which may be NULL) and returns status, so that callers can write `return error_set(e, …)`.
enum status error_set(struct error *e, enum status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// The same for a failed system call: appends the text of errno. ENOSPC and EDQUOT give STATUS_FULL/"DISK-FULL",
// EROFS STATUS_IO/"DISK-READ-ONLY", EACCES and EPERM STATUS_REFUSED/"NO-PERMISSION", others STATUS_IO/"IO".
enum status error_errno(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts text in front of the message, for a caller that knows more about what was being done.
void error_prefix(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

void error_clear(struct error *e);
