// One value of a document as people read it. Text from others is escaped.
#pragma once

#include <jansson.h>

#include "base/bytes.h"

enum output_kind {
    OUTPUT_TEXT,
    OUTPUT_ID,     // as many digits as commands need of it
    OUTPUT_AS,     // the same; a column in which all are equal is left out: most people are one person
    OUTPUT_TIME,   // the date
    OUTPUT_AGO,    // how long ago, or in how long
    OUTPUT_STATE,  // a word: green, yellow or red
    OUTPUT_YES,    // yes or no
    OUTPUT_NUMBER, // from here on numbers, which are written one below the other
    OUTPUT_COUNT,  // how many members
    OUTPUT_BYTES,
    OUTPUT_MS,
    OUTPUT_PERCENT, // of a part of 1
};

struct span cell_string(const json_t *value);                    // of a JSON string, which may contain U+0000
const json_t *cell_find(const json_t *object, const char *path); // "a.b": b of a; NULL if it is not there
void cell_add(struct buf *b, const json_t *value, enum output_kind kind);
void cell_add_plain(struct buf *b, const json_t *value); // without a unit; of a list or an object how many
bool cell_is_number(enum output_kind kind);              // stands at the right of its column
const char *cell_colour(const char *word);               // of a state, for a terminal; NULL for what is none
