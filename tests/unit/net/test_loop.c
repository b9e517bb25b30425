#include "testing.h"

#include "net/loop_lws.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static void set_flag(void *arg)
{
    *(bool *)arg = true;
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
    struct loop *l = open_loop(NULL);
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

enum { MANY = 500, ROUNDS = 8, FAR_MS = 30 };

struct many {
    struct loop *loop;
    struct one {
        struct many *all;
        struct loop_timer *timer;
        uint64_t due;
        bool set, fired;
    } one[MANY];
    uint64_t last;
    size_t left;
    bool done;
};

static void one_fires(void *ctx)
{
    struct one *o = ctx;
    struct many *m = o->all;
    assert_true(o->set && !o->fired && loop_now(m->loop) >= o->due);
    assert_true(o->due >= m->last);
    o->fired = true;
    m->last = o->due;
    m->done = --m->left == 0;
}

// Set, set anew and cancelled at random: each that is left fires once, in order, and not before its time.
static void many_timers_fire_in_order(void **state)
{
    static struct many m;
    (void)state;
    m = (struct many){.loop = open_loop(NULL)};
    srandom(1);
    for (size_t i = 0; i < MANY; i++) {
        m.one[i] = (struct one){.all = &m};
        m.one[i].timer = loop_timer_create(m.loop, one_fires, &m.one[i]);
    }
    for (size_t i = 0; i < MANY * ROUNDS; i++) {
        struct one *o = &m.one[(size_t)random() % MANY];
        uint64_t ms = (uint64_t)random() % FAR_MS;
        o->set = random() % 4 != 0;
        o->due = loop_now(m.loop) + ms;
        if (o->set)
            loop_timer_set(o->timer, ms);
        else
            loop_timer_cancel(o->timer);
    }
    for (size_t i = 0; i < MANY; i++)
        m.left += m.one[i].set;
    run_until(m.loop, &m.done);
    run_for(m.loop, FAR_MS);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(m.one[i].fired, m.one[i].set);
        loop_timer_destroy(m.one[i].timer);
    }
    loop_destroy(m.loop);
}

struct restless {
    struct loop_timer *timer;
    size_t fired;
};

static void fires_again(void *ctx)
{
    struct restless *r = ctx;
    r->fired++;
    loop_timer_set(r->timer, 0);
}

static void a_timer_that_is_always_due_lets_others_have_their_turn(void **state)
{
    (void)state;
    struct loop *l = open_loop(NULL);
    struct restless r = {0};
    bool posted = false;
    r.timer = loop_timer_create(l, fires_again, &r);
    loop_timer_set(r.timer, 0);
    mailbox_post(loop_mailbox(l), set_flag, &posted);
    run_until(l, &posted);
    assert_true(r.fired > 0);
    loop_timer_destroy(r.timer);
    loop_destroy(l);
}

// The earlier of two, though it is set later.
static void an_earlier_timer_does_not_wait_for_a_later_one(void **state)
{
    (void)state;
    struct loop *l = open_loop(NULL);
    bool late = false, early = false;
    struct loop_timer *later = loop_timer_create(l, set_flag, &late), *earlier = loop_timer_create(l, set_flag, &early);
    loop_timer_set(later, 20000);
    run_for(l, 5);
    loop_timer_set(earlier, 5);
    run_until(l, &early);
    assert_false(late);
    loop_timer_destroy(later);
    loop_timer_destroy(earlier);
    loop_destroy(l);
}

static size_t waits;

// Stands before the library's: libwebsockets calls it.
int poll(struct pollfd *fds, nfds_t count, int ms)
{
    waits++;
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    return (int)syscall(SYS_ppoll, fds, count, ms < 0 ? NULL : &t, NULL, 0);
}

enum { SOME = 20, APART_MS = 3 };

// A timer is one wake-up: nobody asks again and again whether it is due.
static void a_timer_wakes_the_loop_once(void **state)
{
    (void)state;
    struct loop *l = open_loop(NULL);
    bool is_poll = strcmp(loop_waits_with(l), LOOP_POLL) == 0;
    bool fired[SOME] = {false};
    struct loop_timer *timers[SOME];
    for (uint64_t i = 0; i < SOME; i++) {
        timers[i] = loop_timer_create(l, set_flag, &fired[i]);
        loop_timer_set(timers[i], (i + 1) * APART_MS);
    }
    waits = 0;
    run_until(l, &fired[SOME - 1]);
    assert_true(!is_poll || (waits > 0 && waits < 3 * SOME));
    for (size_t i = 0; i < SOME; i++)
        loop_timer_destroy(timers[i]);
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
    struct loop *l = open_loop(NULL);
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

static void the_mailbox_is_drained(void **state)
{
    (void)state;
    struct loop *l = open_loop(NULL);
    bool posted = false, late = false;
    mailbox_post(loop_mailbox(l), set_flag, &posted);
    run_until(l, &posted);
    mailbox_post(loop_mailbox(l), set_flag, &late);
    loop_destroy(l);
    assert_true(late);
}

static bool engine_given_back;

static void *start_engine(struct loop *l)
{
    return l;
}

static void give_back(void *waiting)
{
    assert_non_null(waiting);
    engine_given_back = true;
}

// Debian has no plug-in for libevent.
static void an_engine_that_is_not_there_is_done_without(void **state)
{
    (void)state;
    struct error e = {0};
    const struct loop_engine engine = {"none", LWS_SERVER_OPTION_LIBEVENT, start_engine, give_back, NULL, NULL};
    struct loop *l = loop_create(&(struct loop_options){.engine = &engine}, &e);
    assert_non_null(l);
    assert_string_equal(loop_waits_with(l), "poll");
    assert_true(engine_given_back);
    run_for(l, 1);
    loop_destroy(l);
}

static void proxies_are_forgotten(void **state)
{
    (void)state;
    setenv("http_proxy", "127.0.0.1:9", 1);
    struct loop *l = open_loop(NULL);
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
        cmocka_unit_test(many_timers_fire_in_order),
        cmocka_unit_test(a_timer_that_is_always_due_lets_others_have_their_turn),
        cmocka_unit_test(an_earlier_timer_does_not_wait_for_a_later_one),
        cmocka_unit_test(a_timer_wakes_the_loop_once),
        cmocka_unit_test(a_foreign_descriptor_is_watched_and_stays_open),
        cmocka_unit_test(the_mailbox_is_drained),
        cmocka_unit_test(an_engine_that_is_not_there_is_done_without),
        cmocka_unit_test(proxies_are_forgotten),
        cmocka_unit_test(too_many_descriptors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
