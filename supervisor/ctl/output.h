// Output for people and for programs. Text from others never reaches a terminal unescaped.
#pragma once

#include "supervisor/ctl/cell.h"
#include "supervisor/ctl/ctl.h"

// Of a table a column, of facts a line. What a command shows and the document does not have, it adds beforehand.
struct output_column {
    const char *title;
    const char *member; // "a.b": b of a
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
// A table with a head line, or the word nothing when there are no rows. What is wider than the terminal becomes facts,
// row by row.
void output_table(const json_t *items, const struct output_column *columns, size_t count, const char *nothing);
// A line for each member that is there: its title and its value.
void output_facts(const json_t *object, const struct output_column *facts, size_t count);
// The end of a command that changes something: {} in JSON, the sentence for people. result is taken over; NULL returns
// e's status.
enum status output_done(const struct ctl *c, json_t *result, const char *sentence, const struct error *e);
// For people ten of many are enough: false for the first ten of a list, then it says how many more there are.
bool output_enough(size_t shown, const json_t *list);
// A document as it is, indented.
void output_tree(const json_t *value);
// The end of a command with --json, or of one that failed: result is printed and taken over; NULL returns e's status.
enum status output_result(json_t *result, const struct error *e);
// The usual end: the document in JSON, otherwise a table.
enum status output_list(const struct ctl *c, json_t *items, const struct output_column *columns, size_t count,
                        const char *nothing, const struct error *e);
// The same for one object: facts, and whether it waits for the archive.
enum status output_object(const struct ctl *c, json_t *object, const struct output_column *facts, size_t count,
                          const struct error *e);
// The components of status, a line for each; NULL prints nothing.
void output_components(const json_t *components);
// On a terminal, and without NO_COLOR.
bool output_is_colourful(void);
bool output_is_terminal(void);
int output_terminal_columns(void);                    // 0: it is no terminal, or does not tell
void output_heading(const char *text, bool line_end); // bold
void output_state(const char *word);                  // in its colour
// The members of an object in a row, "name value"; ids are short. The same as a string, for a cell.
void output_members(const json_t *object);
json_t *output_members_text(const json_t *object);
