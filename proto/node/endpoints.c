// From stored endpoints to routes (MODELS.md 7.5). All of them are read anew after each change, and routes are told
// what there is and what is gone; a change while that is under way makes another reading follow. Only persons that this
// node has paired with are dialled. What is gone is forgotten first, as a person has room for a number of instances.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

struct known { // an instance with all its addresses
    struct routes_endpoint endpoint;
    const struct contact_endpoint *row; // the first
    bool disabled;
};

struct known_list {
    struct known *items;
    size_t count;
};

struct found { // the contacts of one identity
    struct local *local;
    const struct identity *self;
    struct contact_endpoints endpoints;
};

struct reading {
    struct peers *peers;
    struct arena *arena;
    struct found *found;
    size_t count;
};

static enum status read_work(struct store *s, void *arg, struct error *e)
{
    struct reading *r = arg;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < r->count; i++) {
        struct model m = {.store = s, .self = r->found[i].self, .arena = r->arena, .now_ms = clock_wall_ms()};
        st = contact_endpoints(&m, &r->found[i].endpoints, e);
    }
    return st;
}

static struct hash key_of(const struct public_key *k)
{
    struct hash h;
    memcpy(h.b, k->b, HASH_SIZE);
    return h;
}

// The persons this node itself has paired with. Others are known through the own other node: they may come, but they
// would not know us, so they are not dialled.
static struct hash_map *paired_persons(const struct contact_endpoints *endpoints)
{
    struct hash_map *persons = hash_map_create();
    for (size_t i = 0; i < endpoints->count; i++) {
        if (endpoints->items[i].certified)
            hash_map_add(persons, &endpoints->items[i].person);
    }
    return persons;
}

// ---- Rows with the same instance key are one instance --------------------------------------------------------------

// Addresses learnt first are tried first: a relay becomes known after the pairing, and is a detour.
static void add_address(struct routes_endpoint *endpoint, const char *url)
{
    size_t last = ROUTES_URLS - 1;
    if (endpoint->urls[last] != NULL) // rows come the latest first; older ones are left out
        return;
    memmove(endpoint->urls + 1, endpoint->urls, last * sizeof endpoint->urls[0]);
    endpoint->urls[0] = url;
}

static struct known *add_instance(struct known_list *list, const struct found *f, const struct contact_endpoint *row)
{
    struct known *k = &list->items[list->count++];
    *k = (struct known){.row = row,
                        .disabled = row->disabled,
                        .endpoint = {.local = &f->local->identity,
                                     .hearsay = !row->certified,
                                     .person = row->person,
                                     .instance = row->instance,
                                     .person_key = row->person_public,
                                     .instance_key = row->instance_public}};
    return k;
}

static struct known_list gather(struct reading *r, const struct found *f)
{
    struct hash_map *by_key = hash_map_create();
    struct hash_map *paired = paired_persons(&f->endpoints);
    struct known_list list = {arena_alloc(r->arena, (f->endpoints.count + 1) * sizeof *list.items), 0};
    for (size_t i = 0; i < f->endpoints.count; i++) {
        const struct contact_endpoint *row = &f->endpoints.items[i];
        struct hash key = key_of(&row->instance_public);
        struct known *k = hash_map_get(by_key, &key);
        if (k == NULL)
            k = add_instance(&list, f, row);
        hash_map_set(by_key, &key, k);
        if (row->url.len != 0 && hash_map_has(paired, &row->person))
            add_address(&k->endpoint, arena_copy(r->arena, row->url).ptr);
    }
    hash_map_destroy(paired);
    hash_map_destroy(by_key);
    return list;
}

// ---- Telling routes ------------------------------------------------------------------------------------------------

static enum routes_reason reason_of(struct local *l, const struct hash *key)
{
    enum routes_reason reason = (enum routes_reason)(uintptr_t)hash_map_get(l->just_paired, key);
    hash_map_remove(l->just_paired, key);
    return reason;
}

static void learn(struct peers *p, struct local *l, struct known *k)
{
    struct routes_endpoint *endpoint = &k->endpoint;
    struct hash key = key_of(&endpoint->instance_key);
    struct error e;
    bool own = l == &p->main && peers_is_own(p, &endpoint->person, &endpoint->instance_key);
    if (own && p->own.url[0] != '\0') { // more recent than what is stored
        memset(endpoint->urls, 0, sizeof endpoint->urls);
        endpoint->urls[0] = p->own.url;
    }
    if (k->disabled && endpoint->hearsay) { // the key may be somebody else's, who is welcome
        routes_forget(p->routes, &l->identity, &endpoint->instance_key);
        return;
    }
    if (routes_learn(p->routes, endpoint, reason_of(l, &key), &e) != STATUS_OK)
        LOG(LOG_WARN, "route.refused", LOG_TEXT("code", e.code));
    routes_enable_person(p->routes, &endpoint->person, !k->disabled);
    if (!own)
        return;
    p->own.paired = true;
    vitals_watch(p->vitals);
    routes_set_own(p->routes, &endpoint->instance_key);
}

static void forget_missing(struct peers *p, struct local *l, struct hash_map *seen)
{
    size_t cursor = 0;
    struct hash key;
    while (hash_map_next(l->endpoints, &cursor, &key, NULL)) {
        struct public_key instance_key;
        memcpy(instance_key.b, key.b, BOX_KEY);
        if (!hash_map_has(seen, &key))
            routes_forget(p->routes, &l->identity, &instance_key);
    }
    hash_map_destroy(l->endpoints);
    l->endpoints = seen;
}

// ---- Whose keys are other ones -------------------------------------------------------------------------------------

// The text of the instance that the person was paired with last; rows of pairings come first.
static bool is_other_text(struct local *l, const struct hash *person, const struct safety_text *text)
{
    struct safety_text *last = hash_map_get(l->safety, person);
    bool other = last != NULL && strcmp(last->s, text->s) != 0;
    if (last == NULL) {
        last = mem_alloc(sizeof *last);
        hash_map_set(l->safety, person, last);
    }
    *last = *text;
    return other;
}

static void tell_safety(struct peers *p, struct local *l, const struct known *k, struct hash_map *looked_at)
{
    const struct contact_endpoint *row = k->row;
    struct hash key = key_of(&row->instance_public);
    struct safety_text text = contact_safety(l->self, row);
    bool added = p->learned && hash_map_has(l->safety, &row->person) && !hash_map_has(l->endpoints, &key);
    bool first = row->certified && hash_map_add(looked_at, &row->person);
    bool other = first && is_other_text(l, &row->person, &text);
    added = added && hash_map_has(looked_at, &row->person) && hash_map_has(l->contacts, &row->person);
    if (other || added)
        node_tell(p->node, "safety.changed",
                  json_pack("{s:o, s:o, s:s}", "personId", node_json_hash(&row->person), "instanceId",
                            node_json_hash(&row->instance), "safety", text.s));
}

static void tell_changes(struct peers *p, struct local *l, struct known_list list)
{
    struct hash_map *looked_at = hash_map_create();
    for (size_t i = 0; i < list.count; i++)
        tell_safety(p, l, &list.items[i], looked_at);
    hash_map_destroy(looked_at);
}

// ---- Learning ------------------------------------------------------------------------------------------------------

static void learn_contacts(struct local *l, const struct contact_endpoints *endpoints)
{
    hash_map_clear(l->contacts);
    for (size_t i = 0; i < endpoints->person_count; i++)
        hash_map_add(l->contacts, &endpoints->persons[i]);
}

// Once for each instance, so that the log says who can be dialled where.
static void log_endpoint(const struct known *k)
{
    const struct routes_endpoint *x = &k->endpoint;
    LOG(LOG_INFO, "endpoint.learned", LOG_HASH("person", &x->person), LOG_HASH("instance", &x->instance),
        LOG_TEXT("url", x->urls[0] != NULL ? x->urls[0] : ""), LOG_TEXT("state", k->disabled ? "disabled" : "enabled"));
}

// While a store is repaired, what says who the other own node is may be lost. Whoever has its key is it all the same.
static void learn_own(struct peers *p, struct hash_map *seen)
{
    struct error e;
    struct routes_endpoint endpoint = {.local = &p->main.identity,
                                       .person = p->own.peer.person,
                                       .instance = p->own.instance,
                                       .instance_key = p->own.peer.instance_key,
                                       .urls = {p->own.url[0] != '\0' ? p->own.url : NULL}};
    struct hash key = key_of(&endpoint.instance_key);
    p->own.bare = p->own.peer.pinned && !hash_is_zero(&p->own.instance) && !hash_map_has(seen, &key) &&
                  (p->node->ailing || p->node->scrub != NULL);
    if (!p->own.bare || routes_learn(p->routes, &endpoint, ROUTES_STORED, &e) != STATUS_OK)
        return;
    hash_map_add(seen, &key);
    routes_set_own(p->routes, &endpoint.instance_key);
}

static void learn_all(struct peers *p, struct local *l, struct known_list list)
{
    struct hash_map *seen = hash_map_create();
    if (l == &p->main)
        p->own.paired = false;
    for (size_t i = 0; i < list.count; i++) {
        struct hash key = key_of(&list.items[i].endpoint.instance_key);
        if (hash_map_add(seen, &key) && !hash_map_has(l->endpoints, &key))
            log_endpoint(&list.items[i]);
    }
    if (l == &p->main)
        learn_own(p, seen);
    forget_missing(p, l, seen); // first: a person has room for a number of them
    for (size_t i = 0; i < list.count; i++)
        learn(p, l, &list.items[i]);
}

static void resume_held(struct peers *p)
{
    for (struct connection *l = p->connections.open; l != NULL;) {
        bool changed = l->conn != NULL && conn_resume(l->conn);
        l = changed ? p->connections.open : l->next;
    }
}

static void learn_found(struct reading *r, const struct found *f)
{
    struct known_list list = gather(r, f);
    tell_changes(r->peers, f->local, list);
    learn_contacts(f->local, &f->endpoints);
    learn_all(r->peers, f->local, list);
}

static void read_done(void *arg, enum status status, const struct error *e)
{
    struct reading *r = arg;
    struct peers *p = r->peers;
    if (!p->closing && status == STATUS_OK) {
        for (size_t i = 0; i < r->count; i++)
            learn_found(r, &r->found[i]);
        p->learned = true;
    } else if (status != STATUS_OK) {
        LOG(LOG_ERROR, "endpoints.unreadable", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    }
    arena_destroy(r->arena);
    free(r);
    p->refreshing = false;
    if (p->closing)
        return;
    if (p->refresh_again)
        peers_refresh(p);
    resume_held(p);
}

void peers_refresh(struct peers *p)
{
    p->refresh_again = p->refreshing;
    if (p->refreshing)
        return;
    p->refreshing = true;
    struct reading *r = mem_alloc(sizeof *r);
    *r = (struct reading){.peers = p, .arena = arena_create()};
    for (const struct local *l = &p->main; l != NULL; l = l->next)
        r->count++;
    r->found = arena_alloc(r->arena, r->count * sizeof *r->found);
    size_t i = 0;
    for (struct local *l = &p->main; l != NULL; l = l->next)
        r->found[i++] = (struct found){.local = l, .self = l->self};
    store_submit_read(node_queue(p->node), read_work, read_done, r);
}

void peers_stored(struct peers *p, struct local *l, const struct public_key *instance_key, bool invited)
{
    struct hash key = key_of(instance_key);
    enum routes_reason reason = invited ? ROUTES_JUST_PAIRED : ROUTES_JUST_INVITED;
    hash_map_set(l->just_paired, &key, (void *)(uintptr_t)reason);
    peers_refresh(p);
}
