// Names of this machine are allowed with any port; others only as they are listed. An answer that is no upgrade closes
// the connection behind it.
#include "net/upgrade.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { HEADER_MAX = 512, HEADERS_MAX = 17 << 10 };

int upgrade_answer(struct lws *wsi, const char *status, const char *headers, const char *type, struct span body)
{
    struct buf b = {0};
    memset(buf_reserve(&b, LWS_PRE), 0, LWS_PRE);
    b.len = LWS_PRE;
    buf_printf(&b,
               "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade, close\r\n%s\r\n",
               status, type, body.len, headers != NULL ? headers : "");
    buf_add_span(&b, body);
    lws_write(wsi, (unsigned char *)b.data + LWS_PRE, b.len - LWS_PRE, LWS_WRITE_HTTP);
    buf_free(&b);
    return -1; // closes after what was written
}

static bool in_list(struct span s, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (s.len == strlen(list[i]) && strncasecmp(s.ptr, list[i], s.len) == 0)
            return true;
    }
    return false;
}

// The host of HOST[:PORT] is one of this machine's own names.
static bool is_own_name(struct span authority)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]", NULL};
    const char *bracket = memchr(authority.ptr, ']', authority.len);
    const char *from = bracket != NULL ? bracket : authority.ptr;
    const char *colon = memchr(from, ':', authority.len - (size_t)(from - authority.ptr));
    if (colon != NULL)
        authority.len = (size_t)(colon - authority.ptr);
    return in_list(authority, own);
}

static struct span without_port(struct span authority)
{
    size_t n = authority.len;
    while (n > 0 && authority.ptr[n - 1] >= '0' && authority.ptr[n - 1] <= '9')
        n--;
    if (n > 0 && n < authority.len && authority.ptr[n - 1] == ':')
        authority.len = n - 1;
    if (authority.len > 2 && authority.ptr[0] == '[' && authority.ptr[authority.len - 1] == ']')
        return (struct span){authority.ptr + 1, authority.len - 2};
    return authority;
}

bool upgrade_host_allowed(struct lws *wsi, const struct ws_server_options *options, const char *listened)
{
    char host[HEADER_MAX];
    if (options->any_host)
        return true;
    int n = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
    if (n <= 0)
        return false;
    struct span authority = {host, (size_t)n}, name = without_port(authority);
    const char *const own[] = {listened, NULL};
    return is_own_name(authority) || in_list(name, options->hosts) || in_list(name, own);
}

bool upgrade_origin_allowed(struct lws *wsi, const struct ws_server_options *options)
{
    char origin[HEADER_MAX];
    if (options->any_origin || lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
        return true;
    int n = lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN);
    if (n <= 0)
        return false;
    struct span o = {origin, (size_t)n};
    if (span_starts_with(o, SPAN("http://")) && is_own_name(span_from(o, 7)))
        return true;
    if (span_starts_with(o, SPAN("https://")) && is_own_name(span_from(o, 8)))
        return true;
    return span_starts_with(o, SPAN("file://")) || in_list(o, options->origins);
}

bool upgrade_host_is(struct lws *wsi, struct span authority)
{
    char host[HEADER_MAX];
    int n = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
    return n > 0 && span_eq((struct span){host, (size_t)n}, authority);
}

bool upgrade_origin_is(struct lws *wsi, struct span authority)
{
    char origin[HEADER_MAX];
    int n = lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN);
    struct span o = {origin, n > 0 ? (size_t)n : 0};
    return span_starts_with(o, SPAN("http://")) && span_eq(span_from(o, 7), authority);
}

bool upgrade_choose_subprotocol(struct lws *wsi, struct loop *l)
{
    char list[128]; // as long as libwebsockets' own
    if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) == 0)
        return true;
    int n = lws_hdr_copy(wsi, list, sizeof list - 1, WSI_TOKEN_PROTOCOL);
    if (n <= 0)
        return false;
    size_t begin = strspn(list, " \t,");
    size_t len = strcspn(list + begin, " \t,");
    if (len == 0 || len >= sizeof l->subprotocol)
        return false;
    memcpy(l->subprotocol, list + begin, len);
    l->subprotocol[len] = '\0';
    return true;
}

bool upgrade_library_refused(struct lws *wsi)
{
    char next;
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int fd = lws_get_socket_fd(wsi);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_bytes_sent > 0)
        return true;
    ssize_t n = recv(fd, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

bool upgrade_headers_fit(struct lws *wsi)
{
    int sum = 0;
    for (int token = 0; token < WSI_TOKEN_COUNT; token++)
        sum += lws_hdr_total_length(wsi, (enum lws_token_indexes)token);
    return sum <= HEADERS_MAX;
}
