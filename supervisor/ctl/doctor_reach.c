// Where the archive is to be reached: its port, the address that others dial, its relays.
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/bytes.h"
#include "supervisor/ctl/doctor.h"

enum { CONNECT_MS = 2000, TRY_MS = 15000 };

// ---- A TCP connection ----------------------------------------------------------------------------------------------

// 0, or the errno of what went wrong.
static int open_one(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int problem = fd < 0 || connect(fd, address->ai_addr, address->ai_addrlen) != 0 ? errno : 0;
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof problem;
    if (problem == EINPROGRESS && poll(&waiting, 1, CONNECT_MS) != 1)
        problem = ETIMEDOUT;
    else if (problem == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0)
        problem = errno;
    if (fd >= 0)
        close(fd);
    return problem;
}

// A name of /etc/hosts or a name server; EAI_ codes.
static int open_named(const char *host, const char *port, int *problem)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int n = getaddrinfo(host, port, &hints, &list);
    for (const struct addrinfo *a = list; n == 0 && a != NULL && *problem != 0; a = a->ai_next)
        *problem = open_one(a);
    if (n == 0)
        freeaddrinfo(list);
    return n;
}

// As nodes do it, localhost is both addresses, whatever /etc/hosts says.
static bool answers(const char *host, uint16_t port, struct buf *why)
{
    bool local = strcasecmp(host, "localhost") == 0;
    char text[8];
    int problem = ECONNREFUSED;
    snprintf(text, sizeof text, "%u", port);
    int n = open_named(local ? "127.0.0.1" : host, text, &problem);
    if (local && problem != 0)
        n = open_named("::1", text, &problem);
    if (n != 0)
        buf_printf(why, "%s cannot be looked up here: %s", host, gai_strerror(n));
    else if (problem != 0)
        buf_add_text(why, strerror(problem));
    return n == 0 && problem == 0;
}

// ---- What the archive says of its listeners ------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static void check_listener(struct doctor *d, const json_t *listener)
{
    const char *url = text_of(listener, "url");
    const char *state = text_of(listener, "state");
    struct buf message = {0};
    struct buf why = {0};
    struct ws_url parts = {0};
    bool stopped = strcmp(state, "stopped") == 0;
    bool ok = stopped;
    if (stopped)
        buf_printf(&message, "%s, stopped, 'tandem listener start' opens it again", url);
    else if (strcmp(state, "listening") != 0 || ws_url_parse(url, &parts, NULL) != STATUS_OK)
        buf_printf(&message, "%s, %s", url, state);
    else if (!(ok = answers(parts.host, parts.port, &why)))
        buf_printf(&message, "%s does not answer: %s", url, buf_cstr(&why));
    else
        buf_printf(&message, "%s, listening", url);
    doctor_add(d, "listener", ok, buf_cstr(&message),
               "The archive listens, but this program does not get there: does a firewall keep that port closed?");
    buf_free(&message);
    buf_free(&why);
}

// A real WebSocket, opened by the sparse node, or by the archive while that is away.
static bool opens(struct ctl *c, const char *url, struct buf *message)
{
    static const char *const nodes[] = {"sparse", "archive"};
    for (size_t i = 0; i < 2; i++) {
        struct error e = {0};
        json_t *result =
            ctl_call_within(c, "connection.try", json_pack("{s:s, s:s}", "node", nodes[i], "url", url), TRY_MS, &e);
        if (result == NULL && i == 0 && (strcmp(e.code, "NODE-DOWN") == 0 || strcmp(e.code, "CLOSED") == 0))
            continue;
        if (result != NULL)
            buf_printf(message, "%s opens after %lld ms", url,
                       (long long)json_integer_value(json_object_get(result, "milliseconds")));
        else
            buf_printf(message, "%s does not open: %s (%s)", url, e.message, e.code);
        json_decref(result);
        return result != NULL;
    }
    return false;
}

static void check_public(struct doctor *d, struct ctl *c, const char *url)
{
    struct buf message = {0};
    bool ok = opens(c, url, &message);
    doctor_add(d, "public address", ok, buf_cstr(&message),
               "Does the proxy run, and pass it on to the listener (docs/proxy.md)? Some routers do not lead back into "
               "their own network: then it may open elsewhere.");
    buf_free(&message);
}

static void check_relay(struct doctor *d, struct ctl *c, const json_t *listener)
{
    struct buf message = {0};
    const char *url = text_of(listener, "url");
    bool registered = strcmp(text_of(listener, "state"), "listening") == 0;
    if (registered)
        buf_printf(&message, "%s, registered, listening with %lld sockets", url,
                   (long long)json_integer_value(json_object_get(listener, "spares")));
    else if (opens(c, url, &message))
        buf_add_text(&message, ", but the archive is not registered there yet");
    doctor_add(d, "relay", registered, buf_cstr(&message),
               "Check the network and that the relay runs; the archive registers again by itself.");
    buf_free(&message);
}

// Only where somebody switched it on.
static void check_discovery(struct doctor *d, struct ctl *c)
{
    struct error e = {0};
    struct buf message = {0};
    json_t *found = ctl_call(c, "discovery.list", NULL, &e);
    const char *state = text_of(found, "state");
    bool announced = strcmp(state, "announced") == 0;
    if (announced)
        buf_printf(&message, "announced in the local network as %s", text_of(found, "name"));
    else
        buf_printf(&message, "%s: %s", state, text_of(found, "reason"));
    if (found != NULL && strcmp(state, "off") != 0)
        doctor_add(d, "discovery", strcmp(state, "waiting") != 0, buf_cstr(&message),
                   "Install or start Avahi: apt install avahi-daemon; or 'tandem discovery off'.");
    json_decref(found);
    buf_free(&message);
}

void doctor_listeners(struct doctor *d, struct ctl *c, const json_t *listeners)
{
    size_t i;
    json_t *listener;
    json_array_foreach(listeners, i, listener)
    {
        const char *public_url = text_of(listener, "publicUrl");
        if (strcmp(text_of(listener, "type"), "relay") == 0)
            check_relay(d, c, listener);
        else
            check_listener(d, listener);
        if (public_url[0] != '\0' && strcmp(text_of(listener, "state"), "listening") == 0)
            check_public(d, c, public_url);
    }
    check_discovery(d, c);
}

// ---- Before it listens ---------------------------------------------------------------------------------------------

void doctor_port(struct doctor *d, const struct config *config)
{
    struct listen_address where = {0};
    struct buf ignored = {0};
    struct buf message = {0};
    if (config_listen(config, &where, NULL) != STATUS_OK || strcmp(where.host, "none") == 0)
        return;
    bool asked = config_find(config, "listen.address").origin != CONFIG_DEFAULT;
    bool taken = where.port != 0 && answers(where.host, where.port, &ignored);
    bool wildcard = strcmp(where.host, "0.0.0.0") == 0 || strcmp(where.host, "::") == 0;
    bool named = config_text(config, "listen.hosts")[0] != '\0' || config_text(config, "listen.public_url")[0] != '\0';
    if (wildcard && !named)
        doctor_add(d, "names", false, "a listener on every address needs the names it is reached by",
                   ipc_code_find("HOSTS-MISSING", STATUS_INVALID)->hint);
    buf_printf(&message, "%s is %s", config_text(config, "listen.address"),
               !taken  ? "free"
               : asked ? "taken by another program"
                       : "taken by another program; the next free port is used instead");
    doctor_add(d, "port", !taken || !asked, buf_cstr(&message), ipc_code_find("PORT-TAKEN", STATUS_CONFLICT)->hint);
    buf_free(&message);
    buf_free(&ignored);
}
