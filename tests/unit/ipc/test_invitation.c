// Invitations in every form, and what is none.
#include "ipc/invitation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cmocka_all.h"

#define KEY "2ad3be3fbe9b6fcb7fc85d48bf67a3b53f1875c0d43bd34c505854c3d0ca6a47"
#define JSON "{\"token\":\"ER1c_-\",\"publicKey\":\"" KEY "\",\"url\":\"ws://127.0.0.1:18811\"}"
#define ENCODED                                                                                                        \
    "%7B%22token%22%3A%22ER1c_-%22%2C%22publicKey%22%3A%22" KEY                                                        \
    "%22%2C%22url%22%3A%22ws%3A%2F%2F127.0.0.1%3A18811%22%7D"

static void assert_reads(const char *text, bool own_device)
{
    struct invitation i;
    struct error e;
    assert_int_equal(invitation_parse(span_of(text), &i, &e), STATUS_OK);
    assert_string_equal(i.token, "ER1c_-");
    assert_string_equal(i.url, "ws://127.0.0.1:18811");
    assert_int_equal(i.public_key.b[0], 0x2a);
    assert_int_equal(i.own_device, own_device);
    invitation_free(&i);
}

static void every_form_is_read(void **state)
{
    (void)state;
    assert_reads(JSON, false);
    assert_reads("  " JSON "\n", false);
    assert_reads("{\"url\":\"ws://127.0.0.1:18811\",\"publicKey\":\"" KEY "\",\"token\":\"ER1c_-\"}", false);
    assert_reads("https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#" ENCODED, false);
    assert_reads("https://edda.refinio.one/invites/inviteDevice/?invited=true/#" ENCODED "\n", true);
    assert_reads("anything#" ENCODED, false);
    assert_reads("#" JSON, false);
}

static void further_members_are_ignored_in_what_people_paste(void **state)
{
    (void)state;
    assert_reads("{\"token\":\"ER1c_-\",\"more\":[{}],\"publicKey\":\"" KEY "\",\"url\":\"ws://127.0.0.1:18811\"}",
                 false);
    assert_reads("https://x/#%7b%22token%22:%22ER1c_-%22,%22publicKey%22:%22" KEY
                 "%22,%22url%22:%22ws://127.0.0.1:18811%22,%22more%22:1%7d",
                 false);
}

static void an_object_has_exactly_three_members(void **state)
{
    (void)state;
    struct invitation i;
    struct error e;
    json_t *object = json_pack("{s:s, s:s, s:s}", "url", "wss://h", "publicKey", KEY, "token", "t");
    assert_int_equal(invitation_read(object, &i, &e), STATUS_OK);
    assert_string_equal(i.url, "wss://h");
    invitation_free(&i);
    json_object_set_new(object, "more", json_true());
    assert_int_equal(invitation_read(object, &i, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-INVITATION");
    assert_int_equal(invitation_read(NULL, &i, &e), STATUS_INVALID);
    assert_null(i.token);
    json_decref(object);
}

static void what_is_no_invitation_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "  ",
        "hello",
        "{}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\"}",
        "{\"token\":\"t\",\"token\":\"u\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"",
        "[]#[]",
        "{\"token\":5,\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"a b\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"a\\u0000\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"2ad3\",\"url\":\"ws://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"http://h\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\\nHost: x\"}",
        "https://edda.dev.refinio.one/invites/invitePartner/?invited=true/",
        "x#%7",
        "x#%zz",
        "x#",
        "x#{\"token\":[[[[[[]]]]]]}",
    };
    struct invitation i;
    struct error e;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        assert_int_equal(invitation_parse(span_of(bad[k]), &i, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-INVITATION");
        assert_null(i.token);
    }
    assert_int_equal(invitation_parse(SPAN("x#%ff%fe"), &i, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-TEXT");
    char *big = mem_alloc(100001);
    memset(big, '{', 100000);
    assert_int_equal(invitation_parse(span_of(big), &i, &e), STATUS_INVALID);
    free(big);
}

static void links_are_written_as_lama_does(void **state)
{
    (void)state;
    static const struct {
        const char *url, *base;
    } cases[] = {
        {"ws://localhost:8765", "https://edda.dev.refinio.one/"},
        {"wss://comm10.dev.refinio.one", "https://edda.dev.refinio.one/"},
        {"wss://comm10.refinio.one", "https://edda.refinio.one/"},
    };
    for (size_t k = 0; k < 3; k++) {
        char token[] = "a-_.!~*'()", url[64];
        snprintf(url, sizeof url, "%s", cases[k].url);
        struct invitation i = {.token = token, .url = url};
        struct buf link = {0};
        invitation_link(&i, &link);
        assert_true(span_starts_with(buf_span(&link), span_of(cases[k].base)));
        assert_non_null(
            strstr(buf_cstr(&link), "invites/invitePartner/?invited=true/#%7B%22token%22%3A%22a-_.!~*'()%22"));
        struct invitation back;
        assert_int_equal(invitation_parse(buf_span(&link), &back, NULL), STATUS_OK);
        assert_string_equal(back.url, cases[k].url);
        assert_string_equal(back.token, token);
        invitation_free(&back);
        buf_free(&link);
    }
}

static void what_was_read_is_printed(void **state)
{
    (void)state;
    struct invitation i;
    struct buf json = {0};
    assert_int_equal(invitation_parse(SPAN(JSON), &i, NULL), STATUS_OK);
    invitation_print(&i, &json);
    assert_string_equal(buf_cstr(&json), JSON);
    invitation_free(&i);
    buf_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(further_members_are_ignored_in_what_people_paste),
        cmocka_unit_test(an_object_has_exactly_three_members),
        cmocka_unit_test(what_is_no_invitation_is_refused),
        cmocka_unit_test(links_are_written_as_lama_does),
        cmocka_unit_test(what_was_read_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
