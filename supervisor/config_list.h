// A setting that is a list: its entries are separated by blanks or commas.
#pragma once

#include <jansson.h>

#include "base/bytes.h"

struct span config_list_next(const char **text); // *text moves behind it; empty: there is no other
bool config_list_is(struct span entry, bool (*is)(const char *entry));
bool config_list_all(const char *text, bool (*are)(const char *entry)); // true of none
json_t *config_list_json(const char *text);                             // a new array
