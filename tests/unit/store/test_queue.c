// The store thread: many jobs, failures between good ones, order of changes, back-pressure, the end.
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/clock.h"
#include "data/versionnode.h"
#include "fixture.h"
#include "store/queue.h"

enum { DEADLINE_MS = 30000 };

struct bench {
    struct fixture f;
    struct mailbox *answers;
    struct store_queue *queue;
    size_t done;
    size_t failed;
    size_t changed;
    char changed_types[4096];
};

static int open_queue(void **state)
{
    struct bench *b = mem_alloc(sizeof *b);
    fixture_open(&b->f, STORE_ARCHIVE);
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

static void wait_for(struct bench *b, const size_t *counter, size_t wanted)
{
    uint64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (*counter < wanted) {
        struct pollfd fd = {.fd = mailbox_fd(b->answers), .events = POLLIN};
        assert_true(clock_monotonic_ms() < deadline);
        poll(&fd, 1, 100);
        mailbox_drain(b->answers);
    }
}

struct task {
    struct bench *bench;
    struct object object;
    size_t number;
    bool fail;
    enum store_presence seen;
};

static enum status put(struct store *s, void *arg, struct error *e)
{
    const struct task *t = arg;
    enum status status = store_put(s, &t->object, NULL, e);
    if (status == STATUS_OK && t->fail)
        return error_set(e, STATUS_CONFLICT, "NO", "The test wants it so");
    return status;
}

static void count(void *arg, enum status status, const struct error *e)
{
    struct task *t = arg;
    assert_int_equal(t->number, t->bench->done + t->bench->failed); // in the order of submission
    if (status == STATUS_OK) {
        t->bench->done++;
    } else {
        assert_string_equal(e->code, "NO");
        t->bench->failed++;
    }
}

static enum status look(struct store *s, void *arg, struct error *e)
{
    (void)e;
    struct task *t = arg;
    t->seen = store_presence(s, &t->object.hash);
    return STATUS_OK;
}

static void count_read(void *arg, enum status status, const struct error *e)
{
    (void)e;
    struct task *t = arg;
    assert_int_equal(status, STATUS_OK);
    t->bench->done++;
}

static struct task *make_tasks(struct bench *b, size_t count)
{
    struct task *tasks = mem_array(count, sizeof *tasks);
    for (size_t i = 0; i < count; i++) {
        char name[30];
        snprintf(name, sizeof name, "%zu", i);
        tasks[i] = (struct task){.bench = b, .number = i, .object = fixture_leaf(&b->f, name)};
    }
    return tasks;
}

static void failing_jobs_disturb_nobody(void **state)
{
    enum { COUNT = 3000 };
    struct bench *b = *state;
    struct task *tasks = make_tasks(b, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i].fail = i % 3 == 1;
        store_submit(b->queue, put, count, &tasks[i]);
    }
    size_t *sum = &b->done;
    wait_for(b, sum, COUNT - COUNT / 3);
    wait_for(b, &b->failed, COUNT / 3);
    b->done = 0;
    for (size_t i = 0; i < COUNT; i++)
        store_submit_read(b->queue, look, count_read, &tasks[i]);
    wait_for(b, &b->done, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(tasks[i].seen, tasks[i].fail ? STORE_ABSENT : STORE_PRESENT);
    free(tasks);
}

static void hear(const struct store_change *changes, size_t count_of, void *ctx)
{
    struct bench *b = ctx;
    for (size_t i = 0; i < count_of; i++) {
        size_t len = strlen(b->changed_types);
        if (b->changed < 20)
            snprintf(b->changed_types + len, sizeof b->changed_types - len, "%s%s ",
                     changes[i].kind == STORE_CHANGE_HEAD ? "head:" : "", changes[i].type);
        b->changed++;
    }
}

static enum status change(struct store *s, void *arg, struct error *e)
{
    const struct task *t = arg;
    struct version_result result;
    return version_store(store_versions(s), t->object.value, VERSION_CHANGE, (double)t->number, &result, e);
}

static void changes_arrive_after_commit_in_order(void **state)
{
    struct bench *b = *state;
    store_queue_on_changes(b->queue, hear, b);
    struct task tasks[] = {
        {.bench = b, .number = 0, .object = fixture_leaf(&b->f, "1")},
        {.bench = b, .number = 1, .object = fixture_leaf(&b->f, "2"), .fail = true},
        {.bench = b, .number = 2, .object = fixture_person(&b->f, "a@b", NULL)},
    };
    store_submit(b->queue, put, count, &tasks[0]);
    store_submit(b->queue, put, count, &tasks[1]);
    store_submit(b->queue, change, count, &tasks[2]);
    wait_for(b, &b->done, 2);
    wait_for(b, &b->changed, 5);
    assert_string_equal(b->changed_types, "PhoneNumber Person Person VersionNodeEdge head:Person ");
}

// Somebody writes on top of the version that is here, and so do we.
struct apart {
    struct task task;
    struct object theirs;
};

static enum status write_apart(struct store *s, void *arg, struct error *e)
{
    const struct apart *a = arg;
    const struct version_source *v = store_versions(s);
    struct hash head;
    struct version_result result;
    struct versionnode node = {.kind = VERSIONNODE_CHANGE, .data = a->theirs.hash, .depth = 1, .creation_time = 1e12};
    enum status status = store_head(s, &a->theirs.id_hash, &head, e);
    node.before = &head;
    node.before_count = 1;
    if (status == STATUS_OK)
        status = store_put(s, &a->theirs, NULL, e);
    if (status == STATUS_OK)
        status = versionnode_write(v, &node, e);
    if (status == STATUS_OK)
        status = version_store(v, a->task.object.value, VERSION_CHANGE, 1, &result, e);
    if (status == STATUS_OK)
        status = version_follow(v, &node.hash, &result, e);
    return status == STATUS_OK && a->task.fail ? error_set(e, STATUS_CONFLICT, "NO", "The test wants it so") : status;
}

static void hear_of_losses(const struct store_change *changes, size_t count_of, void *ctx)
{
    struct bench *b = ctx;
    for (size_t i = 0; i < count_of; i++) {
        const struct store_loss *loss = changes[i].loss;
        size_t len = strlen(b->changed_types);
        assert_int_equal(loss != NULL, changes[i].kind == STORE_CHANGE_LOSS);
        b->changed += loss != NULL;
        if (loss != NULL)
            snprintf(b->changed_types + len, sizeof b->changed_types - len, "%s %s=%.8s %zu %d %s ", changes[i].type,
                     loss->property, loss->value, strlen(loss->value), loss->is_cut, hash_text(&changes[i].hash).s);
    }
}

static void what_is_lost_is_told_once_it_is(void **state)
{
    struct bench *b = *state;
    char name[STORE_LOSS_VALUE + 2] = "a";
    char wanted[200];
    for (size_t i = 1; i < sizeof name - 1; i++)
        name[i] = "\xc3\xbc"[(i - 1) % 2]; // the last that there is room for would be cut in the middle
    store_queue_on_changes(b->queue, hear_of_losses, b);
    struct task begun = {.bench = b, .object = fixture_person(&b->f, "a@b", "begun")};
    struct object theirs = fixture_person(&b->f, "a@b", "theirs");
    struct apart tries[] = {
        {{.bench = b, .object = fixture_person(&b->f, "a@b", "mine"), .number = 1, .fail = true}, theirs},
        {{.bench = b, .object = fixture_person(&b->f, "a@b", name), .number = 2}, theirs},
    };
    store_submit(b->queue, change, count, &begun);
    store_submit(b->queue, write_apart, count, &tries[0]);
    store_submit(b->queue, write_apart, count, &tries[1]);
    wait_for(b, &b->done, 2);
    wait_for(b, &b->changed, 1);
    assert_int_equal(b->failed, 1);
    snprintf(wanted, sizeof wanted, "Person name=\"a\xc3\xbc\xc3\xbc\xc3\xbc 254 1 %s ",
             hash_text(&tries[1].task.object.hash).s);
    assert_string_equal(b->changed_types, wanted);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static enum status wait_at_gate(struct store *s, void *arg, struct error *e)
{
    (void)s;
    (void)arg;
    (void)e;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return STATUS_OK;
}

static void a_full_queue_says_so_until_half_of_it_is_done(void **state)
{
    enum { COUNT = STORE_QUEUE_FULL - 1 };
    struct bench *b = *state;
    struct task *tasks = make_tasks(b, COUNT);
    assert_false(store_queue_is_full(b->queue));
    pthread_mutex_lock(&gate);
    store_submit(b->queue, wait_at_gate, NULL, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        assert_false(store_queue_is_full(b->queue));
        store_submit(b->queue, put, count, &tasks[i]);
    }
    store_submit(b->queue, wait_at_gate, NULL, NULL); // the first may have begun
    bool full = store_queue_is_full(b->queue);
    pthread_mutex_unlock(&gate);
    assert_true(full);
    wait_for(b, &b->done, COUNT);
    assert_false(store_queue_is_full(b->queue));
    free(tasks);
}

static bool is_in_file(const struct bench *b, const struct object *o)
{
    char path[200];
    const struct hash_text digits = hash_text(&o->hash);
    snprintf(path, sizeof path, "%s/objects/%.2s/%s", b->f.dir, digits.s, digits.s);
    return access(path, F_OK) == 0;
}

// Writes one object after the other for a while; the first is in no file meanwhile. false: this machine paused for
// longer than a writer may, and it says nothing.
static bool write_steadily(struct bench *b, const char *name, struct object *first)
{
    enum { WHILE_MS = 1000, PAUSE_MS = 300 };
    bool steady = true;
    uint64_t begun = clock_monotonic_ms(), now = begun;
    for (size_t i = 0; steady && now - begun < WHILE_MS; i++) {
        struct task t = {.bench = b, .number = b->done};
        char leaf[60];
        snprintf(leaf, sizeof leaf, "%s %zu", name, i);
        t.object = fixture_leaf(&b->f, leaf);
        if (i == 0)
            *first = t.object;
        store_submit(b->queue, put, count, &t);
        wait_for(b, &b->done, t.number + 1);
        bool made = is_in_file(b, first);
        steady = clock_monotonic_ms() - now < PAUSE_MS;
        assert_false(steady && made);
        now = clock_monotonic_ms();
    }
    return steady;
}

// Files are made when nobody waits for anything else.
static void files_are_made_when_nobody_writes(void **state)
{
    struct bench *b = *state;
    bool steady = false;
    for (int round = 0; !steady; round++) {
        struct object first;
        char name[20];
        snprintf(name, sizeof name, "round %d", round);
        steady = write_steadily(b, name, &first);
        uint64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
        while (!is_in_file(b, &first)) {
            assert_true(clock_monotonic_ms() < deadline);
            usleep(1000);
        }
    }
}

// Each job submits the next: there is always one that waits.
struct chain {
    struct bench *bench;
    struct object first;
    size_t count;
    size_t bytes;
    size_t answered;
    uint64_t deadline;
    atomic_bool over;
};

static void count_answer(void *arg, enum status status, const struct error *e)
{
    struct chain *c = arg;
    (void)e;
    assert_int_equal(status, STATUS_OK);
    c->answered++;
}

// Many bytes, and then little ones until the first is in a file.
static enum status put_next(struct store *s, void *arg, struct error *e)
{
    enum { LONG = 60000, MANY = 66 << 20 };
    static char name[LONG + 1];
    struct chain *c = arg;
    int digits = snprintf(name, sizeof name, "%zu ", c->count);
    memset(name + digits, 'x', sizeof name - (size_t)digits - 1);
    name[c->bytes < MANY ? LONG : digits] = '\0';
    struct object o = fixture_leaf(&c->bench->f, name);
    if (c->count++ == 0)
        c->first = o;
    c->bytes += o.microdata.len;
    c->over = is_in_file(c->bench, &c->first) || clock_monotonic_ms() >= c->deadline;
    if (!c->over)
        store_submit(c->bench->queue, put_next, count_answer, c);
    return store_put(s, &o, NULL, e);
}

// Much that waits for its file does not wait until nobody writes.
static void files_are_made_when_much_is_written(void **state)
{
    struct bench *b = *state;
    struct chain c = {.bench = b, .deadline = clock_monotonic_ms() + DEADLINE_MS};
    store_submit(b->queue, put_next, count_answer, &c);
    while (!c.over || c.answered < c.count) {
        struct pollfd fd = {.fd = mailbox_fd(b->answers), .events = POLLIN};
        poll(&fd, 1, 100);
        mailbox_drain(b->answers);
    }
    assert_true(is_in_file(b, &c.first));
}

static void destroying_finishes_what_was_submitted(void **state)
{
    enum { COUNT = 500 };
    struct bench *b = *state;
    struct task *tasks = make_tasks(b, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        store_submit(b->queue, put, count, &tasks[i]);
    store_queue_destroy(b->queue);
    b->queue = NULL;
    mailbox_drain(b->answers);
    assert_int_equal(b->done, COUNT);
    fixture_reopen(&b->f);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(store_presence(b->f.store, &tasks[i].object.hash), STORE_PRESENT);
    free(tasks);
}

// Settling may be about to begin, run or have ended when the end comes.
static void ending_at_any_moment(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 60; i++) {
        char name[30];
        snprintf(name, sizeof name, "moment %u", i);
        struct task t = {.bench = b, .object = fixture_leaf(&b->f, name)};
        b->done = 0;
        store_submit(b->queue, put, count, &t);
        wait_for(b, &b->done, 1);
        usleep(i * 50);
        store_queue_destroy(b->queue);
        mailbox_drain(b->answers);
        fixture_reopen(&b->f);
        b->queue = store_queue_create(b->f.store, b->answers);
        b->f.store = NULL;
    }
}

static enum status react(struct store *s, const struct store_change *c, void *ctx, struct error *e)
{
    (void)s;
    (void)ctx;
    if (strcmp(c->type, "Person") == 0)
        return error_set(e, STATUS_REFUSED, "NO", "The test wants it so");
    return STATUS_OK;
}

static enum status set_hook(struct store *s, void *arg, struct error *e)
{
    (void)arg;
    (void)e;
    store_set_hook(s, react, NULL);
    return STATUS_OK;
}

static void failing_reaction_fails_the_job(void **state)
{
    struct bench *b = *state;
    struct task tasks[] = {
        {.bench = b, .number = 0, .object = fixture_person(&b->f, "a@b", NULL)},
        {.bench = b, .number = 1, .object = fixture_leaf(&b->f, "1")},
    };
    store_submit(b->queue, set_hook, NULL, NULL);
    store_submit(b->queue, put, count, &tasks[0]);
    store_submit(b->queue, put, count, &tasks[1]);
    wait_for(b, &b->done, 1);
    assert_int_equal(b->failed, 1);
    b->done = 0;
    store_submit_read(b->queue, look, count_read, &tasks[0]);
    wait_for(b, &b->done, 1);
    assert_int_equal(tasks[0].seen, STORE_ABSENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_queue, close_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(failing_jobs_disturb_nobody),         TEST(changes_arrive_after_commit_in_order),
        TEST(what_is_lost_is_told_once_it_is),     TEST(a_full_queue_says_so_until_half_of_it_is_done),
        TEST(files_are_made_when_nobody_writes),   TEST(destroying_finishes_what_was_submitted),
        TEST(failing_reaction_fails_the_job),      TEST(ending_at_any_moment),
        TEST(files_are_made_when_much_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
