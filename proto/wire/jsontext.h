// JSON texts as messages carry them: reading what a peer sent within bounds. Strings are written with text_add_json.
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
