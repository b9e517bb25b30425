// One value of a document as people read it. Text from others is escaped.
#pragma once

#include "base/bytes.h"
#include "supervisor/ctl/output.h"

struct span cell_string(const json_t *value);                    // of a JSON string, which may contain U+0000
const json_t *cell_find(const json_t *object, const char *path); // "a.b": b of a; NULL if it is not there
void cell_add(struct buf *b, const json_t *value, enum output_kind kind);
void cell_add_plain(struct buf *b, const json_t *value); // without a unit; of a list or an object how many
bool cell_is_number(enum output_kind kind);              // stands at the right of its column
const char *cell_colour(const char *word);               // of a state; NULL where there are no colours, or none for it
