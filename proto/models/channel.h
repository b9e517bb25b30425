// Channels: linked lists of signed entries, one ChannelInfo per id and owner (MODELS.md 5).
//
// The stable name of an entry is the hash of its CreationTime: it survives merges, which rewrite the list.
#pragma once

#include "data/linkedlist.h"
#include "models/trust.h"

enum {
    CHANNEL_MAX_ID = 1024,
    CHANNEL_PAGE = 1000,
    CHANNEL_AHEAD_MS = 24 * 60 * 60 * 1000, // entries later than that have no influence on the time of ours
    CHANNEL_AHEAD_MAX = 1000,               // of those: what a post is put below (channel_base.c)
};
#define CHANNEL_FAR_MS 253402300799999.0 // the year 9999: no clock shows more

struct channel {
    struct hash id_hash;
    struct span id;
    struct hash owner; // zero = none
    struct hash head;  // newest LinkedListEntry; zero = empty
};

struct channels {
    struct channel *items;
    size_t count;
};

// owner NULL = a channel without owner. Existing: nothing is written. Code BAD-INPUT.
enum status channel_create(struct model *m, struct span id, const struct hash *owner, struct hash *id_hash,
                           struct error *e);
enum status channel_id_hash(struct model *m, struct span id, const struct hash *owner, struct hash *out,
                            struct error *e);
enum status channel_get(struct model *m, const struct hash *id_hash, struct channel *out, struct error *e);
// What its id object says, whether or not it has a version; owner zero: it has none.
enum status channel_owner(struct model *m, const struct hash *id_hash, struct hash *owner);
enum status channel_list(struct model *m, struct channels *out, struct error *e);                 // all, by id
enum status channel_find(struct model *m, struct span id, struct channels *out, struct error *e); // all owners of an id
// Adds a channel that has a version to the ChannelRegistry, called for every ChannelInfo that arrives: at once, or
// with others (lag.h).
enum status channel_register(struct model *m, const struct hash *id_hash, bool at_once, struct error *e);
enum status channel_catch_up(struct model *m, struct error *e); // what waits to be added is

struct channel_post {
    const struct identity *author; // NULL = m->self
    double timestamp;              // 0 = now, and later than the newest entry up to CHANNEL_AHEAD_MS
    double later_than;             // without a timestamp: and later than this, 0 = nothing
    bool append_profile;           // adds the author's default profile version to the metadata
    bool if_new;                   // posts only if no entry has the same data; then out is that entry
};

struct channel_entry {
    struct hash channel;       // id hash of the ChannelInfo
    struct hash entry;         // LinkedListEntry, changes with merges
    struct hash creation_time; // the stable id
    struct hash data;
    char type[80];    // of data
    double timestamp; // within TIME_LIMIT
    bool has_author;
    struct hash author;
    enum verification verification;
};

struct channel_entries {
    struct channel_entry *items;
    size_t count;
    bool more;                  // the limit ended the page
    size_t holes;               // entries of the page, or near it, that are lost here
    struct channel_entry *late; // of channel_since: left out, as their time is deleted, and yet to be hidden each
    size_t late_count;
};

// Posts an object to a channel of the registry (5.2): affirmed and signed by the author, inserted by time. An explicit
// timestamp is kept; an entry older than all others is put at the list's end, where it belongs (5.5). The same object
// at the same explicit time is the same entry; without one it is always a new entry, whatever was posted before. Codes:
// NOT-FOUND, BAD-INPUT (a timestamp beyond TIME_LIMIT).
enum status channel_post(struct model *m, const struct hash *channel, const struct value *data,
                         const struct channel_post *options, struct channel_entry *out, struct error *e);

// The time of an entry of now that comes behind what these channels hold, and behind a time (0 = none).
enum status channel_next_time(struct model *m, const struct hash *channels, size_t count, double behind, double *out,
                              struct error *e);

// The metadata hashes of a LinkedListEntry; the caller frees the list.
enum status channel_entry_metadata(struct model *m, const struct hash *entry, struct hash_list *out, struct error *e);

struct channel_query {
    const struct hash *channels; // id hashes; entries of all of them in one stream
    size_t channel_count;
    size_t limit;              // 0 = CHANNEL_PAGE
    const struct hash *before; // only entries older than this CreationTime; NULL = from the newest
    const struct hash *after;  // only entries newer than this CreationTime
    double from, to;           // inclusive bounds of the timestamp; 0 = open
    const char *type;          // of the data; NULL = any
    bool ascending;            // order of the answer; the limit always keeps the newest
    bool unverified;           // skip the signatures: author and verification are not filled
    bool deleted;              // also what the user deleted (deletion.h)
};

// Fills in authors and verification of what was read unverified.
enum status channel_judge(struct model *m, struct channel_entries *entries, struct error *e);
enum status channel_read(struct model *m, const struct channel_query *query, struct channel_entries *out,
                         struct error *e);
// What came since a cursor, oldest first, however old its timestamps are: nothing is lost or repeated when histories
// merge. A cursor is an opaque text without blanks; an empty one starts before the first entry. *next lives in the
// arena and is valid for these channels only. unverified: as in a query. Codes: BAD-INPUT.
enum status channel_since(struct model *m, const struct hash *channels, size_t channel_count, struct span cursor,
                          size_t limit, bool unverified, struct channel_entries *out, struct span *next,
                          struct error *e);
// A cursor behind everything there is now.
enum status channel_cursor(struct model *m, const struct hash *channels, size_t channel_count, struct span *cursor,
                           struct error *e);
