// A long answer of the peer as it arrives: {"responseId":5,"type":"data","data":"…"}, the string piece by piece, so
// that nobody has to hold the text and the value at the same time. Members in another order, or of another kind, are
// collected and parsed as a whole, up to LONG_ANSWER_WHOLE bytes. A pure machine.
#pragma once

#include "base/bytes.h"

#include <stdint.h>

enum { LONG_ANSWER_WHOLE = 1 << 20 };

enum long_answer_state {
    LONG_ANSWER_HEAD,   // up to the quote that opens the string
    LONG_ANSWER_STRING, // in it
    LONG_ANSWER_TAIL,   // behind it
    LONG_ANSWER_END,    // behind the closing brace
    LONG_ANSWER_OTHER,  // it is something else: kept has all of it
    LONG_ANSWER_BROKEN, // no JSON, or too long to be parsed as a whole
};

struct long_answer { // zero-initialise
    enum long_answer_state state;
    int64_t id; // from LONG_ANSWER_STRING on
    struct buf kept;
    char escape[8]; // an escape that is not whole yet
    size_t escaped;
    unsigned high; // a high surrogate that waits for its other half; 0 = none
};

void long_answer_begin(struct long_answer *a);
// Takes the next piece and appends what it brings of the string to out.
void long_answer_add(struct long_answer *a, struct span piece, struct buf *out);
void long_answer_end(struct long_answer *a); // frees
