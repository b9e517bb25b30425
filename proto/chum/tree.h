// Fetching one root, or all new version nodes of one id, with everything below (WIRE.md 10.7): children first, in
// bounded batches, each object verified before it is stored. The roots themselves are stored last, together with what
// they bring about (merging into the current version), so that an interruption leaves them missing and they are asked
// for again.
#pragma once

#include "chum/fetch.h"
#include "chum/lists.h"

struct chum_want { // roots of one kind; version nodes of one id together, oldest first
    enum chum_root_kind kind;
    struct hash id_hash; // zero for unversioned
    char type[80];       // as announced; may be empty
    struct hash *hashes; // objects or nodes; for kind id the id itself
    size_t count;
};

struct chum_tree;

// Called once, on the loop; the tree is gone after it. Not called once the fetch has ended.
typedef void (*chum_tree_done)(void *ctx, enum status status, const struct error *why);

struct chum_tree *chum_tree_begin(struct chum_fetch *f, const struct chum_want *want, chum_tree_done done, void *ctx);
void chum_tree_drop(struct chum_tree *t); // no call follows

// ---- On the store thread -------------------------------------------------------------------------------------------

// Verifies a received text and stores it: hash, type, who may write it, links all known. Codes of WIRE.md 10.7.
enum status chum_store_received(struct store *s, const struct chum_policy *policy, struct span text,
                                const struct hash *hash, bool is_id, struct error *e);
// The same for the texts of a want's roots, newest last, with their effects.
enum status chum_store_roots(struct store *s, const struct chum_policy *policy, const struct hash *sender,
                             const struct chum_want *want, const struct span *texts, struct error *e);
