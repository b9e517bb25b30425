#include "base/bytes.h"
#include "base/mailbox.h"
#include "base/pool.h"
#include "tests/unit/cmocka_all.h"

#include <poll.h>
#include <stdatomic.h>

enum { TASKS = 200 };

static atomic_int worked;
static int answered;
static int last_order;

static void work(void *arg)
{
    (void)arg;
    atomic_fetch_add(&worked, 1);
}

static void answer(void *arg)
{
    (void)arg;
    answered++;
}

static void in_order(void *arg)
{
    int n = *(int *)arg;
    assert_int_equal(n, last_order + 1);
    last_order = n;
}

static void wait_for(struct mailbox *m, int count)
{
    while (answered < count) {
        struct pollfd p = {mailbox_fd(m), POLLIN, 0};
        assert_int_equal(poll(&p, 1, 10000), 1);
        mailbox_drain(m);
    }
}

static void pool_answers_every_task_once(void **state)
{
    (void)state;
    struct mailbox *m = mailbox_create();
    struct pool *p = pool_create(3, m);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(pool_submit(p, work, answer, NULL), STATUS_OK);
    wait_for(m, TASKS);
    assert_int_equal(atomic_load(&worked), TASKS);
    pool_destroy(p);
    mailbox_drain(m);
    assert_int_equal(answered, TASKS);
    mailbox_destroy(m);
}

static void mailbox_keeps_the_order(void **state)
{
    (void)state;
    static int numbers[100];
    struct mailbox *m = mailbox_create();
    for (int i = 0; i < 100; i++) {
        numbers[i] = i + 1;
        mailbox_post(m, in_order, &numbers[i]);
    }
    assert_int_equal(mailbox_drain(m), 100);
    assert_int_equal(last_order, 100);
    assert_int_equal(mailbox_drain(m), 0);
    mailbox_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_answers_every_task_once),
        cmocka_unit_test(mailbox_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
