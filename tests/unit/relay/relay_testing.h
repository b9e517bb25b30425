// What the relay tests share: a relay in a loop, and users of it that keep every message they get.
#pragma once

#include "base/hash.h"
#include "crypto/box.h"
#include "net/relay_client.h"
#include "net/testing.h"
#include "relay/relay.h"

enum { USER_MESSAGES = 64 };

struct keys {
    struct public_key public_key;
    struct secret secret;
};

struct user {
    struct loop *loop;
    struct transport *transport;
    struct buf messages[USER_MESSAGES];
    bool text[USER_MESSAGES];
    size_t count, read;
    bool pongs; // answers pings by itself
    bool ready; // there is a message to read, or it is closed
    bool closed;
    int code;
    struct buf reason;
};

struct bench { // named after the thing one works on
    struct loop *loop;
    struct relay *relay;
    struct ws_client *client;
    struct keys alice, bob; // bob listens
};

void bench_open(struct bench *b, const struct relay_options *options);
void bench_close(struct bench *b);

void user_dial(struct bench *b, struct user *u);
void user_dial_url(struct bench *b, struct user *u, const char *url);
void user_take(struct user *u, struct loop *l, struct transport *t); // of a connection made elsewhere
void user_send(struct user *u, const char *text);
void user_send_bytes(struct user *u, struct span bytes);
const char *user_next(struct user *u); // waits for the next message
void user_expect(struct user *u, const char *message);
void user_expect_close(struct user *u, const char *reason); // with code 1000
void user_free(struct user *u);                             // closes it if it is open

char *register_text(const struct keys *k); // the caller frees these
char *request_text(const struct keys *source, const struct keys *target);
void user_register(struct user *u, const struct keys *k); // until authentication_success
void user_challenge(struct user *u, const struct keys *k, struct buf *sealed, struct public_key *relay);
