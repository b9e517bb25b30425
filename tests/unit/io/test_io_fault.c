// An atomic write leaves the old or the new content, whatever fails on the way and wherever the process dies.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/io_fault.h"

enum { MOST_OPERATIONS = 40 };

static char dir[64];
static char path[100];

static int make_dir(void **state)
{
    (void)state;
    fault_script(NULL);
    snprintf(dir, sizeof dir, "/tmp/tandem-fault-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/file", dir);
    return file_write(path, SPAN("old"), 0600, NULL) == STATUS_OK ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    fault_script(NULL);
    return folder_remove_tree(dir, NULL) == STATUS_OK ? 0 : -1;
}

static bool content_is(const char *wanted)
{
    struct buf text = {0};
    assert_int_equal(file_read(path, 100, &text, NULL), STATUS_OK);
    bool same = span_eq_text(buf_span(&text), wanted);
    buf_free(&text);
    return same;
}

static void a_script_names_one_some_or_all(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *hits; // of the first five operations
    } cases[] = {{"rename:3:EIO", "--x--"}, {"rename:3+:EIO", "--xxx"}, {"rename:2-4:EIO", "-xxx-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(fault_script(cases[i].script));
        for (const char *hit = cases[i].hits; *hit != '\0'; hit++)
            assert_int_equal(fault_hit(FAULT_RENAME, NULL) != 0, *hit == 'x');
    }
    assert_false(fault_script("rename:4-2:EIO"));
    assert_false(fault_script("rename:0:EIO"));
    fault_script(NULL);
}

static void every_failure_is_told(void **state)
{
    (void)state;
    for (int n = 1; n < MOST_OPERATIONS; n++) {
        struct error e = {0};
        char script[40];
        snprintf(script, sizeof script, "any:%d:ENOSPC", n);
        assert_true(fault_script(script));
        enum status status = file_write(path, SPAN("new"), 0600, &e);
        bool hit = fault_count() >= (uint64_t)n;
        fault_script(NULL);
        if (!hit) {
            assert_int_equal(status, STATUS_OK);
            assert_true(n > 4); // create, write, sync, rename at least
            return;
        }
        assert_int_equal(status, STATUS_FULL);
        assert_string_equal(e.code, "DISK-FULL");
        assert_true(content_is("old") || content_is("new"));
        assert_int_equal(file_write(path, SPAN("old"), 0600, NULL), STATUS_OK);
    }
    fail();
}

static void every_death_leaves_old_or_new(void **state)
{
    (void)state;
    int deaths = 0;
    for (int n = 1; n < MOST_OPERATIONS; n++) {
        char script[40];
        int ended;
        snprintf(script, sizeof script, "any:%d:%s", n, n % 2 == 0 ? "kill" : "torn");
        pid_t child = fork();
        if (child == 0) {
            fault_script(script);
            _exit(file_write(path, SPAN("new"), 0600, NULL) == STATUS_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &ended, 0), child);
        if (WIFEXITED(ended)) {
            assert_int_equal(WEXITSTATUS(ended), 0);
            assert_true(content_is("new"));
            assert_true(deaths > 3);
            return;
        }
        assert_int_equal(WTERMSIG(ended), SIGKILL);
        assert_true(content_is("old") || content_is("new"));
        deaths++;
    }
    fail();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_names_one_some_or_all),
        TEST(every_failure_is_told),
        TEST(every_death_leaves_old_or_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
