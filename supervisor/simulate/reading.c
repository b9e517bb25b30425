// Messages say the file, the line and the way to the member, as in "crowd.json:12: trouble[2].what: …".
#include "supervisor/simulate/reading.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/simulate/place.h"

struct unit {
    const char *name;
    double factor;
};

enum status reading_fail(struct reading *r, const json_t *holder, const char *key, size_t index, const char *format,
                         ...)
{
    char what[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    if (reading_failed(r))
        return r->error->status;
    struct place p = place_find(r->text, r->root, holder, key, index);
    bool absent = p.line == 0;
    enum status s = absent ? error_set(r->error, STATUS_INVALID, "BAD-INPUT", "%s: %s: %s", r->file, key, what)
                           : error_set(r->error, STATUS_INVALID, "BAD-INPUT", "%s:%d: %s: %s", r->file, p.line,
                                       buf_cstr(&p.path), what);
    place_free(&p);
    return s;
}

bool reading_failed(const struct reading *r)
{
    return r->error->status != STATUS_OK;
}

static void list_words(const char *const *words, struct buf *out)
{
    for (size_t i = 0; words[i] != NULL; i++)
        buf_printf(out, "%s%s", i != 0 ? ", " : "", words[i]);
}

static bool is_among(const char *word, const char *const *words, size_t *index)
{
    for (*index = 0; words[*index] != NULL; (*index)++)
        if (strcmp(words[*index], word) == 0)
            return true;
    return false;
}

enum status reading_keys(struct reading *r, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    size_t index;
    json_object_foreach((json_t *)object, key, value)
    {
        struct buf list = {0};
        if (is_among(key, known, &index))
            continue;
        list_words(known, &list);
        reading_fail(r, object, key, 0, "there is no such key here; there are %s", buf_cstr(&list));
        buf_free(&list);
    }
    return r->error->status;
}

static const json_t *take(struct reading *r, const json_t *object, const char *key)
{
    return reading_failed(r) ? NULL : json_object_get(object, key);
}

const char *reading_text(struct reading *r, const json_t *object, const char *key, const char *otherwise)
{
    const json_t *value = take(r, object, key);
    if (value == NULL)
        return otherwise;
    if (!json_is_string(value) || json_string_length(value) == 0)
        reading_fail(r, object, key, 0, "wants a text");
    return json_is_string(value) ? json_string_value(value) : otherwise;
}

int64_t reading_number(struct reading *r, const json_t *object, const char *key, int64_t least, int64_t most,
                       int64_t otherwise)
{
    const json_t *value = take(r, object, key);
    if (value == NULL)
        return otherwise;
    int64_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < least || n > most)
        reading_fail(r, object, key, 0, "wants a whole number from %lld to %lld", (long long)least, (long long)most);
    return n;
}

bool reading_yes(struct reading *r, const json_t *object, const char *key)
{
    const json_t *value = take(r, object, key);
    if (value != NULL && !json_is_boolean(value))
        reading_fail(r, object, key, 0, "wants true or false");
    return json_is_true(value);
}

const json_t *reading_list(struct reading *r, const json_t *object, const char *key)
{
    const json_t *value = take(r, object, key);
    if (value != NULL && !json_is_array(value))
        reading_fail(r, object, key, 0, "wants a list: […]");
    return json_is_array(value) ? value : NULL;
}

// "1.5GB"; -1 when it is no such thing.
static int64_t measure(const char *text, const struct unit *units, double most)
{
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    double n = strtod(text, &end);
    end += *end == ' ';
    for (const struct unit *u = units; u->name != NULL; u++)
        if (strcmp(end, u->name) == 0 && n >= 0 && n * u->factor <= most)
            return (int64_t)(n * u->factor);
    return -1;
}

// Milliseconds; -1 when it is no such thing.
static int64_t duration_of(const char *text)
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},    {"m", 60000},
                                        {"min", 60000}, {"h", 3600000}, {NULL, 0}};
    return measure(text, units, 24 * 3600 * 1000.0);
}

int64_t reading_offset(struct reading *r, const json_t *object, const char *key)
{
    const json_t *value = take(r, object, key);
    const char *text = json_string_value(value);
    bool back = text != NULL && text[0] == '-';
    int64_t n = value != NULL ? duration_of(back ? text + 1 : text) : 0;
    if (n < 0)
        reading_fail(r, object, key, 0, "wants a time of at most a day, as in \"20s\", \"1h\" or \"-1h\"");
    return back ? -n : n;
}

int64_t reading_duration(struct reading *r, const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = take(r, object, key);
    int64_t n = value != NULL ? duration_of(json_string_value(value)) : otherwise;
    if (n < 0 && value != NULL)
        reading_fail(r, object, key, 0, "wants a time of at most a day, as in \"150ms\", \"2s\" or \"1m\"");
    return n;
}

int64_t reading_size(struct reading *r, const json_t *object, const char *key)
{
    static const struct unit units[] = {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {NULL, 0}};
    const json_t *value = take(r, object, key);
    int64_t n = value != NULL ? measure(json_string_value(value), units, 1e15) : 0;
    if (n < 0)
        reading_fail(r, object, key, 0, "wants a size, as in \"500B\", \"64kB\", \"200MB\" or \"1.5GB\"");
    return n;
}

size_t reading_word(struct reading *r, const json_t *object, const char *key, const char *const *words,
                    size_t otherwise)
{
    const char *word = reading_text(r, object, key, NULL);
    size_t index = otherwise;
    struct buf list = {0};
    if (word == NULL || is_among(word, words, &index))
        return index;
    list_words(words, &list);
    reading_fail(r, object, key, 0, "'%.40s' is none of %s", word, buf_cstr(&list));
    buf_free(&list);
    return otherwise;
}
