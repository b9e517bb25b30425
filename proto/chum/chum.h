// CHUM, the protocol that brings objects across (WIRE.md 10): what its two halves share. Each side serves (exporter.h)
// and asks (importer.h) over the same connection; session.h ties both to a connection.
#pragma once

#include "store/store.h"

// On the wire: the service of a request (WIRE.md 10.1).
enum chum_service {
    CHUM_GET_PROTOCOL_VERSION = 1,
    CHUM_GET_ACCESSIBLE_ROOTS = 2,
    CHUM_NEW_ACCESSIBLE_ROOT_EVENT = 3,
    CHUM_GET_OBJECT_CHILDREN = 4,
    CHUM_GET_ID_OBJECT_CHILDREN = 5,
    CHUM_GET_OBJECT = 6,
    CHUM_GET_ID_OBJECT = 7,
    CHUM_GET_BLOB = 8,
    CHUM_FIN = 10,
    // Between tandem's nodes, which fall back to those above if one does not know them (docs/feeds.md, docs/sums.md).
    CHUM_FEED = 100,
    CHUM_HOLDS = 101,  // own nodes only: which files it has, and how big they are
    CHUM_SUMS = 102,   // what the roots that may be seen come to
    CHUM_RANGES = 103, // some of them
};

enum {
    CHUM_PROTOCOL_VERSION = 8,
    CHUM_HELD_MAX = 256,           // files that are asked for together
    CHUM_ROOTS_MAX = 1 << 20,      // entries of one root list
    CHUM_CHILDREN_MAX = 1 << 20,   // entries of one list of children
    CHUM_LIST_MAX = 64 << 20,      // bytes of one list's JSON
    CHUM_ROOT_LIST_MAX = 30 << 20, // of one of roots, which is kept as a whole
    CHUM_OBJECT_MAX = 1 << 20,     // bytes of one object's microdata
    CHUM_LONG_TEXT_MAX = 4 << 20,  // if it is a long text and little else
    CHUM_BATCH_MAX = 24 << 20,     // of one batch of a feed: at least one object, whatever its size
    CHUM_CONTACT_BATCH_MAX = 10 << 20,
    CHUM_OWN_OBJECT_MAX = 16 << 20, // from an own node, whose lists of contacts and channels may be long
};
#define CHUM_FILE_MAX (16ULL << 30) // bytes of one BLOB or CLOB

// Between own nodes only: the argument of GET_ACCESSIBLE_ROOTS "I have the list you answered last in this session", and
// the answer "it is still that one". Nobody else is asked or answered so; who does not know the argument ignores it.
#define CHUM_UNCHANGED "unchanged"

// With peers that say "news":2, the argument of NEW_ACCESSIBLE_ROOT_EVENT "do not answer": the next question does
// (news.h).
#define CHUM_QUIET "quiet"

struct chum_load {        // of one job of an import
    uint64_t sent, grown; // bytes of the peer, and what the store grew by
    uint64_t versions;
};

// The decisions of the layer above, taken on the store thread. Members may be NULL: then nothing is refused beyond what
// the protocol itself refuses from all but own nodes (Access, IdAccess, Group).
struct chum_policy {
    void *ctx;
    // Is a root worth fetching, judged by what was announced? id_hash is zero for unversioned roots.
    bool (*wants)(void *ctx, struct store *s, const struct hash *sender, struct span type, const struct hash *id_hash);
    // May it take effect? object: the data object of a version, the unversioned object, or the id object.
    enum status (*admits)(void *ctx, struct store *s, const struct hash *sender, const struct object *object,
                          struct error *e);
    // Is a version taken in together with its history (data/follow.c)? NULL: none is.
    bool (*follows)(void *ctx, struct store *s, const struct hash *sender, const struct object *object);
    // May a root be offered to the person? what: its id, or the object if it has none.
    bool (*serves)(void *ctx, struct store *s, const struct hash *person, struct span type, const struct hash *what);
    // Is that still within what the sender may make the store grow by? Asked in the transaction, which fails if not.
    enum status (*takes)(void *ctx, struct store *s, const struct hash *sender, const struct chum_load *load,
                         struct error *e);
    // On the loop's thread: for how many ms nothing more should be taken from the sender; 0 = go on.
    uint64_t (*rests)(void *ctx, const struct hash *sender);
    // Gives the sender back what we lost, of which there is only a stopgap here? Then its version takes the place of
    // that instead of being merged with it. object: the data object.
    bool (*replaces)(void *ctx, struct store *s, const struct hash *sender, const struct object *object);
    // Is the person another node of ours? It is also offered what lacks files that nobody could deliver, and is spared
    // a list that it has.
    bool (*is_own)(void *ctx, struct store *s, const struct hash *person);
};

struct chum_counts { // of one session, since its start
    uint64_t objects_sent, objects_received;
    uint64_t bytes_sent, bytes_received; // of objects and files
    uint64_t passes;                     // root lists taken over completely
    uint64_t failed_roots;               // of the last pass
    uint64_t stuck;                      // ids whose versions fail again and again (stalls.h)
    uint64_t skipped_roots;              // refused by the policy or of unknown type, in the last pass
    int64_t last_pass_ms;                // wall time of the end of the last complete pass; 0 = none yet
    uint64_t latency_ms;                 // of the last answer to "what may I see"
};

// The peer asked for a file that is left at our other node. fetch may be NULL; it calls done once, later, on the loop,
// also after the end of the session: STATUS_OK if the bytes are here now; why is borrowed.
typedef void (*chum_fetched)(void *ctx, enum status status, const struct error *why);
struct chum_elsewhere {
    void (*fetch)(void *ctx, const struct hash *file, chum_fetched done, void *done_ctx);
    void *ctx;
};
