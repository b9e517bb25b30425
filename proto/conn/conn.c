// The events of a connection: what its transport tells, what its host decides, what time brings. Which message is
// awaited when stands in the two tables of conn_steps.c.
//
// Each event stands between conn_enter and conn_leave, because what it calls may end the connection: only the last
// conn_leave frees it. Messages that come before somebody serves the group are kept, few, and on the account of the
// peer.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/conn_internal.h"

enum { CLOSE_LOST = 1006 }; // of WebSockets

// ---- The group's protocol ----

static void deliver(struct conn *c, bool text, struct span message)
{
    if (text)
        c->protocol->text(c->protocol_ctx, message, conn_now(c));
    else
        c->protocol->binary(c->protocol_ctx, message, conn_now(c));
}

static void deliver_early(struct conn *c)
{
    for (size_t i = 0; i < c->early_count; i++) {
        if (!c->ending)
            deliver(c, c->early[i].text, buf_span(&c->early[i].bytes));
        budget_give(c->budget, BUDGET_HELD, c->early[i].bytes.len);
        buf_free(&c->early[i].bytes);
    }
    c->early_count = 0;
}

static void keep_early(struct conn *c, bool text, struct span message)
{
    struct error over;
    if (budget_take(c->budget, BUDGET_HELD, message.len, &over) != STATUS_OK) {
        conn_fail(c, &over);
        return;
    }
    if (c->early_count == CONN_QUEUE) {
        struct error why;
        error_set(&why, STATUS_TOO_BIG, "QUEUE-FULL", "Queue is full, it reached its maximum length of %d", CONN_QUEUE);
        conn_close_with(c, &why, "Close called", why.message);
        return;
    }
    struct conn_early *early = &c->early[c->early_count++];
    *early = (struct conn_early){.text = text};
    buf_add_span(&early->bytes, message);
}

static void begin_serving(struct conn *c)
{
    c->held = false;
    c->deadline = 0;
    c->transport->trusted = c->transport->trusted || c->peer.known;
    if (c->group == CONN_CHUM)
        pipeline_set_limit(c->pipeline, CONN_LIMIT_CHUM);
    if (c->group == CONN_APPLICATION)
        pipeline_set_limit(c->pipeline, CONN_LIMIT_APPLICATION);
    if (c->protocol->piece != NULL)
        pipeline_stream_texts(c->pipeline);
    conn_set_state(c, c->group == CONN_PAIRING ? CONN_PAIRING_ACTIVE : CONN_ACTIVE);
    deliver_early(c);
}

void conn_serve(struct conn *c, const struct conn_protocol *protocol, void *ctx)
{
    c->protocol = protocol;
    c->protocol_ctx = ctx;
    if (c->asking)
        return;
    conn_enter(c);
    begin_serving(c);
    conn_leave(c);
}

bool conn_hold(struct conn *c, uint64_t ms)
{
    uint64_t now = conn_now(c);
    if (c->hold_until == 0)
        c->hold_until = now + ms;
    if (now >= c->hold_until)
        return false;
    c->held = true;
    c->deadline = c->hold_until;
    return true;
}

// Asks the host what happens with an authenticated peer.
static void ask_ready(struct conn *c)
{
    c->held = false;
    c->deadline = 0;
    struct error why;
    if (conn_check_known(c, &why) != STATUS_OK) { // it may have become known while it was held
        conn_fail(c, &why);
        return;
    }
    INVARIANT(c->proved);
    c->asking = true;
    const char *reason = c->host->ready(c->host->ctx, c, c->group);
    c->asking = false;
    if (c->ending)
        return;
    if (c->protocol != NULL) {
        begin_serving(c);
    } else if (!c->held) {
        error_set(&why, STATUS_REFUSED, "REFUSED", "%s", reason != NULL ? reason : "nobody serves this group");
        conn_fail(c, &why);
    }
}

bool conn_resume(struct conn *c)
{
    if (!c->held || c->ending)
        return false;
    conn_enter(c);
    ask_ready(c);
    bool decided = !c->held;
    conn_leave(c);
    return decided;
}

// ---- Awaited messages ----

static void next_step(struct conn *c)
{
    c->steps++;
    if (c->steps->take == NULL) {
        conn_set_state(c, CONN_AUTHENTICATED);
        ask_ready(c);
    } else if (!c->steps->clear) {
        c->deadline = conn_now(c) + CONN_AWAIT_MS;
    }
}

static void take(struct conn *c, bool text, struct span message)
{
    if (c->protocol != NULL) {
        deliver(c, text, message);
    } else if (c->steps->take == NULL) {
        keep_early(c, text, message);
    } else {
        struct error why;
        conn_log(c, "handshake.received", c->steps->name, message.len);
        if (c->steps->take(c, text, message, &why) != STATUS_OK)
            conn_fail(c, &why);
        else if (!c->ending)
            next_step(c);
    }
}

static void take_frame(struct conn *c, bool text, struct span frame)
{
    struct error why;
    struct fragment_message message;
    if (pipeline_receive(c->pipeline, text, frame, conn_now(c), &message, &why) != STATUS_OK)
        conn_close_with(c, &why, "Close called", why.message);
    else if (message.piece && message.present)
        c->protocol->piece(c->protocol_ctx, message.bytes, message.first, message.last, conn_now(c));
    else if (message.present)
        take(c, message.text, message.bytes);
    pipeline_consumed(c->pipeline);
}

static void on_message(void *ctx, bool text, struct span payload)
{
    struct conn *c = ctx;
    if (c->ending)
        return;
    LOG(LOG_DEBUG, "message.received", LOG_INT("conn", conn_id(c)), LOG_INT("bytes", payload.len));
    conn_enter(c);
    if (c->pipeline != NULL)
        take_frame(c, text, payload);
    else
        take(c, text, payload);
    conn_leave(c);
}

// ---- The transport's other events ----

// The words of the peer behind "Close called".
static struct span peer_reason(struct span reason)
{
    if (span_eq(reason, SPAN("Close called.")))
        return (struct span){0};
    if (span_starts_with(reason, SPAN("Close called: ")))
        return span_from(reason, sizeof "Close called: " - 1);
    return reason;
}

static void on_closed(void *ctx, int code, struct span reason)
{
    struct conn *c = ctx;
    conn_enter(c);
    struct error why;
    if (!c->ending)
        c->close_code = code;
    if (code == CLOSE_LOST)
        error_set(&why, STATUS_CLOSED, "CONNECTION-LOST", "the connection broke");
    else if (code == TRANSPORT_BAD_FRAMES)
        error_set(&why, STATUS_INVALID, "BAD-WEBSOCKET", "the peer sent what WebSocket does not allow");
    else if (code == TRANSPORT_TOO_BIG)
        error_set(&why, STATUS_TOO_BIG, "MESSAGE-TOO-BIG", SPAN_FMT, SPAN_ARG(reason));
    else
        error_set(&why, STATUS_CLOSED, "PEER-CLOSED", SPAN_FMT, SPAN_ARG(peer_reason(reason)));
    conn_begin_end(c, &why);
    conn_leave(c);
}

static void on_drained(void *ctx)
{
    struct conn *c = ctx;
    conn_enter(c);
    if (c->protocol != NULL && c->protocol->drained != NULL && !c->ending)
        c->protocol->drained(c->protocol_ctx);
    conn_leave(c);
}

static void on_deadline(struct conn *c)
{
    if (c->held) {
        ask_ready(c);
        return;
    }
    struct error why;
    error_set(&why, STATUS_TIMEOUT, "CONN-TIMEOUT", "The awaited message did not come in time");
    conn_fail(c, &why);
}

static void on_time(void *ctx)
{
    struct conn *c = ctx;
    conn_enter(c);
    uint64_t now = conn_now(c);
    c->wake = 0; // what was asked for has happened
    struct error why;
    if (c->deadline != 0 && now >= c->deadline)
        on_deadline(c);
    if (!c->ending && c->stall_at != 0 && now >= c->stall_at && conn_check_progress(c, &why) != STATUS_OK)
        conn_fail(c, &why);
    if (!c->ending && c->pipeline != NULL && pipeline_on_time(c->pipeline, now, &why) != STATUS_OK)
        conn_close_with(c, &why, "Terminate called", why.message);
    if (!c->ending && c->protocol != NULL && c->protocol->time != NULL)
        c->protocol->time(c->protocol_ctx, now);
    conn_leave(c);
}

static const struct transport_events EVENTS = {
    .message = on_message, .closed = on_closed, .drained = on_drained, .time = on_time};

// ---- The beginning ----

static struct conn *create(struct transport *t, const struct conn_host *host, enum conn_role role)
{
    struct conn *c = mem_alloc(sizeof *c);
    c->transport = t;
    c->host = host;
    c->random = host->random != NULL ? host->random : &RANDOM_SYSTEM;
    if (t->id == 0)
        t->id = transport_new_id();
    c->budget = budget_of_connection(host->budgets);
    t->budget = c->budget;
    c->role = role;
    c->proof.all = host->challenges;
    c->steps = role == CONN_ACCEPTOR ? CONN_STEPS_ACCEPTOR : CONN_STEPS_INITIATOR;
    c->began = conn_now(c);
    c->deadline = c->began + CONN_CLEAR_MS;
    transport_use(t, &EVENTS, c);
    conn_set_state(c, CONN_CONNECTED);
    return c;
}

struct conn *conn_initiate(struct transport *t, const struct conn_host *host, const struct conn_identity *local,
                           const struct public_key *target, enum conn_group group)
{
    struct conn *c = create(t, host, CONN_INITIATOR);
    c->local = local;
    c->group = group;
    c->peer.long_term = *target;
    struct handshake_request request = {.source = local->instance_public, .target = *target};
    struct buf message = {0};
    handshake_write_request(&request, &message);
    conn_enter(c);
    conn_emit(c, true, "communication_request", &message);
    conn_set_state(c, CONN_ENCRYPTING);
    conn_leave(c);
    return c;
}

struct conn *conn_accept(struct transport *t, const struct conn_host *host, struct span first)
{
    struct conn *c = create(t, host, CONN_ACCEPTOR);
    conn_enter(c);
    if (first.len != 0)
        take(c, true, first);
    return conn_leave(c) ? c : NULL;
}
