// Starting, ending and what /metrics and /healthz say. Its own key pair is made anew at each start: it proves nothing
// but serves the challenges.
#include "relay/party.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const struct relay_options defaults = {
    .ping_interval_ms = 25000,
    .pong_timeout_ms = 1000,
    .first_ms = 10000,
    .max_connections = 16384,
    .max_spares_per_key = 16,
};

static void accepted(void *ctx, struct transport *t)
{
    party_create(ctx, t);
}

void relay_accept(struct relay *r, struct transport *t)
{
    party_create(r, t)->elsewhere = true;
}

void relay_extend(struct relay *r, const struct relay_extension *x)
{
    r->extension = x;
}

// Prometheus text
static void write_metrics(const struct relay *r, struct buf *out)
{
    struct relay_metric rows[RELAY_METRICS];
    relay_measure(r, rows);
    for (size_t i = 0; i < RELAY_METRICS; i++)
        buf_printf(out, "# HELP tandem_relay_%s %s\n# TYPE tandem_relay_%s %s\ntandem_relay_%s %llu\n", rows[i].name,
                   rows[i].help, rows[i].name, rows[i].type, rows[i].name, (unsigned long long)rows[i].value);
}

static bool http(void *ctx, const char *path, struct buf *body, const char **type)
{
    if (strcmp(path, "/healthz") == 0) {
        buf_add_text(body, "ok\n");
        return true;
    }
    if (strcmp(path, "/metrics") != 0)
        return false;
    *type = "text/plain; version=0.0.4";
    write_metrics(ctx, body);
    return true;
}

static void timer_fired(void *ctx)
{
    party_deadlines_run(ctx);
}

static void fill_options(struct relay_options *o)
{
    if (o->ping_interval_ms == 0)
        o->ping_interval_ms = defaults.ping_interval_ms;
    if (o->pong_timeout_ms == 0)
        o->pong_timeout_ms = defaults.pong_timeout_ms;
    if (o->first_ms == 0)
        o->first_ms = defaults.first_ms;
    if (o->max_connections == 0)
        o->max_connections = defaults.max_connections;
    if (o->max_spares_per_key == 0)
        o->max_spares_per_key = defaults.max_spares_per_key;
}

struct relay *relay_start(struct loop *l, const char *address, const struct relay_options *options, struct error *e)
{
    struct relay *r = mem_alloc(sizeof *r);
    r->loop = l;
    if (options != NULL)
        r->options = *options;
    fill_options(&r->options);
    box_keypair(&r->key, &r->secret);
    r->listeners = hash_map_create();
    r->timer = loop_timer_create(l, timer_fired, r);
    r->firsts = (struct deadlines){.ms = r->options.first_ms, .due = registration_first_due};
    r->pings = (struct deadlines){.ms = r->options.ping_interval_ms, .due = registration_ping_due};
    r->pongs = (struct deadlines){.ms = r->options.pong_timeout_ms, .due = registration_pong_due};
    struct ws_server_options server = {
        .any_host = true,
        .any_origin = true,
        .max_connections = r->options.max_connections,
        .max_per_address = r->options.max_per_address,
        .max_waiting = r->options.max_waiting,
        .leave_room = r->options.leave_room,
        .handshake_ms = r->options.first_ms,
        .message_limit = r->options.message_limit,
        .http = http,
    };
    r->server = ws_server_listen(l, address, &server, accepted, r, e);
    if (r->server != NULL)
        return r;
    relay_destroy(r);
    return NULL;
}

// Ending

static void finish_drain(struct relay *r)
{
    void (*drained)(void *) = r->drained;
    r->drained = NULL;
    loop_timer_cancel(r->drain);
    if (drained != NULL)
        drained(r->drained_ctx);
}

static void close_all(struct relay *r, bool splices_too)
{
    for (struct party *p = r->parties; p != NULL; p = p->next) {
        if (p->state != PARTY_SPLICED || splices_too)
            party_close(p, "Close called.");
    }
}

static void drain_step(void *ctx)
{
    enum { LOOK_MS = 50 };
    struct relay *r = ctx;
    if (r->parties == NULL) {
        finish_drain(r);
        return;
    }
    if (loop_now(r->loop) >= r->drain_until)
        close_all(r, true);
    loop_timer_set(r->drain, LOOK_MS);
}

void relay_drain(struct relay *r, uint64_t ms, void (*drained)(void *ctx), void *ctx)
{
    r->drained = drained;
    r->drained_ctx = ctx;
    r->drain_until = loop_now(r->loop) + ms;
    LOG(LOG_INFO, "relay.draining", LOG_INT("splices", r->stats.splices));
    ws_server_stop(r->server);
    close_all(r, false);
    if (r->drain == NULL)
        r->drain = loop_timer_create(r->loop, drain_step, r);
    loop_timer_set(r->drain, 0);
}

void relay_destroy(struct relay *r)
{
    if (r == NULL)
        return;
    close_all(r, true);
    for (struct party *p = r->parties; p != NULL; p = p->next)
        p->relay = NULL; // each frees itself when its transport is closed
    ws_server_destroy(r->server);
    loop_timer_destroy(r->timer);
    loop_timer_destroy(r->drain);
    hash_map_destroy(r->listeners);
    secret_destroy(&r->secret);
    free(r);
}

// Watching

const char *relay_url(const struct relay *r)
{
    return ws_server_url(r->server);
}

struct relay_stats relay_stats(const struct relay *r)
{
    struct ws_server_stats server = ws_server_stats(r->server);
    struct relay_stats s = r->stats;
    s.connections = server.connections;
    s.keys = hash_map_count(r->listeners);
    s.refused_limit += server.refused_limit;
    s.refused_protocol += server.refused_request;
    return s;
}

void relay_measure(const struct relay *r, struct relay_metric out[RELAY_METRICS])
{
    struct relay_stats s = relay_stats(r);
    const struct relay_metric rows[RELAY_METRICS] = {
        {"connections", "gauge", "Open sockets", s.connections},
        {"spares", "gauge", "Registered spare sockets", s.spares},
        {"keys", "gauge", "Keys that are listened with", s.keys},
        {"splices", "gauge", "Pairs of sockets spliced together", s.splices},
        {"registrations_total", "counter", "Spare sockets registered", s.registrations},
        {"handovers_total", "counter", "Requests that were spliced", s.handovers},
        {"unanswered_total", "counter", "Requests for a key nobody listened with", s.unanswered},
        {"refused_protocol_total", "counter", "Sockets closed for a malformed or forbidden message",
         s.refused_protocol},
        {"refused_limit_total", "counter", "Sockets closed for a limit", s.refused_limit},
        {"timeouts_total", "counter", "Sockets closed because nothing came in time", s.timeouts},
        {"messages_total", "counter", "Messages mirrored", s.messages},
        {"bytes_total", "counter", "Bytes mirrored", s.bytes},
    };
    memcpy(out, rows, sizeof rows);
}
