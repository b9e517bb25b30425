#include "ipc/server.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "ipc/jsonrpc.h"
#include "ipc/outbox.h"
#include "ipc/socket.h"

enum { DRAIN_AT_ONCE = 64, LAST_WORDS_MS = 200 };

struct asked {
    struct ipc_asker asker;
    struct ipc_server *server; // NULL once it is gone
    struct asked *next;
    nng_msg *address; // an empty message with the header to reply to
    json_t *id;
};

struct ipc_server {
    nng_socket socket;
    struct ipc_gate gate;
    struct outbox *outbox;
    struct ipc_service *service;
    struct asked *asked;
    size_t in_flight;
};

struct ipc_server *ipc_server_listen(const char *path, struct ipc_service *service, struct error *e)
{
    struct ipc_server *s = mem_alloc(sizeof *s);
    s->service = service;
    atomic_store(&s->gate.pid, IPC_ANY_PID);
    int n = nng_rep0_open_raw(&s->socket);
    if (n != 0) {
        ipc_socket_error(n, e, "cannot open the control socket");
        goto fail;
    }
    if (ipc_socket_prepare(s->socket, &s->gate, e) != STATUS_OK)
        goto fail;
    s->outbox = outbox_create(s->socket);
    if (ipc_socket_listen(s->socket, path, e) == STATUS_OK)
        return s;
fail:
    ipc_server_destroy(s);
    return NULL;
}

void ipc_server_destroy(struct ipc_server *s)
{
    if (s == NULL)
        return;
    if (s->outbox != NULL)
        outbox_flush(s->outbox, LAST_WORDS_MS);
    for (struct asked *a = s->asked; a != NULL; a = a->next)
        a->server = NULL;
    outbox_destroy(s->outbox);
    if (s->socket.id != 0)
        nng_close(s->socket);
    free(s);
}

int ipc_server_fd(const struct ipc_server *s)
{
    return ipc_socket_receive_fd(s->socket);
}

static void send_answer(struct ipc_server *s, nng_msg *address, json_t *id, json_t *result, const struct error *error)
{
    struct error e = {0};
    json_t *answer = error != NULL ? jsonrpc_failure(id, error) : jsonrpc_answer(id, json_incref(result));
    if (outbox_send(s->outbox, address, answer, 0, &e) != STATUS_OK && error == NULL)
        send_answer(s, address, id, NULL, &e); // too big: say so instead
    json_decref(answer);
}

static void forget_asked(struct asked *a)
{
    for (struct asked **at = &a->server->asked; *at != NULL; at = &(*at)->next) {
        if (*at == a) {
            *at = a->next;
            a->server->in_flight--;
            return;
        }
    }
}

static void respond(struct ipc_asker *asker, json_t *result, const struct error *error)
{
    struct asked *a = (struct asked *)asker;
    if (a->server != NULL) {
        send_answer(a->server, a->address, a->id, result, error);
        forget_asked(a);
    }
    json_decref(result);
    json_decref(a->id);
    nng_msg_free(a->address);
    free(a);
}

static bool same_address(nng_msg *a, nng_msg *b)
{
    return nng_msg_header_len(a) == nng_msg_header_len(b) &&
           memcmp(nng_msg_header(a), nng_msg_header(b), nng_msg_header_len(a)) == 0;
}

// REQ sockets send a request again when they grow impatient; the answer under way serves both.
static bool is_repeat(const struct ipc_server *s, nng_msg *raw)
{
    for (const struct asked *a = s->asked; a != NULL; a = a->next)
        if (same_address(a->address, raw))
            return true;
    return false;
}

static nng_msg *address_of(nng_msg *raw)
{
    nng_msg *address;
    if (nng_msg_alloc(&address, 0) != 0 ||
        nng_msg_header_append(address, nng_msg_header(raw), nng_msg_header_len(raw)) != 0)
        abort(); // out of memory
    return address;
}

static void take_request(struct ipc_server *s, nng_msg *raw)
{
    struct jsonrpc_message m;
    struct error e = {0};
    if (jsonrpc_parse(ipc_message_text(raw), &m, &e) == STATUS_OK && m.kind != JSONRPC_REQUEST)
        error_set(&e, STATUS_INVALID, "BAD-REQUEST", "not a JSON-RPC 2.0 request: 'method' is missing");
    else if (e.status == STATUS_OK && s->in_flight >= IPC_IN_FLIGHT_MAX)
        error_set(&e, STATUS_CONFLICT, "BUSY", "%d requests are in flight", IPC_IN_FLIGHT_MAX);
    if (e.status != STATUS_OK) {
        send_answer(s, raw, m.id, NULL, &e);
    } else {
        struct asked *a = mem_alloc(sizeof *a);
        *a = (struct asked){{respond}, s, s->asked, address_of(raw), json_incref(m.id)};
        s->asked = a;
        s->in_flight++;
        ipc_service_dispatch(s->service, m.method, json_incref(m.params), &a->asker);
    }
    jsonrpc_release(&m);
}

void ipc_server_drain(struct ipc_server *s)
{
    nng_msg *raw;
    for (int i = 0; i < DRAIN_AT_ONCE; i++) {
        if (nng_recvmsg(s->socket, &raw, NNG_FLAG_NONBLOCK) != 0)
            return;
        if (!is_repeat(s, raw))
            take_request(s, raw);
        ipc_message_destroy(raw);
    }
}
