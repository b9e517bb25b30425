// What happened when, for people as it happens and for the report afterwards.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct timeline;

enum timeline_show { TIMELINE_SILENT, TIMELINE_LINES, TIMELINE_COMMENTS }; // comments: of TAP, behind "# "

struct timeline *timeline_create(enum timeline_show show);
void timeline_add(struct timeline *t, int64_t ms, const char *text);
// One line on the terminal that is written over; nothing where standard error is none.
void timeline_progress(struct timeline *t, const char *text);
const json_t *timeline_events(const struct timeline *t); // [{"atMs","text"}]
void timeline_destroy(struct timeline *t);               // NULL-safe
