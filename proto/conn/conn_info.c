// What others may ask about a connection.
#include "base/clock.h"
#include "base/log.h"
#include "conn/conn_internal.h"

static const char *const STATES[] = {
    [CONN_INITIALIZING] = "initializing",
    [CONN_CONNECTING] = "connecting",
    [CONN_CONNECTED] = "connected",
    [CONN_ENCRYPTING] = "encrypting",
    [CONN_ENCRYPTED] = "encrypted",
    [CONN_AUTHENTICATING] = "authenticating",
    [CONN_AUTHENTICATED] = "authenticated",
    [CONN_PAIRING_ACTIVE] = "pairing",
    [CONN_PAIRED] = "paired",
    [CONN_ACTIVE] = "active",
    [CONN_CLOSING] = "closing",
    [CONN_CLOSED] = "closed",
    [CONN_FAILED] = "failed",
};

static const char *const GROUPS[] = {
    [CONN_PAIRING] = "pairing", [CONN_CHUM] = "chum", [CONN_DEBUG] = "debug", [CONN_APPLICATION] = "application"};

enum conn_role conn_role(const struct conn *c)
{
    return c->role;
}

enum conn_group conn_group(const struct conn *c)
{
    return c->group;
}

enum conn_state conn_state(const struct conn *c)
{
    return c->state;
}

const char *conn_state_name(enum conn_state state)
{
    return STATES[state];
}

const char *conn_group_name(enum conn_group group)
{
    return GROUPS[group];
}

const struct conn_identity *conn_local(const struct conn *c)
{
    return c->local;
}

const struct conn_peer *conn_peer(const struct conn *c)
{
    return &c->peer;
}

const struct transport *conn_transport(const struct conn *c)
{
    return c->transport;
}

bool conn_known_instance(const struct conn *c, const struct public_key *instance_key, struct hash *person,
                         struct hash *instance)
{
    return c->host->known(c->host->ctx, c->local, instance_key, person, instance);
}

uint64_t conn_id(const struct conn *c)
{
    return c->transport->id;
}

int conn_close_code(const struct conn *c)
{
    return c->close_code;
}

const struct pipeline_counts *conn_counts(const struct conn *c)
{
    return c->pipeline != NULL ? pipeline_counts(c->pipeline) : NULL;
}

void conn_log(const struct conn *c, const char *event, const char *name, size_t bytes)
{
    LOG(LOG_DEBUG, event, LOG_INT("conn", conn_id(c)), LOG_TEXT("name", name), LOG_INT("bytes", bytes),
        LOG_INT("ms", conn_now(c) - c->began));
}

uint64_t conn_now(const struct conn *c)
{
    return c->host->now != NULL ? c->host->now(c->host->ctx) : clock_monotonic_ms();
}

size_t conn_queued(const struct conn *c)
{
    return c->ending ? 0 : c->transport->ops->queued(c->transport);
}
