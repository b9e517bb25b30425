// A disk that refuses: full, read-only, failing syncs. Built with the fault libraries in place of the system calls.
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/clock.h"
#include "fixture.h"
#include "io/io_fault.h"
#include "store/queue.h"

static int open_archive(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    fault_script(NULL);
    fixture_open(f, STORE_ARCHIVE);
    *state = f;
    return 0;
}

static int close_store(void **state)
{
    fault_script(NULL);
    fixture_close(*state);
    free(*state);
    return 0;
}

// A transaction with small things and a big file; what it puts is named after round.
static enum status work(struct fixture *f, int round, struct object *o, struct error *e)
{
    char name[40];
    struct store_writer *w = NULL;
    struct hash hash;
    snprintf(name, sizeof name, "round %d", round);
    *o = fixture_leaf(f, name);
    char *bytes = arena_alloc(f->arena, 200000);
    snprintf(bytes, sizeof name, "%s", name);
    enum status status = store_begin(f->store, e);
    if (status != STATUS_OK)
        return status;
    status = store_put(f->store, o, NULL, e);
    if (status == STATUS_OK)
        status = store_writer_create(f->store, false, &w, e);
    if (status == STATUS_OK)
        status = store_writer_add(w, (struct span){bytes, 200000}, e);
    if (status == STATUS_OK)
        status = store_writer_finish(w, NULL, &hash, NULL, e);
    store_writer_destroy(w);
    if (status == STATUS_OK)
        return store_commit(f->store, e);
    store_rollback(f->store);
    return status;
}

// Lets every write from the n-th on fail, for every n until the work gets through.
static void refuse_every_write(struct fixture *f, const char *error, const char *code)
{
    for (int n = 1;; n++) {
        struct object o;
        struct error e = {0};
        char script[40];
        assert_true(n < 500);
        snprintf(script, sizeof script, "any:%d+:%s", n, error);
        assert_true(fault_script(script));
        enum status status = work(f, n, &o, &e);
        uint64_t seen = fault_count();
        fault_script(NULL);
        if (status != STATUS_OK) {
            assert_string_equal(e.code, code);
            if (store_presence(f->store, &o.hash) != STORE_ABSENT)
                fixture_reopen(f);
            assert_int_equal(store_presence(f->store, &o.hash), STORE_ABSENT);
        } else {
            assert_int_equal(store_presence(f->store, &o.hash), STORE_PRESENT);
            if (seen < (uint64_t)n)
                return;
        }
        struct object again;
        struct error why = {0};
        if (work(f, 1000 + n, &again, &why) != STATUS_OK) // with room again everything works
            fail_msg("%s: %s", why.code, why.message);
    }
}

static void full_disk_is_told_and_survived(void **state)
{
    refuse_every_write(*state, "ENOSPC", "DISK-FULL");
}

static void read_only_disk_is_told_and_survived(void **state)
{
    refuse_every_write(*state, "EROFS", "DISK-READ-ONLY");
}

static void opening_on_a_read_only_disk_is_told(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    f->store = NULL;
    struct store_options options = {.dir = f->dir, .kind = f->kind, .recipes = f->recipes};
    for (int n = 1; n < 40; n++) {
        struct store *s;
        struct error e = {0};
        char script[40];
        snprintf(script, sizeof script, "any:%d+:EROFS", n);
        fault_script(script);
        enum status status = store_open(&options, &s, NULL, &e);
        fault_script(NULL);
        if (status == STATUS_OK)
            store_close(s);
        else
            assert_string_equal(e.code, "DISK-READ-ONLY");
    }
    fixture_reopen(f);
    assert_false(f->report.rebuilt);
}

static void failed_sync_stops_the_store(void **state)
{
    struct fixture *f = *state;
    struct object o;
    struct object next;
    struct error e = {0};
    assert_true(fault_script("fsync:1+:EIO"));
    o = fixture_leaf(f, "1");
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_put(f->store, &o, NULL, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, &e), STATUS_IO);
    fault_script(NULL);
    assert_int_equal(store_begin(f->store, &e), STATUS_IO);
    assert_string_equal(e.code, "STORE-FAILED");
    fixture_reopen(f);
    assert_int_equal(work(f, 2, &next, &e), STATUS_OK);
}

static void failed_settling_loses_nothing(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_person(f, "a@b", NULL);
    struct hash id = fixture_change(f, &o);
    for (int n = 1; n < 60; n++) {
        struct error e = {0};
        struct object now;
        char script[40];
        bool more = true;
        snprintf(script, sizeof script, "any:%d+:ENOSPC", n);
        fault_script(script);
        while (more && store_maintain(f->store, 1, &more, &e) == STATUS_OK)
            ;
        fault_script(NULL);
        assert_int_equal(store_current(f->store, &id, f->arena, &now, NULL), STATUS_OK);
        assert_true(hash_eq(&now.hash, &o.hash));
        fixture_reopen(f);
    }
    fixture_settle(f);
}

static bool lies_there(struct fixture *f, const struct hash *hash)
{
    struct hash_text t = hash_text(hash);
    return access(arena_printf(f->arena, "%s/objects/%.2s/%s", f->dir, t.s, t.s).ptr, F_OK) == 0;
}

static void a_file_that_stays_is_removed_later(void **state)
{
    struct fixture *f = *state;
    struct object o = fixture_leaf(f, "to go");
    struct error e = {0};
    bool more = true;
    enum status status = STATUS_OK;
    fixture_put(f, &o);
    fixture_settle(f);
    assert_int_equal(store_begin(f->store, NULL), STATUS_OK);
    assert_int_equal(store_delete(f->store, &o.hash, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_true(fault_script("unlink:1+:EIO"));
    while (more && status == STATUS_OK)
        status = store_maintain(f->store, 1, &more, &e);
    fault_script(NULL);
    assert_int_equal(status, STATUS_IO);
    assert_true(lies_there(f, &o.hash));
    fixture_settle(f);
    assert_false(lies_there(f, &o.hash));
}

// As one that was made before databases got shorter.
static void make_long(struct fixture *f)
{
    static const char text[] = "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM";
    sqlite3 *db;
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(sqlite3_open(fixture_path(f, "store.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static bool tells_of_room(struct fixture *f, const char *script)
{
    struct store_options options = {.dir = f->dir, .kind = f->kind, .recipes = f->recipes};
    fault_script(script);
    enum status status = store_open(&options, &f->store, &f->report, NULL);
    fault_script(NULL);
    return status == STATUS_OK && strstr(f->report.note, "no room") != NULL;
}

static void a_database_that_stays_long_is_told(void **state)
{
    struct fixture *f = *state;
    bool told = false;
    for (int n = 1; n < 60 && !told; n++) {
        char script[40];
        make_long(f);
        snprintf(script, sizeof script, "write:%d+:ENOSPC", n);
        told = tells_of_room(f, script);
    }
    assert_true(told);
    fixture_reopen(f);
    assert_null(strstr(f->report.note, "no room"));
}

// ---- Through the queue ----------------------------------------------------------------------------------------------

struct task {
    struct object object;
    size_t *done;
    enum status status;
    char code[40];
};

static enum status put(struct store *s, void *arg, struct error *e)
{
    const struct task *t = arg;
    return store_put(s, &t->object, NULL, e);
}

static void note(void *arg, enum status status, const struct error *e)
{
    struct task *t = arg;
    t->status = status;
    snprintf(t->code, sizeof t->code, "%s", e->code);
    ++*t->done;
}

static void run_tasks(struct store_queue *q, struct mailbox *answers, struct task *tasks, size_t count)
{
    size_t done = 0;
    uint64_t deadline = clock_monotonic_ms() + 30000;
    for (size_t i = 0; i < count; i++) {
        tasks[i].done = &done;
        store_submit(q, put, note, &tasks[i]);
    }
    while (done < count) {
        struct pollfd fd = {.fd = mailbox_fd(answers), .events = POLLIN};
        assert_true(clock_monotonic_ms() < deadline);
        poll(&fd, 1, 100);
        mailbox_drain(answers);
    }
}

static void full_disk_fails_jobs_but_not_the_queue(void **state)
{
    enum { COUNT = 40, TEXT = 60000 };
    struct fixture *f = *state;
    struct mailbox *answers = mailbox_create();
    struct store_queue *q = store_queue_create(f->store, answers);
    struct task *tasks = mem_array(COUNT, sizeof *tasks);
    char *text = mem_alloc(TEXT + 1);
    f->store = NULL;
    for (int n = 1; n < 200; n += 13) { // big jobs, so that some writes happen before the commit
        char script[40];
        bool refused = false;
        memset(text, 'a' + n % 26, TEXT);
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, 20, "%d %d", n, i);
            tasks[i] = (struct task){.object = fixture_leaf(f, text)};
            text[strlen(text)] = '.';
        }
        snprintf(script, sizeof script, "write:%d+:ENOSPC", n);
        fault_script(script);
        run_tasks(q, answers, tasks, COUNT);
        fault_script(NULL);
        for (int i = 0; i < COUNT; i++) {
            if (tasks[i].status != STATUS_OK)
                assert_string_equal(tasks[i].code, "DISK-FULL");
            refused = refused || tasks[i].status != STATUS_OK;
        }
        assert_true(refused || n > 1);
        run_tasks(q, answers, tasks, COUNT);
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(tasks[i].status, STATUS_OK);
    }
    store_queue_destroy(q);
    mailbox_drain(answers);
    mailbox_destroy(answers);
    free(tasks);
    free(text);
}

// A piece that is sent again after one that failed must not make a file with a hole in it.
static void a_writer_that_failed_stays_failed(void **state)
{
    struct fixture *f = *state;
    struct store_writer *w;
    struct hash hash;
    struct error e = {0};
    const char *bytes = arena_alloc(f->arena, 200000);
    assert_int_equal(store_begin(f->store, &e), STATUS_OK);
    assert_int_equal(store_writer_create(f->store, false, &w, &e), STATUS_OK);
    assert_int_equal(store_writer_add(w, (struct span){bytes, 200000}, &e), STATUS_OK);
    assert_true(fault_script("write:1:ENOSPC"));
    assert_int_equal(store_writer_add(w, (struct span){bytes, 200000}, &e), STATUS_FULL);
    fault_script(NULL);
    assert_int_equal(store_writer_add(w, (struct span){bytes, 200000}, &e), STATUS_IO);
    assert_int_equal(store_writer_finish(w, NULL, &hash, NULL, &e), STATUS_IO);
    store_writer_destroy(w);
    store_rollback(f->store);
}

static void scripts_are_checked(void **state)
{
    (void)state;
    assert_true(fault_script("write:1:kill"));
    assert_true(fault_script("any:12+:EIO"));
    assert_false(fault_script("write"));
    assert_false(fault_script("wrote:1:kill"));
    assert_false(fault_script("write:0:kill"));
    assert_false(fault_script("write:1:maim"));
    assert_true(fault_script(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_archive, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_disk_is_told_and_survived),      TEST(read_only_disk_is_told_and_survived),
        TEST(opening_on_a_read_only_disk_is_told), TEST(failed_sync_stops_the_store),
        TEST(failed_settling_loses_nothing),       TEST(full_disk_fails_jobs_but_not_the_queue),
        TEST(a_writer_that_failed_stays_failed),   TEST(scripts_are_checked),
        TEST(a_file_that_stays_is_removed_later),  TEST(a_database_that_stays_long_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
