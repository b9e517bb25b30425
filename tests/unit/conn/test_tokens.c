// The tokens behind invitations: how long they live, whom they serve, and that they serve once.
#include "conn/tokens.h"
#include "crypto/secret.h"
#include "tests/unit/cmocka_all.h"

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

static const struct hash ME = {{1}}, OTHER = {{2}}, GUEST = {{3}};

static enum status reserve(struct tokens *t, const char *text, const struct hash *person, int64_t now,
                           struct pairing_token *out, struct error *e)
{
    return tokens_reserve(t, span_of(text), person, &GUEST, now, out, e);
}

static void tokens_live_their_time(void **state)
{
    (void)state;
    crypto_init();
    struct kept kept = {0};
    struct tokens *t = tokens_create(2, (struct tokens_hooks){count_added, count_removed, &kept});
    struct pairing_token a, b, r;
    struct error e;
    assert_int_equal(tokens_issue(t, &ME, NULL, 0, 1000, &a, &e), STATUS_OK);
    assert_int_equal(a.expires_ms, 1000 + 15 * 60 * 1000);
    assert_int_equal(strlen(a.text), 64);
    assert_int_equal(tokens_issue(t, &ME, NULL, 500, 1000, &b, &e), STATUS_OK);
    assert_string_not_equal(a.text, b.text);
    assert_int_equal(tokens_issue(t, &ME, NULL, 500, 1000, &r, &e), STATUS_FULL);
    assert_string_equal(e.code, "TOO-MANY-INVITATIONS");
    assert_int_equal(reserve(t, b.text, &ME, 1500, &r, &e), STATUS_REFUSED); // expired
    assert_string_equal(e.message, "Authentication token is not existing.");
    assert_int_equal(tokens_count(t), 1);
    assert_int_equal(tokens_issue(t, &ME, NULL, 500, 1500, &b, &e), STATUS_OK);
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
    tokens_issue(t, &ME, NULL, 0, 0, &a, &e);
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
    tokens_issue(t, &ME, NULL, 0, 0, &a, NULL);
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
        cmocka_unit_test(tokens_live_their_time),
        cmocka_unit_test(tokens_are_used_once),
        cmocka_unit_test(tokens_are_revoked_and_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
