// Dialling for the routes of a node: a socket, then a CHUM connection on it, until routes has assigned it. An attempt
// is known to routes by its number alone and may end in either order, by itself or cancelled: so it is off the list
// before routes hears of its end, which may begin the next one. A name leads to an address that is judged again
// (may_try).
#include <stdlib.h>

#include "crypto/secret.h"
#include "node/peers_internal.h"

void dialling_forget(struct dialling *d)
{
    struct dialling **link = &d->peers->diallings;
    while (*link != d)
        link = &(*link)->next;
    *link = d->next;
    free(d);
}

static struct dialling *dialling_of(struct peers *p, uint64_t attempt)
{
    struct dialling *d = p->diallings;
    while (d != NULL && d->attempt != attempt)
        d = d->next;
    return d;
}

struct dialling *dialling_with(struct peers *p, const struct conn *c)
{
    struct dialling *d = p->diallings;
    while (d != NULL && d->conn != c)
        d = d->next;
    return d;
}

static void opened(void *ctx, struct transport *t, const struct error *why)
{
    struct dialling *d = ctx;
    struct peers *p = d->peers;
    d->connect = NULL;
    if (t == NULL) {
        uint64_t attempt = d->attempt;
        uint64_t id = d->id;
        dialling_forget(d);
        connections_undialled(p, id, why);
        routes_failed(p->routes, attempt, why);
        return;
    }
    routes_opened(p->routes, d->attempt);
    d->conn = conn_initiate(t, &p->host, d->local, &d->remote, CONN_CHUM);
}

static struct budget *budget_of(struct peers *p, const struct hash *person)
{
    return budget_of_person(p->budgets, person, peers_names_own(p, person) ? BUDGET_OWN : BUDGET_CONTACT);
}

// What a name leads to is judged as if the URL had said so.
static bool may_try(void *ctx, const char *address, uint16_t port)
{
    const struct dialling *d = ctx;
    return routes_may_reach(d->peers->routes, d->attempt, address, port);
}

static void dial(void *ctx, uint64_t attempt, const char *url, const struct conn_identity *local,
                 const struct public_key *remote)
{
    struct peers *p = ctx;
    struct error e;
    struct hash person = {{0}};
    struct hash instance;
    struct dialling *d = mem_alloc(sizeof *d);
    if (routes_known(p->routes, local, remote, &person, &instance)) {
        struct budget *b = budget_of(p, &person);
        budget_charge(b, BUDGET_DIALS, 1);
        budget_release(b);
    }
    *d = (struct dialling){.next = p->diallings, .peers = p, .attempt = attempt, .local = local, .remote = *remote};
    p->diallings = d;
    d->connect = ws_client_connect(p->client, url, ROUTES_DIAL_MS, 0, opened, d, &e);
    if (d->connect != NULL) {
        d->id = ws_connect_id(d->connect);
        ws_connect_guard(d->connect, may_try);
        connections_dialling(p, d->id, url, CONN_CHUM, &person);
        return;
    }
    dialling_forget(d);
    connections_undialled(p, 0, &e);
    routes_failed(p->routes, attempt, &e);
}

static void cancel(void *ctx, uint64_t attempt)
{
    struct dialling *d = dialling_of(ctx, attempt);
    if (d == NULL)
        return;
    struct conn *c = d->conn;
    if (d->connect != NULL) {
        ws_connect_cancel(d->connect);
        connections_cancelled(d->peers, d->id);
    }
    dialling_forget(d);
    if (c != NULL)
        conn_close(c, "Corresponding route was stopped");
}

static void wake_at(void *ctx, uint64_t monotonic_ms)
{
    struct peers *p = ctx;
    uint64_t now = loop_now(node_loop(p->node));
    if (monotonic_ms == 0)
        loop_timer_cancel(p->routes_timer);
    else
        loop_timer_set(p->routes_timer, monotonic_ms > now ? monotonic_ms - now : 0);
}

static uint64_t wait_ms(void *ctx, const struct hash *person)
{
    struct budget *b = budget_of(ctx, person);
    uint64_t wait = budget_wait_ms(b, BUDGET_DIALS, 1);
    budget_release(b);
    return wait;
}

static uint64_t now_ms(void *ctx)
{
    struct peers *p = ctx;
    return loop_now(node_loop(p->node));
}

static uint32_t random_number(void *ctx)
{
    (void)ctx;
    uint32_t n;
    random_bytes(&n, sizeof n);
    return n;
}

struct routes_host dialling_host(struct peers *p)
{
    return (struct routes_host){.ctx = p,
                                .now = now_ms,
                                .random = random_number,
                                .dial = dial,
                                .cancel = cancel,
                                .wake_at = wake_at,
                                .wait = wait_ms};
}

void dialling_due(void *ctx)
{
    struct peers *p = ctx;
    routes_on_time(p->routes);
}

void dialling_stop(struct peers *p)
{
    while (p->diallings != NULL) {
        if (p->diallings->connect != NULL)
            ws_connect_cancel(p->diallings->connect);
        dialling_forget(p->diallings);
    }
    loop_timer_cancel(p->routes_timer);
}
