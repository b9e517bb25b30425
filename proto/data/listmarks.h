// What was learned about long linked lists, so that reading far back need not pass everything newer again.
//
// About every 64th entry, told by its own hash, is a mark. A stretch leads from one mark to the next one below it.
// Entries never change, so what is known about a stretch stays true whatever lists it belongs to.
#pragma once

#include "base/hash.h"

struct list_key { // orders the elements of a list
    double timestamp;
    struct hash creation_time;
};

int list_key_compare(const struct list_key *a, const struct list_key *b); // less than zero: a is older

struct list_marks; // forgets everything when it would grow beyond some MB

struct list_marks *list_marks_create(void);
void list_marks_destroy(struct list_marks *m); // NULL-safe

bool list_is_mark(const struct hash *entry);
// oldest: the lowest key from the mark from (included) down to the mark to (not included).
void list_marks_add(struct list_marks *m, const struct hash *from, const struct hash *to,
                    const struct list_key *oldest);
// Moves entry down over known stretches, as far as nothing that is passed is older than bound. false: not at all.
bool list_marks_follow(const struct list_marks *m, struct hash *entry, const struct list_key *bound);

enum list_order { LIST_ORDER_UNKNOWN, LIST_IN_ORDER, LIST_OUT_OF_ORDER }; // of an entry and all below it (listorder.h)

enum list_order list_marks_order(const struct list_marks *m, const struct hash *entry);
void list_marks_set_order(struct list_marks *m, const struct hash *entry, enum list_order order); // not UNKNOWN
