// A process is known by its pid when the trouble begins: what comes in its place is not held by it.
#include "supervisor/simulate/trouble.h"

#include <signal.h>
#include <stdlib.h>

#include "supervisor/simulate/machine.h"

enum { ASK_MS = 30000 };

struct ongoing {
    struct ongoing *next;
    const struct plan_trouble *plan;
    uint64_t ends;
    pid_t pid; // that was frozen
};

// --- links -----------------------------------------------------------------------------------------------------------

static struct link *link_of(struct world *w, const struct plan_trouble *t)
{
    for (size_t i = 0; i < w->link_count; i++) {
        struct link *l = &w->links[i];
        if ((l->one == t->one && l->other == t->other) || (l->one == t->other && l->other == t->one))
            return l;
    }
    w->links = mem_resize(w->links, (w->link_count + 1) * sizeof *w->links);
    w->links[w->link_count] = (struct link){.one = t->one, .other = t->other};
    return &w->links[w->link_count++];
}

static void look_at_fronts(struct world *w, const struct plan_trouble *t)
{
    const size_t ends[] = {t->one, t->other};
    for (size_t i = 0; i < 2; i++) {
        size_t users = w->scenario->user_count;
        front_look(ends[i] < users ? w->users[ends[i]].front : w->relays[ends[i] - users].front);
    }
}

static void change_link(struct world *w, const struct plan_trouble *t, int by)
{
    struct link *l = link_of(w, t);
    if (t->act == ACT_CUT)
        l->cut += by;
    else if (t->act == ACT_STALL)
        l->stalled += by;
    else
        l->delay_ms += by * t->by_ms;
    look_at_fronts(w, t);
}

// --- processes -------------------------------------------------------------------------------------------------------

static pid_t pid_of(const struct world *w, const struct plan_trouble *t)
{
    const struct user *u = &w->users[t->one];
    if (u->state != USER_THERE)
        return 0; // it is away anyway
    if (t->process == PROCESS_SUPERVISOR)
        return launch_pid(u->supervisor);
    return t->process == PROCESS_ARCHIVE ? u->archive_pid : u->sparse_pid;
}

static void on_restarted(void *arg, const json_t *result, const struct error *e)
{
    struct world *w = arg;
    (void)result;
    w->under_way--;
    if (e->status != STATUS_OK)
        world_tell(w, "a restart was refused: %s", e->message);
}

static void do_restart(struct world *w, const struct plan_trouble *t)
{
    const char *node = t->process == PROCESS_ARCHIVE ? "archive" : "sparse";
    if (pid_of(w, t) == 0)
        return;
    w->under_way++;
    rpc_call(w->users[t->one].rpc, "restart", json_pack("{s:s}", "node", node), ASK_MS, on_restarted, w);
}

static void do_kill(struct world *w, const struct plan_trouble *t)
{
    pid_t pid = pid_of(w, t);
    if (pid <= 0)
        return;
    w->users[t->one].dies = w->users[t->one].dies || t->process == PROCESS_SUPERVISOR;
    kill(pid, SIGKILL);
    if (t->process == PROCESS_ARCHIVE)
        w->users[t->one].archive_pid = 0; // until it is there again
    else if (t->process == PROCESS_SPARSE)
        w->users[t->one].sparse_pid = 0;
}

// --- all of it -------------------------------------------------------------------------------------------------------

static void tell(struct world *w, const struct plan_trouble *t, const char *suffix)
{
    struct buf name = {0};
    plan_name_trouble(w->scenario, t, &name);
    world_tell(w, "%s %s%s", plan_act_name(t->act), buf_cstr(&name), suffix);
    buf_free(&name);
}

static void begin(struct world *w, const struct plan_trouble *t)
{
    struct ongoing *o = mem_alloc(sizeof *o);
    *o = (struct ongoing){w->ongoing, t, world_now(w) + (uint64_t)t->for_ms, 0};
    w->ongoing = o;
    tell(w, t, "");
    if (t->link) {
        change_link(w, t, 1);
    } else if (t->act == ACT_FREEZE) {
        o->pid = pid_of(w, t);
        if (o->pid > 0)
            kill(o->pid, SIGSTOP);
    } else if (t->act == ACT_FILL) {
        machine_fill(&w->users[t->one], t->process);
    } else if (t->act == ACT_SHIFT) {
        machine_shift(&w->users[t->one], t->by_ms / 1000);
    } else if (t->act == ACT_KILL) {
        do_kill(w, t);
    } else {
        do_restart(w, t);
    }
}

static void end(struct world *w, const struct ongoing *o)
{
    if (o->plan->for_ms > 0)
        tell(w, o->plan, " is over");
    if (o->plan->link)
        change_link(w, o->plan, -1);
    else if (o->plan->act == ACT_FILL)
        machine_empty(&w->users[o->plan->one], o->plan->process);
    else if (o->plan->act == ACT_SHIFT)
        machine_shift(&w->users[o->plan->one], -o->plan->by_ms / 1000);
    else if (o->pid > 0)
        kill(o->pid, SIGCONT);
}

bool trouble_tick(struct world *w)
{
    uint64_t now = world_now(w);
    while (w->next_trouble < w->plan->trouble_count &&
           w->talk_began + (uint64_t)w->plan->troubles[w->next_trouble].at_ms <= now)
        begin(w, &w->plan->troubles[w->next_trouble++]);
    for (struct ongoing **at = &w->ongoing; *at != NULL;) {
        struct ongoing *o = *at;
        if (o->ends > now) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        end(w, o);
        free(o);
    }
    return w->ongoing == NULL && w->next_trouble == w->plan->trouble_count && w->under_way == 0;
}

void trouble_destroy(struct world *w)
{
    for (struct ongoing *o = w->ongoing, *next; o != NULL; o = next) {
        next = o->next;
        if (o->pid > 0)
            kill(o->pid, SIGCONT);
        free(o);
    }
    free(w->links);
}
