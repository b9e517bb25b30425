// Whose turn it is to dial. What a person announces decides how many routes there are, so what they cost is bounded for
// all and for each person, and the turns go round among persons, not among routes. Own nodes come first and are not
// bounded: they are ours.
//
// Beside the number of attempts under way and their rate (the host's), a person has a number of places (HOST:PORT) that
// its routes may be led to within an hour, few of them on this machine or in its network: a profile that is rewritten
// again and again would else make a scanner of ports of us. A place where nothing opened waits by itself, whatever
// routes lead there.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "conn/routes_internal.h"
#include "crypto/sha256.h"

enum {
    PLACES = 64,     // of a person, within PLACE_MS
    NEAR_PLACES = 8, // of them on this machine or in its network
    PLACE_MS = 60 * 60 * 1000,
};

struct place { // where a route leads
    uint64_t name;
    bool is_near;
    uint64_t used_at;
    uint64_t wait_until;
    unsigned failures;
};

struct route_owner { // a person with routes
    size_t routes;
    size_t under_way;
    uint64_t last_turn;
    struct place *places;
    size_t place_count;
};

// ---- Owners ----

static struct route_owner *owner_of(const struct routes *r, const struct hash *person)
{
    return hash_map_get(r->owners, person);
}

static bool is_idle(const struct route_owner *o, uint64_t now_ms)
{
    uint64_t used_at = 0;
    for (size_t i = 0; i < o->place_count; i++)
        if (o->places[i].used_at > used_at)
            used_at = o->places[i].used_at;
    return o->routes == 0 && (o->place_count == 0 || used_at + PLACE_MS <= now_ms);
}

static void drop_idle(struct routes *r, uint64_t now_ms)
{
    struct hash_list idle = {0};
    struct hash person;
    size_t cursor = 0;
    void *value;
    while (hash_map_next(r->owners, &cursor, &person, &value))
        if (is_idle(value, now_ms))
            hash_list_add(&idle, &person);
    for (size_t i = 0; i < idle.count; i++) {
        struct route_owner *o = owner_of(r, &idle.items[i]);
        hash_map_remove(r->owners, &idle.items[i]);
        free(o->places);
        free(o);
    }
    hash_list_free(&idle);
}

bool turns_have_room(const struct routes *r, const struct hash *person)
{
    const struct route_owner *o = owner_of(r, person);
    return o == NULL || o->routes < ROUTES_INSTANCES * r->local_count;
}

static struct route_owner *provide_owner(struct routes *r, const struct hash *person)
{
    struct route_owner *o = owner_of(r, person);
    if (o != NULL)
        return o;
    if (hash_map_count(r->owners) >= 2 * r->limit)
        drop_idle(r, r->host->now(r->host->ctx));
    o = mem_alloc(sizeof *o);
    hash_map_set(r->owners, person, o);
    return o;
}

void turns_set_owner(struct routes *r, struct route *g, const struct hash *person)
{
    struct route_owner *owner = person != NULL ? provide_owner(r, person) : NULL;
    if (owner == g->owner)
        return;
    if (g->owner != NULL) {
        g->owner->routes--;
        g->owner->under_way -= g->attempt != 0;
    }
    if (owner != NULL) {
        owner->routes++;
        owner->under_way += g->attempt != 0;
    }
    g->owner = owner;
}

void turns_destroy(struct routes *r)
{
    size_t cursor = 0;
    struct hash person;
    void *value;
    while (hash_map_next(r->owners, &cursor, &person, &value))
        free(((struct route_owner *)value)->places);
    hash_map_free_values(r->owners);
    hash_map_destroy(r->owners);
}

// ---- Places ----

static bool is_near(const char *host)
{
    return address_reach(host) <= ADDRESS_NETWORK;
}

static uint64_t name_of(const char *host, uint16_t port)
{
    char text[ADDRESS_HOST_MAX + 8];
    uint64_t name;
    int len = snprintf(text, sizeof text, "%s %u", host, port);
    for (int i = 0; i < len; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    const struct hash h = sha256((struct span){text, (size_t)len});
    memcpy(&name, h.b, sizeof name);
    return name;
}

static struct place *find_place(const struct route_owner *o, const char *host, uint16_t port)
{
    uint64_t name = name_of(host, port);
    for (size_t i = 0; i < o->place_count; i++)
        if (o->places[i].name == name)
            return &o->places[i];
    return NULL;
}

static struct place *free_place(struct route_owner *o, bool near, uint64_t now_ms)
{
    struct place *oldest = NULL;
    size_t near_count = 0;
    for (size_t i = 0; i < o->place_count; i++) {
        struct place *p = &o->places[i];
        if (p->used_at + PLACE_MS <= now_ms && (oldest == NULL || p->used_at < oldest->used_at))
            oldest = p;
        else
            near_count += p->is_near && p->used_at + PLACE_MS > now_ms;
    }
    if (near && near_count >= NEAR_PLACES)
        return NULL;
    if (oldest != NULL || o->place_count == PLACES)
        return oldest;
    if (o->places == NULL)
        o->places = mem_array(PLACES, sizeof *o->places);
    return &o->places[o->place_count++];
}

// Notes that a route leads there; NULL if the person has led us to enough others.
static struct place *use_place(struct route_owner *o, const char *host, uint16_t port, uint64_t now_ms)
{
    struct place *p = find_place(o, host, port);
    bool near = is_near(host);
    if (p == NULL) {
        p = free_place(o, near, now_ms);
        if (p == NULL)
            return NULL;
        *p = (struct place){.name = name_of(host, port), .is_near = near};
    }
    p->used_at = now_ms;
    return p;
}

static struct place *place_of(const struct route *g)
{
    struct ws_url url;
    if (g->dialled == NULL || ws_url_parse(g->dialled, &url, NULL) != STATUS_OK)
        return NULL;
    return find_place(g->owner, url.host, url.port);
}

bool turns_may_lead(struct routes *r, const struct route *g, const char *text)
{
    struct ws_url url;
    uint64_t now_ms = r->host->now(r->host->ctx);
    if (g->own || ws_url_parse(text, &url, NULL) != STATUS_OK) // what is no URL fails by itself
        return true;
    const struct place *p = use_place(g->owner, url.host, url.port, now_ms);
    return p != NULL && p->wait_until <= now_ms;
}

bool turns_may_reach(struct routes *r, const struct route *g, const char *address, uint16_t port)
{
    return g->own || !is_near(address) || use_place(g->owner, address, port, r->host->now(r->host->ctx)) != NULL;
}

void turns_place_failed(struct routes *r, const struct route *g)
{
    static const unsigned seconds[] = {5, 10, 20, 30, 60, 120};
    struct place *p = place_of(g);
    if (p == NULL || g->own)
        return;
    size_t last = sizeof seconds / sizeof seconds[0] - 1;
    p->wait_until = r->host->now(r->host->ctx) + 1000 * seconds[p->failures < last ? p->failures : last];
    p->failures++;
}

void turns_place_opened(const struct route *g)
{
    struct place *p = place_of(g);
    if (p != NULL)
        p->wait_until = p->failures = 0;
}

void turns_forgive(const struct route *g)
{
    struct route_owner *o = g->owner;
    for (size_t i = 0; i < o->place_count; i++)
        o->places[i].wait_until = o->places[i].failures = 0;
}

// ---- Turns ----

static bool is_full(const struct routes *r, const struct route *g)
{
    return !g->own && (r->under_way >= ROUTES_DIALS || g->owner->under_way >= ROUTES_DIALS_EACH ||
                       r->under_way + r->open >= ROUTES_OPEN);
}

uint64_t turns_when(const struct routes *r, const struct route *g, uint64_t now_ms)
{
    if (g->retry_at > now_ms || g->retry_at == 0 || g->own)
        return g->retry_at;
    if (is_full(r, g))
        return 0; // when another attempt is over
    uint64_t wait = r->host->wait != NULL ? r->host->wait(r->host->ctx, &g->person) : 0;
    return wait != 0 ? now_ms + wait : g->retry_at;
}

static bool comes_before(const struct route *a, const struct route *b)
{
    const struct route_owner *x = a->owner;
    const struct route_owner *y = b->owner;
    if (a->own != b->own)
        return a->own;
    if (x->under_way != y->under_way)
        return x->under_way < y->under_way;
    return x != y ? x->last_turn < y->last_turn : a->retry_at < b->retry_at;
}

void turns_count(struct routes *r)
{
    r->open = 0;
    for (size_t i = 0; i < r->count; i++)
        r->open += r->routes[i]->active != NULL;
}

struct route *turns_next(struct routes *r, uint64_t now_ms)
{
    struct route *next = NULL;
    turns_count(r);
    for (size_t i = 0; i < r->count; i++) {
        struct route *g = r->routes[i];
        uint64_t at = turns_when(r, g, now_ms);
        if (at != 0 && at <= now_ms && (next == NULL || comes_before(g, next)))
            next = g;
    }
    return next;
}

void turns_began(struct routes *r, const struct route *g)
{
    g->owner->last_turn = g->attempt;
    g->owner->under_way++;
    r->under_way++;
}

void turns_ended(struct routes *r, const struct route *g)
{
    g->owner->under_way--;
    r->under_way--;
}
