// Files, folders, temporary files and locks on a real file system.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/lock.h"
#include "io/temp.h"

static char dir[64];
static char path[200];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tandem-io-XXXXXX");
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return folder_remove_tree(dir, NULL) == STATUS_OK ? 0 : -1;
}

static const char *in_dir(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static enum status count_file(const struct folder_file *file, void *arg, struct error *e)
{
    (void)e;
    size_t *sums = arg;
    sums[0]++;
    sums[1] += file->size;
    return STATUS_OK;
}

static void written_file_reads_back(void **state)
{
    (void)state;
    struct buf text = {0};
    struct stat st;
    size_t sums[2] = {0};
    assert_int_equal(file_write(in_dir("a"), SPAN("one"), 0600, NULL), STATUS_OK);
    assert_int_equal(file_write(in_dir("a"), SPAN("second"), 0640, NULL), STATUS_OK);
    assert_int_equal(file_read(in_dir("a"), 100, &text, NULL), STATUS_OK);
    assert_true(span_eq(buf_span(&text), SPAN("second")));
    assert_int_equal(stat(in_dir("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(folder_walk(dir, count_file, sums, NULL), STATUS_OK);
    assert_int_equal(sums[0], 1); // no temporary file is left
    buf_free(&text);
}

static void reading_is_bounded(void **state)
{
    (void)state;
    struct buf text = {0};
    struct error e = {0};
    buf_add_text(&text, "before");
    assert_int_equal(file_write(in_dir("a"), SPAN("0123456789"), 0600, NULL), STATUS_OK);
    assert_int_equal(file_read(in_dir("a"), 9, &text, &e), STATUS_TOO_BIG);
    assert_string_equal(e.code, "TOO-BIG");
    assert_true(span_eq(buf_span(&text), SPAN("before")));
    assert_int_equal(file_read(in_dir("a"), 10, &text, NULL), STATUS_OK);
    assert_true(span_eq(buf_span(&text), SPAN("before0123456789")));
    buf_clear(&text);
    assert_int_equal(file_read_at(in_dir("a"), 8, 5, &text, NULL), STATUS_OK);
    assert_true(span_eq(buf_span(&text), SPAN("89")));
    assert_int_equal(file_read(in_dir("absent"), 10, &text, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "NOT-FOUND");
    buf_free(&text);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    char target[200];
    struct buf text = {0};
    size_t sums[2] = {0};
    snprintf(target, sizeof target, "%s-outside", dir);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, in_dir("link")), 0);
    snprintf(target, sizeof target, "%s-outside/kept", dir);
    assert_int_equal(file_write(target, SPAN("x"), 0600, NULL), STATUS_OK);
    assert_int_equal(symlink(target, in_dir("file")), 0);
    assert_int_not_equal(file_read(in_dir("file"), 10, &text, NULL), STATUS_OK);
    assert_int_equal(folder_walk(dir, count_file, sums, NULL), STATUS_OK);
    assert_int_equal(sums[0], 0);
    assert_int_equal(folder_remove_tree(dir, NULL), STATUS_OK);
    assert_true(file_exists(target));
    snprintf(target, sizeof target, "%s-outside", dir);
    assert_int_equal(folder_remove_tree(target, NULL), STATUS_OK);
}

static void folders_are_made_walked_and_removed(void **state)
{
    (void)state;
    size_t sums[2] = {0};
    assert_int_equal(folder_create(in_dir("x/y/z"), 0700, NULL), STATUS_OK);
    assert_int_equal(folder_create(in_dir("x/y/z"), 0700, NULL), STATUS_OK);
    assert_int_equal(file_write(in_dir("x/y/z/1"), SPAN("123"), 0600, NULL), STATUS_OK);
    assert_int_equal(file_write(in_dir("x/2"), SPAN("12345"), 0600, NULL), STATUS_OK);
    assert_int_equal(folder_walk(dir, count_file, sums, NULL), STATUS_OK);
    assert_int_equal(sums[0], 2);
    assert_int_equal(sums[1], 8);
    assert_int_equal(folder_remove_tree(in_dir("x"), NULL), STATUS_OK);
    assert_false(file_exists(in_dir("x")));
    assert_int_equal(folder_remove_tree(in_dir("x"), NULL), STATUS_OK);
    assert_int_equal(file_write(in_dir("plain"), SPAN("1"), 0600, NULL), STATUS_OK);
    assert_int_not_equal(folder_create(in_dir("plain/below"), 0700, NULL), STATUS_OK);
}

static void too_deep_trees_are_refused(void **state)
{
    (void)state;
    struct error e = {0};
    size_t sums[2] = {0};
    struct buf deep = {0};
    buf_add_text(&deep, dir);
    for (int i = 0; i <= FOLDER_MAX_DEPTH; i++) {
        buf_add_text(&deep, "/d");
        assert_int_equal(mkdir(buf_cstr(&deep), 0700), 0);
    }
    assert_int_equal(folder_walk(dir, count_file, sums, &e), STATUS_TOO_BIG);
    assert_string_equal(e.code, "TOO-DEEP");
    assert_int_equal(rmdir(buf_cstr(&deep)), 0);
    buf_free(&deep);
}

static void unpublished_file_disappears(void **state)
{
    (void)state;
    struct temp *t;
    size_t sums[2] = {0};
    assert_int_equal(temp_create(dir, 0600, &t, NULL), STATUS_OK);
    assert_int_equal(temp_add(t, SPAN("half"), NULL), STATUS_OK);
    assert_int_equal(folder_walk(dir, count_file, sums, NULL), STATUS_OK);
    assert_int_equal(sums[0], 1);
    temp_destroy(t);
    sums[0] = 0;
    assert_int_equal(folder_walk(dir, count_file, sums, NULL), STATUS_OK);
    assert_int_equal(sums[0], 0);
}

static int try_lock_in_child(void)
{
    int ended;
    pid_t child = fork();
    if (child == 0) {
        struct lock *l;
        struct error e = {0};
        enum status status = lock_acquire(path, &l, &e);
        _exit(status == STATUS_OK ? 0 : strcmp(e.code, "LOCKED") == 0 ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

static void lock_has_one_holder(void **state)
{
    (void)state;
    struct lock *l;
    struct lock *second;
    struct error e = {0};
    char pid[20];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    assert_int_equal(lock_acquire(in_dir("lock"), &l, NULL), STATUS_OK);
    assert_int_equal(lock_acquire(in_dir("lock"), &second, &e), STATUS_CONFLICT);
    assert_string_equal(e.code, "LOCKED");
    assert_non_null(strstr(e.message, pid));
    assert_int_equal(try_lock_in_child(), 1);
    lock_release(l);
    assert_int_equal(try_lock_in_child(), 0); // ended without releasing
    assert_int_equal(lock_acquire(in_dir("lock"), &l, NULL), STATUS_OK);
    lock_release(l);
    lock_release(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(written_file_reads_back),    TEST(reading_is_bounded),
        TEST(links_are_not_followed),     TEST(folders_are_made_walked_and_removed),
        TEST(too_deep_trees_are_refused), TEST(unpublished_file_disappears),
        TEST(lock_has_one_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
