// A pairing outlives its connection while the host stores, and ends when both are over. Whatever fails or closes the
// connection may end the pairing with it, so nothing is touched after conn_fail and conn_close.
//
// The invited side answers with its identity only after it has stored the other one, and closes: an end that comes
// while the inviting side still stores is none too early (on_closed).
#include "conn/pairing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conn/message.h"

enum { AWAIT_MS = 30000 };

enum phase { AWAIT_TOKEN, AWAIT_IDENTITY, STORING, DONE };

struct pairing {
    struct conn *conn;   // NULL once it is closed
    uint64_t connection; // its id
    const struct conn_identity *local;
    const struct pairing_host *host;
    bool initiated;
    enum phase phase;
    uint64_t deadline;     // 0 while storing and after
    struct buf own;        // the identity message to send
    struct tokens *tokens; // acceptor
    struct pairing_token reserved;
    bool has_reserved;
    struct conn_peer peer_record; // of conn_peer, kept beyond the connection; texts owned
    struct pairing_identity peer;
    bool has_peer;
    bool failed;
    struct error why;
};

// ---- Life ----

static void keep_peer(struct pairing *p, const struct conn_peer *peer)
{
    p->peer_record = *peer;
    p->peer_record.email = mem_text(span_of(peer->email));
    p->peer_record.instance_name = mem_text(span_of(peer->instance_name));
}

static void destroy(struct pairing *p)
{
    if (p->has_reserved)
        tokens_release(p->tokens, &p->reserved);
    secret_wipe(&p->reserved, sizeof p->reserved);
    free(p->peer_record.email);
    free(p->peer_record.instance_name);
    pairing_identity_free(&p->peer);
    buf_free(&p->own);
    free(p);
}

// Ends when the connection is gone and nothing is being stored any more.
static void finish_if_over(struct pairing *p)
{
    if (p->conn != NULL || p->phase == STORING)
        return;
    p->host->finished(p->host->ctx, p, p->failed ? &p->why : NULL);
    destroy(p);
}

static void remember_failure(struct pairing *p, const struct error *why)
{
    if (!p->failed)
        p->why = *why;
    p->failed = true;
}

static void fail(struct pairing *p, const struct error *why)
{
    remember_failure(p, why);
    if (p->conn != NULL)
        conn_fail(p->conn, why); // may destroy p
    else
        finish_if_over(p);
}

// ---- Messages ----

static void send_message(struct pairing *p, const char *name, struct span message)
{
    conn_log(p->conn, "pairing.sent", name, message.len);
    conn_send_text(p->conn, message);
}

static int64_t wall_now(const struct pairing *p)
{
    return p->host->wall_now != NULL ? p->host->wall_now(p->host->ctx) : clock_wall_ms();
}

static enum status read_token(struct pairing *p, const json_t *message, struct error *e)
{
    struct span token = message_string(message, "token");
    if (token.ptr == NULL)
        return message_mismatch("authentication_token", e);
    const struct hash *person = &conn_local(p->conn)->person_id;
    enum status status =
        tokens_reserve(p->tokens, token, person, &p->peer_record.person_id, wall_now(p), &p->reserved, e);
    p->has_reserved = status == STATUS_OK;
    return status;
}

static enum status take_token(struct pairing *p, struct span text, struct error *e)
{
    json_t *message = message_read(true, text, "authentication_token", e);
    if (message == NULL)
        return STATUS_INVALID;
    enum status status = read_token(p, message, e);
    json_decref(message);
    if (status != STATUS_OK)
        return status;
    send_message(p, "identity", buf_span(&p->own));
    p->phase = AWAIT_IDENTITY;
    return STATUS_OK;
}

// An instance key that was not proved may not be one that belongs to somebody else.
static bool instance_key_fits(const struct pairing *p)
{
    const struct public_key *proved = &p->peer_record.long_term;
    if (public_key_eq(proved, &p->peer.instance_public))
        return true;
    if (p->initiated || !public_key_eq(proved, &p->peer_record.person_public))
        return false;
    struct hash person = p->peer_record.person_id, instance;
    return !conn_known_instance(p->conn, &p->peer.instance_public, &person, &instance) ||
           (hash_eq(&person, &p->peer_record.person_id) && hash_eq(&instance, &p->peer_record.instance_id));
}

// The identity has to be who was authenticated: same names mean same ids (WIRE.md 5.3).
static enum status check_identity(const struct pairing *p, struct error *e)
{
    const struct conn_peer *proved = &p->peer_record;
    const struct pairing_identity *claimed = &p->peer;
    bool same =
        strcmp(claimed->email, proved->email) == 0 && strcmp(claimed->instance_name, proved->instance_name) == 0 &&
        public_key_eq(&claimed->person_public, &proved->person_public) &&
        memcmp(claimed->person_sign_public.b, proved->person_sign_public.b, SIGN_PUBLIC) == 0 && instance_key_fits(p);
    if (same)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "IDENTITY-MISMATCH", "The identity is not the one that was authenticated");
}

static enum status take_identity(struct pairing *p, struct span text, struct error *e)
{
    enum status status = pairing_identity_read(true, text, &p->peer, e);
    if (status == STATUS_OK)
        status = check_identity(p, e);
    if (status != STATUS_OK)
        return status;
    p->has_peer = true;
    p->phase = STORING;
    if (!p->initiated) // the other side closes now
        conn_paired(p->conn);
    p->host->store(p->host->ctx, p, &p->peer);
    return STATUS_OK;
}

void pairing_stored(struct pairing *p, const struct error *why)
{
    p->phase = DONE;
    if (why != NULL) {
        fail(p, why);
        return;
    }
    if (p->has_reserved)
        tokens_consume(p->tokens, &p->reserved);
    p->has_reserved = false;
    if (p->conn == NULL) {
        finish_if_over(p);
        return;
    }
    if (p->initiated) {
        send_message(p, "identity", buf_span(&p->own));
        conn_paired(p->conn);
    }
    conn_close(p->conn, NULL); // may destroy p
}

static enum status unexpected(struct error *e)
{
    return error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received a message although none was expected");
}

// ---- The connection's events ----

static void on_text(void *ctx, struct span message, uint64_t now_ms)
{
    struct pairing *p = ctx;
    struct error why;
    enum phase phase = p->phase;
    conn_log(p->conn, "pairing.received", phase == AWAIT_TOKEN ? "authentication_token" : "identity", message.len);
    p->deadline = phase == AWAIT_TOKEN ? now_ms + AWAIT_MS : 0;
    enum status status = phase == AWAIT_TOKEN      ? take_token(p, message, &why)
                         : phase == AWAIT_IDENTITY ? take_identity(p, message, &why)
                                                   : unexpected(&why);
    if (status != STATUS_OK)
        fail(p, &why);
}

static void on_binary(void *ctx, struct span message, uint64_t now_ms)
{
    (void)message, (void)now_ms;
    struct error why;
    error_set(&why, STATUS_INVALID, "BAD-MESSAGE", "Received message that is not a string message.");
    fail(ctx, &why);
}

static uint64_t deadline(void *ctx)
{
    return ((const struct pairing *)ctx)->deadline;
}

static void on_time(void *ctx, uint64_t now_ms)
{
    struct pairing *p = ctx;
    if (p->deadline == 0 || now_ms < p->deadline)
        return;
    struct error why;
    error_set(&why, STATUS_TIMEOUT, "CONN-TIMEOUT", "The awaited message did not come in time");
    fail(p, &why);
}

// An end before everything is done is a failure, except for the inviting side that has the identity and is storing it:
// the invited side closes as soon as it has sent it.
static void on_closed(void *ctx, const struct error *why)
{
    struct pairing *p = ctx;
    p->conn = NULL;
    bool has_all = p->phase == DONE || (p->phase == STORING && !p->initiated);
    if (!has_all)
        remember_failure(p, why);
    finish_if_over(p);
}

static const struct conn_protocol PROTOCOL = {
    .text = on_text, .binary = on_binary, .deadline = deadline, .time = on_time, .closed = on_closed};

// ---- The beginning ----

static struct pairing *create(struct conn *c, const struct pairing_host *host, const struct pairing_identity *own)
{
    struct pairing *p = mem_alloc(sizeof *p);
    p->conn = c;
    p->connection = conn_id(c);
    p->local = conn_local(c);
    p->host = host;
    p->deadline = conn_now(c) + AWAIT_MS;
    pairing_identity_write(own, &p->own);
    keep_peer(p, conn_peer(c));
    return p;
}

struct pairing *pairing_initiate(struct conn *c, const struct pairing_host *host, const struct pairing_identity *own,
                                 const char *token)
{
    struct pairing *p = create(c, host, own);
    p->initiated = true;
    p->phase = AWAIT_IDENTITY;
    struct buf message = {0};
    buf_add_text(&message, "{\"command\":\"authentication_token\"");
    message_add_string("token", span_of(token), &message);
    buf_add_char(&message, '}');
    conn_serve(c, &PROTOCOL, p);
    send_message(p, "authentication_token", buf_span(&message));
    secret_wipe(message.data, message.len);
    buf_free(&message);
    return p;
}

struct pairing *pairing_accept(struct conn *c, const struct pairing_host *host, const struct pairing_identity *own,
                               struct tokens *tokens)
{
    struct pairing *p = create(c, host, own);
    p->tokens = tokens;
    p->phase = AWAIT_TOKEN;
    conn_serve(c, &PROTOCOL, p);
    return p;
}

const struct conn_peer *pairing_peer(const struct pairing *p)
{
    return &p->peer_record;
}

const struct pairing_identity *pairing_peer_identity(const struct pairing *p)
{
    return p->has_peer ? &p->peer : NULL;
}

const struct pairing_token *pairing_token(const struct pairing *p)
{
    return p->has_reserved ? &p->reserved : NULL;
}

const struct conn_identity *pairing_local(const struct pairing *p)
{
    return p->local;
}

uint64_t pairing_connection(const struct pairing *p)
{
    return p->connection;
}

bool pairing_initiated(const struct pairing *p)
{
    return p->initiated;
}
