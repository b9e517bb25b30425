// Storage directories of the reference (DATA-MODEL.md 13): adopting one, and writing one back.
//
//   DIR/INSTANCE/objects/HASH   vheads/IDHASH   rmaps/TARGET.Object.TYPE   rmaps/TARGET.IdObject.TYPE
//                private/       acache/  tmp/   (empty)
#pragma once

#include "crypto/keychain.h"
#include "models/model.h"

struct onedb_report {
    uint64_t objects; // objects and id objects taken over or written
    uint64_t files;   // BLOBs and CLOBs
    uint64_t heads;
    uint64_t keys;    // Keys objects with their secrets
    uint64_t damaged; // files whose content does not hash to their name, or heads that lead nowhere: left out
    uint64_t unknown; // objects without a recipe, or unreadable by it: taken over as files
    char email[321];
    char instance_name[321];
};

// Reads the one instance below dir (or dir itself), verifies every file by its hash and stores it; secret keys are
// opened with the secret (scrypt; slow) and sealed again by k. The source is only read. The caller's transaction holds
// it all. Codes: BAD-SECRET, NOT-FOUND (no instance, or more than one), STORE-CORRUPT (the Instance is unreadable or
// its keys are missing), ALREADY-PROVISIONED (the store has an instance).
enum status onedb_import(struct store *s, struct keychain *k, const char *dir, const struct secret *secret,
                         struct onedb_report *out, struct error *e);
struct onedb_watcher { // of work that goes on
    void *ctx;
    bool (*at)(void *ctx, uint64_t done, uint64_t total); // bytes; false: give it up
};
// Writes a directory that the reference opens with the secret. dir must be empty or absent, and is removed when this
// fails. watcher may be NULL. Codes: EXISTS, REMOTE (the archive has the bytes; export there), CLOSED (given up).
enum status onedb_export(struct model *m, struct keychain *k, const char *dir, const struct secret *secret,
                         const struct onedb_watcher *watcher, struct onedb_report *out, struct error *e);
