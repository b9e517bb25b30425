// Reads beside writes: whose turn it is, counted in turns, and what a read sees while a transaction is open.
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "../cmocka_all.h"
#include "base/clock.h"
#include "fixture.h"
#include "store/queue.h"

enum { DEADLINE_MS = 30000, TURN = 16, READERS = 8, WRITERS = 5, READS_MAX = 20000, ATTEMPTS = 30 };

struct bench {
    struct fixture f;
    struct mailbox *answers;
    struct store_queue *queue;
    size_t done;
    size_t asked;
    struct object written[WRITERS];
    struct hash bob;
    struct object shown[ATTEMPTS]; // one for each attempt
    struct object grants[ATTEMPTS];
    size_t attempt;
    bool committed; // its write was
    bool between;   // the read was answered before that

    // The store thread's.
    size_t reads;        // so far
    size_t submitted_at; // their number when the writers came
    size_t seen_at;      // when the last one's object was committed; 0: not yet
    enum store_presence seen;
    enum status wrote;
    struct store_totals totals;
    uint64_t version;
    size_t roots;
};

static int open_queue(void **state)
{
    struct bench *b = mem_alloc(sizeof *b);
    fixture_open(&b->f, STORE_ARCHIVE);
    struct object bob = fixture_person(&b->f, "bob@example.com", NULL);
    b->bob = fixture_change(&b->f, &bob);
    for (size_t i = 0; i < WRITERS; i++) {
        char name[20];
        snprintf(name, sizeof name, "writer %zu", i);
        b->written[i] = fixture_leaf(&b->f, name);
    }
    for (size_t i = 0; i < ATTEMPTS; i++) {
        char name[20];
        snprintf(name, sizeof name, "shown %zu", i);
        b->shown[i] = fixture_leaf(&b->f, name);
        b->grants[i] = fixture_grant(&b->f, &b->shown[i].hash, false, &b->bob, 1, NULL, 0);
    }
    b->answers = mailbox_create();
    b->queue = store_queue_create(b->f.store, b->answers);
    b->f.store = NULL; // the queue has it
    *state = b;
    return 0;
}

static int close_queue(void **state)
{
    struct bench *b = *state;
    store_queue_destroy(b->queue);
    mailbox_drain(b->answers);
    mailbox_destroy(b->answers);
    fixture_close(&b->f);
    free(b);
    return 0;
}

static void wait_for(struct bench *b)
{
    uint64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (b->done < b->asked) {
        struct pollfd fd = {.fd = mailbox_fd(b->answers), .events = POLLIN};
        assert_true(clock_monotonic_ms() < deadline);
        poll(&fd, 1, 100);
        mailbox_drain(b->answers);
    }
}

static void count(void *arg, enum status status, const struct error *e)
{
    struct bench *b = arg;
    (void)e;
    assert_int_equal(status, STATUS_OK);
    b->done++;
}

// ---- Turns ----------------------------------------------------------------------------------------------------------

struct writer {
    struct bench *bench;
    const struct object *object;
};

static enum status write_one(struct store *s, void *arg, struct error *e)
{
    const struct writer *w = arg;
    return store_put(s, w->object, NULL, e);
}

static void written(void *arg, enum status status, const struct error *e)
{
    struct writer *w = arg;
    count(w->bench, status, e);
    free(w);
}

static void submit_writers(struct bench *b)
{
    for (size_t i = 0; i < WRITERS; i++) {
        struct writer *w = mem_alloc(sizeof *w);
        *w = (struct writer){b, &b->written[i]};
        store_submit(b->queue, write_one, written, w);
    }
}

// Asks again as soon as it is asked, so that there are always as many in flight.
static enum status read_on(struct store *s, void *arg, struct error *e)
{
    struct bench *b = arg;
    (void)e;
    b->reads++;
    if (b->reads == 200) {
        b->submitted_at = b->reads;
        submit_writers(b);
    }
    if (b->seen_at == 0 && store_presence(s, &b->written[WRITERS - 1].hash) == STORE_PRESENT)
        b->seen_at = b->reads;
    if (b->seen_at == 0 && b->reads < READS_MAX)
        store_submit_read(b->queue, read_on, NULL, b);
    return STATUS_OK;
}

static void reads_do_not_starve_writes(void **state)
{
    struct bench *b = *state;
    b->asked = WRITERS;
    for (size_t i = 0; i < READERS; i++)
        store_submit_read(b->queue, read_on, NULL, b);
    wait_for(b);
    store_queue_destroy(b->queue); // the readers have ended
    fixture_reopen(&b->f);
    b->queue = store_queue_create(b->f.store, b->answers);
    b->f.store = NULL;
    assert_int_not_equal(b->seen_at, 0);
    assert_in_range(b->seen_at - b->submitted_at, 1, (WRITERS + 1) * TURN);
}

// ---- What a read sees -----------------------------------------------------------------------------------------------

static enum status list_root(struct span fragment, const struct hash *hash, const struct hash *id_hash, void *arg)
{
    struct bench *b = arg;
    (void)fragment;
    (void)hash;
    (void)id_hash;
    b->roots++;
    return STATUS_OK;
}

static enum status look(struct store *s, void *arg, struct error *e)
{
    struct bench *b = arg;
    b->roots = 0;
    b->seen = store_presence(s, &b->shown[b->attempt].hash);
    b->wrote = store_put(s, &b->written[1], NULL, NULL);
    enum status status = store_totals(s, &b->totals, e);
    if (status == STATUS_OK)
        status = store_roots_version(s, &b->bob, &b->version, e);
    return status == STATUS_OK ? store_roots(s, &b->bob, list_root, b, NULL, e) : status;
}

static void looked(void *arg, enum status status, const struct error *e)
{
    struct bench *b = arg;
    b->between = !b->committed;
    count(b, status, e);
}

static void shown(void *arg, enum status status, const struct error *e)
{
    struct bench *b = arg;
    b->committed = true;
    count(b, status, e);
}

static enum status do_nothing(struct store *s, void *arg, struct error *e)
{
    (void)s;
    (void)arg;
    (void)e;
    return STATUS_OK;
}

// While its transaction stays open for the job behind it, a read comes.
static enum status show(struct store *s, void *arg, struct error *e)
{
    struct bench *b = arg;
    struct version_result result;
    enum status status = store_put(s, &b->shown[b->attempt], NULL, e);
    if (status == STATUS_OK)
        status = version_store(store_versions(s), b->grants[b->attempt].value, VERSION_CHANGE, 1, &result, e);
    store_submit_read(b->queue, look, looked, b);
    store_submit(b->queue, do_nothing, count, b);
    return status;
}

static void look_now(struct bench *b)
{
    b->asked++;
    store_submit_read(b->queue, look, count, b);
    wait_for(b);
}

// Until a read has come in between: on a slow machine the batch may have been closed by its time.
static void show_and_look(struct bench *b)
{
    for (b->attempt = 0; b->attempt < ATTEMPTS; b->attempt++) {
        look_now(b);
        struct store_totals before = b->totals;
        uint64_t version = b->version;
        size_t roots = b->roots;
        b->committed = false;
        b->asked += 3;
        store_submit(b->queue, show, shown, b);
        wait_for(b);
        if (!b->between)
            continue;
        assert_int_equal(b->seen, STORE_ABSENT);
        assert_int_equal(b->wrote, STATUS_INTERNAL); // NO-TRANSACTION, although one is open
        assert_int_equal(b->totals.objects, before.objects);
        assert_int_equal(b->version, version);
        assert_int_equal(b->roots, roots);
        look_now(b); // what was acknowledged is seen
        assert_int_equal(b->seen, STORE_PRESENT);
        assert_true(b->totals.objects > before.objects);
        assert_int_not_equal(b->version, version);
        assert_int_equal(b->roots, roots + 1);
        return;
    }
    fail_msg("no read came between");
}

static void reads_see_nothing_uncommitted(void **state)
{
    show_and_look(*state);
}

static enum status stop_at_once(const struct hash *hash, const struct store_info *info, void *arg, struct error *e)
{
    (void)hash;
    (void)info;
    (void)arg;
    return error_set(e, STATUS_CONFLICT, "ENOUGH", "The test wants it so");
}

static enum status look_in_part(struct store *s, void *arg, struct error *e)
{
    struct error why = {0};
    (void)store_each(s, stop_at_once, NULL, &why);
    return look(s, arg, e);
}

static enum status show_and_be_left(struct store *s, void *arg, struct error *e)
{
    struct bench *b = arg;
    enum status status = store_put(s, &b->written[0], NULL, e);
    store_submit_read(b->queue, look_in_part, count, b);
    store_submit(b->queue, do_nothing, count, b);
    return status;
}

// Whoever stops in the middle of a result does not keep the others at an old state.
static void every_turn_sees_the_state_of_its_time(void **state)
{
    struct bench *b = *state;
    b->asked += 3;
    store_submit(b->queue, show_and_be_left, count, b);
    wait_for(b);
    show_and_look(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_queue, close_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_do_not_starve_writes),
        TEST(reads_see_nothing_uncommitted),
        TEST(every_turn_sees_the_state_of_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
