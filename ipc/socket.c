#include "ipc/socket.h"

#include <nng/supplemental/util/platform.h>
#include <nng/transport/ipc/ipc.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/secret.h"
#include "ipc/methods.h"

enum { QUEUE = 16, REDIAL_MIN_MS = 20, REDIAL_MAX_MS = 1000, PID_KNOWN_WITHIN_MS = 500 };

enum status ipc_socket_error(int number, struct error *e, const char *what)
{
    static const struct {
        int number;
        enum status status;
        const char *code;
    } map[] = {
        {NNG_ETIMEDOUT, STATUS_TIMEOUT, "TIMEOUT"},   {NNG_ECONNREFUSED, STATUS_CLOSED, "NOT-RUNNING"},
        {NNG_ENOENT, STATUS_CLOSED, "NOT-RUNNING"},   {NNG_ECLOSED, STATUS_CLOSED, "CLOSED"},
        {NNG_EPERM, STATUS_REFUSED, "NO-PERMISSION"}, {NNG_EADDRINUSE, STATUS_CONFLICT, "ALREADY-RUNNING"},
        {NNG_ECONNRESET, STATUS_CLOSED, "CLOSED"},    {NNG_ECONNSHUT, STATUS_CLOSED, "CLOSED"},
        {NNG_EMSGSIZE, STATUS_TOO_BIG, "TOO-BIG"},    {NNG_EAGAIN, STATUS_FULL, "BUSY"},
    };
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].number == number)
            return error_set(e, map[i].status, map[i].code, "%s: %s", what, nng_strerror(number));
    return error_set(e, STATUS_IO, "IO", "%s: %s", what, nng_strerror(number));
}

// A child may dial in the moment between its start and the parent learning its pid.
static int wanted_pid(struct ipc_gate *gate)
{
    int wanted = atomic_load(&gate->pid);
    for (int i = 0; wanted == 0 && i < PID_KNOWN_WITHIN_MS; i++) {
        nng_msleep(1);
        wanted = atomic_load(&gate->pid);
    }
    return wanted;
}

// Runs on a thread of nng, before the pipe belongs to the socket.
static void check_peer(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ipc_gate *gate = arg;
    (void)event;
    uint64_t uid = UINT64_MAX;
    uint64_t pid = 0;
    int wanted = wanted_pid(gate);
    bool known = nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0 &&
                 nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &pid) == 0;
    bool user = known && (uid == geteuid() || uid == 0);
    if (user && (wanted == IPC_ANY_PID || (wanted > 0 && pid == (uint64_t)wanted)))
        return;
    LOG(LOG_WARN, "control.refused", LOG_INT("uid", uid), LOG_INT("pid", pid));
    nng_pipe_close(pipe);
}

enum status ipc_socket_prepare(nng_socket socket, struct ipc_gate *gate, struct error *e)
{
    int n = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, IPC_MESSAGE_MAX);
    if (n == 0)
        n = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, check_peer, gate);
    if (n != 0)
        return ipc_socket_error(n, e, "cannot prepare a socket");
    // Not every protocol has every queue; a missing one is no failure.
    nng_socket_set_int(socket, NNG_OPT_RECVBUF, QUEUE);
    nng_socket_set_int(socket, NNG_OPT_SENDBUF, QUEUE);
    nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, REDIAL_MIN_MS);
    nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, REDIAL_MAX_MS);
    return STATUS_OK;
}

static enum status make_url(const char *path, char *url, size_t size, struct error *e)
{
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "the path of socket '%s' is longer than 107 bytes", path);
    snprintf(url, size, "ipc://%s", path);
    return STATUS_OK;
}

enum status ipc_socket_listen(nng_socket socket, const char *path, struct error *e)
{
    char url[128];
    nng_listener listener;
    if (make_url(path, url, sizeof url, e) != STATUS_OK)
        return e->status;
    int n = nng_listener_create(&listener, socket, url);
    if (n == 0)
        n = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0600);
    if (n == 0)
        n = nng_listener_start(listener, 0);
    if (n == 0)
        return STATUS_OK;
    ipc_socket_error(n, e, path);
    error_prefix(e, "cannot listen");
    return e->status;
}

enum status ipc_socket_dial(nng_socket socket, const char *path, struct error *e)
{
    char url[128];
    if (make_url(path, url, sizeof url, e) != STATUS_OK)
        return e->status;
    int n = nng_dial(socket, url, NULL, NNG_FLAG_NONBLOCK);
    return n == 0 ? STATUS_OK : ipc_socket_error(n, e, path);
}

int ipc_socket_receive_fd(nng_socket socket)
{
    int fd = -1;
    nng_socket_get_int(socket, NNG_OPT_RECVFD, &fd);
    return fd;
}

struct span ipc_message_text(nng_msg *message)
{
    struct span text = {nng_msg_body(message), nng_msg_len(message)};
    while (text.len > 0 && (text.ptr[text.len - 1] == '\0' || text.ptr[text.len - 1] == '\n'))
        text.len--; // command line tools like to add one
    return text;
}

void ipc_message_destroy(nng_msg *message)
{
    secret_wipe(nng_msg_body(message), nng_msg_len(message));
    nng_msg_free(message);
}
