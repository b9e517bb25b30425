// The linked list of a channel: order, insertion, merging and iteration over several lists (MODELS.md 5.3 – 5.5).
//
// A list is named by the hash of its newest LinkedListEntry. The key of an element is (timestamp, CreationTime hash),
// both descending; its identity is the CreationTime hash. Lists are merged by the timestamps as they are, whatever they
// are, as everybody else does it; a list_key is for reading: it has NaN behind all others, so that keys are always in
// order.
#pragma once

#include "data/version.h"

struct list_element {
    struct hash entry;         // LinkedListEntry; zero for an element not yet in a list
    struct hash creation_time; // CreationTime object
    struct hash data;          // what was posted
    double timestamp;
    size_t list; // which of the lists it came from
};

struct list_iterator;

// Iterates over k lists at once, newest first, each element once. stop_at_common: end after the first element from
// which only one list goes on (it is emitted). Zero hashes among heads are empty lists.
struct list_iterator *list_iterator_create(const struct version_source *s, const struct hash *heads, size_t count,
                                           bool stop_at_common);
enum status list_iterator_next(struct list_iterator *it, struct list_element *out, bool *end, struct error *e);
// Passes over entries that are lost here, as far as it is known what lies behind them, instead of failing.
void list_iterator_step_over(struct list_iterator *it);
size_t list_iterator_holes(const struct list_iterator *it); // elements that were passed over
void list_iterator_destroy(struct list_iterator *it);
// Before the first next: leaves out what next would emit first as long as it is not older than bound.
enum status list_iterator_skip(struct list_iterator *it, const struct list_key *bound, struct error *e);
struct list_key list_key_of(double timestamp, const struct hash *creation_time);
struct list_key list_element_key(const struct list_element *element);

// Puts an element on a list (head zero = empty list) and returns the new head. metadata: hashes for the new entry's
// bag.
enum status list_insert(const struct version_source *s, const struct hash *head, const struct hash *creation_time,
                        const struct hash_list *metadata, struct hash *new_head, struct error *e);
// Merges two lists; both sides of a federation compute the same head.
enum status list_merge(const struct version_source *s, const struct hash *current, const struct hash *other,
                       struct hash *new_head, struct error *e);
