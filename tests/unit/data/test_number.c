#include "data/number.h"
#include "tests/unit/cmocka_all.h"

#include <math.h>

static void numbers_have_the_shortest_text(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {-1, "-1"},
        {1700000000000.0, "1700000000000"},
        {9007199254740992.0, "9007199254740992"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.5e-7, "1.5e-7"},
        {1e-6, "0.000001"},
        {0.1 + 0.2, "0.30000000000000004"},
        {123.456, "123.456"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5.684341886080802e-14,
         "5.684341886080802e-14"}, // 2^-44: the nearest decimal of this length does not read back
        {(double)NAN, "null"},
        {(double)INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_TEXT];
        assert_int_equal(number_write(cases[i].number, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void every_double_reads_back(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252U; // xorshift
    for (int i = 0; i < 200000; i++) {
        double n;
        double again;
        char text[NUMBER_TEXT];
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&n, &bits, sizeof n);
        if (!isfinite(n))
            continue;
        struct span s = {text, number_write(n, text)};
        assert_true(number_read(s, &again));
        assert_true(again == n);
    }
}

static void powers_of_two_read_back(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        double again;
        char text[NUMBER_TEXT];
        double n = ldexp(1, exponent);
        struct span s = {text, number_write(-n, text)};
        assert_true(number_read(s, &again));
        assert_true(again == -n);
    }
}

static void only_canonical_texts_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "-",      "+1",     "01",  "1.0",   ".5",    "5.",  "1e3",
        "1E21", "1e21",   "0x10",   "-0",  " 1",    "1 ",    "NaN", "Infinity",
        "1e-6", "1e+400", "0.1000", "nul", "nulls", "1_000", "inf", "12345678901234567890123456789012",
    };
    double n;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_read(span_of(bad[i]), &n));
    assert_true(number_read(SPAN("null"), &n) && isnan(n));
    assert_false(number_read((struct span){"1\0", 2}, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_shortest_text),
        cmocka_unit_test(every_double_reads_back),
        cmocka_unit_test(powers_of_two_read_back),
        cmocka_unit_test(only_canonical_texts_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
