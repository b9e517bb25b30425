// Values as JSON documents, in the form of the vectors ($map, $set, $number, …), for the command line and the tests.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "data/value.h"

// Flags for json_loads: documents hold any JSON value, zero characters and numbers beyond 64-bit integers.
enum { JSONFORM_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL };

// Also takes @map and @set, as the vectors of the models have them. Codes: BAD-FORM, JSON-TOO-DEEP.
enum status jsonform_read(struct arena *a, const json_t *json, struct value **out, struct error *e);
json_t *jsonform_write(const struct value *v); // new reference
