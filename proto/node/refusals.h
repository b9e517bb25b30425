// What the nodes of others cannot take over. A node of the reference ends the whole session at a version in which it
// lacks the recipe of something, or has another one for it; it comes back, and meets the same end for ever (WIRE.md
// 10.8). Here the ends of sessions are judged: what was at fault is to be withheld from that person, and to be offered
// again in a session some time later, when the person may have another version of its program. Loop thread.
#pragma once

#include "base/error.h"
#include "base/hash.h"

struct refusals;

struct refusal { // of a type, or of one object
    char type[80];
    struct hash object; // if type is empty
};

struct refusals *refusals_create(void);
void refusals_destroy(struct refusals *r); // NULL-safe

// A session with the person has ended. last: the object it was given last; zero = none. true: *out is at fault. A type
// is when the person names it; an object, when two sessions in a row ended at it.
bool refusals_judge(struct refusals *r, const struct hash *person, const struct hash *last, const struct error *why,
                    uint64_t now_ms, struct refusal *out);
// A session begins. true: what was withheld from the person is to be offered again. That is a minute after the last
// end of this kind, and each time twice as long, up to a day.
bool refusals_are_over(struct refusals *r, const struct hash *person, uint64_t now_ms);
