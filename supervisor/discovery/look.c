// A client that has failed stays failed, and another one would want another socket, which this process can make no more
// once it has one. So that is its end, and the supervisor starts the next. Where only the daemon is not there yet, the
// client waits for it on D-Bus.
#include "supervisor/discovery/look.h"

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/error.h>
#include <avahi-common/timeval.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "supervisor/discovery/found.h"
#include "supervisor/discovery/said.h"

enum { PLACES_MAX = 2 * FOUND_MAX, ENTRIES_MAX = 64, AGAIN_MS = 15000 };

struct place { // a service at one interface and version of IP
    struct place *next;
    AvahiServiceResolver *resolver; // goes on telling what changes; NULL: not seen yet since all is looked for anew
    char *name;
    AvahiIfIndex interface;
    AvahiProtocol protocol;
};

struct look {
    AvahiSimplePoll *loop;
    struct announce *announce;
    AvahiClient *client;
    AvahiServiceBrowser *browser;
    bool failed;
    struct place *places;
    size_t count;
    size_t names;  // of different ones
    bool left_out; // somebody had no room: when one goes, all is looked for anew
    AvahiTimeout *again;
    bool waits; // for that
};

// --- services --------------------------------------------------------------------------------------------------------

static struct said_service said_of(const struct place *p)
{
    return (struct said_service){.name = p->name, .interface = p->interface, .ipv6 = p->protocol == AVAHI_PROTO_INET6};
}

static void resolved(AvahiServiceResolver *r, AvahiIfIndex interface, AvahiProtocol protocol, AvahiResolverEvent event,
                     const char *name, const char *type, const char *domain, const char *host, const AvahiAddress *at,
                     uint16_t port, AvahiStringList *txt, AvahiLookupResultFlags flags, void *ctx)
{
    const struct place *p = ctx;
    char address[AVAHI_ADDRESS_STR_MAX];
    struct span entries[ENTRIES_MAX];
    size_t count = 0;
    (void)r, (void)interface, (void)protocol, (void)name, (void)type, (void)domain, (void)flags;
    if (event != AVAHI_RESOLVER_FOUND) // it goes on
        return;
    struct said_service s = said_of(p);
    avahi_address_snprint(address, sizeof address, at);
    s.host = host;
    s.address = address;
    s.port = port;
    for (const AvahiStringList *t = txt; t != NULL && count < ENTRIES_MAX; t = t->next)
        entries[count++] = (struct span){(const char *)t->text, t->size};
    said_found(&s, entries, count);
}

static void place_free(struct place *p)
{
    free(p->name);
    free(p);
}

static struct place **find(struct look *l, AvahiIfIndex interface, AvahiProtocol protocol, const char *name)
{
    struct place **link = &l->places;
    while (*link != NULL &&
           ((*link)->interface != interface || (*link)->protocol != protocol || strcmp((*link)->name, name) != 0))
        link = &(*link)->next;
    return link;
}

static bool has_name(const struct look *l, const char *name)
{
    const struct place *p = l->places;
    while (p != NULL && strcmp(p->name, name) != 0)
        p = p->next;
    return p != NULL;
}

static struct place *make_place(struct look *l, AvahiIfIndex interface, AvahiProtocol protocol, const char *name)
{
    struct place *p = mem_alloc(sizeof *p);
    *p = (struct place){.next = l->places, .interface = interface, .protocol = protocol};
    p->name = mem_text(span_of(name));
    l->names += has_name(l, name) ? 0 : 1;
    l->places = p;
    l->count++;
    return p;
}

static void schedule(struct look *l)
{
    struct timeval at;
    if (!l->left_out || l->waits)
        return;
    l->waits = true;
    avahi_elapse_time(&at, AGAIN_MS, 0);
    avahi_simple_poll_get(l->loop)->timeout_update(l->again, &at);
}

static void drop(struct look *l, struct place **link)
{
    struct place *p = *link;
    *link = p->next;
    l->count--;
    l->names -= has_name(l, p->name) ? 0 : 1;
    if (p->resolver != NULL)
        avahi_service_resolver_free(p->resolver);
    struct said_service s = said_of(p);
    said_gone(&s);
    place_free(p);
}

static void add(struct look *l, AvahiIfIndex interface, AvahiProtocol protocol, const char *name, const char *domain)
{
    struct place **link = find(l, interface, protocol, name);
    if (*link == NULL && l->count == PLACES_MAX) {
        l->left_out = true;
        return;
    }
    if (*link == NULL) {
        make_place(l, interface, protocol, name);
        link = &l->places;
    }
    l->left_out = l->left_out || l->names > FOUND_MAX; // those that read have no room
    if ((*link)->resolver == NULL)
        (*link)->resolver = avahi_service_resolver_new(l->client, interface, protocol, name, ANNOUNCE_TYPE, domain,
                                                       protocol, 0, resolved, *link);
    if ((*link)->resolver == NULL)
        drop(l, link);
}

static void take_away(struct look *l, AvahiIfIndex interface, AvahiProtocol protocol, const char *name)
{
    struct place **link = find(l, interface, protocol, name);
    if (*link == NULL)
        return;
    drop(l, link);
    schedule(l);
}

static void settle(struct look *l)
{
    for (struct place **link = &l->places; *link != NULL;) {
        if ((*link)->resolver == NULL) {
            drop(l, link);
            schedule(l);
        } else {
            link = &(*link)->next;
        }
    }
    said_settled(true);
}

static void fail(struct look *l, int error)
{
    char why[128];
    snprintf(why, sizeof why, "Avahi says: %s", avahi_strerror(error));
    said_away(why);
    l->failed = true;
    avahi_simple_poll_quit(l->loop);
}

static void browsed(AvahiServiceBrowser *b, AvahiIfIndex interface, AvahiProtocol protocol, AvahiBrowserEvent event,
                    const char *name, const char *type, const char *domain, AvahiLookupResultFlags flags, void *ctx)
{
    struct look *l = ctx;
    (void)type, (void)flags;
    switch (event) {
    case AVAHI_BROWSER_NEW:
        add(l, interface, protocol, name, domain);
        break;
    case AVAHI_BROWSER_REMOVE:
        take_away(l, interface, protocol, name);
        break;
    case AVAHI_BROWSER_ALL_FOR_NOW:
        settle(l);
        break;
    case AVAHI_BROWSER_FAILURE:
        fail(l, avahi_client_errno(avahi_service_browser_get_client(b)));
        break;
    case AVAHI_BROWSER_CACHE_EXHAUSTED:
        break;
    }
}

// --- the connection with Avahi ---------------------------------------------------------------------------------------

static void browse(struct look *l)
{
    l->browser =
        avahi_service_browser_new(l->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, ANNOUNCE_TYPE, NULL, 0, browsed, l);
    if (l->browser == NULL)
        fail(l, avahi_client_errno(l->client));
}

// Avahi tells a browser of each service once. Who is still there is resolved and told again; the others go when the new
// browser has told all (settle).
static void look_again(AvahiTimeout *timeout, void *ctx)
{
    struct look *l = ctx;
    avahi_simple_poll_get(l->loop)->timeout_update(timeout, NULL);
    l->waits = l->left_out = false;
    said_settled(false);
    for (struct place *p = l->places; p != NULL; p = p->next) {
        if (p->resolver != NULL)
            avahi_service_resolver_free(p->resolver);
        p->resolver = NULL;
    }
    avahi_service_browser_free(l->browser);
    browse(l);
}

static void begin(struct look *l, AvahiClient *client)
{
    if (l->browser == NULL) {
        said_state("looking");
        browse(l);
    }
    if (l->browser != NULL)
        announce_begin(l->announce, client);
}

// Called by avahi_client_new too, before it returns.
static void client_changed(AvahiClient *client, AvahiClientState state, void *ctx)
{
    struct look *l = ctx;
    l->client = client;
    switch (state) {
    case AVAHI_CLIENT_S_RUNNING:
        begin(l, client);
        break;
    case AVAHI_CLIENT_S_COLLISION:
    case AVAHI_CLIENT_S_REGISTERING:
        announce_pause(l->announce);
        break;
    case AVAHI_CLIENT_CONNECTING:
        said_away("avahi-daemon does not run");
        break;
    case AVAHI_CLIENT_FAILURE:
        fail(l, avahi_client_errno(client));
        break;
    }
}

struct look *look_create(AvahiSimplePoll *loop, struct announce *announce)
{
    struct look *l = mem_alloc(sizeof *l);
    int error = 0;
    const AvahiPoll *poll = avahi_simple_poll_get(loop);
    *l = (struct look){.loop = loop, .announce = announce};
    l->again = poll->timeout_new(poll, NULL, look_again, l);
    l->client = avahi_client_new(avahi_simple_poll_get(loop), AVAHI_CLIENT_NO_FAIL, client_changed, l, &error);
    if (l->client == NULL)
        fail(l, error);
    return l;
}

bool look_has_failed(const struct look *l)
{
    return l->failed;
}

void look_destroy(struct look *l)
{
    if (l->client != NULL)
        avahi_client_free(l->client);
    while (l->places != NULL) {
        struct place *p = l->places;
        l->places = p->next;
        place_free(p);
    }
    free(l);
}
