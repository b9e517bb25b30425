// Copying folders: holes stay holes, and what is interrupted leaves nothing.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/tree.h"
#include "tests/unit/cmocka_all.h"

#define HOLE ((off_t)64 << 20)

struct place {
    char top[40];
    char from[60];
    char to[60];
};

static int setup(void **state)
{
    struct place *p = mem_alloc(sizeof *p);
    snprintf(p->top, sizeof p->top, "/tmp/tandem-tree-XXXXXX");
    assert_non_null(mkdtemp(p->top));
    snprintf(p->from, sizeof p->from, "%s/from", p->top);
    snprintf(p->to, sizeof p->to, "%s/to", p->top);
    assert_int_equal(mkdir(p->from, 0700), 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    folder_remove_tree(p->top, NULL);
    free(p);
    return 0;
}

static int make(const char *folder, const char *name)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    return fd;
}

static struct stat look_at(const char *folder, const char *name)
{
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(stat(path, &st), 0);
    return st;
}

static const struct ctl quiet = {.json = true};

static void holes_stay_holes(void **state)
{
    const struct place *p = *state;
    char piece[6] = "";
    int fd = make(p->from, "sparse"); // a hole, data, a hole at the end
    assert_int_equal(pwrite(fd, "middle", 6, HOLE), 6);
    assert_int_equal(ftruncate(fd, 2 * HOLE), 0);
    close(fd);
    close(make(p->from, "empty"));
    fd = make(p->from, "plain");
    assert_int_equal(write(fd, "plain", 5), 5);
    close(fd);
    assert_int_equal(tree_copy(&quiet, p->from, p->to, NULL), STATUS_OK);
    assert_int_equal(look_at(p->to, "sparse").st_size, 2 * HOLE);
    assert_true(look_at(p->to, "sparse").st_blocks * 512 < HOLE);
    assert_int_equal(look_at(p->to, "empty").st_size, 0);
    assert_int_equal(look_at(p->to, "plain").st_size, 5);
    char path[100];
    snprintf(path, sizeof path, "%s/sparse", p->to);
    fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, piece, 6, HOLE), 6);
    assert_memory_equal(piece, "middle", 6);
    close(fd);
}

static void what_is_interrupted_leaves_nothing(void **state)
{
    const struct place *p = *state;
    struct error e = {0};
    int fd = make(p->from, "file");
    assert_int_equal(write(fd, "bytes", 5), 5);
    close(fd);
    pid_t child = fork(); // the signal is for it, in the end
    if (child == 0) {
        interrupt_hold();
        raise(SIGTERM);
        bool good = tree_copy(&quiet, p->from, p->to, &e) == STATUS_CLOSED && !file_exists(p->to);
        interrupt_release();
        _exit(good ? 1 : 2); // not reached
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_false(file_exists(p->to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holes_stay_holes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_interrupted_leaves_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
