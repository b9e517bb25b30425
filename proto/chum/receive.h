// What happens to received texts: verification, storing, and the effects of roots (WIRE.md 10.7). Store thread.
#pragma once

#include "chum/plan.h"

struct hash chum_want_versions_of(const struct chum_want *want); // whose versions are wanted; zero: other roots

struct chum_delivery { // from whom something comes, and below what
    struct store *store;
    const struct chum_policy *policy;
    struct hash sender;
    bool is_own;         // another node of ours: what it has went through its own door
    struct hash id_hash; // below versions of this id; zero: below something else
    struct store_knowledge *knowledge;
    bool lent;        // the knowledge
    bool strict;      // what is not here is missing: no gap in a channel, and no BLOB to be wanted
    struct hash node; // the version node taken in last, and its depth
    double depth;
};
struct chum_fetch;
// What was not asked for because the peer knows it has to be known when something that refers to it is stored:
// knowledge is what told the one, borrowed until the end; NULL if nothing was sifted.
void chum_delivery_begin(struct chum_delivery *d, struct store *s, const struct chum_fetch *from,
                         const struct hash *id_hash, struct store_knowledge *knowledge);
void chum_delivery_end(struct chum_delivery *d);

// Verifies a received text and stores it: hash, type, who may write it, everything it refers to is here (a BLOB at
// least noted as wanted) and the sender's to refer to: sent by it, or shown to it by us. Version nodes are taken only
// below a version of the same id, each one deeper than those before it. Codes of WIRE.md 10.7.
enum status chum_store_received(struct chum_delivery *d, struct span text, const struct hash *hash, bool is_id,
                                struct error *e);

struct chum_lacking { // BLOBs the peer listed and could not deliver; they are noted as wanted
    size_t files;
    size_t asked; // of them, asked for this time
    size_t news;  // of them, lacking for the first time in this session
};

// It fails for what the peer sent, and not because the store does: the others go on.
bool chum_is_refused_or_broken(enum status status);

struct chum_root_result {
    enum status status;
    struct error why;            // if the status is not STATUS_OK
    bool unsure;                 // it is, but a newer one failed with which it came, or would have come
    struct chum_lacking lacking; // below it
};

// The same for the texts of a want's roots with their effects. One that fails leaves nothing behind and does not
// disturb the others; its result says why. A root without text (ptr NULL) came as part of a newer one, or failed before
// (its result is kept). When any failed, what came as part of it is merged on its own account. Only the store's own
// failures are returned.
enum status chum_store_roots(struct store *s, const struct chum_fetch *from, const struct chum_want *want,
                             struct store_knowledge *knowledge, const struct span *texts,
                             struct chum_root_result *results, struct error *e);
