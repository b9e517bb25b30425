// One way to write each thing, and no other is read.
#include "chum/sums.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_DIGITS = 32, NUMBER_DIGITS = 16, COUNT_DIGITS = 15 };

static const char digits_of_hex[] = "0123456789abcdef";

// ---- Arguments ------------------------------------------------------------------------------------------------------

void chum_key_write(const struct store_sum_key *key, struct buf *out)
{
    char text[KEY_DIGITS + 1];
    hex_encode(key->b, sizeof key->b, text);
    buf_printf(out, "\"%s\"", text);
}

bool chum_key_read(const json_t *text, struct store_sum_key *out)
{
    return json_is_string(text) &&
           hex_decode((struct span){json_string_value(text), json_string_length(text)}, out->b, sizeof out->b);
}

void chum_ranges_write(const struct store_range *ranges, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        char name[STORE_SUM_DIGITS + 1];
        for (unsigned d = 0; d < STORE_SUM_DIGITS; d++)
            name[d] = digits_of_hex[ranges[i].first >> 4 * (STORE_SUM_DIGITS - 1 - d) & 15];
        buf_printf(out, "%s\"%.*s\"", i == 0 ? "[" : ",", (int)ranges[i].digits, name);
    }
    buf_add_char(out, ']');
}

static bool read_range(const json_t *name, struct store_range *out)
{
    const char *text = json_string_value(name);
    size_t len = json_string_length(name);
    *out = (struct store_range){0};
    if (text == NULL || len > STORE_SUM_DIGITS)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char *at = memchr(digits_of_hex, text[i], STORE_SUM_FAN);
        if (at == NULL)
            return false;
        *out = store_range_part(*out, (unsigned)(at - digits_of_hex));
    }
    return true;
}

bool chum_ranges_read(const json_t *names, size_t most, struct store_range *out, size_t *count)
{
    *count = json_array_size(names);
    bool good = *count != 0 && *count <= most;
    for (size_t i = 0; good && i < *count; i++)
        good = read_range(json_array_get(names, i), &out[i]);
    return good;
}

// ---- Answers --------------------------------------------------------------------------------------------------------

void chum_sums_write_digits(unsigned digits, struct buf *out)
{
    buf_printf(out, "%u\n", digits);
}

void chum_sums_write(const struct store_sum parts[STORE_SUM_FAN], struct buf *out)
{
    for (size_t i = 0; i < STORE_SUM_FAN; i++) {
        if (parts[i].count == 0)
            buf_add_char(out, '0');
        else
            buf_printf(out, "%" PRIu64 " %016" PRIx64 "%016" PRIx64, parts[i].count, parts[i].high, parts[i].low);
        buf_add_char(out, i + 1 == STORE_SUM_FAN ? '\n' : ',');
    }
}

static bool take_char(struct span *rest, char c)
{
    bool is = rest->len != 0 && rest->ptr[0] == c;
    if (is)
        *rest = span_from(*rest, 1);
    return is;
}

bool chum_sums_read_digits(struct span *rest, unsigned *digits)
{
    if (rest->len == 0 || rest->ptr[0] < '1' || rest->ptr[0] > '0' + STORE_SUM_DIGITS)
        return false;
    *digits = (unsigned)(rest->ptr[0] - '0');
    *rest = span_from(*rest, 1);
    return take_char(rest, '\n');
}

static bool take_count(struct span *rest, uint64_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < rest->len && n < COUNT_DIGITS && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        *out = *out * 10 + (uint64_t)(rest->ptr[n++] - '0');
    bool good = n == 1 || (n != 0 && rest->ptr[0] != '0');
    *rest = span_from(*rest, n);
    return good;
}

static bool take_number(struct span *rest, uint64_t *out)
{
    *out = 0;
    if (rest->len < NUMBER_DIGITS)
        return false;
    for (size_t i = 0; i < NUMBER_DIGITS; i++) {
        const char *at = memchr(digits_of_hex, rest->ptr[i], STORE_SUM_FAN);
        if (at == NULL)
            return false;
        *out = *out << 4 | (uint64_t)(at - digits_of_hex);
    }
    *rest = span_from(*rest, NUMBER_DIGITS);
    return *out >> 62 == 0;
}

bool chum_sums_read(struct span *rest, struct store_sum parts[STORE_SUM_FAN])
{
    for (size_t i = 0; i < STORE_SUM_FAN; i++) {
        parts[i] = (struct store_sum){0};
        if (!take_count(rest, &parts[i].count))
            return false;
        if (parts[i].count != 0 &&
            (!take_char(rest, ' ') || !take_number(rest, &parts[i].high) || !take_number(rest, &parts[i].low)))
            return false;
        if (!take_char(rest, i + 1 == STORE_SUM_FAN ? '\n' : ','))
            return false;
    }
    return true;
}

bool chum_ranges_read_word(struct span *rest, enum chum_ranges_word *word)
{
    static const char *const words[] = {"more\n", "end\n", "moved\n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *word = (enum chum_ranges_word)i;
        if (!span_starts_with(*rest, span_of(words[i])))
            continue;
        *rest = span_from(*rest, strlen(words[i]));
        return true;
    }
    return false;
}
