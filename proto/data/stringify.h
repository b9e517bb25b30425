// The deterministic JSON text of stringifiable values (DATA-MODEL.md 3.7) and its strict reader.
#pragma once

#include "base/error.h"
#include "data/value.h"

enum { STRINGIFY_MAX_DEPTH = 128 };

// Appends the text. *undefined (may be NULL) is set when the value has no text at all. Codes: USS-STR1 (too deep, which
// a value that contains itself is too), USS-STR4 (symbols), BAD-KEY (a key that JSON would have to escape).
enum status stringify_write(const struct value *v, struct buf *out, bool *undefined, struct error *e);
// Reads JSON text (any white space and member order) into a value with its members in UTF-16 order; of equal keys the
// last one wins. Strings without escapes borrow from text. Codes: BAD-JSON, JSON-TOO-DEEP.
enum status stringify_read(struct arena *a, struct span text, struct value **out, struct error *e);
