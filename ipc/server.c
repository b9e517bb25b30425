// REQ sockets send a request again when they grow impatient: it joins the one under way (is_repeat). An answer that is
// too big to be sent becomes an error that says so.
#include "ipc/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "ipc/hub.h"
#include "ipc/jsonrpc.h"

enum { PEERS_MAX = IPC_IN_FLIGHT_EVER - IPC_IN_FLIGHT_OF_ALL };

struct asked {
    struct ipc_asker asker;
    struct ipc_server *server; // NULL once it is gone
    struct hub_peer *peer;     // NULL once it is gone
    struct asked *next;
    unsigned char words[SP_WORDS_MAX]; // the answer's first
    size_t words_len;
    json_t *id;
};

struct ipc_server {
    struct hub *hub;
    struct ipc_service *service;
    struct asked *asked;
    size_t in_flight;
};

static void send_answer(struct hub_peer *peer, struct span words, json_t *id, json_t *result, const struct error *error)
{
    struct error e = {0};
    json_t *answer = error != NULL ? jsonrpc_failure(id, error) : jsonrpc_answer(id, json_incref(result));
    char *text = jsonrpc_text(answer, &e);
    json_decref(answer);
    if (text != NULL) {
        hub_send(peer, words, span_of(text));
        secret_wipe(text, strlen(text));
        free(text);
    } else if (error == NULL) {
        send_answer(peer, words, id, NULL, &e); // too big: say so instead
    }
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
    if (a->server != NULL && a->peer != NULL) {
        send_answer(a->peer, (struct span){(const char *)a->words, a->words_len}, a->id, result, error);
        hub_hold(a->peer, -1);
    }
    if (a->server != NULL)
        forget_asked(a);
    json_decref(result);
    json_decref(a->id);
    free(a);
}

static bool is_from(const struct asked *a, const struct hub_peer *peer, struct span words)
{
    return a->peer == peer && a->words_len == words.len && memcmp(a->words, words.ptr, words.len) == 0;
}

// REQ sockets send a request again when they grow impatient; the answer under way serves both.
static bool is_repeat(const struct ipc_server *s, const struct hub_peer *peer, struct span words)
{
    for (const struct asked *a = s->asked; a != NULL; a = a->next)
        if (is_from(a, peer, words))
            return true;
    return false;
}

static bool is_busy(const struct ipc_server *s, const struct hub_peer *peer)
{
    size_t own = 0;
    for (const struct asked *a = s->asked; a != NULL; a = a->next)
        own += a->peer == peer;
    return own >= IPC_IN_FLIGHT_MAX || s->in_flight >= (own > 0 ? IPC_IN_FLIGHT_OF_ALL : IPC_IN_FLIGHT_EVER);
}

// Unlike any other of those that are open now.
static uint64_t connection_of(const struct hub_peer *peer)
{
    return (uintptr_t)peer;
}

static struct asked *note_asked(struct ipc_server *s, struct hub_peer *peer, struct span words, json_t *id)
{
    struct asked *a = mem_alloc(sizeof *a);
    *a = (struct asked){.asker.respond = respond,
                        .asker.connection = connection_of(peer),
                        .server = s,
                        .peer = peer,
                        .next = s->asked,
                        .words_len = words.len,
                        .id = json_incref(id)};
    memcpy(a->words, words.ptr, words.len);
    s->asked = a;
    s->in_flight++;
    hub_hold(peer, 1);
    return a;
}

static void take_request(struct ipc_server *s, struct hub_peer *peer, struct span words, struct span text)
{
    struct outline o;
    struct jsonrpc_message m = {0};
    struct error e = {0};
    bool outlined = ipc_service_outline(s->service, text, &o);
    if (!outlined && jsonrpc_parse(text, &m, &e) == STATUS_OK && m.kind != JSONRPC_REQUEST)
        error_set(&e, STATUS_INVALID, "BAD-REQUEST", "not a JSON-RPC 2.0 request: 'method' is missing");
    else if (e.status == STATUS_OK && is_busy(s, peer))
        error_set(&e, STATUS_CONFLICT, "BUSY", "too many requests are in flight");
    json_t *id = outlined ? o.id : m.id;
    if (e.status != STATUS_OK)
        send_answer(peer, words, id, NULL, &e);
    else if (outlined)
        ipc_service_dispatch_outline(s->service, &o, &note_asked(s, peer, words, id)->asker);
    else
        ipc_service_dispatch(s->service, m.method, json_incref(m.params), &note_asked(s, peer, words, id)->asker);
    outline_release(&o);
    jsonrpc_release(&m);
}

static void took_message(void *ctx, struct hub_peer *peer, struct span message)
{
    struct ipc_server *s = ctx;
    struct span words;
    if (!sp_split_words(&message, &words))
        hub_close(peer);
    else if (!is_repeat(s, peer, words))
        take_request(s, peer, words, message);
}

// Nobody waits for its answers any more. Telling that may end any of them, so the search begins anew.
static void peer_gone(void *ctx, struct hub_peer *peer)
{
    struct ipc_server *s = ctx;
    for (struct asked *a = s->asked; a != NULL;) {
        if (a->peer != peer) {
            a = a->next;
            continue;
        }
        a->peer = NULL;
        ipc_asker_leave(&a->asker);
        a = s->asked;
    }
    ipc_service_tell_gone(s->service, connection_of(peer));
}

struct ipc_server *ipc_server_listen(const char *path, struct ipc_service *service, struct error *e)
{
    const struct hub_settings settings = {.own = SP_REP, .other = SP_REQ, .peers_max = PEERS_MAX, .hurry = true};
    struct ipc_server *s = mem_alloc(sizeof *s);
    s->service = service;
    s->hub = hub_listen(path, settings, (struct hub_events){.message = took_message, .closed = peer_gone, .ctx = s}, e);
    if (s->hub != NULL) {
        hub_admit(s->hub, HUB_ANY_PID);
        return s;
    }
    free(s);
    return NULL;
}

enum status ipc_server_listen_again(struct ipc_server *s, struct error *e)
{
    return hub_listen_again(s->hub, e);
}

void ipc_server_destroy(struct ipc_server *s)
{
    if (s == NULL)
        return;
    hub_destroy(s->hub);
    for (struct asked *a = s->asked; a != NULL; a = a->next)
        a->server = NULL;
    free(s);
}

int ipc_server_fd(const struct ipc_server *s)
{
    return hub_fd(s->hub);
}

void ipc_server_drain(struct ipc_server *s)
{
    hub_drain(s->hub);
}
