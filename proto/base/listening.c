// "localhost" is two sockets on one port. With port 0 the first one chooses it and the second may find it taken: then
// both are tried again, a few times.
#include "base/listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { BACKLOG = 1024, PORT_TRIES = 16 };

struct place { // an address with room for its port
    struct sockaddr_storage sa;
    socklen_t len;
};

static void set_port(struct place *p, uint16_t port)
{
    if (p->sa.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&p->sa)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&p->sa)->sin_port = htons(port);
}

static struct place loopback(int family)
{
    struct place p = {.sa = {.ss_family = (sa_family_t)family}};
    if (family == AF_INET6) {
        ((struct sockaddr_in6 *)&p.sa)->sin6_addr = in6addr_loopback;
        p.len = sizeof(struct sockaddr_in6);
    } else {
        ((struct sockaddr_in *)&p.sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        p.len = sizeof(struct sockaddr_in);
    }
    return p;
}

static enum status resolve(const char *host, struct place *out, struct error *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int n = getaddrinfo(host, NULL, &hints, &found);
    if (n != 0) {
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST; // a literal of a family without a configured address
        n = getaddrinfo(host, NULL, &hints, &found);
    }
    if (n != 0)
        return error_set(e, STATUS_INVALID, "BAD-ADDRESS", "%s is no address of this machine: %s", host,
                         gai_strerror(n));
    memcpy(&out->sa, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return STATUS_OK;
}

static uint16_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } sa = {.v6 = {0}};
    socklen_t len = sizeof sa;
    if (getsockname(fd, &sa.any, &len) != 0)
        return 0;
    return ntohs(sa.any.sa_family == AF_INET6 ? sa.v6.sin6_port : sa.v4.sin_port);
}

// A bound socket, or -1 with errno.
static int open_socket(const struct place *p, bool only_bound)
{
    int yes = 1, only = !address_is_wildcard((const struct sockaddr *)&p->sa), saved;
    int fd = socket(p->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
        goto fail;
    if (p->sa.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0)
        goto fail;
    if (bind(fd, (const struct sockaddr *)&p->sa, p->len) == 0 && (only_bound || listen(fd, BACKLOG) == 0))
        return fd;
fail:
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static enum status cannot_listen(const char *host, uint16_t port, struct error *e)
{
    if (errno == EADDRINUSE)
        return error_set(e, STATUS_EXISTS, "PORT-TAKEN", "port %u of %s is in use by another program", port, host);
    if (errno == EADDRNOTAVAIL)
        return error_set(e, STATUS_INVALID, "BAD-ADDRESS", "%s is no address of this machine", host);
    return error_errno(e, "cannot listen on port %u of %s", port, host);
}

static enum status open_one(const char *host, struct place *p, uint16_t port, struct listening *out, struct error *e)
{
    set_port(p, port);
    int fd = open_socket(p, out->only_bound);
    if (fd < 0)
        return cannot_listen(host, port, e);
    out->fd[out->count++] = fd;
    if (out->count == 1)
        out->port = bound_port(fd);
    return STATUS_OK;
}

static bool is_absent(int number)
{
    return number == EADDRNOTAVAIL || number == EAFNOSUPPORT;
}

// 127.0.0.1 and ::1 on one port; a system may have only one of them.
static enum status open_localhost(uint16_t port, struct listening *out, struct error *e)
{
    static const int families[] = {AF_INET, AF_INET6};
    static const char *const names[] = {"127.0.0.1", "::1"};
    struct error absent = {0};
    for (size_t i = 0; i < 2; i++) {
        struct place p = loopback(families[i]);
        struct error why = {0};
        errno = 0;
        if (open_one(names[i], &p, out->count != 0 ? out->port : port, out, &why) == STATUS_OK)
            continue;
        if (!is_absent(errno)) {
            listening_close(out);
            *e = why;
            return e->status;
        }
        absent = why;
    }
    if (out->count == 0)
        *e = absent;
    else if (absent.status != STATUS_OK)
        LOG(LOG_WARN, "listener.half", LOG_TEXT("text", "localhost has one address only"),
            LOG_TEXT("absent", absent.message));
    return e->status;
}

static enum status open_at(const struct listen_address *address, struct listening *out, struct error *e)
{
    struct error why = {0};
    enum status st;
    out->count = 0;
    if (strcasecmp(address->host, "localhost") == 0) {
        int tries = address->port == 0 ? PORT_TRIES : 1; // a port free on 127.0.0.1 may be taken on ::1
        do {
            error_clear(&why);
            st = open_localhost(address->port, out, &why);
        } while (st == STATUS_EXISTS && --tries > 0);
    } else {
        struct place p = {0};
        st = resolve(address->host, &p, &why);
        if (st == STATUS_OK)
            st = open_one(address->host, &p, address->port, out, &why);
        out->wildcard = address_is_wildcard((const struct sockaddr *)&p.sa);
    }
    if (st != STATUS_OK && e != NULL)
        *e = why;
    return st;
}

enum status listening_open(const struct listen_address *address, struct listening *out, struct error *e)
{
    *out = (struct listening){0};
    return open_at(address, out, e);
}

enum status listening_try(const struct listen_address *address, bool *wildcard, struct error *e)
{
    struct listening l = {.only_bound = true};
    enum status st = open_at(address, &l, e);
    *wildcard = l.wildcard;
    listening_close(&l);
    return st;
}

void listening_close(struct listening *l)
{
    for (size_t i = 0; i < l->count; i++)
        close(l->fd[i]);
    l->count = 0;
}
