// Every identity registers at every relay, within REGISTRATIONS_MAX. Only those of the main one are told and listed: to
// the user a relay is one thing.
#include "archive-node/registrations.h"

#include <stdlib.h>

#include "base/log.h"
#include "net/relay_client.h"
#include "node/addresses.h"
#include "node/peers.h"

enum { RELAYS_MAX = 8, REGISTRATIONS_MAX = 64 };

struct registration {
    struct registrations *owner;
    const struct identity *self; // who is registered
    struct relay_client *client;
    enum relay_state told;
};

struct registrations {
    struct node *node;
    const json_t *urls;
    struct ws_client *ws;
    struct registration items[REGISTRATIONS_MAX];
    size_t count;
};

static const char *state_name(enum relay_state state)
{
    static const char *const names[] = {"down", "connecting", "listening"};
    return names[state];
}

static void accepted(void *ctx, struct transport *t, struct span first)
{
    struct registration *r = ctx;
    peers_accept(node_peers(r->owner->node), t, first);
}

static void changed(void *ctx, enum relay_state state, const struct error *why)
{
    struct registration *r = ctx;
    if (why != NULL)
        LOG(LOG_WARN, "relay.failed", LOG_TEXT("code", why->code), LOG_TEXT("message", why->message));
    if (state == r->told || r->client == NULL)
        return;
    r->told = state;
    if (r->self == node_self(r->owner->node))
        node_tell(r->owner->node, "listener.changed",
                  json_pack("{s:s, s:s, s:s}", "type", "relay", "url", relay_client_url(r->client), "state",
                            state_name(state)));
    if (state != RELAY_LISTENING)
        return;
    addresses_add_relay(r->owner->node, r->self, relay_client_url(r->client));
    peers_nudge(node_peers(r->owner->node));
}

static void add(struct registrations *rs, const struct identity *self, const char *url)
{
    static const struct relay_client_events events = {.accepted = accepted, .state = changed};
    struct registration *r = &rs->items[rs->count];
    struct error e;
    r->owner = rs;
    r->self = self;
    r->client = relay_client_start(node_loop(rs->node), rs->ws, url, &self->instance_keys.public_key,
                                   &self->instance_keys.secret, &events, r, &e);
    if (r->client != NULL)
        rs->count++;
    else
        LOG(LOG_WARN, "relay.refused", LOG_TEXT("url", url), LOG_TEXT("message", e.message));
}

void registrations_add(struct registrations *rs, const struct identity *self)
{
    for (size_t i = 0; i < json_array_size(rs->urls) && i < RELAYS_MAX && rs->count < REGISTRATIONS_MAX; i++)
        add(rs, self, json_string_value(json_array_get(rs->urls, i)));
}

struct registrations *registrations_create(struct node *n, const json_t *urls)
{
    struct registrations *rs = mem_alloc(sizeof *rs);
    rs->node = n;
    rs->ws = ws_client_create(node_loop(n), node_names(n), node_ca_file(n));
    rs->urls = urls;
    registrations_add(rs, node_self(n));
    return rs;
}

void registrations_destroy(struct registrations *rs)
{
    if (rs == NULL)
        return;
    for (size_t i = 0; i < rs->count; i++)
        relay_client_stop(rs->items[i].client);
    ws_client_destroy(rs->ws);
    free(rs);
}

void registrations_list(const struct registrations *rs, json_t *listeners)
{
    for (size_t i = 0; rs != NULL && i < rs->count; i++) {
        if (rs->items[i].self != node_self(rs->node)) // of each relay one is told
            continue;
        json_array_append_new(listeners, json_pack("{s:s, s:s, s:s, s:I}", "type", "relay", "url",
                                                   relay_client_url(rs->items[i].client), "state",
                                                   state_name(relay_client_state(rs->items[i].client)), "spares",
                                                   (json_int_t)relay_client_spares(rs->items[i].client)));
    }
}
