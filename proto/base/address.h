// Addresses as people write them: where a WebSocket is reached, and where a listener listens.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#include <stdint.h>
#include <sys/socket.h>

enum {
    ADDRESS_HOST_MAX = 253,
    ADDRESS_PATH_MAX = 1023,
    ADDRESS_URL_MAX = 319, // of a URL by which a node of ours is reached
};

struct ws_url { // ws://HOST[:PORT][/PATH], wss:// likewise
    bool tls;
    char host[ADDRESS_HOST_MAX + 1]; // an IPv6 literal without its brackets
    uint16_t port;                   // 80 and 443 unless given
    char path[ADDRESS_PATH_MAX + 1]; // with the query, at least "/"
};

// STATUS_INVALID "BAD-URL" with what is wrong with it.
enum status ws_url_parse(const char *text, struct ws_url *out, struct error *e);

struct listen_address { // HOST:PORT
    char host[ADDRESS_HOST_MAX + 1];
    uint16_t port; // 0: any free one
};

// STATUS_INVALID "BAD-ADDRESS".
enum status listen_address_parse(const char *text, struct listen_address *out, struct error *e);

enum address_reach { // of a host, by what it looks like; a name is not looked up
    ADDRESS_MACHINE, // programs on this machine
    ADDRESS_NETWORK, // whoever is in the same network (RFC 1918, 3927, 4193, 6598), or every address of this machine
    ADDRESS_WORLD,
    ADDRESS_NAME, // whatever it is the name of
};
enum address_reach address_reach(const char *host);

bool address_is_host(const char *text);   // a name or an IP address, IPv6 without brackets, nothing else
bool address_is_origin(const char *text); // as browsers send it: SCHEME://HOST[:PORT] and nothing behind, or null

void address_write(const char *host, uint16_t port, struct buf *out); // HOST:PORT, with brackets where needed
// The same as a browser writes it in Host and in http:// origins: lower case, IPv6 at its shortest, no port 80.
void address_write_authority(const char *host, uint16_t port, struct buf *out);
bool address_is_wildcard(const struct sockaddr *sa);
