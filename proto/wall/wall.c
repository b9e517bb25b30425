// Files first, then the filter of calls. What the kernel does not offer is told in the status and done without. A
// refused call is told once, from a signal handler, where only log_plain may be called.
#include "wall/wall.h"

#include <stdio.h>

static struct wall_state state;

const struct wall_state *wall_state(void)
{
    return &state;
}

#ifndef TANDEM_SANDBOX

enum status wall_enter(enum wall_program program, const struct wall_place *places, size_t count, struct error *e)
{
    (void)program;
    (void)places;
    (void)count;
    (void)e;
    snprintf(state.warning, sizeof state.warning, "this build runs without a sandbox (TANDEM_SANDBOX=off)");
    return STATUS_OK;
}

enum status wall_give_up(enum wall_step step, struct error *e)
{
    (void)step;
    (void)e;
    return STATUS_OK;
}

#else

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/log.h"
#include "wall/files.h"
#include "wall/filter.h"

enum { CALLS_MAX = 1024 };

// ---- What was refused ----------------------------------------------------------------------------------------------

// Each call once: whoever repeats it says nothing new.
static bool is_news(int number)
{
    static atomic_bool told[CALLS_MAX];
    return number >= 0 && number < CALLS_MAX && !atomic_exchange(&told[number], true);
}

// In place of the call: it fails with the error that the filter gave along.
static void refused(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    (void)signal_number;
    int kept = errno;
    if (is_news(info->si_syscall))
        log_plain("wall.refused", "SANDBOX", info->si_syscall);
    errno = kept;
#ifdef __x86_64__
    u->uc_mcontext.gregs[REG_RAX] = -info->si_errno;
#else
    u->uc_mcontext.regs[0] = (unsigned long long)-(long long)info->si_errno;
#endif
}

static void watch_refusals(void)
{
    struct sigaction action = {.sa_sigaction = refused, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSYS, &action, NULL);
}

// ---- Entering ------------------------------------------------------------------------------------------------------

static void warn(const char *sentence)
{
    snprintf(state.warning, sizeof state.warning, "%s", sentence);
}

static enum status load(struct filter *f, struct error *e)
{
    struct sock_fprog program = {.len = f->count, .filter = f->code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0) {
        state.seccomp = true;
        return STATUS_OK;
    }
    if (!state.seccomp && (errno == ENOSYS || errno == EINVAL)) {
        warn("this kernel has no seccomp filters: the process may call everything");
        return STATUS_OK;
    }
    return error_set(e, STATUS_IO, "SANDBOX", "the system refuses a seccomp filter: %s", strerror(errno));
}

static enum status limit_files(const struct wall_rights *r, const struct wall_place *places, size_t count,
                               struct error *e)
{
    state.landlock = files_landlock_version();
    if (state.landlock == 0) {
        warn("this kernel has no usable Landlock: the process can touch files outside its own folder");
        return STATUS_OK;
    }
    return files_restrict(r, state.landlock, places, count, e);
}

enum status wall_enter(enum wall_program program, const struct wall_place *places, size_t count, struct error *e)
{
    const struct wall_rights *r = &WALL_RIGHTS[program];
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_errno(e, "cannot give up new privileges");
    if (limit_files(r, places, count, e) != STATUS_OK)
        return e->status;
    watch_refusals();
    struct filter *f = mem_alloc(sizeof *f);
    filter_of_program(f, r, (uint32_t)getpid());
    enum status st = load(f, e);
    free(f);
    return st;
}

enum status wall_give_up(enum wall_step step, struct error *e)
{
    if (!state.seccomp)
        return STATUS_OK;
    struct filter *f = mem_alloc(sizeof *f);
    filter_of_step(f, step);
    enum status st = load(f, e);
    free(f);
    return st;
}

#endif
