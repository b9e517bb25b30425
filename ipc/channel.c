// The one descriptor is an epoll set of the hub's and a timer. Answers and events may call back into the channel, so
// lists are searched anew behind each of them. Texts may hold secrets and are wiped when they were sent. An answer is
// read whole, once, also where it goes on to who asked: most of those that wait for one look into it.
#include "ipc/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "ipc/hub.h"
#include "ipc/jsonrpc.h"

enum { EVENTS_BOUND = 16 * 1024 * 1024, HOP_SIZE = 4, ANSWER_MS = 300, HEAD_MAX = 256 };

static const char abandoned_event[] = "call.abandoned";

struct call { // we asked
    struct call *next;
    json_int_t id;
    uint64_t deadline;
    uint64_t begin_by; // UINT64_MAX: it has begun, or may when it likes
    ipc_answer answer;
    void *ctx;
};

struct asked { // the other side asked
    struct ipc_asker asker;
    struct ipc_channel *channel; // NULL once the channel is gone
    struct asked *next;
    json_t *id;
};

struct ipc_channel {
    struct hub *hub;
    struct ipc_service *service;
    struct ipc_channel_events events;
    int poll_fd;  // the one descriptor: an epoll set of the hub's and the next
    int timer_fd; // the earliest deadline
    bool open;    // what the owner was told
    struct call *calls;
    struct asked *asked;
    size_t asked_count;
    json_int_t last_id;
    uint64_t lost; // events that found no room
};

static void take_message(void *ctx, struct hub_peer *peer, struct span message);
static void other_came(void *ctx, struct hub_peer *peer);
static void other_went(void *ctx, struct hub_peer *peer);

// --- opening and closing ---------------------------------------------------------------------------------------------

static bool watch(struct ipc_channel *c, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(c->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

// The other side is one of our own processes, looked after by heartbeats: it may be slow.
static struct ipc_channel *channel_create(const char *path, bool listens, struct ipc_service *service,
                                          struct ipc_channel_events events, struct error *e)
{
    const struct hub_settings settings = {.own = SP_PAIR1, .other = SP_PAIR1, .peers_max = 1};
    struct ipc_channel *c = mem_alloc(sizeof *c);
    struct hub_events all = {.opened = other_came, .message = take_message, .closed = other_went, .ctx = c};
    c->service = service;
    c->events = events;
    c->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    c->hub = listens ? hub_listen(path, settings, all, e) : hub_dial(path, settings, all, e);
    if (c->hub != NULL && c->poll_fd >= 0 && c->timer_fd >= 0 && watch(c, hub_fd(c->hub)) && watch(c, c->timer_fd))
        return c;
    if (c->hub != NULL)
        error_errno(e, "cannot open a channel");
    ipc_channel_destroy(c);
    return NULL;
}

struct ipc_channel *ipc_channel_listen(const char *path, struct ipc_service *service, struct ipc_channel_events events,
                                       struct error *e)
{
    return channel_create(path, true, service, events, e);
}

struct ipc_channel *ipc_channel_dial(const char *path, struct ipc_service *service, struct ipc_channel_events events,
                                     struct error *e)
{
    return channel_create(path, false, service, events, e);
}

static void finish_call(struct call *call, json_t *result, const struct error *error)
{
    call->answer(call->ctx, result, error);
    free(call);
}

static void fail_calls(struct ipc_channel *c, const char *why)
{
    struct error e = {0};
    struct call *calls = c->calls;
    error_set(&e, STATUS_CLOSED, "NODE-DOWN", "%s", why);
    c->calls = NULL; // an answer may ask again
    while (calls != NULL) {
        struct call *call = calls;
        calls = call->next;
        finish_call(call, NULL, &e);
    }
}

void ipc_channel_destroy(struct ipc_channel *c)
{
    if (c == NULL)
        return;
    c->events = (struct ipc_channel_events){0};
    hub_destroy(c->hub);
    c->hub = NULL;
    for (struct asked *a = c->asked; a != NULL; a = a->next)
        a->channel = NULL;
    while (c->calls != NULL)
        fail_calls(c, "the channel was closed");
    if (c->poll_fd >= 0)
        close(c->poll_fd);
    if (c->timer_fd >= 0)
        close(c->timer_fd);
    free(c);
}

void ipc_channel_expect(struct ipc_channel *c, pid_t pid)
{
    hub_admit(c->hub, pid);
}

bool ipc_channel_is_open(const struct ipc_channel *c)
{
    return c->open;
}

int ipc_channel_fd(const struct ipc_channel *c)
{
    return c->poll_fd;
}

// --- asking ----------------------------------------------------------------------------------------------------------

// PAIR1 counts hops in front of a message; ours has none behind it.
static enum status send_text(struct ipc_channel *c, struct span text, struct error *e)
{
    struct hub_peer *peer = c->hub != NULL ? hub_only(c->hub) : NULL;
    if (peer == NULL)
        return error_set(e, STATUS_CLOSED, "NODE-DOWN", "nobody is there");
    if (text.len > IPC_MESSAGE_MAX)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "the message is too long");
    hub_send(peer, SPAN("\0\0\0\1"), text);
    return STATUS_OK;
}

static enum status send_json(struct ipc_channel *c, const json_t *json, struct error *e)
{
    char *text = jsonrpc_text(json, e);
    if (text == NULL)
        return e->status;
    enum status st = send_text(c, span_of(text), e);
    secret_wipe(text, strlen(text));
    free(text);
    return st;
}

static uint64_t due(const struct call *call)
{
    return call->begin_by < call->deadline ? call->begin_by : call->deadline;
}

static void arm_timer(struct ipc_channel *c)
{
    uint64_t first = UINT64_MAX;
    for (const struct call *call = c->calls; call != NULL; call = call->next)
        first = due(call) < first ? due(call) : first;
    struct itimerspec when = {0};
    if (first != UINT64_MAX)
        when.it_value = (struct timespec){(time_t)(first / 1000), (long)(first % 1000) * 1000000 + 1};
    timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void fail_late_calls(struct ipc_channel *c)
{
    uint64_t now = clock_monotonic_ms();
    for (struct call **at = &c->calls; *at != NULL;) {
        struct call *call = *at;
        struct error e = {0};
        if (due(call) > now) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        if (call->begin_by < call->deadline)
            error_set(&e, STATUS_CLOSED, "NODE-DOWN", "it does not answer, and has not begun with this");
        else
            error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "the node did not answer in time");
        finish_call(call, NULL, &e);
        at = &c->calls; // the answer may have made or ended calls
    }
    arm_timer(c);
}

static bool is_nobody(const struct ipc_channel *c, ipc_answer answer, void *ctx)
{
    struct error e = {0};
    if (c != NULL)
        return false;
    error_set(&e, STATUS_CLOSED, "NODE-DOWN", "it is not running");
    answer(ctx, NULL, &e);
    return true;
}

static struct call *keep_call(struct ipc_channel *c, struct call call)
{
    struct call *kept = mem_alloc(sizeof *kept);
    *kept = call;
    kept->next = c->calls;
    kept->id = ++c->last_id;
    c->calls = kept;
    return kept;
}

static void was_sent(struct ipc_channel *c, struct call *call, enum status status)
{
    if (status != STATUS_OK)
        call->deadline = 0; // answered from drain, never from here
    arm_timer(c);
}

void ipc_channel_call(struct ipc_channel *c, const char *method, json_t *params, uint64_t timeout_ms, ipc_answer answer,
                      void *ctx)
{
    struct error e = {0};
    struct call call = {
        .deadline = clock_monotonic_ms() + timeout_ms, .begin_by = UINT64_MAX, .answer = answer, .ctx = ctx};
    if (is_nobody(c, answer, ctx)) {
        json_decref(params);
        return;
    }
    struct call *kept = keep_call(c, call);
    json_t *request = jsonrpc_request(kept->id, method, params);
    was_sent(c, kept, send_json(c, request, &e));
    json_decref(request);
}

static void nothing_more(void *ctx, json_t *result, const struct error *error)
{
    (void)ctx;
    (void)result;
    (void)error;
}

// What is read in order is begun in order: an answer to the heartbeat says that the call before it is, too.
void ipc_channel_call_soon(struct ipc_channel *c, const char *method, struct span params, uint64_t begin_ms,
                           uint64_t timeout_ms, ipc_answer answer, void *ctx)
{
    uint64_t now = clock_monotonic_ms();
    struct call call = {.deadline = now + timeout_ms, .begin_by = now + begin_ms, .answer = answer, .ctx = ctx};
    if (is_nobody(c, answer, ctx))
        return;
    struct call *kept = keep_call(c, call);
    struct buf text = {0};
    struct error e = {0};
    buf_reserve(&text, params.len + HEAD_MAX); // not to be moved: there may be secrets in it
    buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":\"%s\",\"until\":%llu,\"params\":{",
               (long long)kept->id, method, (unsigned long long)(call.begin_by - ANSWER_MS));
    buf_add_span(&text, params);
    buf_add_text(&text, "}}");
    was_sent(c, kept, send_text(c, buf_span(&text), &e));
    secret_wipe(text.data, text.len);
    buf_free(&text);
    ipc_channel_call(c, "node.heartbeat", NULL, begin_ms, nothing_more, NULL);
}

static void note_begun(struct ipc_channel *c, json_int_t answered)
{
    for (struct call *call = c->calls; call != NULL; call = call->next)
        if (call->id < answered)
            call->begin_by = UINT64_MAX;
}

void ipc_channel_abandon(struct ipc_channel *c, const void *ctx)
{
    struct error ignored = {0};
    for (const struct call *call = c != NULL ? c->calls : NULL; call != NULL; call = call->next) {
        if (call->ctx != ctx)
            continue;
        json_t *event = jsonrpc_event(abandoned_event, json_pack("{s:I}", "id", call->id));
        send_json(c, event, &ignored);
        json_decref(event);
    }
}

static void take_answer(struct ipc_channel *c, const struct jsonrpc_message *m)
{
    json_int_t id = json_integer_value(m->id);
    struct error e = {0};
    note_begun(c, id);
    for (struct call **at = &c->calls; *at != NULL; at = &(*at)->next) {
        struct call *call = *at;
        if (call->id != id)
            continue;
        *at = call->next;
        arm_timer(c);
        if (m->error != NULL)
            ipc_error_from_json(m->error, &e);
        finish_call(call, m->result, m->error != NULL ? &e : NULL);
        return;
    }
    LOG(LOG_DEBUG, "channel.late", LOG_INT("id", id)); // its call timed out
}

// --- answering -------------------------------------------------------------------------------------------------------

static void forget_asked(struct asked *a)
{
    for (struct asked **at = &a->channel->asked; *at != NULL; at = &(*at)->next) {
        if (*at == a) {
            *at = a->next;
            a->channel->asked_count--;
            return;
        }
    }
}

static void send_answer(struct ipc_channel *c, json_t *id, json_t *result, const struct error *error)
{
    struct error e = {0};
    json_t *answer = error != NULL ? jsonrpc_failure(id, error) : jsonrpc_answer(id, json_incref(result));
    if (send_json(c, answer, &e) == STATUS_TOO_BIG && error == NULL)
        send_answer(c, id, NULL, &e); // say so instead
    json_decref(answer);
}

static void respond(struct ipc_asker *asker, json_t *result, const struct error *error)
{
    struct asked *a = (struct asked *)asker;
    if (a->channel != NULL) {
        send_answer(a->channel, a->id, result, error);
        forget_asked(a);
    }
    json_decref(result);
    json_decref(a->id);
    free(a);
}

// Whoever asked has been told meanwhile that it is not done.
static bool is_too_late(const struct jsonrpc_message *m)
{
    const json_t *until = json_object_get(m->root, "until");
    return json_is_integer(until) && (json_int_t)clock_monotonic_ms() > json_integer_value(until);
}

static bool is_busy(const struct ipc_channel *c, const char *method)
{
    const struct ipc_method *m = c->asked_count >= IPC_ASKED_MAX ? ipc_method_find(method) : NULL;
    return m != NULL && m->caller == IPC_CLIENT;
}

static void take_request(struct ipc_channel *c, const struct jsonrpc_message *m)
{
    struct error e = {0};
    if (strcmp(m->method, "node.heartbeat") == 0) {
        json_t *nothing = json_object();
        send_answer(c, m->id, nothing, NULL);
        json_decref(nothing);
        return;
    }
    if (c->service == NULL)
        error_set(&e, STATUS_NOT_FOUND, "UNKNOWN-METHOD", "this side answers nothing");
    else if (is_too_late(m))
        error_set(&e, STATUS_CLOSED, "NODE-DOWN", "it did not answer in time, and has not begun with this");
    else if (is_busy(c, m->method))
        error_set(&e, STATUS_CONFLICT, "BUSY", "too many requests are in flight");
    if (e.status != STATUS_OK) {
        send_answer(c, m->id, NULL, &e);
        return;
    }
    struct asked *a = mem_alloc(sizeof *a);
    *a = (struct asked){.asker.respond = respond, .channel = c, .next = c->asked, .id = json_incref(m->id)};
    c->asked = a;
    c->asked_count++;
    ipc_service_dispatch(c->service, m->method, json_incref(m->params), &a->asker);
}

static void take_abandoned(struct ipc_channel *c, const json_t *id)
{
    for (struct asked *a = c->asked; a != NULL; a = a->next) {
        if (json_equal(a->id, id)) {
            ipc_asker_leave(&a->asker);
            return;
        }
    }
}

// --- draining --------------------------------------------------------------------------------------------------------

static void take_message(void *ctx, struct hub_peer *peer, struct span message)
{
    struct ipc_channel *c = ctx;
    struct jsonrpc_message m;
    struct error e = {0};
    (void)peer;
    if (message.len < HOP_SIZE || jsonrpc_parse(span_from(message, HOP_SIZE), &m, &e) != STATUS_OK) {
        LOG(LOG_WARN, "channel.garbled", LOG_TEXT("reason", e.message));
    } else if (m.kind == JSONRPC_REQUEST) {
        take_request(c, &m);
    } else if (m.kind == JSONRPC_ANSWER) {
        take_answer(c, &m);
    } else if (strcmp(m.method, abandoned_event) == 0) {
        take_abandoned(c, json_object_get(m.params, "id"));
    } else if (c->events.event != NULL) {
        c->events.event(c->events.event_ctx, m.method, m.params);
    }
    if (message.len >= HOP_SIZE)
        jsonrpc_release(&m);
}

static void other_came(void *ctx, struct hub_peer *peer)
{
    struct ipc_channel *c = ctx;
    (void)peer;
    c->open = true;
    if (c->events.opened != NULL)
        c->events.opened(c->events.ctx);
}

static void other_went(void *ctx, struct hub_peer *peer)
{
    struct ipc_channel *c = ctx;
    (void)peer;
    c->open = false;
    fail_calls(c, "the node is gone");
    if (c->events.closed != NULL)
        c->events.closed(c->events.ctx);
}

void ipc_channel_drain(struct ipc_channel *c)
{
    uint64_t count;
    hub_drain(c->hub);
    if (read(c->timer_fd, &count, sizeof count) == sizeof count)
        fail_late_calls(c);
}

// --- telling ---------------------------------------------------------------------------------------------------------

static bool send_event(struct ipc_channel *c, const char *name, json_t *data)
{
    json_t *event = jsonrpc_event(name, data);
    struct error ignored = {0};
    bool room = hub_only(c->hub) != NULL && hub_unsent(hub_only(c->hub)) < EVENTS_BOUND;
    enum status s = room ? send_json(c, event, &ignored) : STATUS_FULL;
    json_decref(event);
    return s == STATUS_OK;
}

void ipc_channel_tell(struct ipc_channel *c, const char *name, json_t *data)
{
    if (c->lost > 0 && send_event(c, "stream.gap", json_pack("{s:I}", "lost", (json_int_t)c->lost)))
        c->lost = 0;
    if (!send_event(c, name, data))
        c->lost++;
}
