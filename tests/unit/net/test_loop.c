#include "testing.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct loop *open_loop(void)
{
    struct error e = {0};
    struct loop *l = loop_create(NULL, &e);
    assert_non_null(l);
    return l;
}

struct order {
    char text[8];
    size_t n;
    bool done;
};

struct tick {
    struct order *order;
    char name;
    struct loop_timer *timer;
};

static void tick(void *ctx)
{
    struct tick *t = ctx;
    t->order->text[t->order->n++] = t->name;
    t->order->done = t->order->n == 3;
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct loop *l = open_loop();
    struct order o = {0};
    struct tick t[] = {{&o, 'a', NULL}, {&o, 'b', NULL}, {&o, 'c', NULL}, {&o, 'd', NULL}};
    static const uint64_t ms[] = {40, 1, 20, 2};
    for (int i = 0; i < 4; i++) {
        t[i].timer = loop_timer_create(l, tick, &t[i]);
        loop_timer_set(t[i].timer, 5000); // replaced
        loop_timer_set(t[i].timer, ms[i]);
    }
    loop_timer_cancel(t[3].timer);
    run_until(l, &o.done);
    assert_string_equal(o.text, "bca");
    for (int i = 0; i < 4; i++)
        loop_timer_destroy(t[i].timer);
    loop_destroy(l);
}

struct watch {
    int fd, calls;
    struct loop_fd *watch;
    bool called;
};

static void readable(void *ctx)
{
    struct watch *w = ctx;
    uint64_t n;
    w->calls++;
    w->called = true;
    assert_int_equal(read(w->fd, &n, sizeof n), sizeof n);
    loop_drop_fd(w->watch);
}

static void a_foreign_descriptor_is_watched_and_stays_open(void **state)
{
    (void)state;
    struct loop *l = open_loop();
    struct error e = {0};
    struct watch w = {.fd = eventfd(1, EFD_CLOEXEC)};
    w.watch = loop_adopt_fd(l, w.fd, readable, &w, &e);
    assert_non_null(w.watch);
    run_until(l, &w.called);
    uint64_t one = 1;
    assert_int_equal(write(w.fd, &one, sizeof one), sizeof one); // still ours
    run_for(l, 20);
    assert_int_equal(w.calls, 1);
    close(w.fd);
    loop_destroy(l);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void the_mailbox_is_drained(void **state)
{
    (void)state;
    struct loop *l = open_loop();
    bool posted = false, late = false;
    mailbox_post(loop_mailbox(l), set_flag, &posted);
    run_until(l, &posted);
    mailbox_post(loop_mailbox(l), set_flag, &late);
    loop_destroy(l);
    assert_true(late);
}

static void proxies_are_forgotten(void **state)
{
    (void)state;
    setenv("http_proxy", "127.0.0.1:9", 1);
    struct loop *l = open_loop();
    assert_null(getenv("http_proxy"));
    loop_destroy(l);
}

static void too_many_descriptors_are_refused(void **state)
{
    (void)state;
    struct error e = {0};
    struct loop_options o = {.fd_limit = (size_t)1 << 40};
    assert_null(loop_create(&o, &e));
    assert_string_equal(e.code, "FILE-LIMIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_the_order_of_their_times),
        cmocka_unit_test(a_foreign_descriptor_is_watched_and_stays_open),
        cmocka_unit_test(the_mailbox_is_drained),
        cmocka_unit_test(proxies_are_forgotten),
        cmocka_unit_test(too_many_descriptors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
