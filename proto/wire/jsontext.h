// JSON texts as messages carry them: reading what a peer sent within bounds, writing strings as JavaScript does.
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"

struct jsontext_limits {
    size_t bytes;
    size_t depth;  // nesting of arrays and objects
    size_t values; // how many values the text may hold at most, so that a short text cannot become a huge tree
};

// NULL on failure, with the parser's words in e: STATUS_TOO_BIG beyond a limit, else STATUS_INVALID. New reference.
json_t *jsontext_parse(struct span text, struct jsontext_limits limits, struct error *e);

// Appends s as a JSON string with its quotes, escaped as JSON.stringify does; unpaired surrogates (WTF-8) become
// \uXXXX.
void jsontext_add_string(struct span s, struct buf *out);
void jsontext_add_escaped(struct span s, struct buf *out); // a part of a string, without the quotes
