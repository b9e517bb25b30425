// A name that somebody else has already is told of twice: at once when he is on this machine, later by a probe of the
// network. Either way the next name is tried, as Avahi makes them: "NAME #2".
#include "supervisor/discovery/announce.h"

#include <avahi-client/client.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/timeval.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "supervisor/discovery/said.h"

enum { NAMES_TRIED = 16, AGAIN_MS = 20000 };

static void take_other_name(struct announce *a)
{
    char *other = avahi_alternative_service_name(a->name);
    free(a->name);
    a->name = mem_text(span_of(other));
    avahi_free(other);
}

static AvahiProtocol protocol_of(const struct reach *r)
{
    return r->only_v4 ? AVAHI_PROTO_INET : r->only_v6 ? AVAHI_PROTO_INET6 : AVAHI_PROTO_UNSPEC;
}

static void ask_again(AvahiTimeout *timeout, void *ctx)
{
    struct announce *a = ctx;
    a->poll->timeout_update(timeout, NULL);
    if (a->group != NULL)
        avahi_entry_group_reset(a->group);
    announce_begin(a, a->client);
}

// Its settings may forbid it, or others may have taken all the room: both pass, and what is found is found without it.
static void refused(struct announce *a, int error)
{
    struct timeval at;
    said_unannounced(avahi_strerror(error));
    avahi_elapse_time(&at, AGAIN_MS, 0);
    if (a->again == NULL)
        a->again = a->poll->timeout_new(a->poll, &at, ask_again, a);
    else
        a->poll->timeout_update(a->again, &at);
}

static void put(struct announce *a, AvahiEntryGroup *group)
{
    AvahiIfIndex interface = a->reach.interface != 0 ? a->reach.interface : AVAHI_IF_UNSPEC;
    int n = AVAHI_ERR_COLLISION;
    for (int i = 0; n == AVAHI_ERR_COLLISION && i < NAMES_TRIED; i++) {
        if (i > 0)
            take_other_name(a);
        n = avahi_entry_group_add_service(group, interface, protocol_of(&a->reach), 0, a->name, ANNOUNCE_TYPE, NULL,
                                          NULL, a->port, ANNOUNCE_TXT, NULL);
    }
    if (n == AVAHI_OK)
        n = avahi_entry_group_commit(group);
    if (n != AVAHI_OK)
        refused(a, n);
}

static void changed(AvahiEntryGroup *group, AvahiEntryGroupState state, void *ctx)
{
    struct announce *a = ctx;
    if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) {
        said_announced(a->name);
    } else if (state == AVAHI_ENTRY_GROUP_COLLISION) {
        take_other_name(a);
        avahi_entry_group_reset(group);
        put(a, group);
    } else if (state == AVAHI_ENTRY_GROUP_FAILURE) {
        refused(a, avahi_client_errno(avahi_entry_group_get_client(group)));
    }
}

void announce_begin(struct announce *a, AvahiClient *client)
{
    a->client = client;
    if (a->port == 0)
        return;
    if (a->group == NULL)
        a->group = avahi_entry_group_new(client, changed, a);
    if (a->group == NULL)
        refused(a, avahi_client_errno(client));
    else if (avahi_entry_group_is_empty(a->group))
        put(a, a->group);
}

void announce_pause(struct announce *a)
{
    if (a->again != NULL)
        a->poll->timeout_update(a->again, NULL);
    if (a->group != NULL)
        avahi_entry_group_reset(a->group);
}
