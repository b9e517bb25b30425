// Output for people and for programs. Text from others never reaches a terminal unescaped.
#pragma once

#include "supervisor/ctl/ctl.h"

enum output_kind { OUTPUT_TEXT, OUTPUT_ID, OUTPUT_TIME, OUTPUT_NUMBER, OUTPUT_YES, OUTPUT_COUNT };

struct output_column {
    const char *title;
    const char *member;
    enum output_kind kind;
};

// True once something could not be written: the disk is full, nobody reads any more.
bool output_failed(void);
// One JSON document on a line of its own; the result is taken over.
void output_json(json_t *result);
// Text from anywhere, its control characters escaped; no line end.
void output_text(const char *text);
// The same for a JSON string, which may contain U+0000; nothing for any other value.
void output_string(const json_t *value);
// A table with a head line, or the word nothing when there are no rows.
void output_table(const json_t *items, const struct output_column *columns, size_t count, const char *nothing);
// The end of a command that changes something: {} in JSON, the sentence for people. result is taken over; NULL returns
// e's status.
enum status output_done(const struct ctl *c, json_t *result, const char *sentence, const struct error *e);
// For people ten of many are enough: false for the first ten of a list, then it says how many more there are.
bool output_enough(size_t shown, const json_t *list);
// The usual end of a command: the document in JSON, otherwise output_value. result is taken over; NULL returns e's
// status.
enum status output_result(const struct ctl *c, json_t *result, const struct error *e);
enum status output_list(const struct ctl *c, json_t *items, const struct output_column *columns, size_t count,
                        const char *nothing, const struct error *e);
// The components of status, a line for each; NULL prints nothing.
void output_components(const json_t *components);
bool output_is_colourful(void);
// "2026-11-21 09:30:12" in local time.
void output_time(int64_t ms, char *out, size_t size);
