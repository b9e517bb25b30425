// All that a terminal shows goes through here, and all of it may come from others: control characters are escaped in
// text and in JSON alike. Whether it is a terminal decides about colours and widths only, never about what is said. A
// table that is wider than the terminal becomes facts, row by row, as a broken table cannot be read.
#include "supervisor/ctl/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"

enum { CELL_MAX = 48, COLUMNS_MAX = 12, EXAMPLES = 10 };

#define BOLD "\x1b[1m"
#define PLAIN "\x1b[0m"

bool output_failed(void)
{
    return fflush(stdout) != 0 || ferror(stdout) != 0;
}

static void put(const struct buf *b)
{
    if (b->len != 0)
        fwrite(b->data, 1, b->len, stdout);
}

// Foreign text reaches a terminal this way, too.
void output_json(json_t *result)
{
    struct buf b = {0};
    char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
    text_escape_in_json(span_of(text), &b);
    put(&b);
    buf_free(&b);
    free(text);
    putchar('\n');
    fflush(stdout);
    json_decref(result);
}

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

int output_terminal_columns(void)
{
    struct winsize size;
    return output_is_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool output_is_colourful(void)
{
    return output_is_terminal() && getenv("NO_COLOR") == NULL;
}

void output_text(const char *text)
{
    struct buf b = {0};
    text_escape_controls(span_of(text), &b);
    put(&b);
    buf_free(&b);
}

void output_string(const json_t *value)
{
    struct buf b = {0};
    text_escape_controls(cell_string(value), &b);
    put(&b);
    buf_free(&b);
}

static void put_in(const char *colour, const struct buf *b)
{
    bool coloured = colour != NULL && output_is_colourful();
    if (coloured)
        fputs(colour, stdout);
    put(b);
    if (coloured)
        fputs(PLAIN, stdout);
}

void output_heading(const char *text, bool line_end)
{
    struct buf b = {0};
    buf_add_text(&b, text);
    put_in(BOLD, &b);
    buf_free(&b);
    if (line_end)
        putchar('\n');
}

void output_state(const char *word)
{
    struct buf b = {0};
    text_escape_controls(span_of(word), &b);
    put_in(cell_colour(buf_cstr(&b)), &b);
    buf_free(&b);
}

// --- tables ----------------------------------------------------------------------------------------------------------

static size_t cell_width(const json_t *value, enum output_kind kind)
{
    struct buf b = {0};
    cell_add(&b, value, kind);
    size_t width = utf16_length(buf_span(&b));
    buf_free(&b);
    return width < CELL_MAX ? width : CELL_MAX;
}

// Numbers stand at the right of their column, all else at the left.
static void print_padded(struct buf *b, const char *colour, size_t width, enum output_kind kind, bool last)
{
    size_t len = utf16_length(buf_span(b));
    int blank = (int)(len < width ? width - len : 0);
    if (cell_is_number(kind))
        printf("%*s", blank, "");
    put_in(colour, b);
    if (last)
        putchar('\n');
    else
        printf("%*s", (cell_is_number(kind) ? 0 : blank) + 2, "");
    buf_clear(b);
}

// How wide each column is, and all of them.
static size_t measure(const json_t *items, const struct output_column *columns, size_t count, size_t *widths)
{
    size_t row;
    json_t *item;
    size_t all = 2 * (count - 1);
    for (size_t i = 0; i < count; i++) {
        widths[i] = strlen(columns[i].title);
        json_array_foreach(items, row, item)
        {
            size_t width = cell_width(cell_find(item, columns[i].member), columns[i].kind);
            widths[i] = width > widths[i] ? width : widths[i];
        }
        all += widths[i];
    }
    return all;
}

static void print_head(const struct output_column *columns, size_t count, const size_t *widths)
{
    struct buf b = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&b, columns[i].title);
        print_padded(&b, BOLD, widths[i], columns[i].kind, i + 1 == count);
    }
    buf_free(&b);
}

static void print_row(const json_t *item, const struct output_column *columns, size_t count, const size_t *widths)
{
    struct buf b = {0};
    for (size_t i = 0; i < count; i++) {
        cell_add(&b, cell_find(item, columns[i].member), columns[i].kind);
        const char *colour = columns[i].kind == OUTPUT_STATE ? cell_colour(buf_cstr(&b)) : NULL;
        print_padded(&b, colour, widths[i], columns[i].kind, i + 1 == count);
    }
    buf_free(&b);
}

static bool differs(const json_t *items, const char *member)
{
    const json_t *first = json_object_get(json_array_get(items, 0), member);
    size_t row;
    json_t *item;
    json_array_foreach(items, row, item)
    {
        const json_t *value = json_object_get(item, member);
        if (value != first && !json_equal(value, first))
            return true;
    }
    return false;
}

static size_t choose(const json_t *items, const struct output_column *columns, size_t count,
                     struct output_column *chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (columns[i].kind != OUTPUT_AS || differs(items, columns[i].member))
            chosen[n++] = columns[i];
    return n;
}

void output_table(const json_t *items, const struct output_column *all, size_t count, const char *nothing)
{
    size_t widths[COLUMNS_MAX];
    struct output_column columns[COLUMNS_MAX];
    size_t room = (size_t)output_terminal_columns();
    size_t row;
    json_t *item;
    if (json_array_size(items) == 0) {
        puts(nothing);
        return;
    }
    count = choose(items, all, count, columns);
    bool fits = measure(items, columns, count, widths) <= room || room == 0;
    if (fits)
        print_head(columns, count, widths);
    json_array_foreach(items, row, item)
    {
        if (fits) {
            print_row(item, columns, count, widths);
            continue;
        }
        if (row != 0)
            putchar('\n');
        output_facts(item, columns, count);
    }
}

void output_facts(const json_t *object, const struct output_column *facts, size_t count)
{
    struct buf b = {0};
    size_t width = 0;
    for (size_t i = 0; i < count; i++)
        if (strlen(facts[i].title) > width)
            width = strlen(facts[i].title);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = cell_find(object, facts[i].member);
        if (value == NULL || json_is_null(value))
            continue;
        output_heading(facts[i].title, false);
        printf("%*s", (int)(width - strlen(facts[i].title)) + 2, "");
        cell_add(&b, value, facts[i].kind);
        put_in(facts[i].kind == OUTPUT_STATE ? cell_colour(buf_cstr(&b)) : NULL, &b);
        buf_clear(&b);
        putchar('\n');
    }
    buf_free(&b);
}

// --- documents -------------------------------------------------------------------------------------------------------

static void print_scalar_line(const json_t *value)
{
    struct buf b = {0};
    cell_add_plain(&b, value);
    put(&b);
    putchar('\n');
    buf_free(&b);
}

static bool is_scalar(const json_t *value)
{
    return (!json_is_object(value) && !json_is_array(value)) || json_object_size(value) + json_array_size(value) == 0;
}

static void output_value(const json_t *value, int indent)
{
    const char *name;
    json_t *member;
    size_t i;
    if (is_scalar(value)) {
        printf("%*s", indent, "");
        print_scalar_line(value);
    }
    json_object_foreach((json_t *)value, name, member)
    {
        printf("%*s", indent, "");
        output_text(name);
        fputs(is_scalar(member) ? ": " : ":\n", stdout);
        if (is_scalar(member))
            print_scalar_line(member);
        else
            output_value(member, indent + 2);
    }
    json_array_foreach(value, i, member)
    {
        if (is_scalar(member)) {
            printf("%*s- ", indent, "");
            print_scalar_line(member);
            continue;
        }
        printf("%*s-\n", indent, "");
        output_value(member, indent + 2);
    }
}

static const char pending_says[] = "Pending: the archive node does not answer; it does its part when it is back.";

static bool is_pending(const json_t *result)
{
    const char *state = json_string_value(json_object_get(result, "state"));
    return state != NULL && strcmp(state, "pending") == 0;
}

enum status output_done(const struct ctl *c, json_t *result, const char *sentence, const struct error *e)
{
    if (result == NULL)
        return e->status;
    bool pending = is_pending(result);
    if (!c->json)
        puts(pending ? pending_says : sentence);
    if (c->json)
        output_json(pending ? json_incref(result) : json_object());
    json_decref(result);
    return STATUS_OK;
}

bool output_enough(size_t shown, const json_t *list)
{
    if (shown < EXAMPLES)
        return false;
    printf("and %zu more of %zu; --json has all\n", json_array_size(list) - shown, json_array_size(list));
    return true;
}

void output_tree(const json_t *value)
{
    output_value(value, 0);
}

enum status output_result(json_t *result, const struct error *e)
{
    if (result == NULL)
        return e->status;
    output_json(result);
    return STATUS_OK;
}

enum status output_list(const struct ctl *c, json_t *items, const struct output_column *columns, size_t count,
                        const char *nothing, const struct error *e)
{
    if (items == NULL)
        return e->status;
    if (c->json) {
        output_json(items);
        return STATUS_OK;
    }
    output_table(items, columns, count, nothing);
    json_decref(items);
    return STATUS_OK;
}

enum status output_object(const struct ctl *c, json_t *object, const struct output_column *facts, size_t count,
                          const struct error *e)
{
    if (object == NULL)
        return e->status;
    if (c->json) {
        output_json(object);
        return STATUS_OK;
    }
    output_facts(object, facts, count);
    if (is_pending(object))
        puts(pending_says);
    json_decref(object);
    return STATUS_OK;
}

static void add_member(struct buf *b, const json_t *value)
{
    struct hash id;
    if (json_is_string(value) && hash_parse(cell_string(value), &id)) {
        cell_add(b, value, OUTPUT_ID);
    } else if (json_is_object(value) || json_is_array(value)) {
        char *text = json_dumps(value, JSON_COMPACT);
        text_escape_controls(span_of(text), b);
        free(text);
    } else {
        cell_add_plain(b, value);
    }
}

static void add_members(struct buf *b, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
            continue;
        buf_add_text(b, b->len != 0 ? ", " : "");
        text_escape_controls(span_of(name), b);
        buf_add_char(b, ' ');
        add_member(b, value);
    }
}

void output_members(const json_t *object)
{
    struct buf b = {0};
    add_members(&b, object);
    put(&b);
    buf_free(&b);
}

json_t *output_members_text(const json_t *object)
{
    struct buf b = {0};
    add_members(&b, object);
    json_t *text = json_stringn(buf_cstr(&b), b.len);
    buf_free(&b);
    return text;
}

void output_components(const json_t *components)
{
    const char *name;
    json_t *part;
    json_object_foreach((json_t *)components, name, part)
    {
        const char *state = json_string_value(json_object_get(part, "state"));
        printf("%-18s  ", name);
        output_state(state);
        printf("%*s", (int)(strlen(state) < 7 ? 7 - strlen(state) : 0) + 2, "");
        output_string(json_object_get(part, "reason"));
        putchar('\n');
    }
}
