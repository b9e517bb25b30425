// The keys of a node as it opens: those that lie in its folder, or where these are gone or damaged, those of the copy
// that was kept elsewhere.
#pragma once

#include "crypto/keychain.h"

struct keyring {
    const char *dir;
    const struct secret *key;
    const char *copy; // NULL = none
    bool create;      // new keys may be made where there are none
    bool give_up;     // what lies there may be put aside for new ones
    char note[200];   // what became of it; empty if nothing happened
};

// Codes: BAD-KEY-FILE, BAD-SECRET, STORE-MISSING (there are none), IO. Nothing is changed then.
enum status keyring_open(struct keyring *r, struct keychain **out, struct error *e);

// Moves a file or folder to PATH.SUFFIX, or PATH.SUFFIX-2 and so on; *to (may be NULL) is where it is then, freed by
// the caller.
enum status keyring_put_aside(const char *path, const char *suffix, char **to, struct error *e);
