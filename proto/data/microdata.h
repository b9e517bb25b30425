// Microdata: the canonical text form of objects (DATA-MODEL.md 3 and 4), byte for byte.
//
//   object     <div itemscope itemtype="//refin.io/TYPE">PROPERTIES</div>
//   id object  <div data-id-object="true" itemscope itemtype="//refin.io/TYPE">ID PROPERTIES</div>
//
// Reading accepts exactly what writing can produce, plus bags and sets in any order and with repeated items (a set
// keeps the first of equal texts, numbers, booleans and references). Received bytes are hashed and kept as they came;
// nothing foreign is ever written again to be hashed. Objects cannot nest deeper than the types of recipes do
// (RECIPE_MAX_DEPTH).
#pragma once

#include "data/recipe.h"

enum microdata_form { MICRODATA_OBJECT, MICRODATA_ID_OBJECT };

enum { MICRODATA_MAX_SIZE = 64 << 20 }; // bytes of one object; peers' objects have a smaller limit in chum

// Appends the text of an object to out (unchanged on failure). Codes: O2M-…, OR-GR1 (unknown type), USS-…, BAD-TEXT,
// OBJECT-TOO-BIG.
enum status microdata_write(const struct recipes *r, const struct value *object, enum microdata_form form,
                            struct buf *out, struct error *e);

// Appends one value of that type as it stands inside li, dt and dd, without itemprop; merging compares values by it.
enum status microdata_write_value(const struct value_type *type, const struct value *v, struct buf *out,
                                  struct error *e);

// Reads text as an object of any known type, or only of expected_type if that is not empty. *object lives in the arena
// and borrows from text (which must outlive it). Codes: M2O-…, M2IH-FET1, US-SSFMC1, OR-ET1 (unknown type),
// NOT-CANONICAL, BAD-JSON, BAD-TEXT, OBJECT-TOO-BIG.
enum status microdata_read(const struct recipes *r, struct arena *a, struct span text, enum microdata_form form,
                           struct span expected_type, struct value **object, struct error *e);

// What a file is, from its first bytes (DATA-MODEL.md 13): sets *type (borrowed from bytes) and *form. false: not
// microdata.
bool microdata_sniff(struct span bytes, struct span *type, enum microdata_form *form);
