// Who listens with a key proves it by inverting what was sealed for that key. Spares of one key hang together, newest
// first; the oldest goes when there are too many.
#include "relay/party.h"

#include <string.h>

enum { IGNORED_MAX = 10 };

static struct hash listener_key(const struct public_key *key)
{
    struct hash h;
    memcpy(h.b, key->b, sizeof h.b);
    return h;
}

static void refuse(struct party *p, const char *what, const char *detail)
{
    struct buf reason = {0};
    buf_printf(&reason, "Close called: %s%s", what, detail);
    p->relay->stats.refused_protocol++;
    party_close(p, buf_cstr(&reason));
    buf_free(&reason);
}

static void refuse_error(struct party *p, const struct error *why)
{
    struct error e = *why;
    if (strncmp(e.code, "CYENC-", 6) == 0)
        error_prefix(&e, "%s", e.code);
    refuse(p, e.message, "");
}

// Seals 64 random bytes for the listener and notes the answer.
static enum status challenge(struct party *p, struct buf *sealed, struct error *e)
{
    struct secret shared = {0};
    uint8_t bytes[RELAY_CHALLENGE];
    if (box_shared_key(&p->key, &p->relay->secret, &shared, NULL) != STATUS_OK)
        return error_set(e, STATUS_INVALID, "CYENC-ENSPUB", "Data is not a public key");
    random_bytes(bytes, sizeof bytes);
    box_seal(&shared, (struct span){(const char *)bytes, sizeof bytes}, sealed);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)~bytes[i];
    buf_clear(&p->awaited);
    buf_add(&p->awaited, bytes, sizeof bytes);
    secret_destroy(&shared);
    return STATUS_OK;
}

static void begin(struct party *p, const struct relay_message *m)
{
    struct relay_message request = {.command = RELAY_AUTHENTICATION_REQUEST};
    struct error e = {0};
    if (!relay_key(&m->first, &p->key))
        error_set(&e, STATUS_INVALID, "CYENC-ENSPUB", "Data is not a public key");
    else
        challenge(p, &request.second, &e);
    if (e.status != STATUS_OK) {
        refuse_error(p, &e);
        return;
    }
    buf_add(&request.first, p->relay->key.b, sizeof p->relay->key.b);
    p->state = PARTY_CHALLENGED;
    party_send(p, &request);
    relay_message_free(&request);
}

static enum status check_response(struct party *p, const struct buf *sealed, struct error *e)
{
    struct secret shared = {0};
    struct buf opened = {0};
    enum status st = box_shared_key(&p->key, &p->relay->secret, &shared, e);
    if (st != STATUS_OK)
        goto done;
    st = box_open(&shared, buf_span(sealed), &opened, e);
    if (st != STATUS_OK)
        goto done;
    if (!bytes_eq_constant_time(buf_span(&opened), buf_span(&p->awaited)))
        st = error_set(e, STATUS_REFUSED, "REFUSED", "Client authentication failed.");
done:
    buf_free(&opened);
    secret_destroy(&shared);
    return st;
}

static void tell_listened(const struct relay *r, const struct party *p, bool listened)
{
    if (r->extension != NULL)
        r->extension->listened(r->extension->ctx, &p->key, listened);
}

static size_t count_spares(const struct party *newest)
{
    size_t n = 0;
    for (; newest != NULL; newest = newest->older)
        n++;
    return n;
}

static void become_spare(struct party *p)
{
    struct relay *r = p->relay;
    struct hash key = listener_key(&p->key);
    p->older = hash_map_get(r->listeners, &key);
    hash_map_set(r->listeners, &key, p);
    p->state = PARTY_SPARE;
    p->transport->trusted = true;
    r->stats.spares++;
    r->stats.registrations++;
    party_wait(p, &r->pings);
    if (p->older == NULL)
        tell_listened(r, p, true);
    if (count_spares(p) <= r->options.max_spares_per_key)
        return;
    struct party *oldest = p;
    while (oldest->older != NULL)
        oldest = oldest->older;
    r->stats.refused_limit++;
    party_close(oldest, "Close called: Too many listening connections for this publicKey.");
}

void registration_forget(struct party *p)
{
    struct relay *r = p->relay;
    if (p->state != PARTY_SPARE || r == NULL)
        return;
    struct hash key = listener_key(&p->key);
    struct party *newest = hash_map_get(r->listeners, &key);
    r->stats.spares--;
    if (newest != p) {
        while (newest->older != p)
            newest = newest->older;
        newest->older = p->older;
    } else if (p->older != NULL) {
        hash_map_set(r->listeners, &key, p->older);
    } else {
        hash_map_remove(r->listeners, &key);
        tell_listened(r, p, false);
    }
    p->older = NULL;
}

static void finish(struct party *p, const struct relay_message *m)
{
    struct error e = {0};
    if (check_response(p, &m->first, &e) != STATUS_OK) {
        refuse_error(p, &e);
        return;
    }
    buf_free(&p->awaited);
    become_spare(p);
    party_send(p, &(struct relay_message){.command = RELAY_AUTHENTICATION_SUCCESS,
                                          .ping_interval = p->relay->options.ping_interval_ms});
}

static void ponged(struct party *p)
{
    p->ping_outstanding = false;
    if (p->other != NULL)
        splice_after_pong(p);
    else
        party_wait(p, &p->relay->pings);
}

// A pong counts; anything else is kept unread by the reference until its queue is full.
static void spare_message(struct party *p, bool text, struct span payload)
{
    struct relay_message m = {0};
    bool pong = text && payload.len <= RELAY_MESSAGE_MAX && relay_message_parse(payload, &m, NULL) == STATUS_OK &&
                m.command == RELAY_PONG;
    relay_message_free(&m);
    if (pong)
        ponged(p);
    else if (++p->ignored > IGNORED_MAX)
        refuse(p, "Queue is full, it reached its maximum length of 10", "");
}

static void handle(struct party *p, const struct relay_message *m)
{
    if (p->state == PARTY_FIRST && m->command == RELAY_REGISTER)
        begin(p, m);
    else if (p->state == PARTY_FIRST && m->command == RELAY_COMMUNICATION_REQUEST)
        splice_request(p, m);
    else if (p->state == PARTY_CHALLENGED && m->command == RELAY_AUTHENTICATION_RESPONSE)
        finish(p, m);
    else
        refuse(p, "Received unexpected or malformed message from client.", "");
}

static bool is_client_command(enum relay_command c)
{
    return c == RELAY_REGISTER || c == RELAY_AUTHENTICATION_RESPONSE || c == RELAY_COMMUNICATION_REQUEST ||
           c == RELAY_COMM_PONG;
}

void registration_message(struct party *p, bool text, struct span payload)
{
    struct relay_message m = {0};
    struct error why = {0};
    if (p->state == PARTY_SPARE) {
        spare_message(p, text, payload);
        return;
    }
    if (!text)
        refuse(p, "Received message that is not a string message.", "");
    else if (payload.len > RELAY_MESSAGE_MAX)
        refuse(p, "Received data does not match the data of a client message.", "");
    else if (relay_message_parse(payload, &m, &why) != STATUS_OK && strcmp(why.code, "NOT-JSON") == 0)
        refuse(p, "Received message that does not conform to JSON: SyntaxError: ", why.message);
    else if (why.status != STATUS_OK || !is_client_command(m.command))
        refuse(p, "Received data does not match the data of a client message.", "");
    else
        handle(p, &m);
    relay_message_free(&m);
}

void registration_ping_due(struct party *p)
{
    party_send(p, &(struct relay_message){.command = RELAY_PING});
    p->ping_outstanding = true;
    party_wait(p, &p->relay->pongs);
}

void registration_pong_due(struct party *p)
{
    p->relay->stats.timeouts++;
    party_close(p, "Terminate called: Ping: Connection timed out");
}

void registration_first_due(struct party *p)
{
    p->relay->stats.timeouts++;
    party_close(p, "Close called: Nothing was asked for in time.");
}
