// What tandem-discovery says, and the table of the services that it has seen.
//
// It says a line of JSON for each thing:
//
//   {"state":"looking"}                    Avahi is there, and is asked
//   {"state":"announced","name":"…"}       and the network has taken the name
//   {"state":"unannounced","why":"…"}      Avahi refuses to announce it, and is asked again; others are found
//   {"state":"hidden"}                     the listener's address is one of this machine only
//   {"state":"away","why":"…"}             Avahi or D-Bus is not there: it waits, or ends
//   {"settled":true}                       what was there when it began to look has been told
//   {"settled":false}                      it looks anew, as there may be room now: everything is told again
//   {"found":{…}}, {"gone":{…}}            a service at one interface, see found_take
//
// Names, addresses and TXT come from whoever is in the same network, and that program has read them: nothing of it is
// believed here. What does not fit is left out; of everything there is a bound.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    FOUND_MAX = 256,          // services
    FOUND_ADDRESSES_MAX = 16, // of one, over all interfaces
    FOUND_NAME_MAX = 192,     // bytes: 63 that were no UTF-8 become three times as many
    FOUND_TXT_MAX = 8,        // entries of a service
    FOUND_TXT_BYTES = 255,    // of an entry
    FOUND_LINE_MAX = 8192,    // bytes of a line that is believed
    FOUND_WHY_MAX = 200,      // bytes of a reason
};

struct found;

struct found *found_create(void);
void found_destroy(struct found *f); // NULL-safe

// Takes {"found":{name, interface, ipv6, host, address, port, txt:["key=value"]}} or {"gone":{name, interface,
// ipv6}}. false: it is neither, breaks a bound, or there is no room; nothing was changed.
bool found_take(struct found *f, const json_t *said, int64_t now_ms);

// [{name, host, addresses:["192.0.2.7"], port, url, own, seenAt, txt:{key:value}}], by name; host and url are null
// where there is none to be had. own: the name is that, as the network lets nobody else have it. A new array.
json_t *found_list(const struct found *f, const char *own);
// How many had no room since it was created, or told that all is told again.
size_t found_left_out(const struct found *f);
void found_again(struct found *f);

// name is given, or one that Avahi makes of it: "NAME #2".
bool found_is_ours(const json_t *name, const char *given);
// A reason as it may be shown: without controls, and not cut within a character.
void found_why(const json_t *why, char out[FOUND_WHY_MAX + 1]);
