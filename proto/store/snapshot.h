// A copy of a store's database as it is at one moment, while the store goes on; and what becomes of a copy that takes
// the place of a lost store.
#pragma once

#include <stdatomic.h>

#include "store/store.h"

struct store_snapshot {
    uint64_t objects; // that the copy knows and has
    uint64_t files;   // of these in files of their own
    uint64_t file_bytes;
    uint64_t bytes; // of the copy
};

// Any thread. Copies the database of the store in dir, which is open, to the file database, and names what it has in
// files in the file list: a line "HASH SIZE" for each, to be found as objects/ab/HASH, or for a moment as
// incoming/HASH. Such files never change; store_queue_keep_files has them stay. STATUS_CLOSED when *stop
// becomes true.
enum status store_snapshot(const char *dir, const char *database, const char *list, const atomic_bool *stop,
                           struct store_snapshot *out, struct error *e);

// The file in a store's folder that says: this is a copy of an earlier time, and of which (ms since 1970). Opening it
// then begins a new epoch, so that nothing which was counted in the lost store is taken for continued, and says so in
// the report (restored), until this is called.
#define STORE_RESTORED "restored"
enum status store_forget_restored(struct store *s, struct error *e);
// Called by store_open: a copy that took the place of a lost store begins a new epoch.
enum status snapshot_begin_epoch(struct store *s, struct store_report *report, struct error *e);
