// What a connection's peer has on its account, and when it is not read: a protocol that cannot take more (conn_pause),
// rates that are used up and a host that has too much to do are reasons, and reading goes on when none is left.
#include "conn/conn_internal.h"

void conn_recognise(struct conn *c, enum budget_class class)
{
    c->transport->trusted = true;
    budget_reclass(c->budget, &c->peer.person_id, class);
}

struct budget *conn_budget(const struct conn *c)
{
    return c->budget;
}

static bool is_paused(const struct conn *c)
{
    return c->held_up || c->resume_at != 0;
}

static void apply_pause(struct conn *c, bool was_paused)
{
    bool paused = is_paused(c);
    if (paused == was_paused)
        return;
    transport_pause(c->transport, paused);
    if (c->pipeline != NULL)
        pipeline_set_paused(c->pipeline, paused, conn_now(c));
}

void conn_hold_up(struct conn *c, bool held_up)
{
    bool was_paused = is_paused(c);
    c->held_up = held_up;
    apply_pause(c, was_paused);
}

static uint64_t written(const struct conn *c)
{
    return c->transport->bytes_sent - c->transport->ops->queued(c->transport);
}

static void watch_progress(struct conn *c, size_t queued)
{
    if (queued < CONN_UNREAD) {
        c->stall_at = 0;
    } else if (c->stall_at == 0) {
        c->stall_at = conn_now(c) + CONN_STALL_MS;
        c->written_then = written(c);
    }
}

void conn_account(struct conn *c)
{
    size_t queued = c->transport->ops->queued(c->transport);
    budget_set(c->budget, BUDGET_QUEUED, queued);
    watch_progress(c, queued);
    bool was_paused = is_paused(c);
    uint64_t wait = budget_wait_ms(c->budget, BUDGET_VALUES, 1);
    if (wait > CONN_STALL_MS)
        wait = CONN_STALL_MS;
    if (wait < CONN_CROWDED_MS && c->host->crowded != NULL && c->host->crowded(c->host->ctx))
        wait = CONN_CROWDED_MS;
    c->resume_at = wait != 0 ? conn_now(c) + wait : 0;
    apply_pause(c, was_paused);
}

enum status conn_check_progress(struct conn *c, struct error *e)
{
    if (written(c) - c->written_then >= CONN_PROGRESS) {
        c->stall_at = 0; // a new time begins
        return STATUS_OK;
    }
    budget_note_refusal(c->budget, BUDGET_QUEUED);
    return error_set(e, STATUS_FULL, "OVER-BUDGET", "the peer does not read what it was sent");
}
