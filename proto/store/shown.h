// Whether a root may be shown to a person now (WIRE.md 10.4). The list of roots and the feed both ask here, so that
// neither gives what the other one would keep.
#pragma once

#include "store/store.h"

struct shown { // of one job
    struct store *store;
    const struct hash *person;
    bool own;                        // another node of ours
    const struct hash_map *withheld; // what its node cannot take over; NULL = nothing
    struct hash_map *hidden;         // what the person may not see for lacking BLOBs; NULL = nobody asked yet
};

enum status shown_begin(struct shown *w, struct store *s, const struct hash *person, bool own, struct error *e);
void shown_end(struct shown *w);
// A root with an entry or without one (it cannot be delivered), and the mark "lacking" beside it.
enum status shown_entry(struct shown *w, bool has_entry, int lacking, const struct hash *hash, bool *yes,
                        struct error *e);
// A scope's own entry (version 0) or a version in it, as it is in the store now; also whether the person sees the
// scope.
enum status shown_root(struct shown *w, int64_t scope, int64_t version, bool *yes, struct error *e);
// From which number on the person sees the scope; *found: at all.
enum status shown_from(struct store *s, const struct hash *person, int64_t scope, bool *found, int64_t *from,
                       struct error *e);
