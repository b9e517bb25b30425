// Whole numbers up to 2^53 take a short way. Of others a decimal of DBL_DIG digits is tried, then a longer one until it
// reads back; its zeros go.
#include "data/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 17 };

struct decimal { // 0.DIGITS × 10^point
    char digits[MOST_DIGITS + 1];
    int count;
    int point;
};

static double decimal_value(const struct decimal *d)
{
    char text[MOST_DIGITS + 16];
    snprintf(text, sizeof text, "0.%se%d", d->digits, d->point);
    return strtod(text, NULL);
}

static void strip_zeros(struct decimal *d)
{
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
    d->digits[d->count] = '\0';
}

// The next greater decimal of the same length.
static void increment(struct decimal *d)
{
    int i = d->count - 1;
    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->point++;
    }
}

// Tries count digits: the nearest decimal, and the next greater one, because above a power of two the doubles are
// twice as far apart as below it.
static bool try_digits(double n, int count, struct decimal *d)
{
    char text[MOST_DIGITS + 16];
    snprintf(text, sizeof text, "%.*e", count - 1, n);
    d->digits[0] = text[0];
    memcpy(d->digits + 1, text + 2, (size_t)count - 1);
    d->digits[count] = '\0';
    d->count = count;
    d->point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    if (decimal_value(d) == n)
        return true;
    increment(d);
    return decimal_value(d) == n;
}

// The shortest decimal that reads back to n > 0. Every decimal of up to DBL_DIG digits survives a normal double, so
// the nearest one of that length, without its zeros, is the shortest if it reads back at all.
static void shortest(double n, struct decimal *d)
{
    int count = n < DBL_MIN ? 1 : DBL_DIG;
    while (!try_digits(n, count, d) && count < MOST_DIGITS)
        count++;
    strip_zeros(d);
}

static size_t lay_out(const struct decimal *d, char *out, size_t size)
{
    int k = d->count;
    int n = d->point;
    int len;
    if (k <= n && n <= 21)
        len = snprintf(out, size, "%s%.*s", d->digits, n - k, "00000000000000000000");
    else if (0 < n && n <= 21)
        len = snprintf(out, size, "%.*s.%s", n, d->digits, d->digits + n);
    else if (-6 < n && n <= 0)
        len = snprintf(out, size, "0.%.*s%s", -n, "00000", d->digits);
    else
        len = snprintf(out, size, "%c%s%se%+d", d->digits[0], k > 1 ? "." : "", d->digits + 1, n - 1);
    return (size_t)len;
}

static size_t write_integer(uint64_t n, char *out)
{
    char reversed[20];
    size_t len = 0;
    do {
        reversed[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    out[len] = '\0';
    return len;
}

size_t number_write(double n, char out[NUMBER_TEXT])
{
    static const double exact = 9007199254740992.0; // 2^53
    if (!isfinite(n)) {
        memcpy(out, "null", 5);
        return 4;
    }
    size_t sign = n < 0;
    out[0] = '-';
    n = fabs(n);
    if (n <= exact && n == floor(n))
        return sign + write_integer((uint64_t)n, out + sign);
    struct decimal d;
    shortest(n, &d);
    return sign + lay_out(&d, out + sign, NUMBER_TEXT - sign);
}

// Plain integers of up to 15 digits, which is nearly everything.
static bool read_integer(struct span text, double *out)
{
    size_t i = text.len > 0 && text.ptr[0] == '-';
    size_t digits = text.len - i;
    if (digits == 0 || digits > DBL_DIG || (text.ptr[i] == '0' && text.len != 1))
        return false;
    uint64_t n = 0;
    for (size_t k = i; k < text.len; k++) {
        if (text.ptr[k] < '0' || text.ptr[k] > '9')
            return false;
        n = n * 10 + (uint64_t)(text.ptr[k] - '0');
    }
    *out = i != 0 ? -(double)n : (double)n;
    return true;
}

bool number_read(struct span text, double *out)
{
    if (read_integer(text, out))
        return true;
    if (text.len == 0 || text.len >= NUMBER_TEXT)
        return false;
    char copy[NUMBER_TEXT];
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (span_eq_text(text, "null")) {
        *out = (double)NAN;
        return true;
    }
    char again[NUMBER_TEXT];
    double n = strtod(copy, NULL);
    if (!isfinite(n) || !span_eq(text, (struct span){again, number_write(n, again)}))
        return false;
    *out = n;
    return true;
}
