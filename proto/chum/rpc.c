// What a peer can have us keep is bounded: calls in flight and waiting, and on its account the texts that arrive and
// the values parsed. A call leaves its list before its last reply, which may make other calls or fail all of them.
#include "chum/rpc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/text.h"
#include "chum/rpc_internal.h"
#include "wire/jsontext.h"

enum { WAITING_DEFAULT = 65536, JSON_DEPTH = 32, JSON_VALUES = 100000, BYTES_PER_VALUE = 32, BYTES_UNREAD = 4096 };

void rpc_drop_text(struct rpc *r, struct call *c)
{
    budget_give(r->limits.budget, BUDGET_HELD, c->counted);
    c->counted = 0;
    buf_free(&c->text);
}

// ---- Lists of calls ----

static void list_begin(struct call_list *l)
{
    *l = (struct call_list){.end = &l->first};
}

static void list_append(struct call_list *l, struct call *c)
{
    c->next = NULL;
    *l->end = c;
    l->end = &c->next;
    l->count++;
}

static struct call *list_take(struct call_list *l, struct call **place)
{
    struct call *c = *place;
    *place = c->next;
    if (l->end == &c->next)
        l->end = place;
    l->count--;
    return c;
}

static struct call **list_find(struct call_list *l, int64_t id)
{
    for (struct call **p = &l->first; *p != NULL; p = &(*p)->next)
        if ((*p)->id == id)
            return p;
    return NULL;
}

static void call_free(struct rpc *r, struct call *c)
{
    rpc_drop_text(r, c);
    free(c->message);
    free(c);
}

static void list_free(struct rpc *r, struct call_list *l)
{
    while (l->first != NULL)
        call_free(r, list_take(l, &l->first));
}

struct call **rpc_sent_call(struct rpc *r, int64_t id)
{
    return list_find(&r->sent, id);
}

// ---- Life ----

struct rpc *rpc_create(struct rpc_transport transport, struct rpc_limits limits, rpc_serve_fn serve, void *ctx)
{
    struct rpc *r = mem_alloc(sizeof *r);
    r->transport = transport;
    r->limits = limits;
    if (limits.waiting == 0)
        r->limits.waiting = WAITING_DEFAULT;
    r->serve = serve;
    r->ctx = ctx;
    list_begin(&r->sent);
    list_begin(&r->waiting);
    return r;
}

void rpc_destroy(struct rpc *r)
{
    if (r == NULL)
        return;
    OWNER_ASSERT(r);
    INVARIANT(r->busy == 0);
    list_free(r, &r->sent);
    list_free(r, &r->waiting);
    long_answer_end(&r->arriving);
    free(r);
}

bool rpc_is_undefined(const json_t *value)
{
    return value == NULL || (json_is_string(value) && strcmp(json_string_value(value), RPC_UNDEFINED) == 0);
}

// ---- Own calls ----

static void send_waiting(struct rpc *r, uint64_t now_ms)
{
    while (r->waiting.first != NULL && r->sent.count < r->limits.outstanding) {
        struct call *c = list_take(&r->waiting, &r->waiting.first);
        c->deadline = now_ms + c->timeout_ms;
        list_append(&r->sent, c);
        char *message = c->message;
        c->message = NULL;
        r->transport.send(r->transport.ctx, true, span_of(message));
        free(message);
    }
}

// The next number is that of the request.
static struct buf request(struct rpc *r, int64_t service, struct span args)
{
    struct buf message = {0};
    buf_printf(&message,
               "{\"requestId\":%lld,\"type\":\"request\",\"serviceId\":%lld,\"args\":", (long long)r->next_id++,
               (long long)service);
    buf_add_span(&message, args);
    buf_add_char(&message, '}');
    return message;
}

void rpc_tell(struct rpc *r, int64_t service, struct span args)
{
    OWNER_ASSERT(r);
    if (r->failed)
        return;
    struct buf message = request(r, service, args);
    rpc_send_text(r, &message);
}

static int64_t begin_call(struct rpc *r, int64_t service, struct span args, uint64_t now_ms, const struct call *call)
{
    OWNER_ASSERT(r);
    if (r->failed || r->waiting.count >= r->limits.waiting)
        return -1;
    struct call *c = mem_alloc(sizeof *c);
    *c = *call;
    c->id = r->next_id;
    c->most = r->limits.text;
    c->too_big = "ANSWER-TOO-BIG";
    struct buf message = request(r, service, args);
    buf_add_char(&message, '\0');
    c->message = message.data;
    list_append(&r->waiting, c);
    int64_t id = c->id;
    send_waiting(r, now_ms);
    return id;
}

int64_t rpc_call(struct rpc *r, int64_t service, struct span args, uint64_t now_ms, uint64_t timeout_ms,
                 rpc_reply_fn reply, void *ctx)
{
    return begin_call(r, service, args, now_ms, &(struct call){.timeout_ms = timeout_ms, .reply = reply, .ctx = ctx});
}

int64_t rpc_call_stream(struct rpc *r, int64_t service, struct span args, uint64_t now_ms, uint64_t timeout_ms,
                        rpc_reply_fn reply, void *ctx)
{
    return begin_call(r, service, args, now_ms,
                      &(struct call){.timeout_ms = timeout_ms, .reply = reply, .ctx = ctx, .takes_stream = true});
}

static struct call *find_own(struct rpc *r, int64_t id)
{
    struct call **place = list_find(&r->sent, id);
    if (place == NULL)
        place = list_find(&r->waiting, id);
    return place != NULL ? *place : NULL;
}

void rpc_expect(struct rpc *r, int64_t id, size_t most, const char *too_big, bool in_pieces)
{
    struct call *c = find_own(r, id);
    if (c == NULL)
        return;
    c->most = most;
    c->too_big = too_big;
    c->in_pieces = in_pieces;
}

void rpc_take_bytes(struct rpc *r, int64_t id)
{
    struct call *c = find_own(r, id);
    if (c != NULL)
        c->takes_bytes = true;
}

void rpc_cancel(struct rpc *r, int64_t id)
{
    struct call **place = list_find(&r->sent, id);
    struct call_list *list = place != NULL ? &r->sent : &r->waiting;
    if (place == NULL)
        place = list_find(&r->waiting, id);
    if (place == NULL)
        return;
    struct call *c = list_take(list, place);
    if (c->streaming) {
        struct buf out = {0};
        buf_printf(&out, "{\"requestId\":%lld,\"type\":\"write-stream-error\"}", (long long)id);
        rpc_send_text(r, &out);
    }
    call_free(r, c);
}

size_t rpc_pending(const struct rpc *r)
{
    return r->sent.count + r->waiting.count;
}

// Whatever calls others is between these two.
static void enter(struct rpc *r)
{
    OWNER_ASSERT(r);
    r->busy++;
}

static void leave(struct rpc *r)
{
    r->busy--;
}

static void finish(struct rpc *r, struct call_list *list, struct call **place, const struct rpc_reply *reply)
{
    struct call *c = list_take(list, place);
    c->reply(c->ctx, reply);
    call_free(r, c);
}

void rpc_finish(struct rpc *r, struct call **place, const struct rpc_reply *reply)
{
    finish(r, &r->sent, place, reply);
}

uint64_t rpc_deadline(const struct rpc *r)
{
    uint64_t earliest = 0;
    for (const struct call *c = r->sent.first; c != NULL; c = c->next)
        if (earliest == 0 || c->deadline < earliest)
            earliest = c->deadline;
    return earliest;
}

static struct call **find_expired(struct rpc *r, uint64_t now_ms)
{
    for (struct call **p = &r->sent.first; *p != NULL; p = &(*p)->next)
        if ((*p)->deadline <= now_ms)
            return p;
    return NULL;
}

void rpc_on_time(struct rpc *r, uint64_t now_ms)
{
    struct error e;
    error_set(&e, STATUS_TIMEOUT, "RPC-TIMEOUT", "the peer did not answer a request in time");
    struct rpc_reply lost = {.kind = RPC_LOST, .error = &e};
    enter(r);
    for (struct call **place; (place = find_expired(r, now_ms)) != NULL;)
        finish(r, &r->sent, place, &lost);
    send_waiting(r, now_ms);
    leave(r);
}

void rpc_fail_all(struct rpc *r, const struct error *why)
{
    r->failed = true;
    struct rpc_reply lost = {.kind = RPC_LOST, .error = why};
    enter(r);
    while (r->sent.first != NULL)
        finish(r, &r->sent, &r->sent.first, &lost);
    while (r->waiting.first != NULL)
        finish(r, &r->waiting, &r->waiting.first, &lost);
    leave(r);
}

// ---- Receiving ----

// JavaScript's integers: also 5.0, within ±2^53.
static bool get_integer(const json_t *message, const char *name, int64_t *out)
{
    const json_t *member = json_object_get(message, name);
    if (!json_is_number(member))
        return false;
    double number = json_number_value(member);
    if (number != trunc(number) || fabs(number) > 9007199254740992.0)
        return false;
    *out = (int64_t)number;
    return true;
}

static struct span get_text(const json_t *message, const char *name)
{
    const json_t *member = json_object_get(message, name);
    if (!json_is_string(member) || rpc_is_undefined(member))
        return (struct span){0};
    return (struct span){json_string_value(member), json_string_length(member)};
}

static void on_request(struct rpc *r, const json_t *message)
{
    struct rpc_request request;
    if (!get_integer(message, "requestId", &request.id) || !get_integer(message, "serviceId", &request.service))
        return;
    json_t *args = json_object_get(message, "args");
    json_t *none = rpc_is_undefined(args) ? json_array() : NULL;
    args = none != NULL ? none : args;
    request.args = json_is_array(args) ? args : NULL;
    r->serve(r->ctx, &request);
    json_decref(none);
}

static void on_data(struct rpc *r, struct call **place, const json_t *message)
{
    const json_t *data = json_object_get(message, "data");
    struct rpc_reply reply = {.kind = RPC_DATA, .data = rpc_is_undefined(data) ? NULL : data};
    finish(r, &r->sent, place, &reply);
}

static void on_error(struct rpc *r, struct call **place, const json_t *message)
{
    const json_t *error = json_object_get(message, "error");
    struct span code = get_text(error, "code");
    struct span text = get_text(error, "message");
    struct span name = get_text(error, "name");
    char short_code[40];
    snprintf(short_code, sizeof short_code, SPAN_FMT, SPAN_ARG(code));
    struct error e;
    error_set(&e, STATUS_REFUSED, short_code, SPAN_FMT "%s" SPAN_FMT, SPAN_ARG(name),
              name.len != 0 && text.len != 0 ? ": " : "", SPAN_ARG(text));
    finish(r, &r->sent, place, &(struct rpc_reply){.kind = RPC_ERROR, .error = &e});
}

static void on_stream_error(struct rpc *r, struct call **place, const json_t *message)
{
    struct error e;
    error_set(&e, STATUS_REFUSED, "STREAM-ERROR", SPAN_FMT, SPAN_ARG(get_text(message, "error")));
    finish(r, &r->sent, place, &(struct rpc_reply){.kind = RPC_ERROR, .error = &e});
}

static void refuse_stream(struct rpc *r, struct call **place)
{
    struct error e;
    error_set(&e, STATUS_INVALID, "STREAM-ERROR", "the peer sends a stream where one answer was asked for");
    finish(r, &r->sent, place, &(struct rpc_reply){.kind = RPC_ERROR, .error = &e});
}

static void on_end(struct rpc *r, struct call **place, const json_t *message)
{
    (void)message;
    if (!(*place)->takes_stream)
        refuse_stream(r, place);
    else
        finish(r, &r->sent, place, &(struct rpc_reply){.kind = RPC_END});
}

static void deliver_chunk(struct call *c, struct span chunk, uint64_t now_ms)
{
    c->streaming = true;
    c->deadline = now_ms + c->timeout_ms;
    if (chunk.len != 0)
        c->reply(c->ctx, &(struct rpc_reply){.kind = RPC_CHUNK, .chunk = chunk}); // may cancel c
}

static void on_chunk(struct rpc *r, struct call **place, const json_t *message, uint64_t now_ms)
{
    struct call *c = *place;
    struct span encoding = get_text(message, "encoding");
    if (encoding.len != 0)
        c->base64 = span_eq_text(encoding, "base64");
    struct span chunk = get_text(message, "chunk");
    if (!c->base64) {
        deliver_chunk(c, chunk, now_ms);
        return;
    }
    struct buf bytes = {0};
    if (base64_decode(chunk, &bytes)) {
        deliver_chunk(c, buf_span(&bytes), now_ms);
    } else {
        struct error e;
        error_set(&e, STATUS_INVALID, "STREAM-ERROR", "a chunk of the stream is not base64");
        finish(r, &r->sent, place, &(struct rpc_reply){.kind = RPC_ERROR, .error = &e});
    }
    buf_free(&bytes);
}

static void on_response(struct rpc *r, struct span type, const json_t *message, uint64_t now_ms)
{
    static const struct {
        const char *type;
        void (*handle)(struct rpc *r, struct call **place, const json_t *message);
    } endings[] = {{"data", on_data}, {"error", on_error}, {"stream-end", on_end}, {"stream-error", on_stream_error}};

    int64_t id;
    struct call **place = get_integer(message, "responseId", &id) ? list_find(&r->sent, id) : NULL;
    if (place == NULL)
        return;
    if (span_eq_text(type, "stream") && !(*place)->takes_stream)
        refuse_stream(r, place);
    else if (span_eq_text(type, "stream"))
        on_chunk(r, place, message, now_ms);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (span_eq_text(type, endings[i].type)) {
            endings[i].handle(r, place, message);
            return;
        }
}

static void on_refusal(struct rpc *r, const json_t *message)
{
    int64_t id;
    if (get_integer(message, "requestId", &id))
        rpc_remember_refusal(r, id);
}

void rpc_on_text(struct rpc *r, struct span text, uint64_t now_ms)
{
    struct jsontext_limits limits = {.bytes = LONG_ANSWER_WHOLE, .depth = JSON_DEPTH, .values = JSON_VALUES};
    budget_charge(r->limits.budget, BUDGET_VALUES, 1 + text.len / BYTES_PER_VALUE);
    json_t *message = jsontext_parse(text, limits, NULL);
    struct span type = get_text(message, "type");
    enter(r);
    if (span_eq_text(type, "request"))
        on_request(r, message);
    else if (span_eq_text(type, "write-stream-error"))
        on_refusal(r, message);
    else if (type.len != 0)
        on_response(r, type, message, now_ms);
    json_decref(message);
    send_waiting(r, now_ms);
    leave(r);
}

// Nothing of it is read here, so it counts as a long text does.
static void deliver_bytes(struct rpc *r, struct call **place, struct span bytes)
{
    struct buf text = {0};
    struct error e;
    struct rpc_reply reply = {.kind = RPC_DATA, .text = &text};
    budget_charge(r->limits.budget, BUDGET_VALUES, 1 + bytes.len / BYTES_UNREAD);
    if (bytes.len <= (*place)->most) {
        buf_add_span(&text, bytes);
    } else {
        error_set(&e, STATUS_TOO_BIG, (*place)->too_big, "the peer's answer is longer than it may be");
        reply = (struct rpc_reply){.kind = RPC_LOST, .error = &e};
    }
    finish(r, &r->sent, place, &reply);
    buf_free(&text);
}

void rpc_on_binary(struct rpc *r, struct span message, uint64_t now_ms)
{
    if (message.len < ID_BYTES)
        return;
    uint64_t bits = 0;
    for (int i = ID_BYTES - 1; i >= 0; i--)
        bits = bits << 8 | (uint8_t)message.ptr[i];
    double id;
    memcpy(&id, &bits, sizeof id);
    if (!(id >= 0 && id <= 9007199254740992.0) || id != trunc(id))
        return;
    struct call **place = list_find(&r->sent, (int64_t)id);
    enter(r);
    if (place != NULL && (*place)->takes_bytes)
        deliver_bytes(r, place, span_from(message, ID_BYTES));
    else if (place != NULL && !(*place)->takes_stream)
        refuse_stream(r, place);
    else if (place != NULL)
        deliver_chunk(*place, span_from(message, ID_BYTES), now_ms);
    send_waiting(r, now_ms);
    leave(r);
}
