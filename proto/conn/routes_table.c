// Who is known: the routes, our own identities, and whose key is whose, which the handshake asks. Each of our
// identities has a route of its own to an instance; those to the same key hang together (next_local). What is known
// from hearsay names no key as somebody's.
#include <stdlib.h>
#include <string.h>

#include "conn/routes_internal.h"

enum { URL_MAX = 2048 };

// ---- Life ----

struct routes *routes_create(const struct routes_host *host, size_t limit)
{
    struct routes *r = mem_alloc(sizeof *r);
    r->host = host;
    r->limit = limit;
    r->outgoing = true;
    r->disabled_persons = hash_map_create();
    r->by_key = hash_map_create();
    r->owners = hash_map_create();
    return r;
}

static void route_free(struct route *g)
{
    for (size_t i = 0; i < g->url_count; i++)
        free(g->urls[i]);
    free(g);
}

void routes_destroy(struct routes *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        route_free(r->routes[i]);
    hash_map_destroy(r->disabled_persons);
    hash_map_destroy(r->by_key);
    turns_destroy(r);
    free(r->routes);
    free(r->locals);
    free(r);
}

// ---- Questions ----

const struct conn_identity *routes_identity(const struct routes *r, const struct public_key *target)
{
    for (size_t i = 0; i < r->local_count; i++)
        if (public_key_eq(&r->locals[i]->instance_public, target))
            return r->locals[i];
    return NULL;
}

bool routes_known(const struct routes *r, const struct conn_identity *local, const struct public_key *remote,
                  struct hash *person, struct hash *instance)
{
    const struct route *g = routes_find(r, local, remote);
    if (g == NULL || (g->hearsay && !hash_is_zero(person) && !hash_eq(&g->person, person)))
        return false;
    *person = g->person;
    *instance = g->instance;
    return true;
}

enum conn_key_check routes_person_key(const struct routes *r, const struct hash *person, const struct public_key *key)
{
    enum conn_key_check result = CONN_KEY_NEW;
    for (size_t i = 0; i < r->count; i++) {
        bool same_person = hash_eq(&r->routes[i]->person, person);
        bool same_key = public_key_eq(&r->routes[i]->person_key, key);
        if (same_person && same_key)
            return CONN_KEY_MATCHES;
        if (same_person || (same_key && !r->routes[i]->hearsay)) // no two persons have the same
            result = CONN_KEY_DIFFERS;
    }
    for (size_t i = 0; i < r->local_count; i++) { // this node's own persons are contacts too
        if (!hash_eq(&r->locals[i]->person_id, person))
            continue;
        if (public_key_eq(&r->locals[i]->person_public, key))
            return CONN_KEY_MATCHES;
        result = CONN_KEY_OURS;
    }
    return result;
}

bool routes_admits(const struct routes *r, const struct conn_identity *local, const struct public_key *source,
                   enum conn_group group, bool strangers)
{
    const struct route *g = routes_find(r, local, source);
    return g != NULL ? !g->disabled || group == CONN_CHUM : strangers;
}

// ---- Changes ----

void routes_add_local(struct routes *r, const struct conn_identity *local)
{
    r->locals = mem_resize(r->locals, (r->local_count + 1) * sizeof(void *));
    r->locals[r->local_count++] = local;
}

static bool can_dial(const char *url)
{
    if (url == NULL || strlen(url) > URL_MAX)
        return false;
    return strncmp(url, "ws://", 5) == 0 || strncmp(url, "wss://", 6) == 0;
}

static void drop_url(struct route *g, size_t i)
{
    if (g->dialled == g->urls[i])
        g->dialled = NULL;
    if (g->url > i)
        g->url--;
    free(g->urls[i]);
    memmove(g->urls + i, g->urls + i + 1, (g->url_count - i - 1) * sizeof g->urls[0]);
    g->url_count--;
}

static bool has_url(char *const *urls, size_t count, const char *url)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(urls[i], url) == 0)
            return true;
    return false;
}

static size_t count_urls(const char *const *urls)
{
    size_t count = 0;
    while (count < ROUTES_URLS && urls[count] != NULL)
        count++;
    return count;
}

// True if there is a new one. New ones come behind the others, and in this round still.
static bool set_urls(struct route *g, const char *const *urls)
{
    size_t count = count_urls(urls);
    bool news = false;
    for (size_t i = g->url_count; i-- > 0;)
        if (!has_url((char *const *)(uintptr_t)urls, count, g->urls[i]))
            drop_url(g, i);
    for (size_t i = 0; i < count; i++) {
        if (!can_dial(urls[i]) || has_url(g->urls, g->url_count, urls[i]))
            continue;
        g->urls[g->url_count++] = mem_text(span_of(urls[i]));
        news = true;
    }
    return news;
}

static struct route *route_make(struct routes *r, const struct conn_identity *local,
                                const struct public_key *instance_key)
{
    struct route *g = mem_alloc(sizeof *g);
    g->local = local;
    g->instance_key = *instance_key;
    g->next_local = routes_first(r, instance_key);
    struct hash key = routes_key_hash(instance_key);
    hash_map_set(r->by_key, &key, g);
    if (r->count == r->room) {
        r->room = r->room != 0 ? 2 * r->room : 16;
        r->routes = mem_resize(r->routes, r->room * sizeof(void *));
    }
    r->routes[r->count++] = g;
    return g;
}

static void learn_for(struct routes *r, const struct conn_identity *local, const struct routes_endpoint *endpoint,
                      enum routes_reason reason)
{
    struct route *g = routes_find(r, local, &endpoint->instance_key);
    if (g == NULL)
        g = route_make(r, local, &endpoint->instance_key);
    turns_set_owner(r, g, &endpoint->person);
    g->person = endpoint->person;
    g->instance = endpoint->instance;
    g->person_key = endpoint->person_key;
    g->hearsay = endpoint->hearsay;
    g->disabled = hash_map_has(r->disabled_persons, &g->person);
    if (g->disabled)
        routes_stop(r, g, "Route is disabled");
    static const uint64_t waits[] = {0, ROUTES_COURTESY_MS, ROUTES_YIELD_MS};
    bool paired = reason != ROUTES_STORED;
    if (paired) {
        g->failures = g->refusals = 0;
        turns_forgive(g);
    }
    if (set_urls(g, endpoint->urls) || g->retry_at == 0 || paired)
        routes_start(r, g, g->own ? 0 : waits[reason]);
    routes_schedule_one(r, g);
}

enum status routes_learn(struct routes *r, const struct routes_endpoint *endpoint, enum routes_reason reason,
                         struct error *e)
{
    if (routes_identity(r, &endpoint->instance_key) != NULL)
        return STATUS_OK;
    for (size_t i = 0; i < r->local_count; i++) {
        if (endpoint->local != NULL && endpoint->local != r->locals[i])
            continue;
        bool is_new = routes_find(r, r->locals[i], &endpoint->instance_key) == NULL;
        if (is_new && r->count >= r->limit)
            return error_set(e, STATUS_FULL, "TOO-MANY-ENDPOINTS", "more than %zu endpoints are not kept", r->limit);
        if (is_new && !turns_have_room(r, &endpoint->person))
            return error_set(e, STATUS_FULL, "TOO-MANY-ENDPOINTS", "more than %d instances of a person are not dialled",
                             ROUTES_INSTANCES);
        learn_for(r, r->locals[i], endpoint, reason);
    }
    return STATUS_OK;
}

static void unlink_route(struct routes *r, struct route *g)
{
    struct hash key = routes_key_hash(&g->instance_key);
    struct route *first = hash_map_get(r->by_key, &key);
    if (first == g && g->next_local == NULL) {
        hash_map_remove(r->by_key, &key);
        return;
    }
    if (first == g) {
        hash_map_set(r->by_key, &key, g->next_local);
        return;
    }
    while (first->next_local != g)
        first = first->next_local;
    first->next_local = g->next_local;
}

void routes_forget(struct routes *r, const struct conn_identity *local, const struct public_key *instance_key)
{
    for (size_t i = r->count; i-- > 0;) {
        struct route *g = r->routes[i];
        if (!public_key_eq(&g->instance_key, instance_key) || (local != NULL && g->local != local))
            continue;
        r->routes[i] = r->routes[--r->count];
        unlink_route(r, g);
        routes_stop(r, g, "Corresponding route was stopped");
        turns_set_owner(r, g, NULL);
        route_free(g);
    }
    routes_schedule(r);
}

void routes_set_own(struct routes *r, const struct public_key *instance_key)
{
    for (size_t i = 0; i < r->count; i++) {
        struct route *g = r->routes[i];
        if (!public_key_eq(&g->instance_key, instance_key))
            continue;
        g->own = true;
        g->failures = 0;
        routes_start(r, g, 0);
    }
    routes_schedule(r);
}

// ---- Switches ----

static void apply_switches(struct routes *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct route *g = r->routes[i];
        bool disabled = hash_map_has(r->disabled_persons, &g->person);
        if (disabled == g->disabled)
            continue;
        g->disabled = disabled;
        if (disabled)
            routes_stop(r, g, "Route is disabled");
        else
            routes_start(r, g, 0);
    }
    routes_schedule(r);
}

void routes_enable_person(struct routes *r, const struct hash *person, bool enabled)
{
    if (enabled)
        hash_map_remove(r->disabled_persons, person);
    else
        hash_map_add(r->disabled_persons, person);
    apply_switches(r);
}

// ---- For people ----

static enum route_state state_of(const struct routes *r, const struct route *g)
{
    if (g->active != NULL)
        return ROUTE_ACTIVE;
    if (g->disabled)
        return ROUTE_DISABLED;
    if (g->attempt != 0)
        return ROUTE_DIALLING;
    return g->url_count == 0 || !r->outgoing ? ROUTE_INCOMING : ROUTE_WAITING;
}

void routes_each(const struct routes *r, void (*visit)(void *ctx, const struct route_info *info), void *ctx)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct route *g = r->routes[i];
        struct route_info info = {
            .local = g->local,
            .person = g->person,
            .instance = g->instance,
            .instance_key = g->instance_key,
            .state = state_of(r, g),
            .url = g->url_count != 0 ? g->urls[g->url % g->url_count] : NULL,
            .retry_at = g->retry_at,
            .failures = g->failures,
            .own = g->own,
            .active = g->active,
        };
        visit(ctx, &info);
    }
}
