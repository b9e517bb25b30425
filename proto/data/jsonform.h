// Values as JSON documents, in the form of the vectors ($map, $set, $number, …), for the command line and the tests.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "data/value.h"

enum status jsonform_read(struct arena *a, const json_t *json, struct value **out, struct error *e);
json_t *jsonform_write(const struct value *v); // new reference
