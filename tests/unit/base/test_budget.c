#include "base/budget.h"

#include <pthread.h>

#include "tests/unit/cmocka_all.h"

static uint64_t now_ms = 1000;

static uint64_t test_now(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static struct hash person(uint32_t n)
{
    struct hash h = {{1}};
    memcpy(h.b + 4, &n, sizeof n);
    return h;
}

static uint64_t most(enum budget_class class, enum budget_kind kind, enum budget_level level)
{
    return budget_limit(class, kind, level).most;
}

// Every row of the table is whole, and a level never has less than the one below it.
static void the_table_makes_sense(void **state)
{
    (void)state;
    for (int c = 0; c < BUDGET_CLASSES; c++) {
        assert_non_null(budget_class_name((enum budget_class)c));
        for (int k = 0; k < BUDGET_KINDS; k++) {
            uint64_t below = 0;
            assert_non_null(budget_kind_name((enum budget_kind)k));
            for (int l = BUDGET_LEVELS - 1; l >= 0; l--) {
                struct budget_limit limit =
                    budget_limit((enum budget_class)c, (enum budget_kind)k, (enum budget_level)l);
                assert_true(limit.most == BUDGET_NO_LIMIT || below == 0 || limit.most <= below);
                assert_true(budget_is_rate((enum budget_kind)k) || limit.per_second == 0);
                if (budget_is_rate((enum budget_kind)k) && limit.most != BUDGET_NO_LIMIT && limit.most != 0)
                    assert_true(limit.per_second != 0);
                below = limit.most;
            }
        }
    }
    assert_int_equal(most(BUDGET_STRANGER, BUDGET_HELD, BUDGET_CONNECTION), 64 << 10);
    assert_int_equal(most(BUDGET_STRANGER, BUDGET_GROWTH, BUDGET_ALL), 0);
}

static void a_stranger_is_bounded_alone_and_with_all_others(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct budget *many[200];
    struct error e;
    size_t full = 0;
    uint64_t each = most(BUDGET_STRANGER, BUDGET_HELD, BUDGET_CONNECTION);
    for (size_t i = 0; i < 200; i++) {
        many[i] = budget_of_connection(bs);
        assert_int_equal(budget_take(many[i], BUDGET_HELD, each + 1, &e), STATUS_FULL);
        assert_string_equal(e.code, "OVER-BUDGET");
        full += budget_take(many[i], BUDGET_HELD, each, NULL) == STATUS_OK;
    }
    assert_int_equal(full, most(BUDGET_STRANGER, BUDGET_HELD, BUDGET_ALL) / each);
    struct budget_account all;
    budgets_of_class(bs, BUDGET_STRANGER, &all);
    assert_int_equal(all.use[BUDGET_HELD], full * each);
    assert_int_equal(all.connections, 200);
    budget_give(many[0], BUDGET_HELD, 10);
    assert_int_equal(budget_room(many[199], BUDGET_HELD), 10); // all-or-nothing over the levels
    assert_int_equal(budget_take(many[199], BUDGET_HELD, 11, NULL), STATUS_FULL);
    assert_int_equal(budget_room(many[199], BUDGET_HELD), 10);
    for (size_t i = 0; i < 200; i++)
        budget_release(many[i]);
    budgets_of_class(bs, BUDGET_STRANGER, &all);
    assert_int_equal(all.use[BUDGET_HELD], 0);
    assert_int_equal(all.connections, 0);
    budgets_destroy(bs);
}

static void who_proved_himself_moves_with_what_he_holds(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct budget *c = budget_of_connection(bs);
    struct hash p = person(1);
    struct budget_account a;
    assert_int_equal(budget_take(c, BUDGET_HELD, 1000, NULL), STATUS_OK);
    budgets_of_class(bs, BUDGET_STRANGER, &a);
    assert_int_equal(a.use[BUDGET_HELD], 1000);
    budget_reclass(c, &p, BUDGET_CONTACT);
    budgets_of_class(bs, BUDGET_CONTACT, &a);
    assert_int_equal(a.use[BUDGET_HELD], 1000);
    assert_int_equal(a.connections, 1);
    assert_int_equal(budget_take(c, BUDGET_HELD, 1 << 20, NULL), STATUS_OK);
    budgets_of_class(bs, BUDGET_STRANGER, &a);
    assert_int_equal(a.use[BUDGET_HELD], 0);
    assert_int_equal(budgets_top(bs, &a, 1), 1);
    assert_true(hash_eq(&a.person, &p));
    assert_int_equal(a.use[BUDGET_HELD], 1000 + (1 << 20));
    struct budget *own = budget_of_person(bs, &p, BUDGET_OWN); // it becomes the own node
    budgets_of_class(bs, BUDGET_CONTACT, &a);
    assert_int_equal(a.use[BUDGET_HELD] + a.connections, 0);
    budgets_of_class(bs, BUDGET_OWN, &a);
    assert_int_equal(a.connections, 1);
    budget_set(c, BUDGET_HELD, 5);
    budgets_of_class(bs, BUDGET_OWN, &a);
    assert_int_equal(a.use[BUDGET_HELD], 5);
    budget_release(own);
    budget_release(c);
    budgets_of_class(bs, BUDGET_OWN, &a);
    assert_int_equal(a.use[BUDGET_HELD] + a.connections, 0);
    budgets_destroy(bs);
}

static void a_persons_rate_outlives_its_connections(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct hash p = person(1), q = person(2);
    struct budget_limit limit = budget_limit(BUDGET_CONTACT, BUDGET_VERSIONS, BUDGET_PERSON);
    for (int dials = 0; dials < 3; dials++) {
        struct budget *c = budget_of_connection(bs);
        budget_reclass(c, &p, BUDGET_CONTACT);
        assert_int_equal(budget_take(c, BUDGET_VERSIONS, limit.most, NULL), dials == 0 ? STATUS_OK : STATUS_FULL);
        budget_release(c);
    }
    struct budget *b = budget_of_person(bs, &p, BUDGET_CONTACT);
    assert_int_equal(budget_room(b, BUDGET_VERSIONS), 0);
    assert_int_equal(budget_wait_ms(b, BUDGET_VERSIONS, limit.per_second), 1001);
    assert_int_equal(budget_wait_ms(b, BUDGET_VERSIONS, limit.most + 1), UINT64_MAX);
    now_ms += 1000;
    assert_int_equal(budget_room(b, BUDGET_VERSIONS), limit.per_second);
    assert_false(budget_charge(b, BUDGET_VERSIONS, 2 * limit.per_second)); // after the fact: it owes now
    assert_int_equal(budget_room(b, BUDGET_VERSIONS), 0);
    now_ms += 1000 * (limit.most / limit.per_second + 3);
    assert_int_equal(budget_room(b, BUDGET_VERSIONS), limit.most);
    struct budget *other = budget_of_person(bs, &q, BUDGET_CONTACT);
    assert_int_equal(budget_take(other, BUDGET_VERSIONS, 1, NULL), STATUS_OK);
    budget_release(other);
    budget_release(b);
    budgets_destroy(bs);
}

// Others may use up what all have: whoever uses little goes on.
static void who_uses_little_is_not_stopped_by_others(void **state)
{
    (void)state;
    const enum budget_kind kinds[] = {BUDGET_HELD,  BUDGET_REQUESTS, BUDGET_VALUES, BUDGET_WORK,
                                      BUDGET_DIALS, BUDGET_VERSIONS, BUDGET_GROWTH};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct budgets *bs = budgets_create(test_now, NULL);
        struct budget *greedy[8];
        struct hash quiet = person(100);
        uint64_t each = most(BUDGET_CONTACT, kinds[k], BUDGET_PERSON);
        for (uint32_t i = 0; i < 8; i++) {
            struct hash p = person(i);
            greedy[i] = budget_of_person(bs, &p, BUDGET_CONTACT);
            (void)budget_charge(greedy[i], kinds[k], each);
            assert_int_equal(budget_room(greedy[i], kinds[k]), 0);
        }
        struct budget_account all;
        budgets_of_class(bs, BUDGET_CONTACT, &all);
        assert_true(all.use[kinds[k]] >= most(BUDGET_CONTACT, kinds[k], BUDGET_ALL));
        struct budget *b = budget_of_person(bs, &quiet, BUDGET_CONTACT);
        assert_true(budget_room(b, kinds[k]) >= 4);
        assert_int_equal(budget_wait_ms(b, kinds[k], 1), 0);
        assert_int_equal(budget_take(b, kinds[k], 4, NULL), STATUS_OK);
        assert_int_equal(budget_take(b, kinds[k], each / 2, NULL), STATUS_FULL); // not much
        budget_release(b);
        for (size_t i = 0; i < 8; i++)
            budget_release(greedy[i]);
        budgets_destroy(bs);
    }
}

static void one_big_thing_is_no_pause_of_hours(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct hash p = person(1);
    struct budget *b = budget_of_person(bs, &p, BUDGET_CONTACT);
    assert_false(budget_charge(b, BUDGET_GROWTH, (uint64_t)1 << 40));
    assert_in_range(budget_wait_ms(b, BUDGET_GROWTH, 1), 500000, 601000);
    budget_release(b);
    budgets_destroy(bs);
}

static void persons_are_bounded_in_number(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct budget *held[BUDGET_PERSONS_MAX];
    struct budget_account *all = mem_array(BUDGET_PERSONS_MAX + 10, sizeof *all);
    for (uint32_t i = 0; i < 3 * BUDGET_PERSONS_MAX; i++) {
        struct hash p = person(i);
        struct budget *b = budget_of_person(bs, &p, BUDGET_CONTACT);
        now_ms++;
        (void)budget_charge(b, BUDGET_VERSIONS, 1000); // all of them together may pass a limit
        budget_release(b);
    }
    assert_int_equal(budgets_top(bs, all, BUDGET_PERSONS_MAX + 10), BUDGET_PERSONS_MAX);
    bool is_last_kept = false;
    struct hash last = person(3 * BUDGET_PERSONS_MAX - 1);
    for (size_t i = 0; i < BUDGET_PERSONS_MAX; i++)
        is_last_kept = is_last_kept || hash_eq(&all[i].person, &last);
    assert_true(is_last_kept); // those used longest ago went
    for (uint32_t i = 0; i < BUDGET_PERSONS_MAX; i++) {
        struct hash p = person(100000 + i);
        held[i] = budget_of_person(bs, &p, BUDGET_CONTACT);
    }
    struct hash late = person(7); // everybody's account is in use: it shares one
    struct budget *b = budget_of_person(bs, &late, BUDGET_CONTACT);
    assert_int_equal(budget_take(b, BUDGET_REQUESTS, 1, NULL), STATUS_OK);
    assert_int_equal(budgets_top(bs, all, BUDGET_PERSONS_MAX + 10), BUDGET_PERSONS_MAX);
    budget_give(b, BUDGET_REQUESTS, 1);
    budget_release(b);
    for (uint32_t i = 0; i < BUDGET_PERSONS_MAX; i++)
        budget_release(held[i]);
    free(all);
    budgets_destroy(bs);
}

static void a_flood_of_refusals_is_one_report(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct budget_report r;
    struct hash p = person(1);
    struct budget *stranger = budget_of_connection(bs), *c = budget_of_connection(bs);
    budget_reclass(c, &p, BUDGET_CONTACT);
    assert_false(budgets_report(bs, &r));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(budget_take(stranger, BUDGET_HELD, 1 << 20, NULL), STATUS_FULL);
        budget_note_refusal(c, BUDGET_QUEUED);
    }
    assert_true(budgets_report(bs, &r));
    assert_int_equal(r.class, BUDGET_STRANGER);
    assert_int_equal(r.kind, BUDGET_HELD);
    assert_int_equal(r.count, 1000);
    assert_true(budgets_report(bs, &r));
    assert_true(hash_eq(&r.person, &p));
    assert_int_equal(r.kind, BUDGET_QUEUED);
    assert_false(budgets_report(bs, &r));
    budget_release(stranger);
    budget_release(c);
    budgets_destroy(bs);
}

static void the_top_is_sorted(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(test_now, NULL);
    struct budget *b[10];
    struct budget_account top[3];
    for (uint32_t i = 0; i < 10; i++) {
        struct hash p = person(i);
        b[i] = budget_of_person(bs, &p, BUDGET_CONTACT);
        assert_true(budget_charge(b[i], BUDGET_REQUESTS, (i * 7) % 10));
    }
    assert_int_equal(budgets_top(bs, top, 3), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(top[i].use[BUDGET_REQUESTS], 9 - i);
    for (size_t i = 0; i < 10; i++)
        budget_release(b[i]);
    budgets_destroy(bs);
}

static void nothing_bounds_without_an_account(void **state)
{
    (void)state;
    assert_int_equal(budget_take(NULL, BUDGET_HELD, UINT64_MAX, NULL), STATUS_OK);
    assert_int_equal(budget_room(NULL, BUDGET_HELD), BUDGET_NO_LIMIT);
    assert_int_equal(budget_wait_ms(NULL, BUDGET_VERSIONS, 1), 0);
    assert_null(budget_use(NULL));
    budget_release(NULL);
}

static void *take_and_give(void *arg)
{
    struct budget *b = arg;
    for (int i = 0; i < 20000; i++) {
        if (budget_take(b, BUDGET_REQUESTS, 3, NULL) == STATUS_OK)
            budget_give(b, BUDGET_REQUESTS, 3);
    }
    budget_release(b);
    return NULL;
}

static void threads_agree(void **state)
{
    (void)state;
    struct budgets *bs = budgets_create(NULL, NULL);
    struct hash p = person(1);
    struct budget *b = budget_of_person(bs, &p, BUDGET_CONTACT);
    pthread_t threads[4];
    struct budget_account a;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, budget_use(b)), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    budgets_of_class(bs, BUDGET_CONTACT, &a);
    assert_int_equal(a.use[BUDGET_REQUESTS], 0);
    budget_release(b);
    budgets_destroy(bs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_makes_sense),
        cmocka_unit_test(a_stranger_is_bounded_alone_and_with_all_others),
        cmocka_unit_test(who_proved_himself_moves_with_what_he_holds),
        cmocka_unit_test(a_persons_rate_outlives_its_connections),
        cmocka_unit_test(who_uses_little_is_not_stopped_by_others),
        cmocka_unit_test(one_big_thing_is_no_pause_of_hours),
        cmocka_unit_test(persons_are_bounded_in_number),
        cmocka_unit_test(a_flood_of_refusals_is_one_report),
        cmocka_unit_test(the_top_is_sorted),
        cmocka_unit_test(nothing_bounds_without_an_account),
        cmocka_unit_test(threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
