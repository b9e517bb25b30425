// Of the roots that others show us: which are here for good, as sums (docs/sums.md). A root is counted once it is
// admitted, and not any more as soon as it is not (store_is_admitted): then its whole leaf is forgotten, whoever does
// what to the object (schema.c, settled_lost). So of a leaf whose sum is the peer's everything is here. The reverse
// does not hold: what is here may be uncounted.
#pragma once

#include "store/store.h"
#include "store/sums.h"

enum { STORE_SETTLED_PEERS = 256 }; // of more the one not used for longest is forgotten

struct store_settled { // a peer, and whom of us it talks to
    int64_t number;
    struct store_sum_key key;
};

// *found = false: nothing was ever counted of it. With add a beginning is made, and it is used.
enum status store_settled_find(struct store *s, const struct hash *peer, const struct hash *self, bool add, bool *found,
                               struct store_settled *out, struct error *e);
// Counts a root if it is admitted. It must not have been before, but after store_settled_forget of its leaf.
enum status store_settled_add(struct store *s, const struct store_settled *p, const struct hash *hash,
                              const struct hash *id_hash, struct error *e);
enum status store_settled_forget(struct store *s, const struct store_settled *p, struct store_range range,
                                 struct error *e);
// Of the sixteen parts of a range, which has fewer than STORE_SUM_DIGITS. Looks at one row a leaf.
enum status store_settled_parts(struct store *s, const struct store_settled *p, struct store_range range,
                                struct store_sum parts[STORE_SUM_FAN], struct error *e);
