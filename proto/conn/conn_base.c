// The ground a connection stands on: every event is handled between enter and leave, so that nothing is freed while
// somebody is inside; what it sends; and how it ends.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/conn_internal.h"

enum { CLOSE_NORMAL = 1000 }; // of WebSockets

void conn_set_state(struct conn *c, enum conn_state state)
{
    c->state = state;
    LOG(LOG_DEBUG, "conn.state", LOG_INT("conn", conn_id(c)), LOG_TEXT("state", conn_state_name(state)));
    if (c->host->state != NULL)
        c->host->state(c->host->ctx, c, state);
}

void conn_begin_end(struct conn *c, const struct error *why)
{
    if (c->ending)
        return;
    c->ending = true;
    c->why = *why;
    conn_set_state(c, CONN_CLOSING);
}

void conn_close_with(struct conn *c, const struct error *why, const char *opening, const char *text)
{
    if (c->ending)
        return;
    char reason[MESSAGE_CLOSE_TEXT];
    message_close_text(opening, text, reason);
    c->close_code = CLOSE_NORMAL;
    conn_begin_end(c, why);
    transport_close(c->transport, reason);
}

// What a failure of the layers above the framing looks like to the peer.
static void fail(struct conn *c, const struct error *why)
{
    char text[400];
    message_error_text(why, text, sizeof text);
    bool wordless = strcmp(why->code, "BAD-RESPONSE") == 0;
    conn_close_with(c, why, "Close called", wordless ? NULL : text);
}

static void release(struct conn *c)
{
    for (size_t i = 0; i < c->early_count; i++)
        buf_free(&c->early[i].bytes);
    handshake_keys_end(&c->keys);
    exchange_proof_end(&c->proof);
    pipeline_destroy(c->pipeline);
    budget_release(c->budget);
    free(c->peer.email);
    free(c->peer.instance_name);
    free(c);
}

static bool ended_well(const struct error *why)
{
    return strcmp(why->code, "CLOSED") == 0 ||
           (strcmp(why->code, "PEER-CLOSED") == 0 && message_is_intended(span_of(why->message)));
}

static void finish(struct conn *c)
{
    c->finished = true;
    conn_set_state(c, ended_well(&c->why) ? CONN_CLOSED : CONN_FAILED);
    if (c->protocol != NULL)
        c->protocol->closed(c->protocol_ctx, &c->why);
    c->host->closed(c->host->ctx, c, &c->why);
    transport_release(c->transport);
    release(c);
}

static void reschedule(struct conn *c)
{
    uint64_t candidates[] = {
        c->deadline,
        c->pipeline != NULL ? pipeline_deadline(c->pipeline) : 0,
        c->protocol != NULL && c->protocol->deadline != NULL ? c->protocol->deadline(c->protocol_ctx) : 0,
        c->resume_at,
        c->stall_at,
    };
    uint64_t wake = 0;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++)
        if (candidates[i] != 0 && (wake == 0 || candidates[i] < wake))
            wake = candidates[i];
    if (wake != c->wake)
        transport_wake_at(c->transport, wake);
    c->wake = wake;
}

void conn_enter(struct conn *c)
{
    OWNER_ASSERT(c);
    INVARIANT(!c->finished);
    c->busy++;
}

bool conn_leave(struct conn *c) // false: c is gone
{
    if (--c->busy != 0)
        return true;
    if (c->ending) {
        finish(c);
        return false;
    }
    conn_account(c);
    reschedule(c);
    return true;
}

void conn_close(struct conn *c, const char *reason)
{
    conn_enter(c);
    struct error why;
    error_set(&why, STATUS_CLOSED, "CLOSED", "%s", reason != NULL ? reason : "");
    conn_close_with(c, &why, "Close called", reason);
    conn_leave(c);
}

void conn_wind_up(struct conn *c, const char *reason)
{
    conn_enter(c);
    if (c->protocol != NULL && c->protocol->wind_up != NULL)
        c->protocol->wind_up(c->protocol_ctx, reason);
    else
        conn_close(c, reason);
    conn_leave(c);
}

void conn_fail(struct conn *c, const struct error *why)
{
    conn_enter(c);
    fail(c, why);
    conn_leave(c);
}

void conn_paired(struct conn *c)
{
    conn_set_state(c, CONN_PAIRED);
}

void conn_reschedule(struct conn *c)
{
    conn_enter(c);
    conn_leave(c);
}

static void transmit(struct conn *c, bool text, struct span payload)
{
    LOG(LOG_DEBUG, "message.sent", LOG_INT("conn", conn_id(c)), LOG_INT("bytes", payload.len));
    transport_send(c->transport, text, payload);
}

static void emit_frame(void *ctx, struct span frame)
{
    transmit(ctx, false, frame);
}

void conn_emit(struct conn *c, bool text, const char *name, struct buf *message)
{
    if (!c->ending)
        conn_log(c, "handshake.sent", name, message->len);
    if (!c->ending && c->pipeline != NULL)
        pipeline_send(c->pipeline, text, buf_span(message), conn_now(c));
    else if (!c->ending)
        transmit(c, text, buf_span(message));
    buf_free(message);
}

static void send_message(struct conn *c, bool text, struct span message)
{
    if (c->ending)
        return;
    pipeline_send(c->pipeline, text, message, conn_now(c));
    if (c->stall_at == 0 && c->transport->ops->queued(c->transport) >= CONN_UNREAD)
        conn_reschedule(c);
}

void conn_send_text(struct conn *c, struct span message)
{
    send_message(c, true, message);
}

void conn_send_binary(struct conn *c, struct span message)
{
    send_message(c, false, message);
}

void conn_pause(struct conn *c, bool paused)
{
    if (c->ending)
        return;
    conn_enter(c);
    conn_hold_up(c, paused);
    conn_leave(c);
}

void conn_encrypt(struct conn *c, struct secret *shared)
{
    enum frame_side side = c->role == CONN_ACCEPTOR ? FRAME_ACCEPTOR : FRAME_INITIATOR;
    c->pipeline = pipeline_create(shared, side, CONN_LIMIT_EARLY, c->random, emit_frame, c, conn_now(c));
    pipeline_set_budget(c->pipeline, c->budget);
    conn_set_state(c, CONN_ENCRYPTED);
}
