#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/life.h"
#include "tests/unit/cmocka_all.h"

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

#ifdef TANDEM_INVARIANTS

static void expect_abort(void (*act)(struct life *l))
{
    struct life l;
    int how;
    life_begin(&l, destroy, &l);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        act(&l);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

static void let_go_twice(struct life *l)
{
    life_hold(l);
    life_let_go(l);
    life_let_go(l);
}

static void hold_late(struct life *l)
{
    life_hold(l);
    life_over(l);
    life_hold(l);
}

static void over_twice(struct life *l)
{
    life_hold(l);
    life_over(l);
    life_over(l);
}

static void *let_go_elsewhere(void *l)
{
    life_let_go(l);
    return NULL;
}

static void other_thread(struct life *l)
{
    pthread_t thread;
    life_hold(l);
    pthread_create(&thread, NULL, let_go_elsewhere, l);
    pthread_join(thread, NULL);
}

static void misuse_ends_the_program(void **state)
{
    (void)state;
    expect_abort(let_go_twice);
    expect_abort(hold_late);
    expect_abort(over_twice);
    expect_abort(other_thread);
}

#else

static void misuse_ends_the_program(void **state)
{
    (void)state;
    skip(); // in debug and sanitizer builds
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_ends_when_both_are_over),
                                       cmocka_unit_test(misuse_ends_the_program)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
