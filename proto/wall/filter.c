// The call's number is found by halving, so that no call waits for a long chain of comparisons; a kernel from 5.11 on
// remembers the calls that need no argument and runs no filter for them at all.
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

enum { ENTRIES_MAX = 400, LEAF = 4, OTHER_ABI = 0x40000000 };

struct entry {
    int number;
    uint32_t answer;
    const struct wall_condition *condition;
};

struct entries {
    struct entry list[ENTRIES_MAX];
    size_t count;
    uint32_t otherwise;
    uint32_t pid;
};

static void emit(struct filter *f, uint16_t code, uint32_t k, size_t yes, size_t no)
{
    if (f->count >= FILTER_MAX)
        abort(); // the tables outgrew it
    f->code[f->count++] = (struct sock_filter){code, (uint8_t)yes, (uint8_t)no, k};
}

static void answer(struct filter *f, uint32_t what)
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
    answer(f, otherwise(c));
    answer(f, SECCOMP_RET_ALLOW);
}

static void emit_leaf(struct filter *f, const struct entries *all, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct entry *x = &all->list[i];
        unsigned short at = f->count;
        emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)x->number, 0, 0);
        if (x->condition != NULL)
            emit_condition(f, x->condition, all->pid);
        else
            answer(f, x->answer);
        f->code[at].jf = (uint8_t)(f->count - at - 1);
    }
    answer(f, all->otherwise);
}

static void emit_tree(struct filter *f, const struct entries *all, size_t from, size_t to)
{
    if (to - from <= LEAF) {
        emit_leaf(f, all, from, to);
        return;
    }
    size_t middle = from + (to - from) / 2;
    emit(f, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)all->list[middle].number, 0, 1);
    unsigned short jump = f->count;
    emit(f, BPF_JMP | BPF_JA, 0, 0, 0);
    emit_tree(f, all, from, middle);
    f->code[jump].k = (uint32_t)(f->count - jump - 1);
    emit_tree(f, all, middle, to);
}

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static void emit_all(struct filter *f, struct entries *all)
{
    f->count = 0;
    qsort(all->list, all->count, sizeof *all->list, by_number);
    emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit(f, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    answer(f, SECCOMP_RET_KILL_PROCESS); // a call of another kind of program
    emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    emit(f, BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, 0, 1);
    answer(f, SECCOMP_RET_KILL_PROCESS);
    emit_tree(f, all, 0, all->count);
}

static struct entry *find(struct entries *all, int number)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].number == number)
            return &all->list[i];
    return NULL;
}

// What was said of a call first holds.
static void add(struct entries *all, const struct wall_call *calls, uint32_t what)
{
    for (const struct wall_call *c = calls; c->name != NULL; c++) {
        if (find(all, c->number) != NULL)
            continue;
        if (all->count >= ENTRIES_MAX)
            abort();
        all->list[all->count++] = (struct entry){c->number, what, NULL};
    }
}

void filter_of_program(struct filter *f, const struct wall_rights *r, uint32_t pid)
{
    struct entries all = {.otherwise = SECCOMP_RET_TRAP | ENOSYS, .pid = pid};
    for (int g = 0; g < WALL_GROUPS; g++)
        if ((r->groups & 1U << g) != 0)
            add(&all, WALL_GROUP[g].calls, SECCOMP_RET_ALLOW);
    for (int i = 0; i < WALL_CONDITIONS; i++) {
        struct entry *x = (r->conditions & 1U << i) != 0 ? find(&all, WALL_CONDITION[i].call) : NULL;
        if (x != NULL)
            x->condition = &WALL_CONDITION[i];
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
    static const struct wall_call listening[] = {{SYS_listen, "listen"}, {0, NULL}};
    struct entries all = {.otherwise = SECCOMP_RET_ALLOW};
    if (step == WALL_LISTENING)
        add(&all, listening, SECCOMP_RET_TRAP | EPERM);
    else
        all.list[all.count++] = (struct entry){SYS_socket, 0, &WALL_CONDITION[WALL_SOCKETS_INTERNET]};
    emit_all(f, &all);
}
