// How far the messages made here got, by recipient. Rows change forwards only; every change gets the next number, so
// that another node can follow them.
#pragma once

#include "store/store.h"

// On disk: column state of table delivery.
enum delivery_state {
    DELIVERY_SENT = 0,      // durable here
    DELIVERY_DELIVERED = 1, // the recipient has stored it
    DELIVERY_FAILED = 2,    // it will not come to that; why says so
};

struct store_delivery {
    struct hash message;
    struct hash person;
    enum delivery_state state;
    int64_t at_ms;
    struct span why;
    int64_t change;
};

struct store_deliveries {
    struct store_delivery *items;
    size_t count;
};

// *changed says whether anything is new: what was delivered stays so, and what failed can only be delivered.
enum status store_delivery_set(struct store *s, const struct store_delivery *d, bool *changed, struct error *e);
// Texts live in the arena.
enum status store_delivery_of(struct store *s, struct arena *a, const struct hash *message,
                              struct store_deliveries *out, struct error *e);
enum status store_delivery_since(struct store *s, struct arena *a, int64_t change, size_t limit,
                                 struct store_deliveries *out, struct error *e); // by change
// What is neither delivered nor failed: messages; and those to a person.
enum status store_delivery_waiting(struct store *s, size_t limit, struct hash_list *messages, struct error *e);
enum status store_delivery_to(struct store *s, struct arena *a, const struct hash *person, size_t limit,
                              struct store_deliveries *out, struct error *e);
enum status store_delivery_last(struct store *s, int64_t *change, struct error *e); // 0 if there is none
enum status store_epoch(struct store *s, int64_t *epoch, struct error *e);          // another one for every database
