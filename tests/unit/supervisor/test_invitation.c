// Invitations as JSON and links (WIRE.md 6.1, 6.2), and what is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/invitation.h"

#define KEY "2ad3be3f0000000000000000000000000000000000000000000000000000aa47"

static json_t *parsed(const char *text)
{
    struct error e = {0};
    json_t *invitation = NULL;
    assert_int_equal(invitation_parse(span_of(text), &invitation, &e), STATUS_OK);
    return invitation;
}

static void json_and_link_are_the_same(void **state)
{
    (void)state;
    struct buf link = {0};
    struct buf text = {0};
    json_t *one = parsed(" {\"url\":\"ws://localhost:8765\",\"publicKey\":\"" KEY "\",\"token\":\"a_-9\"}\r\n");
    invitation_link(one, &link);
    assert_true(span_starts_with(
        buf_span(&link), SPAN("https://edda.dev.refinio.one/invites/invitePartner/?invited=true/#%7B%22token")));
    json_t *two = parsed(buf_cstr(&link));
    assert_true(json_equal(one, two));
    invitation_print(two, &text);
    assert_string_equal(buf_cstr(&text),
                        "{\"token\":\"a_-9\",\"publicKey\":\"" KEY "\",\"url\":\"ws://localhost:8765\"}");
    json_decref(one);
    json_decref(two);
    buf_free(&link);
    buf_free(&text);
}

static void the_base_follows_the_relay(void **state)
{
    (void)state;
    struct buf link = {0};
    json_t *i = parsed("{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"wss://comm10.refinio.one\"}");
    invitation_link(i, &link);
    assert_true(span_starts_with(buf_span(&link), SPAN("https://edda.refinio.one/")));
    json_decref(i);
    buf_free(&link);
}

static void anything_before_the_hash_is_ignored(void **state)
{
    (void)state;
    json_t *i = parsed("https://one.refinio.net/invite#%7b%22token%22:%22t%22,%22publicKey%22:%22" KEY
                       "%22,%22url%22:%22ws://x%22,%22more%22:1%7d");
    assert_int_equal(json_object_size(i), 3); // exactly the three members go on
    json_decref(i);
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "   ",
        "hello",
        "#",
        "https://x/#",
        "https://x/#%7B%",
        "https://x/#%zz",
        "{",
        "{}",
        "[]#[]",
        "{\"token\":\"\",\"publicKey\":\"" KEY "\",\"url\":\"ws://x\"}",
        "{\"token\":1,\"publicKey\":\"" KEY "\",\"url\":\"ws://x\"}",
        "{\"token\":\"t\",\"publicKey\":\"00\",\"url\":\"ws://x\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"http://x\"}",
        "{\"token\":\"t\",\"token\":\"u\",\"publicKey\":\"" KEY "\",\"url\":\"ws://x\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error e = {0};
        json_t *invitation = NULL;
        assert_int_equal(invitation_parse(span_of(bad[i]), &invitation, &e), STATUS_INVALID);
        assert_string_equal(e.code, "BAD-INVITATION");
        assert_null(invitation);
    }
    struct error e = {0};
    json_t *invitation = NULL;
    assert_int_equal(invitation_parse(span_of("https://x/#%ff%fe"), &invitation, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-TEXT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_and_link_are_the_same),          cmocka_unit_test(the_base_follows_the_relay),
        cmocka_unit_test(anything_before_the_hash_is_ignored), cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
