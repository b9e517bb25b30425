// The options of programs without commands.
#include "base/options.h"

#include "tests/unit/cmocka_all.h"

static struct {
    bool flag;
    const char *text;
    struct buf words;
    size_t number;
} got;

static enum status read_options(const char *const *words, struct error *e)
{
    static const struct option_row rows[] = {
        {"flag", OPTION_FLAG, &got.flag},
        {"text", OPTION_TEXT, &got.text},
        {"word", OPTION_WORDS, &got.words},
        {"number", OPTION_NUMBER, &got.number},
        {0},
    };
    char *argv[12] = {(char *)(uintptr_t) "program"};
    int argc = 1;
    buf_free(&got.words);
    memset(&got, 0, sizeof got);
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    return options_read(argc, argv, rows, e);
}

static void each_kind_is_taken(void **state)
{
    (void)state;
    struct error e = {0};
    static const char *const words[] = {"--flag", "--text", "--flag", "--word=a", "--word", "b", "--number", "7", NULL};
    assert_int_equal(read_options(words, &e), STATUS_OK);
    assert_true(got.flag);
    assert_string_equal(got.text, "--flag");
    assert_string_equal(buf_cstr(&got.words), "a b");
    assert_int_equal(got.number, 7);
}

static void what_is_not_there_is_left_alone(void **state)
{
    (void)state;
    struct error e = {0};
    static const char *const words[] = {NULL};
    assert_int_equal(read_options(words, &e), STATUS_OK);
    assert_false(got.flag);
    assert_null(got.text);
}

static void wrong_lines_are_refused(void **state)
{
    (void)state;
    static const char *const lines[][3] = {
        {"--other"},        {"--text"},
        {"word"},           {"-x"},
        {"--flag=1"},       {"--number", "1000001"},
        {"--number", "-1"}, {"--number", ""},
        {"--number", "1x"}, {"--flag", "word"},
        {"--", "word"},     {"--number", "99999999999999999999"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct error e = {0};
        assert_int_equal(read_options(lines[i], &e), STATUS_INVALID);
        assert_string_equal(e.code, "USAGE");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_taken),
        cmocka_unit_test(what_is_not_there_is_left_alone),
        cmocka_unit_test(wrong_lines_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&got.words);
    return failed;
}
