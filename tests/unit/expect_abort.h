// For what base/invariant.h asserts: the act ends its process, in debug and sanitizer builds.
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cmocka_all.h"

static inline void expect_abort(void (*act)(void *ctx), void *ctx)
{
#ifdef TANDEM_INVARIANTS
    int how;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        act(ctx);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
#else
    (void)act, (void)ctx;
    skip();
#endif
}
