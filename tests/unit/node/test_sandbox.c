// What a process may no longer do in the sandbox. Each attempt is made by a child that has entered it.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/sandbox.h"
#include "tests/unit/cmocka_all.h"

static char dir[] = "/tmp/tandem-sandbox-XXXXXX";

typedef int (*attempt)(void); // 0 = it was possible, else errno

static int outcome(int result)
{
    return result < 0 ? errno : 0;
}

static int read_passwords(void)
{
    return outcome(open("/etc/passwd", O_RDONLY));
}

static int write_elsewhere(void)
{
    return outcome(open("/tmp/tandem-sandbox-elsewhere", O_WRONLY | O_CREAT, 0600));
}

static int write_at_home(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/file", dir);
    return outcome(open(path, O_WRONLY | O_CREAT, 0600));
}

static int run_a_program(void)
{
    char *argv[] = {"true", NULL};
    return outcome(execv("/bin/true", argv)); // status 0 if it runs
}

static int trace_somebody(void)
{
    return outcome((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int become_somebody(void)
{
    return outcome(setuid(getuid()));
}

static int listen_for_others(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : outcome(listen(fd, 1));
}

static int connect_out(void)
{
    return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

enum { NO_SANDBOX = 250, NO_LANDLOCK = 251 };

static int try_in_sandbox(attempt a, bool may_listen, bool needs_landlock)
{
    pid_t pid = fork();
    if (pid == 0) {
        char warning[200];
        struct error e;
        struct sandbox_rights rights = {.dir = dir, .may_listen = may_listen};
        if (sandbox_enter(&rights, warning, sizeof warning, &e) != STATUS_OK)
            _exit(NO_SANDBOX);
        if (needs_landlock && warning[0] != '\0')
            _exit(NO_LANDLOCK);
        _exit(a());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), NO_SANDBOX);
    return WEXITSTATUS(status);
}

static void files_elsewhere_are_out_of_reach(void **state)
{
    (void)state;
    int result = try_in_sandbox(read_passwords, true, true);
    if (result == NO_LANDLOCK)
        skip(); // this kernel has none; the node's status says so
    assert_int_equal(result, EACCES);
    assert_int_equal(try_in_sandbox(write_elsewhere, true, true), EACCES);
    assert_int_equal(try_in_sandbox(write_at_home, true, true), 0);
}

static void no_program_no_tracing_no_other_identity(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(run_a_program, true, false), EPERM);
    assert_int_equal(try_in_sandbox(trace_somebody, true, false), EPERM);
    assert_int_equal(try_in_sandbox(become_somebody, true, false), EPERM);
}

static void only_who_may_listens(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(listen_for_others, false, false), EPERM);
    assert_int_equal(try_in_sandbox(listen_for_others, true, false), 0);
    assert_int_equal(try_in_sandbox(connect_out, false, false), 0);
}

static void a_build_without_says_so(void **state)
{
    char warning[200];
    struct error e;
    struct sandbox_rights rights = {.dir = dir};
    (void)state;
    assert_int_equal(sandbox_enter(&rights, warning, sizeof warning, &e), STATUS_OK);
    assert_non_null(strstr(warning, "without a sandbox"));
}

int main(void)
{
#ifdef TANDEM_SANDBOX
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_elsewhere_are_out_of_reach),
        cmocka_unit_test(no_program_no_tracing_no_other_identity),
        cmocka_unit_test(only_who_may_listens),
    };
    (void)a_build_without_says_so;
#else
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_says_so)};
    (void)files_elsewhere_are_out_of_reach;
    (void)no_program_no_tracing_no_other_identity;
    (void)only_who_may_listens;
#endif
    if (mkdtemp(dir) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[64];
    snprintf(path, sizeof path, "%s/file", dir);
    unlink(path);
    rmdir(dir);
    return failed;
}
