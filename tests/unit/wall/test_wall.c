// What each program may no longer do behind its walls: each attempt is made by a child of its own that has entered the
// real ones. What is allowed is tried as well, so that nothing is forbidden by accident.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "tests/unit/cmocka_all.h"
#include "wall/rights.h"

enum { KILLED = 240, TOO_OLD = 241, FAILED = 242 }; // beside every errno

// Which version of Landlock an outcome needs; 0 = it is seccomp's.
struct expectation {
    const char *what;
    attempt try;
    int landlock;
    int outcome[WALL_PROGRAMS];
};

enum { NOT = KILLED };
// clang-format off
static const struct expectation table[] = {
    //                                             tandem     doctor     supervisor archive    sparse     relay      cluster    ui         discovery
    {"read outside", read_outside, 2,             {0,         0,         EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES}},
    {"read /etc/passwd", read_passwords, 2,       {0,         0,         EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES}},
    {"write outside", write_outside, 2,           {0,         0,         EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES}},
    {"create outside", create_outside, 2,         {0,         0,         EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES}},
    {"truncate outside", truncate_outside, 0,     {EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM}},
    {"chmod for all", make_public, 0,             {EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM}},
    {"chmod", make_private, 0,                    {EPERM,     EPERM,     0,         EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM}},
    {"write at home", write_at_home, 2,           {0,         0,         0,         0,         0,         EACCES,    EACCES,    EACCES,    EACCES}},
    {"rename at home", rename_at_home, 2,         {0,         0,         0,         0,         0,         EPERM,     EPERM,     EPERM,     EPERM}},
    {"Unix socket", connect_unix, 0,              {0,         0,         0,         0,         0,         EPERM,     EACCES,    0,         0}},
    {"abstract socket", connect_abstract, 6,      {EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EACCES,    EPERM,     EPERM}},
    {"TCP connection", connect_tcp, 4,            {EACCES,    0,         0,         0,         0,         EPERM,     0,         EACCES,    EACCES}},
    {"TCP bind", bind_tcp, 4,                     {EACCES,    EACCES,    0,         0,         EACCES,    EPERM,     EACCES,    EACCES,    EACCES}},
    {"TCP listen", listen_tcp, 0,                 {EACCES,    EPERM,     0,         0,         EPERM,     EPERM,     EPERM,     EACCES,    EACCES}},
    {"socket pair", make_socket_pair, 0,          {EPERM,     EPERM,     0,         EPERM,     EPERM,     EPERM,     EPERM,     EPERM,     EPERM}},
    {"packet socket", make_packet_socket, 0,      {EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EPERM,     EACCES,    EACCES,    EACCES}},
    {"fork", fork_process, 0,                     {NOT,       NOT,       0,         NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"exec", run_program, 0,                      {NOT,       NOT,       EACCES,    NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"kill another", kill_victim, 6,              {0,         EPERM,     EPERM,     NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"signal itself", signal_itself, 0,           {0,         0,         0,         0,         0,         0,         0,         0,         0}},
    {"ptrace", trace_victim, 0,                   {NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"other's memory", read_memory_of_victim, 0,  {NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"setuid", become_somebody, 0,                {NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"namespace", make_namespace, 0,              {NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT,       NOT}},
    {"code", make_code, 0,                        {EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES,    EACCES}},
    {"thread", start_thread, 0,                   {0,         0,         0,         0,         0,         0,         0,         0,         0}},
    {"localhost", resolve_name, 0,                {0,         0,         0,         0,         0,         253,       0,         253,       253}},
    {"unheard of", call_unheard, 0,               {ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS}},
    {"io_uring", call_with_ring, 0,               {ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS,    ENOSYS}},
};
// clang-format on

// ---- In the child --------------------------------------------------------------------------------------------------

static int enter(enum wall_program program)
{
    struct error e;
    const struct wall_place home = {WALL_KEEP, world.home};
    const struct rlimit none = {0, 0};
    bool keeps = program == WALL_SUPERVISOR || program == WALL_ARCHIVE || program == WALL_SPARSE;
    setrlimit(RLIMIT_CORE, &none);
    return wall_enter(program, &home, keeps ? 1 : 0, &e) == STATUS_OK ? 0 : FAILED;
}

static void child(enum wall_program program, attempt before, attempt try, int landlock)
{
    int failed = enter(program);
    if (failed == 0 && before != NULL)
        failed = before();
    if (failed != 0)
        _exit(FAILED);
    _exit(wall_state()->landlock < landlock ? TOO_OLD : try());
}

static int outcome_of(enum wall_program program, attempt before, attempt try, int landlock)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        child(program, before, try, landlock);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return KILLED;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// ---- The tests -----------------------------------------------------------------------------------------------------

static void each_program_can_do_what_it_needs_and_no_more(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (int p = 0; p < WALL_PROGRAMS; p++) {
            int got = outcome_of((enum wall_program)p, NULL, table[i].try, table[i].landlock);
            if (got == table[i].outcome[p] || got == TOO_OLD)
                continue;
            print_error("%s, %s: %d (%s), not %d\n", WALL_RIGHTS[p].name, table[i].what, got,
                        got == KILLED ? "killed" : strerror(got), table[i].outcome[p]);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    struct stat st;
    assert_int_equal(stat(world.file, &st), 0);
    assert_int_equal(st.st_size, 7);
}

static int connected(void)
{
    struct error e;
    return wall_give_up(WALL_CONNECTED, &e) == STATUS_OK ? 0 : FAILED;
}

static int listening(void)
{
    struct error e;
    return wall_give_up(WALL_LISTENING, &e) == STATUS_OK ? 0 : FAILED;
}

static void what_was_used_for_the_last_time_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(WALL_ARCHIVE, connected, connect_unix, 0), EACCES);
    assert_int_equal(outcome_of(WALL_SPARSE, connected, connect_unix, 0), EACCES);
    assert_int_equal(outcome_of(WALL_ARCHIVE, connected, connect_tcp, 0), 0);
    assert_int_equal(outcome_of(WALL_ARCHIVE, connected, listen_tcp, 0), 0);
    assert_int_equal(outcome_of(WALL_ARCHIVE, listening, listen_tcp, 0), EPERM);
    assert_int_equal(outcome_of(WALL_ARCHIVE, listening, start_thread, 0), 0);
}

static int enter_archive(void)
{
    return enter(WALL_ARCHIVE);
}

// As a node does that the supervisor started.
static void walls_within_walls(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(WALL_SUPERVISOR, enter_archive, write_at_home, 2), 0);
    assert_int_equal(outcome_of(WALL_SUPERVISOR, enter_archive, start_thread, 0), 0);
    assert_int_equal(outcome_of(WALL_SUPERVISOR, enter_archive, listen_tcp, 0), 0);
    assert_int_equal(outcome_of(WALL_SUPERVISOR, enter_archive, fork_process, 0), KILLED);
    assert_int_equal(outcome_of(WALL_SUPERVISOR, enter_archive, make_private, 0), EPERM);
}

// A node's rights are among the supervisor's, or it would end where it only meant to start.
static void the_supervisor_may_whatever_its_nodes_may(void **state)
{
    const struct wall_rights *s = &WALL_RIGHTS[WALL_SUPERVISOR];
    (void)state;
    for (int p = WALL_ARCHIVE; p <= WALL_SPARSE; p++) {
        const struct wall_rights *n = &WALL_RIGHTS[p];
        assert_int_equal(n->groups & ~s->groups, 0);
        assert_int_equal(n->files & ~s->files, 0);
        assert_true((s->connects || !n->connects) && (s->binds || !n->binds));
    }
}

static void no_program_goes_without_the_conditions(void **state)
{
    static const int calls[] = {SYS_clone, SYS_prctl, SYS_ioctl, SYS_prlimit64, SYS_mmap};
    (void)state;
    for (int p = 0; p < WALL_PROGRAMS; p++) {
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            int found = 0;
            for (int c = 0; c < WALL_CONDITIONS; c++)
                found += (WALL_RIGHTS[p].conditions & 1U << c) != 0 && WALL_CONDITION[c].call == calls[i];
            assert_int_equal(found, 1);
        }
    }
}

// ---- The world outside ---------------------------------------------------------------------------------------------

static char top[] = "/tmp/tandem-wall-XXXXXX";
static char home[64], file[64], path[64];

static int listen_unix(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0 ? fd : -1;
}

static int listen_abstract(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "tandem-test-%d", world.victim);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    return bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 64) == 0 ? fd : -1;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

static int make_world(void **state)
{
    (void)state;
    if (mkdtemp(top) == NULL)
        return -1;
    snprintf(home, sizeof home, "%s/home", top);
    snprintf(file, sizeof file, "%s/file", top);
    snprintf(path, sizeof path, "%s/socket", top);
    FILE *f = fopen(file, "we");
    fputs("content", f);
    fclose(f);
    world = (struct attempts_world){.home = home, .file = file, .socket = path, .victim = (int)getppid()};
    pid_t victim = fork();
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    world.victim = (int)victim;
    return mkdir(home, 0700) != 0 || listen_unix() < 0 || listen_abstract() < 0 || listen_somewhere(&world.port) < 0
               ? -1
               : 0;
}

static int remove_world(void **state)
{
    char command[128];
    (void)state;
    kill(world.victim, SIGKILL);
    waitpid(world.victim, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", top);
    return system(command);
}

static void a_build_without_says_so(void **state)
{
    struct error e;
    (void)state;
    assert_int_equal(wall_enter(WALL_ARCHIVE, NULL, 0, &e), STATUS_OK);
    assert_non_null(strstr(wall_state()->warning, "without a sandbox"));
    assert_false(wall_state()->seccomp);
}

int main(void)
{
#ifdef TANDEM_SANDBOX
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_program_can_do_what_it_needs_and_no_more),
        cmocka_unit_test(what_was_used_for_the_last_time_is_given_up),
        cmocka_unit_test(walls_within_walls),
        cmocka_unit_test(the_supervisor_may_whatever_its_nodes_may),
        cmocka_unit_test(no_program_goes_without_the_conditions),
    };
    (void)a_build_without_says_so;
#else
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_says_so)};
    (void)each_program_can_do_what_it_needs_and_no_more;
    (void)what_was_used_for_the_last_time_is_given_up;
    (void)walls_within_walls;
    (void)the_supervisor_may_whatever_its_nodes_may;
    (void)no_program_goes_without_the_conditions;
#endif
    return cmocka_run_group_tests(tests, make_world, remove_world);
}
