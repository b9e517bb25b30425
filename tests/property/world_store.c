// The store's jobs, held back twice: before they run, and before their answer is told. Each runs on the real store
// thread, one at a time, so that a run is repeated exactly.
#include <poll.h>
#include <stdlib.h>

#include "property.h"
#include "store/queue.h"
#include "world.h"

struct work {
    struct work *next;
    struct store_queue *queue;
    store_run_fn run;
    store_done_fn done;
    void *arg;
    bool reads, ran;
    enum status status;
    struct error error;
};

struct work_list {
    struct work *first;
    size_t count;
};

static struct {
    struct mailbox *mailbox;
    struct work_list submitted, answers; // in their order
    bool waits;
} held;

void __real_store_submit(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg);
void __real_store_submit_read(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg);
void __real_store_queue_destroy(struct store_queue *q);
void __wrap_store_submit(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg);
void __wrap_store_submit_read(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg);
void __wrap_store_queue_destroy(struct store_queue *q);

static void append(struct work_list *l, struct work *w)
{
    struct work **link = &l->first;
    while (*link != NULL)
        link = &(*link)->next;
    w->next = NULL;
    *link = w;
    l->count++;
}

static struct work *take(struct work_list *l, struct work **link)
{
    struct work *w = *link;
    *link = w->next;
    l->count--;
    return w;
}

static void hold(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg, bool reads)
{
    struct work *w = mem_alloc(sizeof *w);
    *w = (struct work){.queue = q, .run = run, .done = done, .arg = arg, .reads = reads};
    append(&held.submitted, w);
}

void __wrap_store_submit(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg)
{
    if (held.waits)
        hold(q, run, done, arg, false);
    else
        __real_store_submit(q, run, done, arg);
}

void __wrap_store_submit_read(struct store_queue *q, store_run_fn run, store_done_fn done, void *arg)
{
    if (held.waits)
        hold(q, run, done, arg, true);
    else
        __real_store_submit_read(q, run, done, arg);
}

static void tell(void *arg)
{
    struct work *w = arg;
    if (w->done != NULL)
        w->done(w->arg, w->status, &w->error);
    free(w);
}

static enum status run_it(struct store *s, void *arg, struct error *e)
{
    struct work *w = arg;
    return w->run(s, w->arg, e);
}

static void it_ran(void *arg, enum status status, const struct error *e)
{
    struct work *w = arg;
    w->status = status;
    w->error = *e;
    w->ran = true;
    if (held.waits)
        append(&held.answers, w);
    else
        tell(w); // at the end of the node
}

static void submit(struct work *w)
{
    if (w->reads)
        __real_store_submit_read(w->queue, run_it, it_ran, w);
    else
        __real_store_submit(w->queue, run_it, it_ran, w);
}

// The oldest read or the oldest write: reads do not wait for writes.
bool world_run_job(void)
{
    struct work **link = &held.submitted.first;
    bool reads = property_below(2) == 0;
    while (*link != NULL && (*link)->reads != reads)
        link = &(*link)->next;
    if (*link == NULL)
        link = &held.submitted.first;
    if (*link == NULL)
        return false;
    struct work *w = take(&held.submitted, link);
    submit(w);
    struct pollfd mail = {.fd = mailbox_fd(held.mailbox), .events = POLLIN};
    while (!w->ran) {
        poll(&mail, 1, -1);
        mailbox_drain(held.mailbox);
    }
    return true;
}

bool world_tell_answer(void)
{
    if (held.answers.first == NULL)
        return false;
    tell(take(&held.answers, &held.answers.first));
    return true;
}

// What ran is told first, by the mailbox, as it would be.
void __wrap_store_queue_destroy(struct store_queue *q)
{
    held.waits = false;
    while (held.answers.first != NULL)
        mailbox_post(held.mailbox, tell, take(&held.answers, &held.answers.first));
    while (held.submitted.first != NULL)
        submit(take(&held.submitted, &held.submitted.first));
    __real_store_queue_destroy(q);
}

void world_use_mailbox(struct mailbox *mailbox)
{
    held.mailbox = mailbox;
}

void world_let_store_wait(bool wait)
{
    held.waits = wait;
}

size_t world_jobs(void)
{
    return held.submitted.count + held.answers.count;
}
