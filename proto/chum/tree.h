// Fetching one root, or the new version nodes of one id, with everything below (WIRE.md 10.7): first what is below,
// then the root itself. Roots are stored last, together with what they bring about (merging into the current version),
// so that an interruption leaves them missing and they are asked for again.
#pragma once

#include "chum/fetch.h"
#include "chum/lists.h"

enum { CHUM_WANT_ROOTS = 64 }; // version nodes of one id fetched together; the others wait for another pass

struct chum_want { // roots of one kind; version nodes of one id together, oldest first
    enum chum_root_kind kind;
    struct hash id_hash; // zero for unversioned
    char type[80];       // as announced; may be empty
    struct hash *hashes; // objects or nodes; for kind id the id itself
    size_t count;
    struct hash previous; // the newest version node of the id that is here already; zero = none
};

struct chum_root_result {
    enum status status;
    struct error why; // if the status is not STATUS_OK
    size_t lacking;   // BLOBs below it that the peer could not deliver
};

struct chum_tree;

struct chum_tree_events { // on the loop; none once the fetch has ended
    void (*root)(void *ctx, const struct hash *root, const struct chum_root_result *result); // once per root
    void (*over)(void *ctx);                                                                 // the tree is gone
};

// The want is copied.
struct chum_tree *chum_tree_begin(struct chum_fetch *f, const struct chum_want *want,
                                  const struct chum_tree_events *events, void *ctx);
void chum_tree_drop(struct chum_tree *t); // no call follows
const struct chum_want *chum_tree_want(const struct chum_tree *t);

// ---- On the store thread -------------------------------------------------------------------------------------------

// Verifies a received text and stores it: hash, type, who may write it, everything it refers to is here (a BLOB at
// least noted as wanted). Codes of WIRE.md 10.7.
enum status chum_store_received(struct store *s, const struct chum_policy *policy, struct span text,
                                const struct hash *hash, bool is_id, struct error *e);

// The same for the texts of a want's roots with their effects. One that fails leaves nothing behind and does not
// disturb the others; its result says why. A root without text (ptr NULL) came as part of a newer one, or failed before
// (its result is kept). When any failed, what came as part of it is merged on its own account. Only the store's own
// failures are returned.
enum status chum_store_roots(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                             const struct chum_want *want, const struct span *texts, struct chum_root_result *results,
                             struct error *e);
