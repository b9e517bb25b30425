// Which runs of an instance may follow each other, and which say that it is there twice.
#include <stdlib.h>

#include "../cmocka_all.h"
#include "conn/exchange.h"
#include "conn/runs.h"
#include "crypto/secret.h"
#include "data/recipe.h"

#define BEGAN INT64_C(1764500000000)

static unsigned char us_secret[32] = {7};
static const struct conn_identity us = {.instance_public = {{1}},
                                        .instance_secret = {us_secret, sizeof us_secret},
                                        .run = "00000000000000000000000000000000"};

static struct conn_peer peer(const char *run, const char *met)
{
    struct conn_peer p = {.long_term = {{2}}};
    snprintf(p.run, sizeof p.run, "%s", run);
    snprintf(p.met, sizeof p.met, "%s", met);
    return p;
}

static unsigned meet(struct runs *r, const char *run, const char *met)
{
    struct conn_peer p = peer(run, met);
    return runs_take(r, &us, &p);
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccc"

static void restarts_are_no_copies(void **state)
{
    (void)state;
    struct runs *r = runs_create(BEGAN);
    struct conn_peer p = peer("", "");
    assert_string_equal(runs_met(r, &us, &p.long_term), "");
    static const char *const order[] = {A, A, B, B, C};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(meet(r, order[i], ""), RUNS_NOTHING);
    assert_string_equal(runs_met(r, &us, &p.long_term), C);
    runs_destroy(r);
}

static void a_run_that_comes_back_is_a_copy(void **state)
{
    (void)state;
    struct runs *r = runs_create(BEGAN);
    assert_int_equal(meet(r, A, ""), RUNS_NOTHING);
    assert_int_equal(meet(r, B, ""), RUNS_NOTHING);
    assert_int_equal(meet(r, A, ""), RUNS_PEER);
    assert_int_equal(meet(r, A, ""), RUNS_NOTHING);
    assert_int_equal(meet(r, B, ""), RUNS_PEER);
    runs_destroy(r);
}

static void who_names_no_run_is_not_judged(void **state)
{
    (void)state;
    struct runs *r = runs_create(BEGAN);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(meet(r, "", A), RUNS_NOTHING);
        assert_int_equal(meet(r, "", B), RUNS_NOTHING);
    }
    runs_destroy(r);
}

static void what_a_peer_met_before_us_was_our_run_before(void **state)
{
    (void)state;
    struct runs *r = runs_create(BEGAN);
    assert_int_equal(meet(r, C, A), RUNS_NOTHING);
    assert_int_equal(meet(r, C, A), RUNS_NOTHING); // it refused us, say
    assert_int_equal(meet(r, C, us.run), RUNS_NOTHING);
    assert_int_equal(meet(r, C, ""), RUNS_NOTHING); // it was started again
    assert_int_equal(meet(r, C, us.run), RUNS_NOTHING);
    runs_destroy(r);
}

static void name_run(const struct conn_identity *who, int64_t began, char out[CONN_RUN + 1])
{
    struct runs *r = runs_create(began);
    runs_name(r, who, out);
    runs_destroy(r);
}

static void what_a_peer_met_since_is_a_copy(void **state)
{
    (void)state;
    char one[CONN_RUN + 1];
    char two[CONN_RUN + 1];
    name_run(&us, BEGAN + 1, one);
    name_run(&us, BEGAN + 70000, two);
    struct runs *first = runs_create(BEGAN);
    assert_int_equal(meet(first, C, ""), RUNS_NOTHING);
    assert_int_equal(meet(first, C, one), RUNS_OURS);
    runs_destroy(first);
    struct runs *second = runs_create(BEGAN);
    assert_int_equal(meet(second, C, one), RUNS_NOTHING);
    assert_int_equal(meet(second, C, two), RUNS_OURS);
    runs_destroy(second);
    struct runs *third = runs_create(BEGAN);
    struct conn_peer p = peer(C, one);
    assert_int_equal(meet(third, C, one), RUNS_NOTHING);
    runs_lasted(third, &us, &p.long_term); // it must know of us by now
    assert_int_equal(meet(third, C, one), RUNS_OURS);
    runs_destroy(third);
    struct runs *fourth = runs_create(BEGAN);
    assert_int_equal(meet(fourth, C, one), RUNS_NOTHING);
    assert_int_equal(meet(fourth, C, us.run), RUNS_NOTHING);
    assert_int_equal(meet(fourth, C, one), RUNS_OURS);
    runs_destroy(fourth);
}

// It may name what it likes, and runs of ours that are over: none of that says that we are there twice.
static void a_peer_cannot_make_up_a_copy(void **state)
{
    (void)state;
    char former[CONN_RUN + 1];
    char of_other[CONN_RUN + 1];
    char changed[CONN_RUN + 1];
    static unsigned char secret[32] = {8};
    struct conn_identity other = us;
    other.instance_secret = (struct secret){secret, sizeof secret};
    name_run(&us, BEGAN - 1, former);
    name_run(&other, BEGAN + 1, of_other);
    struct runs *r = runs_create(BEGAN);
    assert_int_equal(meet(r, C, us.run), RUNS_NOTHING);
    const char *const claims[] = {A, B, former, of_other};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(meet(r, C, claims[i]), RUNS_NOTHING);
    for (size_t i = 0; i < CONN_RUN; i++) {
        name_run(&us, BEGAN + 1, changed);
        changed[i] = changed[i] == '0' ? '1' : '0';
        assert_int_equal(meet(r, C, changed), RUNS_NOTHING);
    }
    name_run(&us, BEGAN + 1, changed);
    assert_int_equal(meet(r, C, changed), RUNS_OURS);
    runs_destroy(r);
}

static void identities_have_runs_of_their_own(void **state)
{
    (void)state;
    struct runs *r = runs_create(BEGAN);
    static unsigned char secret[32] = {9};
    struct conn_identity second = us;
    second.instance_secret = (struct secret){secret, sizeof secret};
    char of_one[CONN_RUN + 1];
    char again[CONN_RUN + 1];
    char of_two[CONN_RUN + 1];
    runs_name(r, &us, of_one);
    runs_name(r, &us, again);
    runs_name(r, &second, of_two);
    assert_string_equal(of_one, again);
    assert_string_not_equal(of_one, of_two);
    struct conn_identity other = us;
    other.instance_public.b[5] = 1;
    struct conn_peer p = peer(C, A);
    assert_int_equal(runs_take(r, &us, &p), RUNS_NOTHING);
    p = peer(C, B);
    assert_int_equal(runs_take(r, &other, &p), RUNS_NOTHING); // it met another run of another identity
    runs_destroy(r);
}

// The members are beside the object, and what is none of them is left out.
static void runs_cross_in_the_exchange(void **state)
{
    (void)state;
    struct recipes *recipes = recipes_create(false);
    struct conn_identity who = us;
    struct buf text = {0};
    struct error e = {0};
    who.instance_name = "laptop";
    memset(who.person_id.b, 3, HASH_SIZE);
    exchange_write_instance(&who, A, &text);
    struct conn_peer p = {.person_id = who.person_id};
    assert_int_equal(exchange_read_instance(recipes, true, buf_span(&text), &p, &e), STATUS_OK);
    assert_string_equal(p.run, us.run);
    assert_string_equal(p.met, A);
    free(p.instance_name);
    buf_clear(&text);
    who.run[0] = '\0';
    exchange_write_instance(&who, "", &text);
    assert_null(strstr(buf_cstr(&text), "run"));
    text.len--; // the last brace
    buf_add_text(&text, ",\"run\":\"short\",\"met\":7}");
    p = (struct conn_peer){.person_id = who.person_id};
    assert_int_equal(exchange_read_instance(recipes, true, buf_span(&text), &p, &e), STATUS_OK);
    assert_string_equal(p.run, "");
    assert_string_equal(p.met, "");
    free(p.instance_name);
    buf_free(&text);
    recipes_destroy(recipes);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarts_are_no_copies),
        cmocka_unit_test(a_run_that_comes_back_is_a_copy),
        cmocka_unit_test(a_peer_cannot_make_up_a_copy),
        cmocka_unit_test(who_names_no_run_is_not_judged),
        cmocka_unit_test(what_a_peer_met_before_us_was_our_run_before),
        cmocka_unit_test(what_a_peer_met_since_is_a_copy),
        cmocka_unit_test(identities_have_runs_of_their_own),
        cmocka_unit_test(runs_cross_in_the_exchange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
