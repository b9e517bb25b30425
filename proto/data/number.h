// Numbers as text: the shortest decimal that reads back to the same double, laid out as JavaScript does
// (DATA-MODEL.md 3.6).
#pragma once

#include "base/bytes.h"

enum { NUMBER_TEXT = 32 };

size_t number_write(double n, char out[NUMBER_TEXT]); // NaN and infinities: "null"; returns the length, zero-terminated
bool number_read(struct span text, double *out);      // only the canonical forms number_write makes, and "null" as NaN
