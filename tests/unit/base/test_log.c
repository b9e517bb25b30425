#include "base/log.h"
#include "tests/unit/cmocka_all.h"

#include <jansson.h>
#include <unistd.h>

static int ends[2];

static void written(char *line, size_t size)
{
    ssize_t n = read(ends[0], line, size - 1);
    assert_true(n > 0);
    line[n] = '\0';
}

static void json_lines_are_json_whatever_the_text(void **state)
{
    (void)state;
    char line[2048];
    log_open(ends[1], LOG_FORMAT_JSON, LOG_INFO, "test");
    struct hash h = {{1, 2, 3}};
    LOG(LOG_WARN, "conn.refused", LOG_SPAN("peer", SPAN("a\"\\\n\x01\xFF")), LOG_INT("ms", -5), LOG_HASH("person", &h));
    written(line, sizeof line);
    json_t *j = json_loads(line, 0, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "event")), "conn.refused");
    assert_string_equal(json_string_value(json_object_get(j, "peer")), "a\"\\\n\x01\xEF\xBF\xBD");
    assert_int_equal(json_integer_value(json_object_get(j, "ms")), -5);
    assert_int_equal(strlen(json_string_value(json_object_get(j, "person"))), HASH_HEX);
    json_decref(j);
}

static void levels_below_the_least_are_silent(void **state)
{
    (void)state;
    char line[2048];
    log_open(ends[1], LOG_FORMAT_TEXT, LOG_WARN, "test");
    LOG(LOG_INFO, "quiet.event");
    LOG(LOG_ERROR, "loud.event", LOG_TEXT("what", "\x1B[31m"));
    written(line, sizeof line);
    assert_non_null(strstr(line, "loud.event what=\\x1b[31m"));
    assert_null(strstr(line, "quiet"));
}

static int open_ends(void **state)
{
    (void)state;
    return pipe(ends);
}

static int close_ends(void **state)
{
    (void)state;
    return close(ends[0]) | close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_are_json_whatever_the_text),
        cmocka_unit_test(levels_below_the_least_are_silent),
    };
    return cmocka_run_group_tests(tests, open_ends, close_ends);
}
