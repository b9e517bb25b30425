// Where in a JSON text a value stands, for messages to the people who wrote it: jansson keeps no lines. Walks text and
// value side by side.
#pragma once

#include <jansson.h>

#include "base/bytes.h"

struct place {
    int line;        // from 1; 0 = not found
    struct buf path; // "trouble[2].what"; released by place_free
};

// The member key of an object, or where key is NULL the index-th of an array. text is what root was read from.
struct place place_find(const char *text, const json_t *root, const json_t *holder, const char *key, size_t index);
void place_free(struct place *p);
