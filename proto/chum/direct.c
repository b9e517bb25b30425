// Direct answers keep their order among themselves only, and may overtake those that the store has to make: a peer
// tells answers apart by their ids. How an error is put is the reference's: whatever is missing is a FileNotFoundError
// of SB-READ2.
#include "chum/direct.h"

#include <stdio.h>
#include <stdlib.h>

bool chum_has_room(const struct conn *c)
{
    return conn_queued(c) <= CHUM_QUEUED_MAX;
}

void chum_answer_error(struct rpc *r, int64_t id, const struct error *e)
{
    char message[400];
    bool missing = e->status == STATUS_NOT_FOUND;
    snprintf(message, sizeof message, "%s: %s", missing ? "SB-READ2" : e->code, e->message);
    rpc_answer_error(r, id, missing ? "FileNotFoundError" : "Error", missing ? e->message : message,
                     missing ? "SB-READ2" : e->code);
}

static void give(struct chum_directs *ds, const struct chum_direct *d)
{
    switch (d->kind) {
    case DIRECT_VERSION:
        rpc_answer_json(ds->rpc, d->id, SPAN("8"));
        return;
    case DIRECT_NOTHING:
        rpc_answer_json(ds->rpc, d->id, (struct span){0});
        return;
    case DIRECT_UNKNOWN:
        rpc_answer_unknown_service(ds->rpc, d->id, d->service);
        return;
    case DIRECT_NO_ARRAY:
        rpc_answer_no_array(ds->rpc, d->id);
        return;
    case DIRECT_ERROR:
        chum_answer_error(ds->rpc, d->id, &d->error);
        return;
    }
}

bool chum_directs_take(struct chum_directs *ds, const struct chum_direct *request)
{
    if (ds->first == NULL && chum_has_room(ds->conn)) {
        give(ds, request);
        return true;
    }
    struct chum_direct *d = mem_alloc(sizeof *d);
    *d = *request;
    *(ds->first != NULL ? &ds->last->next : &ds->first) = d;
    ds->last = d;
    return false;
}

static struct chum_direct *take_first(struct chum_directs *ds)
{
    struct chum_direct *d = ds->first;
    ds->first = d->next;
    return d;
}

size_t chum_directs_go_on(struct chum_directs *ds)
{
    size_t given = 0;
    for (; ds->first != NULL && chum_has_room(ds->conn); given++) {
        struct chum_direct *d = take_first(ds);
        give(ds, d);
        free(d);
    }
    return given;
}

size_t chum_directs_end(struct chum_directs *ds)
{
    size_t gone = 0;
    for (; ds->first != NULL; gone++)
        free(take_first(ds));
    return gone;
}
