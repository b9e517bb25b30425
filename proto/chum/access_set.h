// What a person may fetch: every hash it was shown as a root or child, and nothing else (WIRE.md 10.6). Shared by all
// sessions with the person and dropped when the last one ends. Loop thread.
#pragma once

#include "base/hash.h"

struct chum_access;     // of all persons
struct chum_access_set; // of one

struct chum_access *chum_access_create(void);
void chum_access_destroy(struct chum_access *a); // no set may be in use; NULL-safe

struct chum_access_set *chum_access_use(struct chum_access *a, const struct hash *person);
void chum_access_leave(struct chum_access_set *s);

void chum_access_show(struct chum_access_set *s, const struct hash *hash);
// The same without using a set: was this person shown the hash in a session that still runs?
bool chum_access_shown_to(const struct chum_access *a, const struct hash *person, const struct hash *hash);
bool chum_access_allows(const struct chum_access_set *s, const struct hash *hash);
