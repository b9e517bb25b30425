// Whom this node is paired with, and whom of them it is connected to now. Loop thread.
#pragma once

#include <jansson.h>
#include <stddef.h>

struct peers;

struct reach { // persons, the other own node among them; not those who are switched off
    size_t contacts;
    size_t reached;
};

// missing: an array that gets the ids of those who are not reached; NULL = none is wanted. peers may be NULL.
struct reach reach_count(const struct peers *p, json_t *missing);
