#include "node/works.h"

#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "crypto/secret.h"

enum { WORKS_MAX = 16, WAITING_MAX = 64, ID_LENGTH = 24 };

struct work {
    char id[ID_LENGTH + 1]; // empty = free
    uint64_t number;        // the oldest finished one makes room
    bool done;
    json_t *result; // NULL with error
    struct error error;
    struct waiting *waiting;
};

struct works {
    struct loop *loop;
    struct work items[WORKS_MAX];
    uint64_t last_number;
    size_t waiting_count;
    OWNER
};

struct waiting { // a request that waits for the end, or for its time to be over
    struct waiting *next;
    struct works *owner;
    struct work *work;
    struct ipc_request *request;
    struct loop_timer *timer;
};

struct works *works_create(struct loop *l)
{
    struct works *ws = mem_alloc(sizeof *ws);
    ws->loop = l;
    return ws;
}

static void answer(struct work *w, struct ipc_request *r)
{
    if (w->done && w->result == NULL)
        ipc_request_fail(r, &w->error);
    else
        ipc_request_reply(r, w->done ? json_pack("{s:b, s:O}", "done", 1, "result", w->result)
                                     : json_pack("{s:b}", "done", 0));
}

static void stop_waiting(void *ctx)
{
    struct waiting *x = ctx;
    struct waiting **link = &x->work->waiting;
    while (*link != x)
        link = &(*link)->next;
    *link = x->next;
    x->owner->waiting_count--;
    answer(x->work, x->request);
    loop_timer_destroy(x->timer);
    free(x);
}

static void begin_waiting(struct works *ws, struct work *w, struct ipc_request *r, uint64_t ms)
{
    struct waiting *x = mem_alloc(sizeof *x);
    *x = (struct waiting){.next = w->waiting, .owner = ws, .work = w, .request = r};
    x->timer = loop_timer_create(ws->loop, stop_waiting, x);
    loop_timer_set(x->timer, ms);
    ipc_request_on_abandoned(r, stop_waiting, x);
    w->waiting = x;
    ws->waiting_count++;
}

static void answer_all(struct work *w)
{
    while (w->waiting != NULL)
        stop_waiting(w->waiting);
}

void works_destroy(struct works *ws)
{
    for (size_t i = 0; ws != NULL && i < WORKS_MAX; i++) {
        answer_all(&ws->items[i]);
        json_decref(ws->items[i].result);
    }
    free(ws);
}

struct work *works_begin(struct works *ws)
{
    OWNER_ASSERT(ws);
    struct work *place = NULL;
    for (size_t i = 0; i < WORKS_MAX; i++) {
        struct work *w = &ws->items[i];
        bool usable = w->id[0] == '\0' || w->done;
        if (usable && (place == NULL || w->number < place->number))
            place = w;
    }
    if (place == NULL)
        return NULL;
    json_decref(place->result);
    memset(place, 0, sizeof *place);
    random_text(place->id, ID_LENGTH);
    place->number = ++ws->last_number;
    return place;
}

const char *work_id(const struct work *w)
{
    return w->id;
}

void work_end(struct work *w, json_t *result, const struct error *why)
{
    w->done = true;
    w->result = result;
    if (why != NULL)
        w->error = *why;
    answer_all(w);
}

static struct work *find(struct works *ws, const char *id)
{
    for (size_t i = 0; ws != NULL && i < WORKS_MAX; i++) {
        if (strcmp(ws->items[i].id, id) == 0)
            return &ws->items[i];
    }
    return NULL;
}

static void job_wait(struct ipc_request *r, void *ctx)
{
    struct works **ws = ctx;
    struct error e;
    struct work *w = find(*ws, ipc_request_text(r, "jobId"));
    if (w == NULL) {
        error_set(&e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no such job; only the last %d are remembered",
                  WORKS_MAX);
        ipc_request_fail(r, &e);
    } else if (w->done || (*ws)->waiting_count == WAITING_MAX || ipc_request_int(r, "waitMs", 0) == 0) {
        answer(w, r);
    } else {
        begin_waiting(*ws, w, r, (uint64_t)ipc_request_int(r, "waitMs", 0));
    }
}

void works_register(struct ipc_service *service, struct works **ws)
{
    ipc_service_on(service, "job.wait", job_wait, ws);
}
