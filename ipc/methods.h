// The one table of methods of the control protocol: where each runs, who may call it, and its parameters with limits.
// The dispatcher, the command line, the checks and docs/ipc.md are all driven by it. Handlers read parameters by their
// number in params.h.
//
// Two parameters are common and not repeated in the table: "opId" (text, 1–64 characters) of every mutating method, and
// "node" ("archive" or "sparse") of every method that clients call and a node runs. Where "node" is left out the
// request speaks for the installation, and the supervisor, nobody else, says so to the sparse node: IPC_FACE, and
// IPC_ALONE while the archive is away.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ipc/params.h"

#define IPC_FACE "face"
#define IPC_ALONE "alone"

enum ipc_site { IPC_SUPERVISOR, IPC_NODE };
enum ipc_caller { IPC_CLIENT, IPC_INTERNAL }; // internal: only the supervisor asks its nodes
// Which node a forwarded method goes to by default.
// On disk: a bit for each in nodes of a backup's objects (supervisor/backup/manifest.h).
enum ipc_node { IPC_ARCHIVE = 0, IPC_SPARSE = 1 };
enum ipc_effect { IPC_READS, IPC_MUTATES }; // mutating methods take opId
enum ipc_need { IPC_OPTIONAL, IPC_REQUIRED };

enum ipc_kind {
    IPC_TEXT,    // min..max bytes of UTF-8
    IPC_INT,     // min..max
    IPC_BOOL,    //
    IPC_HASH,    // 64 lower-case hex digits
    IPC_PREFIX,  // 8..64 hex digits in any case, with any blanks; the node completes it: NOT-FOUND or AMBIGUOUS-ID
    IPC_PERSON,  // the same for a person, or a name or e-mail that the node looks up
    IPC_PERSONS, // a JSON array of at most max of them
    IPC_CHOICE,  // one of the words of choices
    IPC_OBJECT,  // a JSON object
    IPC_ARRAY,   // a JSON array of at most max members
};

enum {
    IPC_PARAMS_MAX = 18,
    IPC_MESSAGE_MAX = 8 * 1024 * 1024, // holds a message of CHAT_MAX_TEXT bytes, escaped
    IPC_PAGE_MAX = 960 * 1024,         // an answer of many members ends here; a single one may pass it
    IPC_OP_ID_MAX = 64,
    IPC_NAME_MAX = 512, // bytes of what a person is named by
    IPC_WAIT_MAX_MS = 30000,
};

struct ipc_param {
    const char *name;
    enum ipc_name number; // the same
    enum ipc_kind kind;
    enum ipc_need need;
    int64_t min;
    int64_t max;
    const char *choices; // "archive|sparse"
    const char *about;
};

struct ipc_method {
    const char *name;
    enum ipc_site site;
    enum ipc_caller caller;
    enum ipc_node node;
    enum ipc_effect effect;
    uint32_t timeout_ms; // how long the supervisor waits for a node's answer
    const char *about;
    const char *result;                      // its JSON, in words
    struct ipc_param params[IPC_PARAMS_MAX]; // ends with name NULL
};

// All of them have a number, from 0 on; NULL behind the last.
size_t ipc_method_count(void);
const struct ipc_method *ipc_method_at(size_t number);
size_t ipc_method_number(const struct ipc_method *m);
const struct ipc_method *ipc_method_find(const char *name); // NULL if there is none

// The parameter of that name, also one of those common to all; NULL if there is none.
const struct ipc_param *ipc_method_param(const struct ipc_method *m, struct span name);
enum status ipc_param_check(const struct ipc_method *m, const struct ipc_param *p, const json_t *value,
                            struct error *e);

// BAD-PARAMS (BAD-ID for ids) with a message that names the parameter, unless required ones are there, nothing unknown
// is, and every value has its type and stays within its limits.
// given: a place for each name, where those that are there are put, borrowed; may be NULL.
enum status ipc_method_check(const struct ipc_method *m, const json_t *params, json_t **given, struct error *e);

const char *ipc_node_name(enum ipc_node node);              // "archive", "sparse"
bool ipc_node_parse(const char *name, enum ipc_node *node); // false if it is neither
const char *ipc_kind_name(enum ipc_kind kind);              // for documents and messages
