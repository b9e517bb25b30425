// What is sent is queued as frames in chunks, and a chunk is written each time libwebsockets can take one: as bytes
// that it does not look at, which it has for what servers answer in HTTP. A chunk counts as queued until it asks for
// the next. While one waits, what is sent joins it, so that many small messages are one write. The user hears of the
// end once, whoever caused it. A message that comes whole is handed on without being copied.
#include "net/ws.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "net/ws_frame.h"

enum { CLOSE_DEADLINE_MS = 5000, HIGH_WATER = 256 << 10, LOW_WATER = 8 << 10 };
enum { CHUNK_BYTES = 64 << 10 };
enum { CODE_NORMAL = 1000, CODE_NONE = 1005, CODE_LOST = 1006 };

struct ws_chunk {
    struct ws_chunk *next;
    size_t len, room;
    size_t payload; // of the messages in it
    uint8_t bytes[];
};

static struct ws *ws_of(struct transport *t)
{
    return (struct ws *)t;
}

static void tell_closed(struct ws *s, int code, struct span reason)
{
    if (s->ended)
        return;
    s->ended = true;
    loop_timer_cancel(&s->wake);
    if (s->base.events != NULL)
        transport_tell(&s->base)->closed(s->base.ctx, code, reason);
}

void ws_kill(struct lws *wsi)
{
    lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

// The first is as small as what is sent; where it is not written before there is more, the next has twice the room.
static struct ws_chunk *chunk_for(struct ws *s, size_t len)
{
    if (s->last != NULL && s->last->room - s->last->len >= len)
        return s->last;
    size_t room = s->last != NULL ? 2 * s->last->room : 0;
    if (room > CHUNK_BYTES)
        room = CHUNK_BYTES;
    if (room < len)
        room = len;
    struct ws_chunk *c = mem_resize(NULL, sizeof *c + room);
    *c = (struct ws_chunk){.room = room};
    *(s->last != NULL ? &s->last->next : &s->first) = c;
    s->last = c;
    return c;
}

static void ws_send(struct transport *t, bool text, struct span payload)
{
    struct ws *s = ws_of(t);
    if (s->closing || s->ended)
        return;
    uint8_t mask[WS_FRAME_MASK];
    size_t len = ws_frame_head_size(payload.len, s->masks) + payload.len;
    struct ws_chunk *c = chunk_for(s, len);
    if (s->masks)
        random_bytes(mask, sizeof mask);
    ws_frame_write(c->bytes + c->len, text, payload, s->masks ? mask : NULL);
    c->len += len;
    c->payload += payload.len;
    s->queued += payload.len;
    s->base.bytes_sent += payload.len;
    s->base.messages_sent++;
    s->busy |= s->queued > HIGH_WATER;
    lws_callback_on_writable(s->wsi);
}

static void ws_close(struct transport *t, const char *reason)
{
    struct ws *s = ws_of(t);
    if (s->closing || s->ended)
        return;
    s->closing = true;
    s->reason = mem_text(utf8_beginning(span_of(reason), WS_REASON_MAX));
    loop_timer_set(&s->deadline, CLOSE_DEADLINE_MS);
    lws_rx_flow_control(s->wsi, 1); // the peer's close frame must be read
    lws_callback_on_writable(s->wsi);
}

static void ws_pause(struct transport *t, bool paused)
{
    struct ws *s = ws_of(t);
    if (s->closing || s->ended || s->paused == paused)
        return;
    s->paused = paused;
    lws_rx_flow_control(s->wsi, !paused);
}

static size_t ws_queued(const struct transport *t)
{
    return ((const struct ws *)t)->queued;
}

static void ws_wake_at(struct transport *t, uint64_t monotonic_ms)
{
    struct ws *s = ws_of(t);
    uint64_t now = clock_monotonic_ms();
    if (monotonic_ms == 0 || s->ended)
        loop_timer_cancel(&s->wake);
    else
        loop_timer_set(&s->wake, monotonic_ms > now ? monotonic_ms - now : 0);
}

static const struct transport_ops ops = {ws_send, ws_close, ws_pause, ws_queued, ws_wake_at};

static void wake(void *ctx)
{
    struct ws *s = ctx;
    if (s->base.events != NULL)
        transport_tell(&s->base)->time(s->base.ctx);
}

static void cut_off(void *ctx)
{
    struct ws *s = ctx;
    ws_kill(s->wsi);
}

void ws_open(struct ws *s, struct loop *l, struct lws *wsi, const char *url, size_t message_limit)
{
    s->loop = l;
    l->websockets++;
    s->wsi = wsi;
    s->url = mem_text(span_of(url));
    s->message_limit = message_limit != 0 ? message_limit : WS_MESSAGE_LIMIT;
    s->wake = LOOP_TIMER(l, wake, s);
    s->deadline = LOOP_TIMER(l, cut_off, s);
    s->base.ops = &ops;
    s->base.url = s->url;
}

void ws_release(struct ws *s)
{
    tell_closed(s, s->closing ? CODE_NORMAL : CODE_LOST, span_of(s->reason));
    s->loop->websockets--;
    loop_timer_cancel(&s->deadline);
    while (s->first != NULL) {
        struct ws_chunk *c = s->first;
        s->first = c->next;
        free(c);
    }
    buf_free(&s->partial);
    free(s->reason);
    free(s->url);
}

static int refuse_message(struct ws *s)
{
    static unsigned char reason[] = "Message too big";
    lws_close_reason(s->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, reason, sizeof reason - 1); // copies
    tell_closed(s, TRANSPORT_TOO_BIG, SPAN("Message too big"));
    return -1;
}

static void deliver(struct ws *s, struct span message)
{
    s->base.messages_received++;
    if (s->base.events != NULL)
        transport_tell(&s->base)->message(s->base.ctx, !lws_frame_is_binary(s->wsi), message);
}

static int receive(struct ws *s, const char *in, size_t len)
{
    if (s->closing || s->ended)
        return 0;
    size_t announced = lws_remaining_packet_payload(s->wsi);
    if (len > s->message_limit || s->partial.len > s->message_limit - len ||
        announced > s->message_limit - len - s->partial.len)
        return refuse_message(s);
    s->base.bytes_received += len;
    bool last = lws_is_final_fragment(s->wsi);
    if (last && s->partial.len == 0) {
        deliver(s, (struct span){in, len});
        return 0;
    }
    if (budget_take(s->base.budget, BUDGET_HELD, len, NULL) != STATUS_OK)
        return refuse_message(s);
    if (len != 0)
        buf_add(&s->partial, in, len);
    if (!last)
        return 0;
    struct buf whole = s->partial;
    s->partial = (struct buf){0};
    budget_give(s->base.budget, BUDGET_HELD, whole.len);
    deliver(s, buf_span(&whole));
    buf_free(&whole);
    return 0;
}

// The last message is out of our hands and out of libwebsockets', which calls only when it holds nothing back.
static void settle(struct ws *s)
{
    s->queued -= s->in_flight;
    s->in_flight = 0;
    if (!s->busy || s->queued >= LOW_WATER)
        return;
    s->busy = false;
    if (s->base.events != NULL && !s->ended)
        transport_tell(&s->base)->drained(s->base.ctx);
}

static int write_next(struct ws *s)
{
    struct ws_chunk *c = s->first;
    s->first = c->next;
    if (s->first == NULL)
        s->last = NULL;
    s->in_flight = c->payload;
    int n = lws_write(s->wsi, c->bytes, c->len, LWS_WRITE_HTTP);
    free(c);
    if (n < 0)
        return -1;
    lws_callback_on_writable(s->wsi);
    return 0;
}

static int writable(struct ws *s)
{
    settle(s);
    if (s->first != NULL)
        return write_next(s);
    if (!s->closing || s->ended)
        return 0;
    lws_close_reason(s->wsi, LWS_CLOSE_STATUS_NORMAL, (unsigned char *)s->reason, strlen(s->reason));
    return -1;
}

// What libwebsockets closes with when the peer breaks the rules.
static bool has_broken_rules(const struct ws *s)
{
    if (lws_get_close_length(s->wsi) < 2)
        return false;
    const unsigned char *b = lws_get_close_payload(s->wsi);
    int code = b[0] << 8 | b[1];
    return code == LWS_CLOSE_STATUS_PROTOCOL_ERR || code == LWS_CLOSE_STATUS_INVALID_PAYLOAD;
}

static int code_of_end(const struct ws *s)
{
    if (s->closing)
        return CODE_NORMAL;
    return has_broken_rules(s) ? TRANSPORT_BAD_FRAMES : CODE_LOST;
}

static int peer_closes(struct ws *s, const char *in, size_t len)
{
    if (len < 2) {
        tell_closed(s, CODE_NONE, (struct span){0});
        return 0;
    }
    const unsigned char *b = (const unsigned char *)in;
    tell_closed(s, b[0] << 8 | b[1], (struct span){in + 2, len - 2});
    return 0;
}

int ws_event(struct ws *s, enum lws_callback_reasons reason, const char *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(s, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writable(s);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return peer_closes(s, in, len);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
        tell_closed(s, code_of_end(s), span_of(s->reason));
        return 0;
    default:
        return 0;
    }
}
