#include <pthread.h>

#include "base/life.h"
#include "tests/unit/expect_abort.h"

static unsigned destroyed;

static void destroy(void *self)
{
    (void)self;
    destroyed++;
}

static void it_ends_when_both_are_over(void **state)
{
    struct life l;
    (void)state;
    destroyed = 0;
    life_begin(&l, destroy, &l);
    life_hold(&l);
    life_hold(&l);
    assert_true(life_let_go(&l));
    life_over(&l);
    assert_int_equal(destroyed, 0);
    assert_false(life_let_go(&l));
    assert_int_equal(destroyed, 1);

    life_begin(&l, destroy, &l);
    life_hold(&l);
    assert_true(life_let_go(&l));
    assert_int_equal(destroyed, 1);
    life_over(&l);
    assert_int_equal(destroyed, 2);
}

static void let_go_twice(void *ctx)
{
    struct life l;
    (void)ctx;
    life_begin(&l, destroy, &l);
    life_hold(&l);
    life_let_go(&l);
    life_let_go(&l);
}

static void hold_late(void *ctx)
{
    struct life l;
    (void)ctx;
    life_begin(&l, destroy, &l);
    life_hold(&l);
    life_over(&l);
    life_hold(&l);
}

static void over_twice(void *ctx)
{
    struct life l;
    (void)ctx;
    life_begin(&l, destroy, &l);
    life_hold(&l);
    life_over(&l);
    life_over(&l);
}

static void *let_go_elsewhere(void *l)
{
    life_let_go(l);
    return NULL;
}

static void other_thread(void *ctx)
{
    struct life l;
    pthread_t thread;
    (void)ctx;
    life_begin(&l, destroy, &l);
    life_hold(&l);
    pthread_create(&thread, NULL, let_go_elsewhere, &l);
    pthread_join(thread, NULL);
}

static void misuse_ends_the_program(void **state)
{
    (void)state;
    expect_abort(let_go_twice, NULL);
    expect_abort(hold_late, NULL);
    expect_abort(over_twice, NULL);
    expect_abort(other_thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_ends_when_both_are_over),
                                       cmocka_unit_test(misuse_ends_the_program)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
