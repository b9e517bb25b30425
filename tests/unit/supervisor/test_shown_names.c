// Names that others chose, beside our own "me" and "(own node)".
#include <string.h>

#include "base/bytes.h"
#include "supervisor/ctl/names.h"
#include "tests/unit/cmocka_all.h"

#define PERSON "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"

static void assert_shown(const char *name, size_t len, bool quoted)
{
    json_t *given = json_stringn(name, len);
    json_t *shown = names_shown(given, PERSON);
    struct buf expected = {0};
    buf_add_text(&expected, quoted ? "\"" : "");
    buf_add(&expected, name, len);
    buf_add_text(&expected, quoted ? "\" 1a2b3c4d5e6f" : "");
    assert_int_equal(json_string_length(shown), expected.len);
    assert_memory_equal(json_string_value(shown), expected.data, expected.len);
    buf_free(&expected);
    json_decref(shown);
    json_decref(given);
}

static void what_could_be_ours_is_quoted(void **state)
{
    (void)state;
    static const char *const names[] = {"me",
                                        " Me ",
                                        "me\u00a0",
                                        "m\u200be",
                                        "me  (delivered)",
                                        "me, ann",
                                        "\ufeffme hello",
                                        "",
                                        "  ",
                                        "\u3000\t",
                                        "anna (own node)",
                                        "Anna (Own\u00a0Node) ",
                                        "a (b) (own node) c",
                                        "(ownnode)",
                                        "\"me\" 000000000000"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_shown(names[i], strlen(names[i]), true);
    assert_shown("me\0x", 4, true);
    assert_shown("joe\0(own node)", 14, true);
}

static void other_names_are_shown_as_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {"ann", "m", "Mei", "Jo Me", "Meera", "Ann (own horse)", "a \"b\"", "\u00c4nne"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_shown(names[i], strlen(names[i]), false);
    json_t *none = names_shown(json_object_get(NULL, "name"), PERSON);
    assert_true(json_is_null(none));
    json_decref(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_be_ours_is_quoted),
        cmocka_unit_test(other_names_are_shown_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
