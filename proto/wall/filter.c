// The run of numbers that a call is in is found by halving, so that no call waits for a long chain of comparisons; a
// kernel from 5.11 on remembers the calls that need no argument and runs no filter for them at all.
//
// An answer: allowed; ended (SECCOMP_RET_KILL_PROCESS) for what only an attacker wants, because whoever got that far
// should not get a second try; SECCOMP_RET_ERRNO where libraries try and can do without; and a signal for all else,
// whose handler writes the call into the log and lets it fail with the error that comes with the signal: EPERM for what
// is known and refused, ENOSYS for what nobody thought of, which libraries take for an older kernel and go around.
#include "wall/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(TANDEM_SANDBOX)
#error "the number of this architecture is missing"
#else
#define ARCHITECTURE 0
#endif

enum { CALLS_MAX = 512, OTHER_ABI = 0x40000000 };

struct answer {
    bool known;
    uint32_t answer;
    const struct wall_condition *condition; // NULL = none
};

struct answers {
    struct answer list[CALLS_MAX]; // by the number of the call
    uint32_t pid;
};

// Neighbours with the same answer.
struct runs {
    int first[CALLS_MAX];
    size_t count;
};

static void emit(struct filter *f, uint16_t code, uint32_t k, size_t yes, size_t no)
{
    if (f->count >= FILTER_MAX)
        abort(); // the tables outgrew it
    f->code[f->count++] = (struct sock_filter){code, (uint8_t)yes, (uint8_t)no, k};
}

static void emit_answer(struct filter *f, uint32_t what)
{
    emit(f, BPF_RET | BPF_K, what, 0, 0);
}

static uint32_t otherwise(const struct wall_condition *c)
{
    return c->otherwise == WALL_KILL ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | (uint32_t)c->otherwise;
}

static void emit_test(struct filter *f, const struct wall_condition *c, uint32_t pid)
{
    const size_t count = (size_t)c->count;
    switch (c->test) {
    case WALL_ONE_OF:
        for (size_t i = 0; i < count; i++)
            emit(f, BPF_JMP | BPF_JEQ | BPF_K, c->values[i], count - i, 0);
        return;
    case WALL_OWN_PID:
        emit(f, BPF_JMP | BPF_JEQ | BPF_K, pid, 1, 0);
        return;
    case WALL_NONE_OF:
        emit(f, BPF_JMP | BPF_JSET | BPF_K, c->values[0], 0, 1);
        return;
    case WALL_ALL_OF:
    case WALL_NOT_ALL:
        emit(f, BPF_ALU | BPF_AND | BPF_K, c->values[0], 0, 0);
        emit(f, BPF_JMP | BPF_JEQ | BPF_K, c->values[0], c->test == WALL_ALL_OF, c->test == WALL_NOT_ALL);
        return;
    }
}

// Every argument that is tested is an int or has its flags in the lower half, which is first on both architectures.
static void emit_condition(struct filter *f, const struct wall_condition *c, uint32_t pid)
{
    emit(f, BPF_LD | BPF_W | BPF_ABS,
         (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (size_t)c->argument), 0, 0);
    emit_test(f, c, pid);
    emit_answer(f, otherwise(c));
    emit_answer(f, SECCOMP_RET_ALLOW);
}

static void emit_tree(struct filter *f, const struct answers *all, const struct runs *r, size_t from, size_t to)
{
    if (to - from == 1) {
        const struct answer *x = &all->list[r->first[from]];
        if (x->condition != NULL)
            emit_condition(f, x->condition, all->pid);
        else
            emit_answer(f, x->answer);
        return;
    }
    size_t middle = from + (to - from) / 2;
    emit(f, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)r->first[middle], 0, 1);
    unsigned short jump = f->count;
    emit(f, BPF_JMP | BPF_JA, 0, 0, 0);
    emit_tree(f, all, r, from, middle);
    f->code[jump].k = (uint32_t)(f->count - jump - 1);
    emit_tree(f, all, r, middle, to);
}

static void find_runs(const struct answers *all, struct runs *r)
{
    r->count = 0;
    for (int i = 0; i < CALLS_MAX; i++) {
        const struct answer *x = &all->list[i];
        if (i == 0 || x->condition != NULL || x[-1].condition != NULL || x->answer != x[-1].answer)
            r->first[r->count++] = i;
    }
}

static void emit_all(struct filter *f, const struct answers *all)
{
    struct runs r;
    find_runs(all, &r);
    f->count = 0;
    emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit(f, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    emit_answer(f, SECCOMP_RET_KILL_PROCESS); // a call of another kind of program
    emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    emit(f, BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, 0, 1);
    emit_answer(f, SECCOMP_RET_KILL_PROCESS);
    emit_tree(f, all, &r, 0, r.count);
}

static void fill(struct answers *all, uint32_t otherwise_all)
{
    for (int i = 0; i < CALLS_MAX; i++)
        all->list[i].answer = otherwise_all;
}

// What was said of a call first holds.
static void add(struct answers *all, const struct wall_call *calls, uint32_t what)
{
    for (const struct wall_call *c = calls; c->name != NULL; c++)
        if (c->number >= 0 && c->number < CALLS_MAX && !all->list[c->number].known)
            all->list[c->number] = (struct answer){true, what, NULL};
}

void filter_of_program(struct filter *f, const struct wall_rights *r, uint32_t pid)
{
    struct answers all = {.pid = pid};
    fill(&all, SECCOMP_RET_TRAP | ENOSYS);
    for (int g = 0; g < WALL_GROUPS; g++)
        if ((r->groups & 1U << g) != 0)
            add(&all, WALL_GROUP[g].calls, SECCOMP_RET_ALLOW);
    for (int i = 0; i < WALL_CONDITIONS; i++) {
        const struct wall_condition *c = &WALL_CONDITION[i];
        if ((r->conditions & 1U << i) != 0 && c->call >= 0 && all.list[c->call].known)
            all.list[c->call].condition = c;
    }
    add(&all, WALL_UNKNOWN, SECCOMP_RET_ERRNO | ENOSYS);
    add(&all, WALL_DEADLY, SECCOMP_RET_KILL_PROCESS);
    add(&all, WALL_REFUSED, SECCOMP_RET_TRAP | EPERM);
    for (int g = 0; g < WALL_GROUPS; g++)
        add(&all, WALL_GROUP[g].calls, SECCOMP_RET_TRAP | EPERM);
    emit_all(f, &all);
}

void filter_of_step(struct filter *f, enum wall_step step)
{
    struct answers all = {0};
    fill(&all, SECCOMP_RET_ALLOW);
    if (step == WALL_LISTENING)
        all.list[SYS_listen].answer = SECCOMP_RET_TRAP | EPERM;
    else
        all.list[SYS_socket].condition = &WALL_CONDITION[WALL_SOCKETS_INTERNET];
    emit_all(f, &all);
}
