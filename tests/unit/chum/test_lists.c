#include "chum/chum.h"
#include "chum/lists.h"
#include "tests/unit/cmocka_all.h"

#define H "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// What comes of the list cut after every n bytes: the number of entries, or -1 with the code.
static int read_in_pieces(struct span list, size_t n, struct error *e)
{
    struct chum_children_reader r = {0};
    struct store_children children;
    enum status st = STATUS_OK;
    chum_children_begin(&r);
    for (size_t i = 0; st == STATUS_OK && i < list.len; i += n)
        st = chum_children_add(&r, (struct span){list.ptr + i, list.len - i < n ? list.len - i : n}, e);
    if (st == STATUS_OK)
        st = chum_children_take(&r, &children, e);
    chum_children_end(&r);
    if (st != STATUS_OK)
        return -1;
    int count = (int)children.count;
    free(children.items);
    return count;
}

static void lists_are_read_however_they_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        int count;
        const char *code;
    } cases[] = {
        {" [ ] ", 0, NULL},
        {"[{\"type\":\"object\",\"hash\":\"" H "\"} , {\"hash\":\"" H
         "\",\"x\":[1,{\"]\":\"},[\\\"\"}],\"type\":\"id\"}]",
         2, NULL},
        {"[{\"type\":\"object\",\"hash\":\"" H "\"},]", -1, "DC-PC1"},
        {"[,]", -1, "DC-PC1"},
        {"[{\"type\":\"object\",\"hash\":\"" H "\"}{}]", -1, "DC-PC1"},
        {"[{\"type\":\"object\",\"hash\":\"" H "\"}", -1, "DC-PC1"},
        {"[]]", -1, "DC-PC1"},
        {"", -1, "DC-PC1"},
        {"[", -1, "DC-PC1"},
        {"[}]", -1, "DC-PC1"},
        {"{\"a\":1}", -1, "DC-PC2"},
        {"7", -1, "DC-PC2"},
        {"nonsense", -1, "DC-PC1"},
        {"[7]", -1, "DC-PC3"},
        {"[\"a]\"]", -1, "DC-PC3"},
        {"[{\"type\":\"thing\"}]", -1, "DC-PC3"},
        {"[{\"type\":\"clob\",\"hash\":\"1\"}]", -1, "DC-PC4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span list = span_of(cases[i].list);
        for (size_t n = 1; n < 100; n += 7) {
            struct error e = {0};
            assert_int_equal(read_in_pieces(list, n, &e), cases[i].count);
            assert_string_equal(e.code, cases[i].code != NULL ? cases[i].code : "");
        }
    }
}

// One entry of many bytes or values may not become a tree of many times its size.
static void big_entries_are_refused(void **state)
{
    (void)state;
    struct buf list = {0};
    struct error e = {0};
    struct chum_roots roots;
    struct arena *arena = arena_create();
    buf_add_text(&list, "[{\"type\":\"object\",\"hash\":\"" H "\",\"x\":[1");
    while (list.len < 5000)
        buf_add_text(&list, ",1");
    buf_add_text(&list, "]}]");
    for (size_t n = 1; n < 10000; n = 3 * n + 1) {
        assert_int_equal(read_in_pieces(buf_span(&list), n, &e), -1);
        assert_string_equal(e.code, "LIST-TOO-BIG");
    }
    assert_int_equal(chum_roots_read(arena, buf_span(&list), &roots, &e), STATUS_TOO_BIG);
    arena_destroy(arena);
    buf_free(&list);
}

static void long_lists_are_read(void **state)
{
    (void)state;
    struct buf list = {0};
    struct error e = {0};
    buf_add_char(&list, '[');
    for (int i = 0; i < 100000; i++)
        buf_printf(&list,
                   "%s{\"type\":\"object\",\"hash\":\"%08x"
                   "%s\"}",
                   i != 0 ? "," : "", i, "0123456789abcdef0123456789abcdef0123456789abcdef01234567");
    buf_add_char(&list, ']');
    assert_int_equal(read_in_pieces(buf_span(&list), 65536, &e), 100000);
    buf_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read_however_they_are_cut),
        cmocka_unit_test(big_entries_are_refused),
        cmocka_unit_test(long_lists_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
