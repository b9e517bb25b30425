// The sums of what a person is shown, range by range, found by one walk through all of it (walk.h).
#pragma once

#include "store/sums.h"
#include "store/walk.h"

struct store_summing;

struct store_summing_options {
    struct hash person;
    bool own; // another node of ours
    struct store_sum_key key;
};

// May the root be offered, beyond what the store knows?
struct store_serves {
    void *ctx;
    bool (*root)(void *ctx, struct store *s, const struct store_feed_root *root);
};

struct store_summing *store_summing_create(const struct store_summing_options *options);
void store_summing_destroy(struct store_summing *m); // NULL-safe
// Goes on for a few milliseconds; *ready: they are found. STATUS_REFUSED "BUSY": what is shown changes all the
// time.
enum status store_summing_go_on(struct store *s, struct store_summing *m, const struct store_serves *serves,
                                bool *ready, struct error *e);
// Once they are ready: of ranges up to so many digits they are known.
unsigned store_summing_digits(const struct store_summing *m);
void store_summing_parts(const struct store_summing *m, struct store_range range,
                         struct store_sum parts[STORE_SUM_FAN]); // of fewer digits than that
