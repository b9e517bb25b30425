#include "relay_testing.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "net/relay_message.h"

void bench_open(struct bench *b, const struct relay_options *options)
{
    struct error e = {0};
    *b = (struct bench){0};
    crypto_init();
    b->loop = open_loop(&(struct loop_options){.fd_limit = 4096, .receive_buffer = 8192});
    b->relay = relay_start(b->loop, "localhost:0", options, &e);
    assert_non_null(b->relay);
    b->client = ws_client_create(b->loop, NULL, NULL);
    box_keypair(&b->alice.public_key, &b->alice.secret);
    box_keypair(&b->bob.public_key, &b->bob.secret);
}

void bench_close(struct bench *b)
{
    ws_client_destroy(b->client);
    relay_destroy(b->relay);
    loop_destroy(b->loop);
    secret_destroy(&b->alice.secret);
    secret_destroy(&b->bob.secret);
}

static void on_message(void *ctx, bool text, struct span payload)
{
    struct user *u = ctx;
    if (u->pongs && span_eq(payload, SPAN("{\"command\":\"ping\"}"))) {
        user_send(u, "{\"command\":\"pong\"}");
        return;
    }
    if (u->count < USER_MESSAGES) {
        buf_clear(&u->messages[u->count]);
        buf_add_span(&u->messages[u->count], payload);
        u->text[u->count] = text;
    }
    u->count++;
    u->ready = true;
}

static void on_closed(void *ctx, int code, struct span reason)
{
    struct user *u = ctx;
    u->transport = NULL;
    u->closed = u->ready = true;
    u->code = code;
    buf_add_span(&u->reason, reason);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static const struct transport_events events = {on_message, on_closed, nothing, nothing};

void user_take(struct user *u, struct loop *l, struct transport *t)
{
    u->loop = l;
    u->transport = t;
    transport_use(t, &events, u);
}

static void dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct user *u = ctx;
    if (t == NULL)
        fail_msg("%s", why->message);
    user_take(u, u->loop, t);
    u->ready = true;
}

void user_dial_url(struct bench *b, struct user *u, const char *url)
{
    struct error e = {0};
    *u = (struct user){.loop = b->loop};
    assert_non_null(ws_client_connect(b->client, url, 0, 0, dialled, u, &e));
    run_until(b->loop, &u->ready);
}

void user_dial(struct bench *b, struct user *u)
{
    user_dial_url(b, u, relay_url(b->relay));
}

void user_send(struct user *u, const char *text)
{
    u->transport->ops->send(u->transport, true, span_of(text));
}

void user_send_bytes(struct user *u, struct span bytes)
{
    u->transport->ops->send(u->transport, false, bytes);
}

const char *user_next(struct user *u)
{
    while (u->read == u->count) {
        u->ready = false;
        if (u->closed)
            fail_msg("closed instead of a message: %s", buf_cstr(&u->reason));
        run_until(u->loop, &u->ready);
    }
    return buf_cstr(&u->messages[u->read++]);
}

void user_expect(struct user *u, const char *message)
{
    assert_string_equal(user_next(u), message);
}

void user_expect_close(struct user *u, const char *reason)
{
    run_until(u->loop, &u->closed);
    assert_string_equal(buf_cstr(&u->reason), reason);
    assert_int_equal(u->code, 1000);
}

void user_free(struct user *u)
{
    if (u->transport != NULL)
        u->transport->ops->close(u->transport, "Close called.");
    if (!u->closed)
        run_until(u->loop, &u->closed);
    for (size_t i = 0; i < USER_MESSAGES; i++)
        buf_free(&u->messages[i]);
    buf_free(&u->reason);
}

static char *text_of(const struct relay_message *m)
{
    struct buf b = {0};
    relay_message_write(m, &b);
    char *text = mem_text(buf_span(&b));
    buf_free(&b);
    return text;
}

char *register_text(const struct keys *k)
{
    return text_of(
        &(struct relay_message){.command = RELAY_REGISTER, .first = {.data = (char *)k->public_key.b, .len = BOX_KEY}});
}

char *request_text(const struct keys *source, const struct keys *target)
{
    return text_of(&(struct relay_message){.command = RELAY_COMMUNICATION_REQUEST,
                                           .first = {.data = (char *)source->public_key.b, .len = BOX_KEY},
                                           .second = {.data = (char *)target->public_key.b, .len = BOX_KEY}});
}

void user_challenge(struct user *u, const struct keys *k, struct buf *sealed, struct public_key *relay)
{
    struct relay_message m;
    struct error e = {0};
    char *text = register_text(k);
    user_send(u, text);
    free(text);
    assert_int_equal(relay_message_parse(span_of(user_next(u)), &m, &e), STATUS_OK);
    assert_int_equal(m.command, RELAY_AUTHENTICATION_REQUEST);
    assert_int_equal(m.second.len, RELAY_SEALED);
    assert_true(relay_key(&m.first, relay));
    buf_add_span(sealed, buf_span(&m.second));
    relay_message_free(&m);
}

void user_register(struct user *u, const struct keys *k)
{
    struct relay_message answer = {.command = RELAY_AUTHENTICATION_RESPONSE};
    struct public_key relay;
    struct buf sealed = {0};
    struct error e = {0};
    user_challenge(u, k, &sealed, &relay);
    assert_int_equal(relay_answer(&sealed, &relay, &k->secret, &answer.first, &e), STATUS_OK);
    char *text = text_of(&answer);
    user_send(u, text);
    assert_non_null(strstr(user_next(u), "{\"command\":\"authentication_success\",\"pingInterval\":"));
    free(text);
    buf_free(&sealed);
    relay_message_free(&answer);
}
