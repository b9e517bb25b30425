// Kills a process that deletes 12 objects at every single operation on the disk: what was acknowledged as deleted stays
// so, what was not is whole or deleted, and in the end no file of anything deleted is left. CRASH_STEP=k tries every
// k-th operation only.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"
#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/io_fault.h"
#include "store/store.h"

enum { OBJECTS = 12, PER_TRANSACTION = 4, BIG_EVERY = 3, BIG_SIZE = 100000 };

struct stage {
    char dir[40]; // in memory if possible: a killed process does not ask whether its disk is fast
    struct recipes *recipes;
    struct arena *arena;
    struct object objects[OBJECTS];
};

static void make_objects(struct stage *g)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct value *v = value_object(g->arena, SPAN("PhoneNumber"));
        size_t size = i % BIG_EVERY == 0 ? BIG_SIZE : 10;
        char *number = arena_alloc(g->arena, size + 8);
        int len = snprintf(number, 8, "%d ", i);
        memset(number + len, '7', size);
        value_set_member(g->arena, v, SPAN("number"),
                         value_string(g->arena, (struct span){number, (size_t)len + size}));
        assert_int_equal(object_make(g->recipes, g->arena, v, MICRODATA_OBJECT, &g->objects[i], NULL), STATUS_OK);
    }
}

static struct store *open_store(struct stage *g)
{
    const struct store_options options = {.dir = g->dir, .kind = STORE_ARCHIVE, .recipes = g->recipes};
    struct store *s = NULL;
    struct error e = {0};
    if (store_open(&options, &s, NULL, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return s;
}

static bool settle(struct store *s)
{
    bool more = true;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && more)
        status = store_maintain(s, 1, &more, NULL);
    return status == STATUS_OK;
}

static void begin_stage(struct stage *g)
{
    snprintf(g->dir, sizeof g->dir, "%s/tandem-crash-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(g->dir));
    g->recipes = recipes_create(true);
    g->arena = arena_create();
    make_objects(g);
    struct store *s = open_store(g);
    assert_int_equal(store_begin(s, NULL), STATUS_OK);
    for (int i = 0; i < OBJECTS; i++)
        assert_int_equal(store_put(s, &g->objects[i], NULL, NULL), STATUS_OK);
    assert_int_equal(store_commit(s, NULL), STATUS_OK);
    assert_true(settle(s));
    store_close(s);
}

static void end_stage(struct stage *g)
{
    recipes_destroy(g->recipes);
    arena_destroy(g->arena);
    assert_int_equal(folder_remove_tree(g->dir, NULL), STATUS_OK);
}

// Tells each transaction that is through.
static void child_main(struct stage *g, const char *script, int told)
{
    if (!fault_script(script))
        _exit(3);
    struct store *s = open_store(g);
    for (int i = 0; i < OBJECTS; i++) {
        if (i % PER_TRANSACTION == 0 && store_begin(s, NULL) != STATUS_OK)
            _exit(4);
        if (store_delete(s, &g->objects[i].hash, NULL) != STATUS_OK)
            _exit(5);
        bool last = i % PER_TRANSACTION == PER_TRANSACTION - 1;
        if (last && (store_commit(s, NULL) != STATUS_OK || write(told, "x", 1) != 1))
            _exit(6);
    }
    bool settled = settle(s);
    store_close(s);
    _exit(settled ? 0 : 7);
}

// How many were acknowledged; *finished: the child was not killed.
static int run_child(struct stage *g, const char *script, bool *finished)
{
    int ends[2];
    int ended;
    int deleted = 0;
    char byte;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_main(g, script, ends[1]);
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        deleted += PER_TRANSACTION;
    close(ends[0]);
    assert_int_equal(waitpid(child, &ended, 0), child);
    *finished = WIFEXITED(ended);
    assert_int_equal(*finished ? WEXITSTATUS(ended) : WTERMSIG(ended), *finished ? 0 : SIGKILL);
    return deleted;
}

static bool has_file(const struct stage *g, const struct hash *hash)
{
    char path[160];
    struct hash_text t = hash_text(hash);
    snprintf(path, sizeof path, "%s/objects/%.2s/%s", g->dir, t.s, t.s);
    return file_exists(path);
}

static bool try(const char *effect, int n)
{
    struct stage g;
    struct span text;
    char script[40];
    bool finished;
    begin_stage(&g);
    snprintf(script, sizeof script, "any:%d:%s", n, effect);
    int acknowledged = run_child(&g, script, &finished);
    struct store *s = open_store(&g);
    assert_true(settle(s));
    for (int i = 0; i < OBJECTS; i++) {
        const struct hash *hash = &g.objects[i].hash;
        bool deleted = store_is_deleted(s, hash);
        assert_true(deleted || i >= acknowledged);
        assert_int_equal(store_get(s, hash, g.arena, &text, NULL), deleted ? STATUS_NOT_FOUND : STATUS_OK);
        assert_int_equal(has_file(&g, hash), !deleted);
    }
    store_close(s);
    end_stage(&g);
    return finished;
}

static void killed_at_every_operation(void **state)
{
    const char *step = getenv("CRASH_STEP");
    int n = 1;
    (void)state;
    while (!try("kill", n))
        n += step != NULL && atoi(step) > 0 ? atoi(step) : 1;
    print_message("%d operations\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_at_every_operation)};
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_ERROR, "crash");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
