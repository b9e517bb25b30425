// How far a work is and whether it was given up are atomic, for its thread reads and writes them; everything else is
// the loop's. Giving up is a request: the work looks when it likes, and what it left is cleared away when both are
// known, in either order (clear_away). A place is used again only when its work is done.
#include "node/works.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "crypto/secret.h"

enum { WORKS_MAX = 16, WAITING_MAX = 64, ID_LENGTH = 24, TOLD_MS = 1000 };

struct work {
    struct works *owner;
    char id[ID_LENGTH + 1]; // empty = free
    uint64_t number;        // the oldest finished one makes room
    bool done;
    json_t *result; // NULL with error
    json_t *progress;
    struct error error;
    struct waiting *waiting;
    char *folder; // what it leaves behind; NULL = nothing
    uint64_t told;
    atomic_bool cancelled;
    atomic_uint_fast64_t parts, of; // 0 of 0: nobody says
};

struct works {
    struct loop *loop;
    struct works_host host;
    struct loop_timer *timer;
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

static json_t *show_progress(const struct work *w)
{
    return json_pack("{s:I, s:I}", "done", (json_int_t)atomic_load(&w->parts), "total",
                     (json_int_t)atomic_load(&w->of));
}

static void tell_progress(void *ctx)
{
    struct works *ws = ctx;
    bool going_on = false;
    for (size_t i = 0; i < WORKS_MAX; i++) {
        struct work *w = &ws->items[i];
        if (w->id[0] == '\0' || w->done)
            continue;
        going_on = true;
        if (atomic_load(&w->parts) == w->told)
            continue;
        json_t *data = show_progress(w);
        w->told = (uint64_t)json_integer_value(json_object_get(data, "done"));
        json_object_set_new(data, "jobId", json_string(w->id));
        ws->host.progressed(ws->host.ctx, data);
    }
    if (going_on)
        loop_timer_set(ws->timer, TOLD_MS);
}

struct works *works_create(struct loop *l, const struct works_host *host)
{
    struct works *ws = mem_alloc(sizeof *ws);
    ws->loop = l;
    ws->host = *host;
    ws->timer = loop_timer_create(l, tell_progress, ws);
    return ws;
}

static json_t *show(const struct work *w)
{
    if (w->done)
        return json_pack("{s:b, s:O}", "done", 1, "result", w->result);
    json_t *shown = json_pack("{s:b}", "done", 0);
    if (atomic_load(&w->of) != 0)
        json_object_set_new(shown, "progress", show_progress(w));
    return shown;
}

static void answer(struct work *w, struct ipc_request *r)
{
    if (w->done && w->result == NULL)
        ipc_request_fail(r, &w->error);
    else
        ipc_request_reply(r, show(w));
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
    if (ws == NULL)
        return;
    for (size_t i = 0; i < WORKS_MAX; i++) {
        answer_all(&ws->items[i]);
        json_decref(ws->items[i].result);
        free(ws->items[i].folder);
    }
    loop_timer_destroy(ws->timer);
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
    free(place->folder);
    memset(place, 0, sizeof *place);
    random_text(place->id, ID_LENGTH);
    place->number = ++ws->last_number;
    place->owner = ws;
    loop_timer_set(ws->timer, TOLD_MS);
    return place;
}

const char *work_id(const struct work *w)
{
    return w->id;
}

void work_is_at(struct work *w, uint64_t done, uint64_t total)
{
    atomic_store(&w->of, total);
    atomic_store(&w->parts, done);
}

bool work_is_cancelled(const struct work *w)
{
    return atomic_load(&w->cancelled);
}

static void clear_away(struct work *w)
{
    if (w->folder == NULL || !w->done || !work_is_cancelled(w))
        return;
    w->owner->host.unwanted(w->owner->host.ctx, w->folder);
    w->folder = NULL;
}

void work_leaves(struct work *w, char *folder)
{
    free(w->folder);
    w->folder = folder;
    clear_away(w);
}

void work_end(struct work *w, json_t *result, const struct error *why)
{
    w->done = true;
    w->result = result;
    if (why != NULL)
        w->error = *why;
    answer_all(w);
    clear_away(w);
}

static struct work *find(struct works *ws, const char *id)
{
    for (size_t i = 0; ws != NULL && i < WORKS_MAX; i++) {
        if (strcmp(ws->items[i].id, id) == 0)
            return &ws->items[i];
    }
    return NULL;
}

static void fail_unknown(struct ipc_request *r)
{
    struct error e;
    error_set(&e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no such job; only the last %d are remembered", WORKS_MAX);
    ipc_request_fail(r, &e);
}

static void job_cancel(struct ipc_request *r, void *ctx)
{
    struct works **ws = ctx;
    struct work *w = find(*ws, ipc_request_text(r, P_jobId));
    if (w == NULL) {
        fail_unknown(r);
        return;
    }
    atomic_store(&w->cancelled, true);
    clear_away(w);
    ipc_request_reply(r, NULL);
}

static void job_wait(struct ipc_request *r, void *ctx)
{
    struct works **ws = ctx;
    struct work *w = find(*ws, ipc_request_text(r, P_jobId));
    if (w == NULL) {
        fail_unknown(r);
    } else if (w->done || (*ws)->waiting_count == WAITING_MAX || ipc_request_int(r, P_waitMs, 0) == 0) {
        answer(w, r);
    } else {
        begin_waiting(*ws, w, r, (uint64_t)ipc_request_int(r, P_waitMs, 0));
    }
}

void works_register(struct ipc_service *service, struct works **ws)
{
    ipc_service_on(service, "job.wait", job_wait, ws);
    ipc_service_on(service, "job.cancel", job_cancel, ws);
}
