// nng has threads of its own. What runs on them goes on from sending to receiving, sets a flag and wakes the descriptor
// that the calls wait on, nothing else. Each call has a context of the socket; those that wait to be sent lie in one
// queue there, in order, also when a connection is lost. Who listens is judged before a byte is sent (check_server),
// because a request may hold a secret.
#include "ipc/client.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/transport/ipc/ipc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "ipc/jsonrpc.h"
#include "ipc/methods.h"

enum { GONE_MS = 2000, OP_ID_LENGTH = 24, REDIAL_MIN_MS = 20, REDIAL_MAX_MS = 1000 };

struct ipc_client {
    nng_socket socket;
    uid_t owner;         // of the socket file, who has to be the one that answers
    atomic_bool refused; // it was somebody else
    int wake_fd;
    atomic_bool connected;
    json_int_t last_id;
    size_t under_way;
    uint64_t gone_at;   // when those under way stop waiting for the server to come back; UINT64_MAX: it is there
    bool (*stop)(void); // NULL: nothing ends a call early
};

struct ipc_call {
    struct ipc_client *client;
    nng_ctx context;
    nng_aio *aio;
    bool is_sent; // of the thread that the aio calls
    atomic_bool done;
    json_int_t id;
    uint64_t deadline; // UINT64_MAX: none
};

void ipc_client_stop_when(struct ipc_client *c, bool (*stop)(void))
{
    c->stop = stop;
}

static void wake(struct ipc_client *c)
{
    uint64_t one = 1;
    ssize_t ignored = write(c->wake_fd, &one, sizeof one);
    (void)ignored; // a full counter still wakes
}

static void pipe_changed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ipc_client *c = arg;
    (void)pipe;
    atomic_store(&c->connected, event == NNG_PIPE_EV_ADD_POST);
    wake(c);
}

static void finished(void *arg)
{
    struct ipc_call *call = arg;
    if (nng_aio_result(call->aio) == 0 && !call->is_sent) {
        call->is_sent = true;
        nng_ctx_recv(call->context, call->aio);
        return;
    }
    atomic_store(&call->done, true);
    wake(call->client);
}

static enum status failed(int number, struct error *e, const char *what)
{
    static const struct {
        int number;
        enum status status;
        const char *code;
    } map[] = {
        {NNG_ETIMEDOUT, STATUS_TIMEOUT, "TIMEOUT"}, {NNG_ECONNREFUSED, STATUS_CLOSED, "NOT-RUNNING"},
        {NNG_ECLOSED, STATUS_CLOSED, "CLOSED"},     {NNG_EPERM, STATUS_REFUSED, "NO-PERMISSION"},
        {NNG_ECONNRESET, STATUS_CLOSED, "CLOSED"},  {NNG_ECONNSHUT, STATUS_CLOSED, "CLOSED"},
        {NNG_EMSGSIZE, STATUS_TOO_BIG, "TOO-BIG"},
    };
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].number == number)
            return error_set(e, map[i].status, map[i].code, "%s: %s", what, nng_strerror(number));
    return error_set(e, STATUS_IO, "IO", "%s: %s", what, nng_strerror(number));
}

// Runs on a thread of nng, before a byte is sent there.
static void check_server(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ipc_client *c = arg;
    uint64_t uid = UINT64_MAX;
    (void)event;
    if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0 && uid == c->owner)
        return;
    atomic_store(&c->refused, true);
    nng_pipe_close(pipe);
}

// Root may ask anybody's supervisor, everybody else their own.
static enum status check_owner(struct ipc_client *c, const char *path, struct error *e)
{
    struct stat st;
    if (stat(path, &st) != 0 && (errno == EACCES || errno == EPERM))
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "%s belongs to another user", path);
    if (stat(path, &st) != 0)
        return error_set(e, STATUS_CLOSED, "NOT-RUNNING", "nobody listens at %s", path);
    c->owner = st.st_uid;
    if (st.st_uid == geteuid() || geteuid() == 0)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "%s belongs to user %u, not to us", path, st.st_uid);
}

static enum status prepare(struct ipc_client *c, struct error *e)
{
    int n = nng_req0_open(&c->socket);
    if (n == 0)
        n = nng_socket_set_size(c->socket, NNG_OPT_RECVMAXSZ, IPC_MESSAGE_MAX);
    if (n == 0)
        n = nng_pipe_notify(c->socket, NNG_PIPE_EV_ADD_PRE, check_server, c);
    if (n != 0)
        return failed(n, e, "cannot open a socket");
    nng_pipe_notify(c->socket, NNG_PIPE_EV_ADD_POST, pipe_changed, c);
    nng_pipe_notify(c->socket, NNG_PIPE_EV_REM_POST, pipe_changed, c);
    nng_socket_set_ms(c->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    nng_socket_set_ms(c->socket, NNG_OPT_RECONNMINT, REDIAL_MIN_MS);
    nng_socket_set_ms(c->socket, NNG_OPT_RECONNMAXT, REDIAL_MAX_MS);
    return STATUS_OK;
}

static enum status open_socket(struct ipc_client *c, const char *path, struct error *e)
{
    char url[128];
    if (check_owner(c, path, e) != STATUS_OK || prepare(c, e) != STATUS_OK)
        return e->status;
    if ((size_t)snprintf(url, sizeof url, "ipc://%s", path) >= sizeof url)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "the path of the control socket is too long");
    int n = nng_dial(c->socket, url, NULL, 0);
    if (atomic_load(&c->refused))
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "who listens at %s is not user %u, whose file it is", path,
                         c->owner);
    if (n != 0)
        return error_set(e, STATUS_CLOSED, "NOT-RUNNING", "nobody listens at %s", path);
    return STATUS_OK;
}

struct ipc_client *ipc_client_connect(const char *path, struct error *e)
{
    struct ipc_client *c = mem_alloc(sizeof *c);
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->wake_fd < 0)
        abort(); // out of descriptors
    if (open_socket(c, path, e) == STATUS_OK)
        return c;
    ipc_client_destroy(c);
    return NULL;
}

void ipc_client_destroy(struct ipc_client *c)
{
    if (c == NULL)
        return;
    if (c->socket.id != 0)
        nng_close(c->socket);
    close(c->wake_fd);
    free(c);
}

static void add_op_id(const char *method, json_t *params)
{
    char text[OP_ID_LENGTH + 1];
    const struct ipc_method *m = ipc_method_find(method);
    if (m == NULL || m->effect != IPC_MUTATES || json_object_get(params, "opId") != NULL)
        return;
    random_text(text, OP_ID_LENGTH);
    json_object_set_new(params, "opId", json_string(text));
}

static nng_msg *make_message(const json_t *request)
{
    nng_msg *message;
    char *text = json_dumps(request, JSON_COMPACT);
    if (text == NULL)
        return NULL;
    if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, text, strlen(text)) != 0)
        abort(); // out of memory
    secret_wipe(text, strlen(text));
    free(text);
    return message;
}

static int remaining(uint64_t until, uint64_t now)
{
    if (until == UINT64_MAX)
        return -1;
    uint64_t left = until > now ? until - now : 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

// Waits for the call, for its deadline, or until the server has been gone for GONE_MS: once for all that are under way.
static enum status await(const struct ipc_call *call, struct error *e)
{
    struct ipc_client *c = call->client;
    while (!atomic_load(&call->done)) {
        uint64_t now = clock_monotonic_ms();
        if (atomic_load(&c->connected))
            c->gone_at = UINT64_MAX;
        else if (c->gone_at == UINT64_MAX)
            c->gone_at = now + GONE_MS;
        if (c->stop != NULL && c->stop())
            return error_set(e, STATUS_CLOSED, "CLOSED", "interrupted");
        if (now >= call->deadline)
            return error_set(e, STATUS_TIMEOUT, "TIMEOUT", "no answer in time");
        if (now >= c->gone_at)
            return error_set(e, STATUS_CLOSED, "NOT-RUNNING", "the supervisor went away");
        struct pollfd fd = {c->wake_fd, POLLIN, 0};
        poll(&fd, 1, remaining(call->deadline < c->gone_at ? call->deadline : c->gone_at, now));
        uint64_t count;
        ssize_t ignored = read(c->wake_fd, &count, sizeof count);
        (void)ignored; // only the wake-up counts
    }
    int n = nng_aio_result(call->aio);
    return n == 0 ? STATUS_OK : failed(n, e, "the control socket failed");
}

static json_t *read_answer(nng_msg *raw, json_int_t id, struct error *e)
{
    struct jsonrpc_message m;
    json_t *result = NULL;
    if (jsonrpc_parse((struct span){nng_msg_body(raw), nng_msg_len(raw)}, &m, e) != STATUS_OK)
        error_prefix(e, "the answer is malformed");
    else if (m.kind != JSONRPC_ANSWER || (m.error == NULL && json_integer_value(m.id) != id))
        error_set(e, STATUS_INTERNAL, "INTERNAL", "the answer belongs to another request");
    else if (m.error != NULL)
        ipc_error_from_json(m.error, e);
    else
        result = json_incref(m.result);
    jsonrpc_release(&m);
    secret_wipe(nng_msg_body(raw), nng_msg_len(raw)); // it may have held a key
    return result;
}

static struct ipc_call *start(struct ipc_client *c, nng_msg *message, int64_t timeout_ms)
{
    struct ipc_call *call = mem_alloc(sizeof *call);
    *call = (struct ipc_call){.client = c, .id = c->last_id, .deadline = UINT64_MAX};
    if (timeout_ms >= 0)
        call->deadline = clock_monotonic_ms() + (uint64_t)timeout_ms;
    if (c->under_way++ == 0)
        c->gone_at = UINT64_MAX;
    if (nng_ctx_open(&call->context, c->socket) != 0 || nng_aio_alloc(&call->aio, finished, call) != 0)
        abort(); // out of memory
    nng_aio_set_timeout(call->aio, NNG_DURATION_INFINITE);
    nng_aio_set_msg(call->aio, message);
    nng_ctx_send(call->context, call->aio);
    return call;
}

struct ipc_call *ipc_client_begin(struct ipc_client *c, const char *method, json_t *params, int64_t timeout_ms,
                                  struct error *e)
{
    json_t *body = params != NULL ? params : json_object();
    add_op_id(method, body);
    json_t *request = jsonrpc_request(++c->last_id, method, body);
    nng_msg *message = make_message(request);
    json_decref(request);
    if (message == NULL) {
        error_set(e, STATUS_INVALID, "BAD-TEXT", "%s: a parameter is not valid UTF-8", method);
        return NULL;
    }
    if (nng_msg_len(message) > IPC_MESSAGE_MAX) { // the server would close the connection
        error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s: a request has %d MiB at most", method, IPC_MESSAGE_MAX >> 20);
        nng_msg_free(message);
        return NULL;
    }
    return start(c, message, timeout_ms);
}

// What was not sent, or came when nobody waited for it any more, is still the aio's.
json_t *ipc_client_take(struct ipc_call *call, struct error *e)
{
    json_t *result = NULL;
    bool came = await(call, e) == STATUS_OK;
    if (!came)
        nng_aio_stop(call->aio);
    nng_msg *message = nng_aio_get_msg(call->aio);
    if (came)
        result = read_answer(message, call->id, e);
    if (message != NULL)
        nng_msg_free(message);
    nng_ctx_close(call->context);
    nng_aio_free(call->aio);
    call->client->under_way--;
    free(call);
    return result;
}

json_t *ipc_client_call(struct ipc_client *c, const char *method, json_t *params, int64_t timeout_ms, struct error *e)
{
    struct ipc_call *call = ipc_client_begin(c, method, params, timeout_ms, e);
    return call != NULL ? ipc_client_take(call, e) : NULL;
}
