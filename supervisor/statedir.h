// The state directory: everything of one installation. Layout, owner, lock, and where its sockets are.
//
//   DIR/                    0700, own uid
//     tandem.conf           settings (config.h)
//     format                {"tandem":1}; a newer number is never touched
//     lock                  flock of the running supervisor; holds its pid
//     keys.json             key derivation parameters (keyfile.h)
//     archive.keys sparse.keys   copies of the nodes' sealed keys, for a store that is lost (crypto/keycopy.h)
//     installation.json     who was provisioned (installation.h)
//     port                  the free port taken with localhost:0 or in place of the usual one, tried first next time
//     archive/ sparse/      the stores; only their nodes look inside
//     backup.lock           flock of the command line that makes a backup
//     restoring             a backup is being written here (ctl/cmd_restore.c); nothing runs until that is finished
//     replaced-*            what lay here when a restore was told to replace it
//     log/*.log             0600, JSON lines, 10 MiB × 5 (logfile.h)
//     run/*.sock            sockets; where a path would exceed 107 bytes in
//                           $XDG_RUNTIME_DIR/tandem-HASH16/, else /tmp/tandem-UID-HASH16/
//     run/control.json      {control, events, pid, version, bootId}: how clients find the sockets
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

enum { STATEDIR_FORMAT = 1, SOCKET_PATH_MAX = 107 };

#define STATEDIR_RESTORING "restoring"
#define STATEDIR_REPLACED "replaced-"

struct statedir;

// The directory to use: flag (may be NULL), else $TANDEM_STATE_DIR, $XDG_STATE_HOME/tandem, $HOME/.local/state/tandem.
// A new absolute path in *out (released with free), or STATUS_INVALID "USAGE".
enum status statedir_choose(const char *flag, char **out, struct error *e);

// Makes what is missing, checks owner, mode and format, and takes the lock. ALREADY-RUNNING names the holder's pid;
// STATE-TOO-NEW leaves everything untouched. *out is NULL on failure.
enum status statedir_open(const char *path, struct statedir **out, struct error *e);
void statedir_close(struct statedir *d); // releases the lock; NULL-safe

// Makes the folders in it again, of which somebody may have removed one while it is used.
enum status statedir_mend(struct statedir *d, struct error *e);

const char *statedir_path(const struct statedir *d);
// A file below DIR, e.g. "keys.json". The text lives until the state directory is closed.
const char *statedir_file(struct statedir *d, const char *name);
// A socket, e.g. "control.sock", in DIR/run or the short replacement.
const char *statedir_socket(struct statedir *d, const char *name);

// The folder of the sockets of a state directory, without touching anything; for clients and doctor. Released with
// free.
char *statedir_socket_dir(const char *path);
// The pid that holds the lock, 0 if nobody does.
pid_t statedir_holder(const char *path);
// STATUS_OK, STATE-TOO-NEW, STORE-CORRUPT (unreadable) or NOT-FOUND (no format file).
enum status statedir_check_format(const char *path, struct error *e);
