// Hosts are judged by how they look; nothing here asks a name server. What a host may consist of is narrow: whatever
// passes can stand in a URL, a log line and a certificate's check without being escaped.
#include "base/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535, LABEL_MAX = 63 };

static bool take_port(struct span s, uint16_t *port)
{
    unsigned n = 0;
    if (s.len == 0 || s.len > 5)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        n = n * 10 + (unsigned)(s.ptr[i] - '0');
    }
    if (n > PORT_MAX)
        return false;
    *port = (uint16_t)n;
    return true;
}

static bool is_ipv6(const char *host)
{
    struct in6_addr a;
    return inet_pton(AF_INET6, host, &a) == 1;
}

// Letters, digits, '-', '.', '_' make a name or IPv4 address; a bracketed host must be an IPv6 address.
static bool take_host(struct span s, bool bracketed, char out[ADDRESS_HOST_MAX + 1])
{
    if (s.len == 0 || s.len > ADDRESS_HOST_MAX)
        return false;
    memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    if (bracketed)
        return is_ipv6(out);
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return strspn(out, allowed) == s.len;
}

// HOST, HOST:PORT, [V6] or [V6]:PORT; *port stays when there is none.
static bool take_authority(struct span s, char host[ADDRESS_HOST_MAX + 1], uint16_t *port, bool *has_port)
{
    bool bracketed = s.len > 0 && s.ptr[0] == '[';
    const char *end = s.len == 0 ? NULL : memchr(s.ptr, bracketed ? ']' : ':', s.len);
    if (bracketed && end == NULL)
        return false;
    struct span name = {s.ptr + bracketed, (size_t)((end != NULL ? end : s.ptr + s.len) - s.ptr) - bracketed};
    if (!take_host(name, bracketed, host))
        return false;
    struct span rest = end != NULL ? span_from(s, (size_t)(end - s.ptr) + bracketed) : (struct span){"", 0};
    *has_port = rest.len > 0;
    return !*has_port || (rest.ptr[0] == ':' && take_port(span_from(rest, 1), port));
}

static bool take_path(struct span s, char out[ADDRESS_PATH_MAX + 1])
{
    size_t n = 0;
    if (s.len == 0 || s.ptr[0] != '/')
        out[n++] = '/';
    for (size_t i = 0; i < s.len && s.ptr[i] != '#'; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || n >= ADDRESS_PATH_MAX)
            return false;
        out[n++] = s.ptr[i];
    }
    out[n] = '\0';
    return true;
}

enum status ws_url_parse(const char *text, struct ws_url *out, struct error *e)
{
    struct span s = span_of(text);
    bool has_port;
    if (strncasecmp(text, "ws://", 5) != 0 && strncasecmp(text, "wss://", 6) != 0)
        return error_set(e, STATUS_INVALID, "BAD-URL", "the address does not begin with ws:// or wss://");
    out->tls = text[2] != ':';
    s = span_from(s, out->tls ? 6 : 5);
    out->port = out->tls ? PORT_HTTPS : PORT_HTTP;
    size_t authority = strcspn(s.ptr, "/?#");
    if (!take_authority((struct span){s.ptr, authority}, out->host, &out->port, &has_port) || out->port == 0)
        return error_set(e, STATUS_INVALID, "BAD-URL", "the address names no valid host and port");
    if (!take_path(span_from(s, authority), out->path))
        return error_set(e, STATUS_INVALID, "BAD-URL", "the path of the address is malformed or too long");
    return STATUS_OK;
}

enum status listen_address_parse(const char *text, struct listen_address *out, struct error *e)
{
    bool has_port = false;
    if (take_authority(span_of(text), out->host, &out->port, &has_port) && has_port)
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-ADDRESS", "a listener's address is HOST:PORT or [IPV6]:PORT");
}

// Of labels that are neither empty nor begin or end with '-'.
static bool is_name(const char *host)
{
    for (size_t n; *host != '\0'; host += n + (host[n] == '.')) {
        n = strcspn(host, ".");
        if (n == 0 || n > LABEL_MAX || host[0] == '-' || host[n - 1] == '-')
            return false;
    }
    return true;
}

bool address_is_host(const char *text)
{
    char host[ADDRESS_HOST_MAX + 1];
    return is_ipv6(text) || (take_host(span_of(text), false, host) && is_name(host));
}

bool address_is_origin(const char *text)
{
    static const char scheme[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    char host[ADDRESS_HOST_MAX + 1];
    uint16_t port = 1;
    bool has_port;
    size_t n = strspn(text, scheme);
    if (strcasecmp(text, "null") == 0)
        return true;
    return n > 0 && strncmp(text + n, "://", 3) == 0 && take_authority(span_of(text + n + 3), host, &port, &has_port) &&
           port != 0;
}

void address_write(const char *host, uint16_t port, struct buf *out)
{
    buf_printf(out, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

void address_write_authority(const char *host, uint16_t port, struct buf *out)
{
    char name[ADDRESS_HOST_MAX + 1] = "";
    struct in6_addr a;
    bool bracketed = inet_pton(AF_INET6, host, &a) == 1;
    if (bracketed)
        inet_ntop(AF_INET6, &a, name, sizeof name);
    for (size_t i = 0; !bracketed && host[i] != '\0' && i < ADDRESS_HOST_MAX; i++)
        name[i] = (char)tolower((unsigned char)host[i]);
    if (port != PORT_HTTP)
        address_write(name, port, out);
    else
        buf_printf(out, bracketed ? "[%s]" : "%s", name);
}

bool address_is_wildcard(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
    return ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr == INADDR_ANY;
}

// ---- Whom an address can reach ----

static bool starts_with_any(const char *host, const char *const *beginnings)
{
    for (; *beginnings != NULL; beginnings++)
        if (strncasecmp(host, *beginnings, strlen(*beginnings)) == 0)
            return true;
    return false;
}

static enum address_reach reach_of_ipv4(const unsigned char b[4])
{
    if (b[0] == 127)
        return ADDRESS_MACHINE;
    bool near = b[0] == 10 || b[0] == 0 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
                (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
    return near ? ADDRESS_NETWORK : ADDRESS_WORLD;
}

enum address_reach address_reach(const char *host)
{
    static const char *const ipv6[] = {"fc", "fd", "fe8", "fe9", "fea", "feb", NULL};
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr a;
    if (strcasecmp(host, "localhost") == 0)
        return ADDRESS_MACHINE;
    if (inet_pton(AF_INET, host, &a) == 1)
        return reach_of_ipv4(a.s6_addr);
    if (inet_pton(AF_INET6, host, &a) != 1)
        return ADDRESS_NAME;
    if (memcmp(a.s6_addr, mapped, sizeof mapped) == 0)
        return reach_of_ipv4(a.s6_addr + sizeof mapped);
    if (IN6_IS_ADDR_LOOPBACK(&a))
        return ADDRESS_MACHINE;
    return starts_with_any(host, ipv6) || IN6_IS_ADDR_UNSPECIFIED(&a) ? ADDRESS_NETWORK : ADDRESS_WORLD;
}
