// One listener in the network: its service is announced while there is an Avahi that runs, under a name that is free.
#pragma once

#include <avahi-client/publish.h>
#include <avahi-common/watch.h>
#include <stdint.h>

#include "supervisor/discovery/reach.h"

#define ANNOUNCE_TYPE "_one._tcp"
#define ANNOUNCE_TXT "txtvers=1", "chum=8" // WIRE.md 10.3; all that is told besides where it listens

struct announce {
    struct reach reach;
    uint16_t port;          // 0 = there is nothing to announce
    char *name;             // malloc: another one where this was taken
    AvahiClient *client;    // as of announce_begin
    AvahiEntryGroup *group; // the client's, and gone with it
    const AvahiPoll *poll;  // borrowed
    AvahiTimeout *again;    // the poll's: when Avahi is asked again, as it refused
};

void announce_begin(struct announce *a, AvahiClient *client); // also again; says what became of it (said.h)
void announce_pause(struct announce *a);                      // the host's name is not settled
