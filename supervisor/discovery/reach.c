// A name may stand for several addresses, of which the listener takes the first that it can have; one beyond this
// machine decides, and more than one leaves it to all interfaces.
#include "supervisor/discovery/reach.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"

static const void *bytes_of(const struct sockaddr *a, size_t *len)
{
    *len = a->sa_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    return a->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr
                                   : (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
}

static bool is_same(const struct sockaddr *a, const struct sockaddr *b)
{
    size_t len;
    if (a == NULL || a->sa_family != b->sa_family)
        return false;
    const void *bytes = bytes_of(a, &len);
    return memcmp(bytes, bytes_of(b, &len), len) == 0;
}

// 0: none has it.
static unsigned interface_of(const struct ifaddrs *all, const struct sockaddr *address, bool *loopback)
{
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (!is_same(i->ifa_addr, address))
            continue;
        *loopback = (i->ifa_flags & IFF_LOOPBACK) != 0;
        return if_nametoindex(i->ifa_name);
    }
    return 0;
}

static bool is_loopback(const struct sockaddr *a)
{
    size_t len;
    const unsigned char *b = bytes_of(a, &len);
    return a->sa_family == AF_INET ? b[0] == 127 : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)b);
}

static void take(const struct ifaddrs *all, const struct sockaddr *a, struct reach *out, unsigned *found)
{
    bool loopback = is_loopback(a);
    unsigned interface = loopback ? 0 : interface_of(all, a, &loopback);
    if (loopback || interface == 0)
        return;
    out->interface = *found == 0 || out->interface == (int)interface ? (int)interface : 0;
    out->only_v4 = a->sa_family == AF_INET && (*found == 0 || out->only_v4);
    out->only_v6 = a->sa_family == AF_INET6 && (*found == 0 || out->only_v6);
    ++*found;
}

enum status reach_find(const char *host, struct reach *out, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    struct ifaddrs *all = NULL;
    unsigned found = 0;
    bool elsewhere = false;
    *out = (struct reach){.hidden = address_reach(host) == ADDRESS_MACHINE};
    if (out->hidden)
        return STATUS_OK;
    if (getaddrinfo(host, NULL, &hints, &list) != 0 || getifaddrs(&all) != 0)
        error_set(e, STATUS_NOT_FOUND, "BAD-ADDRESS", "%.100s cannot be looked up", host);
    for (const struct addrinfo *a = list; e->status == STATUS_OK && a != NULL; a = a->ai_next) {
        if (address_is_wildcard(a->ai_addr)) {
            *out = (struct reach){.only_v4 = a->ai_family == AF_INET};
            found++;
            break;
        }
        elsewhere = elsewhere || !is_loopback(a->ai_addr);
        take(all, a->ai_addr, out, &found);
    }
    out->hidden = e->status == STATUS_OK && !elsewhere && found == 0;
    if (e->status == STATUS_OK && elsewhere && found == 0)
        error_set(e, STATUS_NOT_FOUND, "BAD-ADDRESS", "no interface has the address %.100s", host);
    if (list != NULL)
        freeaddrinfo(list);
    freeifaddrs(all);
    return e->status;
}
