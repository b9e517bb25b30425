#include "supervisor/ctl/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"

enum { SHORT_ID = 12, CELL_MAX = 48, COLUMNS_MAX = 12, EXAMPLES = 10 };

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

bool output_is_colourful(void)
{
    return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
}

void output_text(const char *text)
{
    struct buf b = {0};
    text_escape_controls(span_of(text), &b);
    put(&b);
    buf_free(&b);
}

static struct span string_of(const json_t *value)
{
    return (struct span){json_string_value(value), json_string_length(value)};
}

void output_string(const json_t *value)
{
    struct buf b = {0};
    text_escape_controls(string_of(value), &b);
    put(&b);
    buf_free(&b);
}

void output_time(int64_t ms, char *out, size_t size)
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    localtime_r(&seconds, &tm);
    if (strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        out[0] = '\0';
}

static void add_scalar(struct buf *b, const json_t *value)
{
    if (json_is_string(value))
        text_escape_controls(string_of(value), b);
    else if (json_is_integer(value))
        buf_printf(b, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(b, "%g", json_real_value(value));
    else if (json_is_boolean(value))
        buf_add_text(b, json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value) || json_is_object(value))
        buf_printf(b, "%zu", json_is_array(value) ? json_array_size(value) : json_object_size(value));
    else
        buf_add_char(b, '-');
}

static void add_cell(struct buf *b, const json_t *value, enum output_kind kind)
{
    char text[32];
    if (kind == OUTPUT_TIME && json_is_integer(value)) {
        output_time(json_integer_value(value), text, sizeof text);
        buf_add_text(b, text);
    } else if (kind == OUTPUT_ID && json_string_length(value) > SHORT_ID) {
        buf_add(b, json_string_value(value), SHORT_ID);
    } else {
        add_scalar(b, value);
    }
}

static size_t cell_width(const json_t *value, enum output_kind kind)
{
    struct buf b = {0};
    add_cell(&b, value, kind);
    size_t width = utf16_length(buf_span(&b));
    buf_free(&b);
    return width < CELL_MAX ? width : CELL_MAX;
}

static void print_padded(struct buf *b, size_t width, bool last)
{
    size_t len = utf16_length(buf_span(b));
    put(b);
    if (last)
        putchar('\n');
    else
        printf("%*s", (int)(len < width ? width - len : 0) + 2, "");
    buf_clear(b);
}

void output_table(const json_t *items, const struct output_column *columns, size_t count, const char *nothing)
{
    size_t widths[COLUMNS_MAX];
    struct buf b = {0};
    size_t row;
    json_t *item;
    if (json_array_size(items) == 0) {
        puts(nothing);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        widths[i] = strlen(columns[i].title);
        json_array_foreach(items, row, item)
        {
            size_t width = cell_width(json_object_get(item, columns[i].member), columns[i].kind);
            widths[i] = width > widths[i] ? width : widths[i];
        }
        buf_add_text(&b, columns[i].title);
        print_padded(&b, widths[i], i + 1 == count);
    }
    json_array_foreach(items, row, item)
    {
        for (size_t i = 0; i < count; i++) {
            add_cell(&b, json_object_get(item, columns[i].member), columns[i].kind);
            print_padded(&b, widths[i], i + 1 == count);
        }
    }
    buf_free(&b);
}

static void print_scalar_line(const json_t *value)
{
    struct buf b = {0};
    add_scalar(&b, value);
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

enum status output_done(const struct ctl *c, json_t *result, const char *sentence, const struct error *e)
{
    if (result == NULL)
        return e->status;
    const char *state = json_string_value(json_object_get(result, "state"));
    bool pending = state != NULL && strcmp(state, "pending") == 0;
    if (!c->json)
        puts(pending ? "Pending: the archive node does not answer; it does its part when it is back." : sentence);
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

enum status output_result(const struct ctl *c, json_t *result, const struct error *e)
{
    if (result == NULL)
        return e->status;
    if (c->json) {
        output_json(result);
        return STATUS_OK;
    }
    output_value(result, 0);
    json_decref(result);
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

void output_components(const json_t *components)
{
    const char *name;
    json_t *part;
    json_object_foreach((json_t *)components, name, part)
    {
        printf("%-18s  %-7s  ", name, json_string_value(json_object_get(part, "state")));
        output_string(json_object_get(part, "reason"));
        putchar('\n');
    }
}
