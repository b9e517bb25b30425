// Why a node ends by itself: the message of its log line "node.failed", found in what it writes to standard error.
#pragma once

#include "base/bytes.h"

struct last_words {
    char line[1024]; // what came of the line under way; a longer one is passed over
    size_t len;
    char why[100]; // empty: it said nothing
};

void last_words_take(struct last_words *w, struct span bytes);
