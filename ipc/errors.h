// The one table of error codes that people, scripts and other programs see.
//
// A code is an UPPER-KEBAB noun that is never renamed. With it go the exit status of the command line, the number in a
// JSON-RPC error object and a hint that says what to do next. A JSON-RPC number outside the standard's own range starts
// with the exit status: 4xx refused, 5xx timed out, and so on. Codes that are not in the table (the reference's own,
// such as "M2O-PV1") keep their text and take the rest from the kind of failure, their enum status.
#pragma once

#include <jansson.h>

#include "base/error.h"

enum ipc_exit { // exit statuses of the command line
    IPC_EXIT_DONE = 0,
    IPC_EXIT_FAILED = 1,
    IPC_EXIT_USAGE = 2,
    IPC_EXIT_NOT_RUNNING = 3,
    IPC_EXIT_REFUSED = 4,
    IPC_EXIT_TIMEOUT = 5,
    IPC_EXIT_NOT_HERE = 6,
};

struct ipc_code {
    const char *code;
    int number;         // JSON-RPC 2.0 error number
    enum ipc_exit exit; // of the command line
    enum status status; // what code branches on after the error crossed a process
    const char *hint;   // one sentence: what the user can do
};

extern const struct ipc_code IPC_CODES[];
extern const size_t IPC_CODE_COUNT;

// The row of a code; for unknown codes the fallback row of the kind of failure. Never NULL.
const struct ipc_code *ipc_code_find(const char *code, enum status status);

// {"code":number,"message":…,"data":{"code":"BAD-SECRET","hint":…}}: the member "error" of a JSON-RPC answer.
json_t *ipc_error_to_json(const struct error *e);

// The reverse; what is not such an object becomes INTERNAL. Returns e->status, which is never STATUS_OK.
enum status ipc_error_from_json(const json_t *object, struct error *e);

// How every program of ours ends with an error: "program: message (CODE)" and the hint on standard error, with json
// also {"error":{"code","message","hint"}} as a line on standard output. Returns the exit status.
enum ipc_exit ipc_error_report(const struct error *e, const char *program, bool json);
