// getaddrinfo blocks and cannot be broken off. Who gives up only loses interest: the worker goes on, and finish frees
// what is left.
#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct resolution {
    char *name;
    struct addresses found;
    char reason[160];
    void (*done)(void *ctx, const struct addresses *found, const char *reason); // NULL once cancelled
    void *ctx;
};

static void add(struct addresses *a, const char *text)
{
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->text[i], text) == 0)
            return;
    }
    if (a->count < RESOLVE_MAX)
        snprintf(a->text[a->count++], sizeof a->text[0], "%s", text);
}

bool resolve_known(const char *name, struct addresses *out)
{
    unsigned char ignored[sizeof(struct in6_addr)];
    *out = (struct addresses){0};
    if (strcasecmp(name, "localhost") == 0) {
        add(out, "::1");
        add(out, "127.0.0.1");
    } else if (inet_pton(AF_INET, name, ignored) == 1 || inet_pton(AF_INET6, name, ignored) == 1) {
        add(out, name);
    }
    return out->count != 0;
}

static void look_up(void *arg) // on a worker
{
    struct resolution *r = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int n = getaddrinfo(r->name, NULL, &hints, &list);
    if (n != 0) {
        snprintf(r->reason, sizeof r->reason, "%s", gai_strerror(n));
        return;
    }
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        char text[INET6_ADDRSTRLEN];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            add(&r->found, text);
    }
    freeaddrinfo(list);
}

static void finish(void *arg) // on the loop thread
{
    struct resolution *r = arg;
    if (r->done != NULL)
        r->done(r->ctx, &r->found, r->found.count == 0 && r->reason[0] == '\0' ? "no address" : r->reason);
    free(r->name);
    free(r);
}

struct resolution *resolve_start(struct pool *pool, const char *name,
                                 void (*done)(void *ctx, const struct addresses *found, const char *reason), void *ctx)
{
    struct resolution *r = mem_alloc(sizeof *r);
    r->name = mem_text(span_of(name));
    r->done = done;
    r->ctx = ctx;
    if (pool != NULL && pool_submit(pool, look_up, finish, r) == STATUS_OK)
        return r;
    free(r->name);
    free(r);
    return NULL;
}

void resolve_cancel(struct resolution *r)
{
    if (r != NULL)
        r->done = NULL;
}
