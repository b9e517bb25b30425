// Invitations in every form, and what is no invitation; the tokens behind them.
#include "conn/invitation.h"
#include "conn/tokens.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

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

static void what_is_no_invitation_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "  ",
        "hello",
        "{}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\"}",
        "{\"token\":\"t\",\"publicKey\":\"" KEY "\",\"url\":\"ws://h\",\"more\":1}",
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
        "x#%ff",
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
        {"wss://comm.refinio.one", "https://edda.refinio.one/"},
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

static void json_has_the_three_members(void **state)
{
    (void)state;
    struct invitation i;
    struct buf json = {0};
    assert_int_equal(invitation_parse(SPAN(JSON), &i, NULL), STATUS_OK);
    invitation_json(&i, &json);
    assert_string_equal(buf_cstr(&json), JSON);
    invitation_free(&i);
    buf_free(&json);
}

// ---- Tokens ----

struct kept {
    unsigned added, removed;
};

static void count_added(void *ctx, const struct pairing_token *t)
{
    (void)t;
    ((struct kept *)ctx)->added++;
}

static void count_removed(void *ctx, const struct pairing_token *t)
{
    (void)t;
    ((struct kept *)ctx)->removed++;
}

static const struct hash ME = {{1}}, OTHER = {{2}};

static enum status reserve(struct tokens *t, const char *text, const struct hash *person, int64_t now,
                           struct pairing_token *out, struct error *e)
{
    return tokens_reserve(t, span_of(text), person, now, out, e);
}

static void tokens_live_their_time(void **state)
{
    (void)state;
    crypto_init();
    struct kept kept = {0};
    struct tokens *t = tokens_create(2, (struct tokens_hooks){count_added, count_removed, &kept});
    struct pairing_token a, b, r;
    struct error e;
    assert_int_equal(tokens_issue(t, &ME, 0, 1000, &a, &e), STATUS_OK);
    assert_int_equal(a.expires_ms, 1000 + 15 * 60 * 1000);
    assert_int_equal(strlen(a.text), 64);
    assert_int_equal(tokens_issue(t, &ME, 500, 1000, &b, &e), STATUS_OK);
    assert_string_not_equal(a.text, b.text);
    assert_int_equal(tokens_issue(t, &ME, 500, 1000, &r, &e), STATUS_FULL);
    assert_string_equal(e.code, "TOO-MANY-INVITATIONS");
    assert_int_equal(reserve(t, b.text, &ME, 1500, &r, &e), STATUS_REFUSED); // expired
    assert_string_equal(e.message, "Authentication token is not existing.");
    assert_int_equal(tokens_count(t), 1);
    assert_int_equal(tokens_issue(t, &ME, 500, 1500, &b, &e), STATUS_OK);
    assert_int_equal(kept.added, 3);
    assert_int_equal(kept.removed, 1);
    tokens_destroy(t);
}

static void tokens_are_used_once(void **state)
{
    (void)state;
    crypto_init();
    struct kept kept = {0};
    struct tokens *t = tokens_create(4, (struct tokens_hooks){count_added, count_removed, &kept});
    struct pairing_token a, r, r2;
    struct error e;
    tokens_issue(t, &ME, 0, 0, &a, &e);
    assert_int_equal(reserve(t, a.text, &OTHER, 0, &r, &e), STATUS_REFUSED);
    assert_string_equal(e.message, "The authentication token was not generated for the requested person.");
    assert_int_equal(reserve(t, "", &ME, 0, &r, &e), STATUS_REFUSED);
    assert_int_equal(reserve(t, a.text, &ME, 0, &r, &e), STATUS_OK);
    assert_int_equal(reserve(t, a.text, &ME, 0, &r2, &e), STATUS_REFUSED); // in use
    tokens_release(t, &r);
    assert_int_equal(reserve(t, a.text, &ME, 0, &r, &e), STATUS_OK);
    tokens_expire(t, INT64_MAX); // not while a pairing uses it
    tokens_consume(t, &r);
    assert_int_equal(kept.removed, 1);
    assert_int_equal(reserve(t, a.text, &ME, 0, &r, &e), STATUS_REFUSED);
    tokens_release(t, &r); // of a token that is gone: nothing
    assert_int_equal(tokens_count(t), 0);
    tokens_destroy(t);
}

static void tokens_are_revoked_and_restored(void **state)
{
    (void)state;
    crypto_init();
    struct tokens *t = tokens_create(1, (struct tokens_hooks){0});
    struct pairing_token a;
    tokens_issue(t, &ME, 0, 0, &a, NULL);
    assert_false(tokens_restore(t, &a)); // full
    assert_true(tokens_revoke(t, span_of(a.text)));
    assert_false(tokens_revoke(t, span_of(a.text)));
    assert_true(tokens_restore(t, &a));
    assert_int_equal(tokens_count(t), 1);
    tokens_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(what_is_no_invitation_is_refused),
        cmocka_unit_test(links_are_written_as_lama_does),
        cmocka_unit_test(json_has_the_three_members),
        cmocka_unit_test(tokens_live_their_time),
        cmocka_unit_test(tokens_are_used_once),
        cmocka_unit_test(tokens_are_revoked_and_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
