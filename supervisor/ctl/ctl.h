// tandem, the command line: what its commands share. Everything it does goes through the control endpoint, except what
// must work without one (up, doctor, config, log).
#pragma once

#include <jansson.h>

#include "ipc/client.h"
#include "ipc/errors.h"

struct ctl;

struct ctl_option {
    const char *name;
    char letter;       // short form, '\0' for none
    const char *value; // "FILE"; NULL for a switch
    const char *about;
};

enum { CTL_OPTIONS = 9, CTL_FOREVER = -1, CTL_DEFAULT_S = 30, CTL_LISTED_MAX = 1000000 };

#define CTL_ASKED_SAYS INT64_MAX // for ctl_number: the method that gets the number says its limit

struct ctl_command {
    const char *name;      // "chat send"
    const char *arguments; // "PERSON", "" for none
    int least;             // number of arguments
    int most;
    const char *summary; // one line
    const char *details; // what a user needs to know before using it; may be NULL
    const char *example; // without the leading "tandem "
    int timeout_s;       // default; CTL_FOREVER for streams
    enum status (*run)(struct ctl *c, struct error *e);
    struct ctl_option options[CTL_OPTIONS]; // ends with name NULL
};

extern const struct ctl_command CTL_COMMANDS[];
extern const size_t CTL_COMMAND_COUNT;

struct ctl {
    const struct ctl_command *commands; // all there are
    size_t command_count;
    const struct ctl_command *command;
    char *state_dir; // NULL where there is none to be had
    bool json;
    int timeout_s;    // CTL_FOREVER
    const char *node; // --node, NULL = the method's default
    char **arguments; // what is no option
    int argument_count;
    struct ctl_given { // options as given, in order
        const struct ctl_option *option;
        const char *value;
    } * given;
    size_t given_count;
    struct ipc_client *client;
    bool ends_when_interrupted; // calls do, while interrupt_hold is in force
    int exit;                   // when the command succeeded but means something else than 0
};

// --- what was typed --------------------------------------------------------------------------------------------------

bool ctl_has(const struct ctl *c, const char *option);
const char *ctl_value(const struct ctl *c, const char *option); // the last one given; NULL = none
// Adds an option's value, if it was given, as a parameter of the same or another name; all values of a repeated one.
void ctl_add(const struct ctl *c, json_t *params, const char *option, const char *name);
json_t *ctl_values(const struct ctl *c, const char *option);
// Checks a number from 0 to most; otherwise when it was not given. STATUS_INVALID "USAGE".
enum status ctl_number(const struct ctl *c, const char *option, int64_t otherwise, int64_t most, int64_t *out,
                       struct error *e);
#define ctl_usage(e, ...) error_set(e, STATUS_INVALID, "USAGE", __VA_ARGS__)

// Asks on a terminal, unless --yes was given. CONFIRMATION-MISSING with otherwise as its message.
enum status ctl_confirm(const struct ctl *c, const char *question, const char *otherwise, struct error *e);

// --- asking ----------------------------------------------------------------------------------------------------------

// Calls a method, connecting first if need be; params is taken over. NULL with e filled on failure.
json_t *ctl_call(struct ctl *c, const char *method, json_t *params, struct error *e);
json_t *ctl_call_within(struct ctl *c, const char *method, json_t *params, int64_t timeout_ms, struct error *e);
// Only begins it, for ipc_client_take; NULL with e filled.
struct ipc_call *ctl_begin(struct ctl *c, const char *method, json_t *params, struct error *e);
// e says that the node stops, starts or has failed, and the supervisor answers: it will be back. Waits a little and
// clears e.
bool ctl_is_away(struct ctl *c, struct error *e);
// All pages of a list as one array.
json_t *ctl_list(struct ctl *c, const char *method, json_t *params, struct error *e);
// The socket of the running supervisor, from run/control.json; released with free. NOT-RUNNING if there is none.
enum status ctl_find_control(const struct ctl *c, char **path, struct error *e);
void ctl_pause(void); // a moment, before looking again

// The settings as config.show has them, of the running supervisor, else of file and environment. NULL with e filled.
json_t *config_in_force(struct ctl *c, bool *running, struct error *e);
// One that no running process goes by: as the supervisor was started with it, else as its file has it by now. To be
// freed; NULL with an error, NOT-RUNNING among them.
char *config_now(struct ctl *c, const char *key, struct error *e);

// First line of --secret-file or stdin, or typed at the terminal. The caller destroys it.
struct secret;
enum status ctl_secret(struct ctl *c, const char *file, const char *prompt, struct secret *out, struct error *e);
// The same for one that is made now: what nobody sees while typing is typed twice.
enum status ctl_new_secret(struct ctl *c, const char *file, const char *prompt, struct secret *out, struct error *e);
// Everything of stdin or a file ("-" is stdin), at most max bytes.
struct buf;
enum status ctl_read(const char *file, size_t max, struct buf *out, struct error *e);
enum status ctl_read_json(const char *file, json_t **out, struct error *e);

// Stores a file in pieces; name and type for an attachment are the caller's business. {hash,size} or NULL.
json_t *ctl_upload(struct ctl *c, const char *file, struct error *e);
