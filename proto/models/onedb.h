// Storage directories of the reference (DATA-MODEL.md 13): adopting one, and writing one back.
//
//   DIR/INSTANCE/objects/HASH   vheads/IDHASH   rmaps/HASH.Object.TYPE   private/
#pragma once

#include "crypto/keychain.h"
#include "models/model.h"

struct onedb_report {
    uint64_t objects; // objects and id objects taken over or written
    uint64_t files;   // BLOBs and CLOBs
    uint64_t heads;
    uint64_t damaged; // files whose content does not hash to their name: left out
    uint64_t unknown; // objects whose type has no recipe: taken over as files
    char email[321];
    char instance_name[321];
};

// Reads the one instance below dir, verifies every file by its hash and stores it; secret keys are opened with the
// secret (scrypt; slow) and sealed again by k. The source is only read. One transaction of the caller's holds it all.
// Codes: BAD-SECRET, NOT-FOUND (no instance, or more than one), STORE-CORRUPT (keys or Instance unreadable),
// ALREADY-PROVISIONED (the store has an instance).
enum status onedb_import(struct store *s, struct keychain *k, const char *dir, const struct secret *secret,
                         struct onedb_report *out, struct error *e);
// Writes a directory that the reference opens with the secret. dir must not exist or be empty. Code EXISTS.
enum status onedb_export(struct model *m, struct keychain *k, const char *dir, const struct secret *secret,
                         struct onedb_report *out, struct error *e);
