#include "ipc/channel.h"

#include <nng/nng.h>
#include <nng/protocol/pair1/pair.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "ipc/errors.h"
#include "ipc/jsonrpc.h"
#include "ipc/outbox.h"
#include "ipc/socket.h"

enum { DRAIN_AT_ONCE = 256, EVENTS_BOUND = 16 * 1024 * 1024, LAST_WORDS_MS = 200 };

struct call { // we asked
    struct call *next;
    json_int_t id;
    uint64_t deadline;
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
    nng_socket socket;
    struct ipc_gate gate;
    struct outbox *outbox;
    struct ipc_service *service;
    struct ipc_channel_events events;
    int poll_fd;            // the one descriptor: an epoll set of the three below
    int timer_fd;           // the earliest deadline
    int wake_fd;            // the other side came or went
    atomic_bool peer_there; // written by threads of nng
    bool open;              // what the owner was told
    struct call *calls;
    struct asked *asked;
    json_int_t last_id;
    uint64_t lost; // events that found no room
};

// --- comings and goings ------------------------------------------------------------------------------------------

static void pipe_changed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ipc_channel *c = arg;
    (void)pipe;
    atomic_store(&c->peer_there, event == NNG_PIPE_EV_ADD_POST);
    uint64_t one = 1;
    ssize_t ignored = write(c->wake_fd, &one, sizeof one);
    (void)ignored; // a full counter still wakes
}

static void watch(struct ipc_channel *c, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(c->poll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
}

static struct ipc_channel *channel_create(struct ipc_service *service, struct ipc_channel_events events,
                                          struct error *e)
{
    struct ipc_channel *c = mem_alloc(sizeof *c);
    c->service = service;
    c->events = events;
    c->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int n = nng_pair1_open(&c->socket);
    if (n != 0 || c->poll_fd < 0 || c->timer_fd < 0 || c->wake_fd < 0) {
        ipc_socket_error(n != 0 ? n : NNG_ENOFILES, e, "cannot open a channel");
        goto fail;
    }
    if (ipc_socket_prepare(c->socket, &c->gate, e) != STATUS_OK)
        goto fail;
    nng_pipe_notify(c->socket, NNG_PIPE_EV_ADD_POST, pipe_changed, c);
    nng_pipe_notify(c->socket, NNG_PIPE_EV_REM_POST, pipe_changed, c);
    c->outbox = outbox_create(c->socket);
    watch(c, ipc_socket_receive_fd(c->socket));
    watch(c, c->timer_fd);
    watch(c, c->wake_fd);
    return c;
fail:
    ipc_channel_destroy(c);
    return NULL;
}

struct ipc_channel *ipc_channel_listen(const char *path, struct ipc_service *service, struct ipc_channel_events events,
                                       struct error *e)
{
    struct ipc_channel *c = channel_create(service, events, e);
    if (c != NULL && ipc_socket_listen(c->socket, path, e) != STATUS_OK) {
        ipc_channel_destroy(c);
        return NULL;
    }
    return c;
}

struct ipc_channel *ipc_channel_dial(const char *path, struct ipc_service *service, struct ipc_channel_events events,
                                     struct error *e)
{
    struct ipc_channel *c = channel_create(service, events, e);
    if (c == NULL)
        return NULL;
    atomic_store(&c->gate.pid, IPC_ANY_PID);
    if (ipc_socket_dial(c->socket, path, e) != STATUS_OK) {
        ipc_channel_destroy(c);
        return NULL;
    }
    return c;
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
    if (c->outbox != NULL && atomic_load(&c->peer_there))
        outbox_flush(c->outbox, LAST_WORDS_MS);
    for (struct asked *a = c->asked; a != NULL; a = a->next)
        a->channel = NULL;
    outbox_destroy(c->outbox);
    if (c->socket.id != 0)
        nng_close(c->socket); // after this no thread of nng calls pipe_changed
    while (c->calls != NULL)
        fail_calls(c, "the channel was closed");
    close(c->poll_fd);
    close(c->timer_fd);
    close(c->wake_fd);
    free(c);
}

void ipc_channel_expect(struct ipc_channel *c, pid_t pid)
{
    atomic_store(&c->gate.pid, pid);
}

bool ipc_channel_is_open(const struct ipc_channel *c)
{
    return c->open;
}

int ipc_channel_fd(const struct ipc_channel *c)
{
    return c->poll_fd;
}

// --- asking ------------------------------------------------------------------------------------------------------

static void arm_timer(struct ipc_channel *c)
{
    uint64_t first = UINT64_MAX;
    for (const struct call *call = c->calls; call != NULL; call = call->next)
        first = call->deadline < first ? call->deadline : first;
    struct itimerspec when = {0};
    if (first != UINT64_MAX)
        when.it_value = (struct timespec){(time_t)(first / 1000), (long)(first % 1000) * 1000000 + 1};
    timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void fail_late_calls(struct ipc_channel *c)
{
    uint64_t now = clock_monotonic_ms();
    struct error e = {0};
    error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "the node did not answer in time");
    for (struct call **at = &c->calls; *at != NULL;) {
        struct call *call = *at;
        if (call->deadline > now) {
            at = &call->next;
            continue;
        }
        *at = call->next;
        finish_call(call, NULL, &e);
        at = &c->calls; // the answer may have made or ended calls
    }
    arm_timer(c);
}

void ipc_channel_call(struct ipc_channel *c, const char *method, json_t *params, uint64_t timeout_ms, ipc_answer answer,
                      void *ctx)
{
    struct error e = {0};
    struct call *call = mem_alloc(sizeof *call);
    *call = (struct call){c->calls, ++c->last_id, clock_monotonic_ms() + timeout_ms, answer, ctx};
    c->calls = call;
    json_t *request = jsonrpc_request(call->id, method, params);
    if (outbox_send(c->outbox, NULL, request, 0, &e) != STATUS_OK)
        call->deadline = 0; // answered from drain, never from here
    json_decref(request);
    arm_timer(c);
}

static void take_answer(struct ipc_channel *c, const struct jsonrpc_message *m)
{
    json_int_t id = json_integer_value(m->id);
    struct error e = {0};
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

// --- answering ---------------------------------------------------------------------------------------------------

static void forget_asked(struct asked *a)
{
    for (struct asked **at = &a->channel->asked; *at != NULL; at = &(*at)->next) {
        if (*at == a) {
            *at = a->next;
            return;
        }
    }
}

static void send_answer(struct ipc_channel *c, json_t *id, json_t *result, const struct error *error)
{
    struct error e = {0};
    json_t *answer = error != NULL ? jsonrpc_failure(id, error) : jsonrpc_answer(id, json_incref(result));
    if (outbox_send(c->outbox, NULL, answer, 0, &e) != STATUS_OK && error == NULL)
        send_answer(c, id, NULL, &e); // too big: say so instead
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

static void take_request(struct ipc_channel *c, const struct jsonrpc_message *m)
{
    struct error e = {0};
    if (strcmp(m->method, "node.heartbeat") == 0) {
        json_t *nothing = json_object();
        send_answer(c, m->id, nothing, NULL);
        json_decref(nothing);
        return;
    }
    if (c->service == NULL) {
        error_set(&e, STATUS_NOT_FOUND, "UNKNOWN-METHOD", "this side answers nothing");
        send_answer(c, m->id, NULL, &e);
        return;
    }
    struct asked *a = mem_alloc(sizeof *a);
    *a = (struct asked){{respond}, c, c->asked, json_incref(m->id)};
    c->asked = a;
    ipc_service_dispatch(c->service, m->method, json_incref(m->params), &a->asker);
}

// --- draining ----------------------------------------------------------------------------------------------------

static void take_message(struct ipc_channel *c, nng_msg *raw)
{
    struct jsonrpc_message m;
    struct error e = {0};
    if (jsonrpc_parse(ipc_message_text(raw), &m, &e) != STATUS_OK)
        LOG(LOG_WARN, "channel.garbled", LOG_TEXT("reason", e.message));
    else if (m.kind == JSONRPC_REQUEST)
        take_request(c, &m);
    else if (m.kind == JSONRPC_ANSWER)
        take_answer(c, &m);
    else if (c->events.event != NULL)
        c->events.event(c->events.ctx, m.method, m.params);
    jsonrpc_release(&m);
    ipc_message_destroy(raw);
}

static bool reset(int fd)
{
    uint64_t count;
    return read(fd, &count, sizeof count) == sizeof count;
}

static void tell_owner(struct ipc_channel *c)
{
    bool there = atomic_load(&c->peer_there);
    if (there == c->open)
        return;
    c->open = there;
    if (!there)
        fail_calls(c, "the node is gone");
    void (*tell)(void *) = there ? c->events.opened : c->events.closed;
    if (tell != NULL)
        tell(c->events.ctx);
}

void ipc_channel_drain(struct ipc_channel *c)
{
    nng_msg *raw;
    bool changed = reset(c->wake_fd);
    if (changed && atomic_load(&c->peer_there))
        tell_owner(c);
    for (int i = 0; i < DRAIN_AT_ONCE; i++) {
        if (nng_recvmsg(c->socket, &raw, NNG_FLAG_NONBLOCK) != 0)
            break;
        take_message(c, raw);
    }
    if (reset(c->timer_fd))
        fail_late_calls(c);
    if (changed)
        tell_owner(c);
}

// --- telling -----------------------------------------------------------------------------------------------------

static bool send_event(struct ipc_channel *c, const char *name, json_t *data)
{
    json_t *event = jsonrpc_event(name, data);
    enum status s = outbox_send(c->outbox, NULL, event, EVENTS_BOUND, NULL);
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
