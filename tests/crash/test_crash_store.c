// Kills a process that stores 50 objects at every single operation on the disk, and looks at what is left: nothing that
// was acknowledged may be missing or wrong. CRASH_STEP=k tries every k-th operation, default STEP.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"
#include "base/clock.h"
#include "base/log.h"
#include "io/folder.h"
#include "io/io_fault.h"
#include "store/queue.h"

enum { OBJECTS = 50, BIG_EVERY = 17, BIG_SIZE = 100000, DEADLINE_MS = 60000, STEP = 29 };

// ---- The child ------------------------------------------------------------------------------------------------------

struct child {
    struct recipes *recipes;
    struct arena *arena;
    int acknowledge;
    int answered;
};

struct task {
    struct child *child;
    int number;
};

// Persons with a growing history, so that objects, id objects, nodes and heads are written; now and then a big one.
static struct value *sample(struct arena *a, int number)
{
    char email[40];
    struct value *v = value_object(a, SPAN("Person"));
    snprintf(email, sizeof email, "%d@example.com", number % 10);
    value_set_member(a, v, SPAN("email"), value_text(a, email));
    size_t size = number % BIG_EVERY == BIG_EVERY - 1 ? BIG_SIZE : 10;
    char *name = arena_alloc(a, size + 20);
    int len = snprintf(name, 20, "%d ", number);
    memset(name + len, 'n', size);
    value_set_member(a, v, SPAN("name"), value_string(a, (struct span){name, (size_t)len + size}));
    return v;
}

static enum status store_one(struct store *s, void *arg, struct error *e)
{
    const struct task *t = arg;
    struct arena *a = arena_create();
    struct version_result result;
    enum status status =
        version_store(store_versions(s), sample(a, t->number), VERSION_CHANGE, 1000.0 + t->number, &result, e);
    arena_destroy(a);
    return status;
}

static void acknowledge(void *arg, enum status status, const struct error *e)
{
    const struct task *t = arg;
    unsigned char number = (unsigned char)t->number;
    if (status != STATUS_OK || write(t->child->acknowledge, &number, 1) != 1) {
        fprintf(stderr, "child: %s %s\n", e->code, e->message);
        _exit(2);
    }
    t->child->answered++;
}

static void run_until(struct mailbox *m, const int *counter, int wanted)
{
    uint64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (*counter < wanted && clock_monotonic_ms() < deadline) {
        struct pollfd fd = {.fd = mailbox_fd(m), .events = POLLIN};
        poll(&fd, 1, 100);
        mailbox_drain(m);
    }
}

// Stores in bursts, as a synchronization does, then settles.
static void child_main(const char *dir, const char *script, int acknowledge_fd)
{
    struct child c = {.recipes = recipes_create(true), .arena = arena_create(), .acknowledge = acknowledge_fd};
    struct store_options options = {.dir = dir, .kind = STORE_ARCHIVE, .recipes = c.recipes};
    struct mailbox *answers = mailbox_create();
    struct task tasks[OBJECTS];
    struct store *s;
    struct error e = {0};
    if (!fault_script(script) || store_open(&options, &s, NULL, &e) != STATUS_OK)
        _exit(3);
    struct store_queue *q = store_queue_create(s, answers);
    for (int i = 0; i < OBJECTS; i++) {
        tasks[i] = (struct task){&c, i};
        store_submit(q, store_one, acknowledge, &tasks[i]);
        if (i % 10 == 9)
            run_until(answers, &c.answered, i + 1);
    }
    run_until(answers, &c.answered, OBJECTS);
    store_queue_destroy(q);
    bool more = store_open(&options, &s, NULL, &e) == STATUS_OK;
    while (more && store_maintain(s, 1, &more, &e) == STATUS_OK)
        ;
    store_close(s);
    _exit(c.answered == OBJECTS ? 0 : 4);
}

// ---- The parent -----------------------------------------------------------------------------------------------------

struct outcome {
    bool acknowledged[OBJECTS];
    bool finished; // the child was not killed
};

static void run_child(const char *dir, const char *script, struct outcome *o)
{
    int ends[2];
    int ended;
    unsigned char number;
    memset(o, 0, sizeof *o);
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        child_main(dir, script, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &number, 1) == 1)
        o->acknowledged[number] = true;
    close(ends[0]);
    assert_int_equal(waitpid(child, &ended, 0), child);
    o->finished = WIFEXITED(ended);
    if (o->finished)
        assert_int_equal(WEXITSTATUS(ended), 0);
    else
        assert_int_equal(WTERMSIG(ended), SIGKILL);
}

static struct store *open_again(const char *dir, struct recipes *r)
{
    struct store_options options = {.dir = dir, .kind = STORE_ARCHIVE, .recipes = r};
    struct store *s;
    struct error e = {0};
    struct store_report report;
    if (store_open(&options, &s, &report, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    assert_int_equal(report.lost_objects, 0);
    return s;
}

static void check_one(struct store *s, const struct recipes *r, int number, bool acknowledged)
{
    struct arena *a = arena_create();
    struct object o;
    struct span text;
    struct error e = {0};
    assert_int_equal(object_make(r, a, sample(a, number), MICRODATA_OBJECT, &o, NULL), STATUS_OK);
    enum status status = store_get(s, &o.hash, a, &text, &e);
    if (acknowledged && status != STATUS_OK)
        fail_msg("object %d was acknowledged but is lost: %s %s", number, e.code, e.message);
    assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
    arena_destroy(a);
}

// The head of an id is its newest acknowledged version, or a later one that was stored but not acknowledged in time.
static void check_head(struct store *s, const struct recipes *r, int person, const struct outcome *o)
{
    struct arena *a = arena_create();
    struct object any;
    struct object now;
    struct span name;
    int newest = -1;
    int found = -1;
    for (int i = person; i < OBJECTS; i += 10)
        newest = o->acknowledged[i] ? i : newest;
    assert_int_equal(object_make(r, a, sample(a, person), MICRODATA_OBJECT, &any, NULL), STATUS_OK);
    if (store_current(s, &any.id_hash, a, &now, NULL) == STATUS_OK && value_get_string(now.value, "name", &name))
        found = atoi(name.ptr);
    assert_true(found >= newest);
    arena_destroy(a);
}

static bool try(const char *effect, int n)
{
    char dir[40]; // in memory if possible: a killed process does not ask whether its disk is fast
    snprintf(dir, sizeof dir, "%s/tandem-crash-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    char script[40];
    struct outcome o;
    struct recipes *r = recipes_create(true);
    assert_non_null(mkdtemp(dir));
    snprintf(script, sizeof script, "any:%d:%s", n, effect);
    run_child(dir, script, &o);
    struct store *s = open_again(dir, r);
    for (int i = 0; i < OBJECTS; i++)
        check_one(s, r, i, o.acknowledged[i]);
    for (int person = 0; person < 10; person++)
        check_head(s, r, person, &o);
    store_close(s);
    recipes_destroy(r);
    assert_int_equal(folder_remove_tree(dir, NULL), STATUS_OK);
    return o.finished;
}

static int step(void)
{
    const char *text = getenv("CRASH_STEP");
    return text != NULL && atoi(text) > 0 ? atoi(text) : STEP;
}

static void killed_at_every_operation(void **state)
{
    (void)state;
    int n = 1;
    while (!try("kill", n))
        n += step();
    print_message("%d operations\n", n);
}

static void killed_in_the_middle_of_writes(void **state)
{
    (void)state;
    for (int n = 1; !try("torn", n);)
        n += step();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_every_operation),
        cmocka_unit_test(killed_in_the_middle_of_writes),
    };
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_ERROR, "crash");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
