// XML cannot write control characters at all, so they become blanks.
#include "supervisor/simulate/report.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

// Control characters cannot be written in XML 1.0 at all.
static void add_xml(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            buf_add_text(out, "&lt;");
            break;
        case '>':
            buf_add_text(out, "&gt;");
            break;
        case '&':
            buf_add_text(out, "&amp;");
            break;
        case '"':
            buf_add_text(out, "&quot;");
            break;
        default:
            buf_add_char(out, (unsigned char)*text < ' ' ? ' ' : *text);
        }
    }
}

static size_t failures(const json_t *checks)
{
    size_t i;
    size_t count = 0;
    const json_t *check;
    json_array_foreach(checks, i, check) count += !json_is_true(json_object_get(check, "passed"));
    return count;
}

static void add_case(struct buf *out, const json_t *result, const json_t *check)
{
    buf_add_text(out, "  <testcase classname=\"");
    add_xml(out, text_of(result, "name"));
    buf_add_text(out, "\" name=\"");
    add_xml(out, text_of(check, "name"));
    if (json_is_true(json_object_get(check, "passed"))) {
        buf_add_text(out, "\"/>\n");
        return;
    }
    buf_add_text(out, "\">\n    <failure message=\"");
    add_xml(out, text_of(check, "why"));
    buf_add_text(out, "\"/>\n  </testcase>\n");
}

void report_junit(const json_t *result, struct buf *out)
{
    const json_t *checks = json_object_get(result, "checks");
    const json_t *events = json_object_get(result, "timeline");
    size_t i;
    const json_t *item;
    buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    add_xml(out, text_of(result, "name"));
    buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" time=\"%.3f\">\n", json_array_size(checks), failures(checks),
               (double)json_integer_value(json_object_get(result, "milliseconds")) / 1000);
    json_array_foreach(checks, i, item) add_case(out, result, item);
    buf_add_text(out, "  <system-out>");
    json_array_foreach(events, i, item)
    {
        buf_printf(out, "%8.3f s  ", (double)json_integer_value(json_object_get(item, "atMs")) / 1000);
        add_xml(out, text_of(item, "text"));
        buf_add_char(out, '\n');
    }
    buf_add_text(out, "</system-out>\n</testsuite>\n");
}

void report_tap(const json_t *result, struct buf *out)
{
    const json_t *checks = json_object_get(result, "checks");
    size_t i;
    const json_t *check;
    buf_printf(out, "TAP version 13\n1..%zu\n", json_array_size(checks));
    json_array_foreach(checks, i, check)
    {
        bool passed = json_is_true(json_object_get(check, "passed"));
        buf_printf(out, "%s %zu - %s\n", passed ? "ok" : "not ok", i + 1, text_of(check, "name"));
        buf_printf(out, "# %s\n", text_of(check, "why"));
    }
}
