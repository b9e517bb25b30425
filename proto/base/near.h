// Which of the words that there are somebody who slipped has meant.
#pragma once

#include <stddef.h>

enum { NEAR_LETTERS = 40 }; // of the second word; longer ones are compared as far as that

// How many letters of two short words have to be put in, left out, replaced, or swapped with the next one.
size_t near_slips(const char *a, const char *b);
