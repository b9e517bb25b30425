// Versions of versioned objects: version nodes, the head, taking in foreign versions (DATA-MODEL.md 8).
//
// The rules here work on any place that keeps objects and heads, given as a vtable: the store in the nodes, a map in
// tests.
#pragma once

#include "data/listmarks.h"
#include "data/object.h"

// What somebody wrote and what is current does not hold, since another one wrote it at the same time. Borrowed.
struct version_loss {
    struct hash id_hash;
    struct hash hash; // of the version that holds it
    struct span type;
    struct span property; // the path, joined by dots
    struct span value;    // as JSON (data/jsonform.h); null: it had been removed
};

struct version_source {
    void *ctx;
    const struct recipes *recipes;
    struct list_marks *marks; // of linked lists; NULL: each reading starts at the head
    // Text of a stored object into the arena; STATUS_NOT_FOUND if it is not there ("REMOTE" if only the bytes are not).
    enum status (*read)(void *ctx, const struct hash *hash, struct arena *a, struct span *text, struct error *e);
    // Stores an object and, for a versioned type, its id object. Storing what exists is fine.
    enum status (*write)(void *ctx, const struct object *o, struct error *e);
    // The current version node of an id; STATUS_NOT_FOUND if there is none.
    enum status (*head)(void *ctx, const struct hash *id_hash, struct hash *node, struct error *e);
    enum status (*set_head)(void *ctx, const struct hash *id_hash, const struct hash *node, struct error *e);
    void (*lost)(void *ctx, const struct version_loss *loss); // NULL: nobody wants to know
    // What is known of the links of an object whose bytes are lost, in their order, and the last of them that leads to
    // an object of the same type, zero if none does. false: nothing is known. May be NULL.
    bool (*links)(void *ctx, const struct hash *hash, struct hash_list *targets, struct hash *same_type);
};

enum version_mode { VERSION_CHANGE, VERSION_MERGE, VERSION_NONE }; // DATA-MODEL.md 8.3

struct version_result {
    struct hash hash; // object hash of what is current afterwards (for VERSION_NONE: of the object)
    struct hash id_hash;
    struct hash node; // the head node; zero for VERSION_NONE
    bool changed;     // the head moved
    bool may_lose;    // version_merge_foreign: values were merged that may exclude each other
};

// Local storing of a versioned object (8.3). now: ms since 1970. Refuses other types: "SVO-SO2".
enum status version_store(const struct version_source *s, const struct value *object, enum version_mode mode,
                          double now, struct version_result *out, struct error *e);

// Takes in the foreign version data (already stored) with its creation time (8.4). Histories that cannot be merged:
// STATUS_CONFLICT "MERGE-FAILED" where the reference fails too, STATUS_TOO_BIG "MERGE-TOO-BIG", STATUS_CORRUPT
// "VERSION-GRAPH"; the head stays where it is. Costs: the length of the history, except for ChannelInfo (merge.h).
enum status version_merge_foreign(const struct version_source *s, const struct hash *data, double creation_time,
                                  struct version_result *out, struct error *e);

enum {
    VERSION_RECENT = 64,  // so many behind a head are looked at whatever was looked at before
    VERSION_LOOKS = 4096, // no others after so many in all
};

// What was found behind a head; zero-initialised = nothing. Who asks for many versions of an id keeps it, so that each
// node is looked at once while the head stays.
struct version_recents {
    size_t looked;             // at nodes, whatever the head was
    struct hash_list open;     // nodes, the head first
    size_t next;               // of these, to be looked at
    struct hash_map *seen;     // what is or was in open
    struct hash_map *versions; // data of those looked at
};

void version_recents_end(struct version_recents *r);

// Is the data, of a type of which only linked lists differ between versions, that of the current version or of one of
// the last before it? looks: how many of them are looked at (at most VERSION_LOOKS), besides what was found
// before.
bool version_is_recent_lists(struct version_recents *r, const struct version_source *s, const struct object *data,
                             size_t looks);

// Takes in a version together with its history (follow.c), for objects whose writers are known.
// node: a version node of somebody else's; it, its history and all data are stored. The head becomes
// - the node, where it was written on top of all that the head stands for;
// - what it was, where that was written on top of the node;
// - else both put together (combine.h): what only one of them changed is changed; of two that set one thing the one
// with
//   the longer history counts, then the later, and the other is told of (lost).
// A version counts as the same wherever it has the same data and time: nodes of other histories that stand for it.
// Whoever puts the same two together comes to the same node. Codes as version_merge_foreign.
enum status version_follow(const struct version_source *s, const struct hash *node, struct version_result *out,
                           struct error *e);

// After version_merge_foreign: tells (lost) what the object it made does not hold of what the head before and the node
// of the other, with its history, had changed without knowing of each other.
// Not of objects beyond 32 KiB. STATUS_TOO_BIG: the histories have more than 4096 nodes.
enum status version_find_lost(const struct version_source *s, const struct hash *head, const struct hash *node,
                              const struct hash *made, struct error *e);

// Puts a change without a difference on a head that is a merge node. Those are not listed (8.9), and who takes in a
// whole history at once adopts the deepest version that is: a merge of it with the others would be unknown to him.
// Other heads, and ids without one, stay as they are.
enum status version_confirm(const struct version_source *s, const struct hash *id_hash, double now,
                            struct version_result *out, struct error *e);

// The version nodes behind a head, oldest first, without merge nodes (8.9). Lost ones of which the links are known are
// among them.
enum status version_list(const struct version_source *s, const struct hash *head, struct hash_list *nodes,
                         struct error *e);

// The version that a node stands for, also of a lost one of which the links are known.
enum status version_data(const struct version_source *s, const struct hash *node, struct hash *data, struct error *e);
