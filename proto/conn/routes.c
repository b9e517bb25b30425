// When a route dials, waits and takes a connection; whose turn it is among many is in routes_turns.c. The host keeps
// one wake-up for all routes: whatever changes one ends with routes_schedule or routes_schedule_one.
//
// Two who dial each other at the same moment are connected twice. Between own nodes the connection that the smaller key
// dialled stays; with others one that comes within ROUTES_DUPLICATE_MS is dropped, and a later one replaces the first.
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "conn/routes_internal.h"

// ---- Delays ----

enum { REFUSALS_SOON = 6, SOON_MS = 1000 };
static const struct backoff quick_ms = {100, 5000};

static uint64_t now(const struct routes *r)
{
    OWNER_ASSERT(r);
    return r->host->now(r->host->ctx);
}

// ms times 1 … 1 + part.
static uint64_t jittered(const struct routes *r, uint64_t ms, double part)
{
    double share = (double)r->host->random(r->host->ctx) / (double)UINT32_MAX;
    return ms + (uint64_t)((double)ms * part * share);
}

static uint64_t quick_delay(const struct routes *r, unsigned failures)
{
    return jittered(r, backoff_ms(quick_ms, failures), 0.1);
}

// After failures ≥ 1 rounds of attempts.
static uint64_t retry_delay(const struct routes *r, const struct route *g)
{
    static const uint64_t seconds[] = {5, 10, 20, 30, 60, 120};
    if (g->own)
        return quick_delay(r, g->failures - 1);
    size_t last = sizeof seconds / sizeof seconds[0] - 1;
    return jittered(r, 1000 * seconds[g->failures - 1 < last ? g->failures - 1 : last], 0.1);
}

// "You are unknown" means that the peer is still storing what the pairing gave it (WIRE.md 6.6).
static bool is_unknown_refusal(const struct error *why)
{
    return strcmp(why->code, "PEER-CLOSED") == 0 && strstr(why->message, "because you are unknown") != NULL;
}

static uint64_t reconnect_delay(const struct routes *r, struct route *g, const struct error *why)
{
    g->refusals = is_unknown_refusal(why) ? g->refusals + 1 : 0;
    if (g->own)
        return quick_delay(r, g->refusals);
    if (g->refusals != 0 && g->refusals <= REFUSALS_SOON)
        return jittered(r, SOON_MS, 0.5);
    return jittered(r, ROUTES_RECONNECT_MS, 1.0);
}

// ---- Attempts ----

static bool wants_to_dial(const struct routes *r, const struct route *g)
{
    return r->outgoing && !g->disabled && g->url_count != 0 && g->active == NULL && g->attempt == 0;
}

void routes_start(struct routes *r, struct route *g, uint64_t delay_ms)
{
    if (wants_to_dial(r, g))
        g->retry_at = now(r) + delay_ms;
}

static void end_attempt(struct routes *r, struct route *g)
{
    if (g->attempt != 0)
        turns_ended(r, g);
    g->attempt = 0;
    g->dial_until = 0;
}

static void drop_attempt(struct routes *r, struct route *g)
{
    uint64_t attempt = g->attempt;
    end_attempt(r, g);
    if (attempt != 0)
        r->host->cancel(r->host->ctx, attempt);
}

static void pause_round(struct routes *r, struct route *g)
{
    g->url = 0;
    g->failures++;
    routes_start(r, g, retry_delay(r, g));
}

// The next address at once, after the last one a pause.
static void attempt_failed(struct routes *r, struct route *g)
{
    if (g->dial_until != 0)
        turns_place_failed(r, g);
    end_attempt(r, g);
    if (g->url < g->url_count)
        routes_start(r, g, 0);
    else
        pause_round(r, g);
}

// Dials the next address that need not wait.
static void begin_attempt(struct routes *r, struct route *g)
{
    g->retry_at = 0;
    if (g->url >= g->url_count)
        g->url = 0;
    while (g->url < g->url_count && !turns_may_lead(r, g, g->urls[g->url]))
        g->url++;
    if (g->url == g->url_count) {
        pause_round(r, g);
        return;
    }
    g->attempt = ++r->last_attempt;
    turns_began(r, g);
    g->dial_until = now(r) + ROUTES_DIAL_MS;
    g->dialled = g->urls[g->url++];
    r->host->dial(r->host->ctx, g->attempt, g->dialled, g->local, &g->instance_key);
}

static struct route *find_attempt(const struct routes *r, uint64_t attempt)
{
    for (size_t i = 0; attempt != 0 && i < r->count; i++)
        if (r->routes[i]->attempt == attempt)
            return r->routes[i];
    return NULL;
}

void routes_opened(struct routes *r, uint64_t attempt)
{
    struct route *g = find_attempt(r, attempt);
    if (g != NULL) {
        turns_place_opened(g);
        g->dial_until = 0;
    }
    routes_schedule(r);
}

bool routes_may_reach(struct routes *r, uint64_t attempt, const char *address, uint16_t port)
{
    const struct route *g = find_attempt(r, attempt);
    return g != NULL && turns_may_reach(r, g, address, port);
}

void routes_failed(struct routes *r, uint64_t attempt, const struct error *why)
{
    struct route *g = find_attempt(r, attempt);
    if (g == NULL)
        return;
    LOG(LOG_DEBUG, "route.failed", LOG_HASH("person", &g->person), LOG_TEXT("code", why->code));
    attempt_failed(r, g);
    routes_schedule(r);
}

void routes_stop(struct routes *r, struct route *g, const char *reason)
{
    struct conn *active = g->active;
    g->active = NULL;
    g->retry_at = 0;
    drop_attempt(r, g);
    if (active != NULL)
        conn_wind_up(active, reason);
}

// ---- Time ----

static uint64_t earlier(uint64_t a, uint64_t b) // 0 = never
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

void routes_schedule(struct routes *r)
{
    uint64_t now_ms = now(r);
    r->wake = 0;
    turns_count(r);
    for (size_t i = 0; i < r->count; i++) {
        const struct route *g = r->routes[i];
        r->wake = earlier(r->wake, earlier(turns_when(r, g, now_ms), g->dial_until));
    }
    r->host->wake_at(r->host->ctx, r->wake);
}

void routes_schedule_one(struct routes *r, const struct route *g)
{
    uint64_t wake = earlier(r->wake, earlier(turns_when(r, g, now(r)), g->dial_until));
    if (wake == r->wake)
        return;
    r->wake = wake;
    r->host->wake_at(r->host->ctx, wake);
}

static void on_time_for(struct routes *r, struct route *g, uint64_t now_ms)
{
    if (g->dial_until != 0 && g->dial_until <= now_ms) {
        uint64_t attempt = g->attempt;
        attempt_failed(r, g);
        r->host->cancel(r->host->ctx, attempt);
    }
    if (g->retry_at != 0 && g->retry_at <= now_ms && !wants_to_dial(r, g))
        g->retry_at = 0;
}

void routes_on_time(struct routes *r)
{
    uint64_t now_ms = now(r);
    struct route *next;
    for (size_t i = 0; i < r->count; i++)
        on_time_for(r, r->routes[i], now_ms);
    while ((next = turns_next(r, now_ms)) != NULL)
        begin_attempt(r, next);
    routes_schedule(r);
}

void routes_nudge(struct routes *r)
{
    for (size_t i = 0; i < r->count; i++) {
        r->routes[i]->failures = 0;
        turns_forgive(r->routes[i]);
        routes_start(r, r->routes[i], 0);
    }
    routes_schedule(r);
}

void routes_set_outgoing(struct routes *r, bool enabled)
{
    r->outgoing = enabled;
    for (size_t i = 0; i < r->count; i++) {
        struct route *g = r->routes[i];
        if (enabled) {
            routes_start(r, g, 0);
        } else {
            g->retry_at = 0;
            drop_attempt(r, g);
        }
    }
    routes_schedule(r);
}

// ---- Connections ----

static struct route *route_of(const struct routes *r, const struct conn *c)
{
    return conn_group(c) == CONN_CHUM && conn_local(c) != NULL ? routes_find(r, conn_local(c), &conn_peer(c)->long_term)
                                                               : NULL;
}

// Two tandem nodes that dial each other at the same moment: the connection dialled by the smaller key survives.
static bool own_attempt_wins(const struct route *g, const struct conn *c)
{
    bool handshaking = g->attempt != 0 && g->dial_until == 0;
    return g->own && handshaking && conn_role(c) == CONN_ACCEPTOR &&
           memcmp(g->local->instance_public.b, g->instance_key.b, BOX_KEY) < 0;
}

// The address that worked is tried first next time.
static void attempt_succeeded(struct routes *r, struct route *g)
{
    end_attempt(r, g);
    for (size_t i = 1; g->dialled != NULL && i < g->url_count; i++)
        if (g->urls[i] == g->dialled) {
            char *worked = g->urls[i];
            memmove(g->urls + 1, g->urls, i * sizeof g->urls[0]);
            g->urls[0] = worked;
        }
    g->url = 0;
}

const char *routes_assigned(struct routes *r, struct conn *c)
{
    struct route *g = route_of(r, c);
    if (g == NULL || g->active == c)
        return NULL;
    if (g->disabled)
        return "Route is disabled";
    uint64_t now_ms = now(r);
    if (own_attempt_wins(g, c))
        return "Duplicate connection - dropped new connection";
    if (conn_role(c) == CONN_INITIATOR)
        attempt_succeeded(r, g);
    if (g->active != NULL && now_ms - g->assigned_at < ROUTES_DUPLICATE_MS) {
        routes_schedule(r);
        return "Duplicate connection - dropped new connection";
    }
    struct conn *old = g->active;
    g->active = c;
    g->assigned_at = now_ms;
    g->failures = 0;
    g->retry_at = 0;
    drop_attempt(r, g); // a late one would only replace this connection
    routes_schedule(r);
    if (old != NULL)
        conn_wind_up(old, "New connection replaced old one");
    return NULL;
}

void routes_closed(struct routes *r, struct conn *c, const struct error *why)
{
    struct route *g = route_of(r, c);
    if (g == NULL || g->active != c)
        return;
    g->active = NULL;
    routes_start(r, g, reconnect_delay(r, g, why));
    routes_schedule(r);
}
