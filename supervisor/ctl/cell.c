// Whether something is a number and stands right in its column follows from the order of enum output_kind: what is one
// comes last. Colours belong to words, wherever they stand.
#include "supervisor/ctl/cell.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "supervisor/ctl/units.h"

enum { SHORT_ID = 12 };

struct span cell_string(const json_t *value)
{
    return (struct span){json_string_value(value), json_string_length(value)};
}

void cell_add_plain(struct buf *b, const json_t *value)
{
    if (json_is_string(value))
        text_escape_controls(cell_string(value), b);
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

const json_t *cell_find(const json_t *object, const char *path)
{
    const char *dot = strchr(path, '.');
    if (dot == NULL)
        return json_object_get(object, path);
    return json_object_get(json_object_getn(object, path, (size_t)(dot - path)), dot + 1);
}

bool cell_is_number(enum output_kind kind)
{
    return kind >= OUTPUT_NUMBER;
}

static void add_number(struct buf *b, const json_t *value, enum output_kind kind)
{
    char date[32];
    switch (kind) {
    case OUTPUT_TIME:
        units_date(json_integer_value(value), date, sizeof date);
        buf_add_text(b, date);
        break;
    case OUTPUT_AGO:
        units_ago(b, json_integer_value(value), clock_wall_ms());
        break;
    case OUTPUT_BYTES:
        units_bytes(b, json_number_value(value));
        break;
    case OUTPUT_MS:
        units_ms(b, (int64_t)json_number_value(value));
        break;
    case OUTPUT_PERCENT:
        buf_printf(b, "%.0f %%", json_number_value(value) * 100);
        break;
    default:
        if (json_is_real(value))
            buf_printf(b, "%.1f", json_real_value(value));
        else
            cell_add_plain(b, value);
    }
}

void cell_add(struct buf *b, const json_t *value, enum output_kind kind)
{
    struct hash id;
    if ((kind == OUTPUT_ID || kind == OUTPUT_AS) && json_is_string(value) && hash_parse(cell_string(value), &id))
        buf_add(b, json_string_value(value), SHORT_ID);
    else if (json_is_number(value))
        add_number(b, value, kind);
    else
        cell_add_plain(b, value);
}

const char *cell_colour(const char *word)
{
    static const struct {
        const char *colour;
        const char *words[12];
    } colours[] = {
        {"\x1b[32m",
         {"running", "working", "active", "connected", "listening", "delivered", "healthy", "trusted", "verified",
          "ok"}},
        {"\x1b[33m", {"starting", "pending", "degraded", "waiting", "unprovisioned", "sent", "archived", "unsigned"}},
        {"\x1b[31m",
         {"failed", "failing", "stopped", "offline", "down", "forged", "damaged", "missing", "error", "BAD"}}};
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        for (size_t k = 0; colours[i].words[k] != NULL; k++)
            if (strcmp(colours[i].words[k], word) == 0)
                return colours[i].colour;
    return NULL;
}
