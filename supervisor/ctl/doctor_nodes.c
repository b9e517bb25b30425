// Checks of running nodes: can they be reached, do they reach each other, is anything kept from being exchanged?
#include "supervisor/ctl/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CONNECT_MS = 2000, HOST_SIZE = 256 };

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static bool is_running(const json_t *status, const char *node)
{
    return strcmp(text_of(json_object_get(status, node), "state"), "running") == 0;
}

static void add_printed(struct doctor *d, const char *check, bool ok, struct buf *message, const char *advice)
{
    doctor_add(d, check, ok, buf_cstr(message), advice);
    buf_clear(message);
}

// ---- Listeners -----------------------------------------------------------------------------------------------------

static bool opens(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool ok = connect(fd, address->ai_addr, address->ai_addrlen) == 0;
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    if (!ok && errno == EINPROGRESS && poll(&waiting, 1, CONNECT_MS) == 1) {
        int problem = 0;
        socklen_t size = sizeof problem;
        ok = getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
    }
    close(fd);
    return ok;
}

// ws://host:port or ws://[::1]:port, as listeners have it.
static bool answers(const char *url)
{
    char host[HOST_SIZE];
    const char *begin = strstr(url, "://");
    const char *colon = strrchr(url, ':');
    if (begin == NULL || colon <= begin + 3 || (size_t)(colon - begin) >= sizeof host)
        return false;
    begin += 3;
    bool bracketed = begin[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)(colon - begin) - 2 * bracketed, begin + bracketed);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
        return false;
    bool ok = false;
    for (const struct addrinfo *a = list; a != NULL && !ok; a = a->ai_next)
        ok = opens(a);
    freeaddrinfo(list);
    return ok;
}

static void check_listeners(struct doctor *d, const json_t *status)
{
    const json_t *listeners = json_object_get(json_object_get(status, "archive"), "listeners");
    struct buf message = {0};
    size_t i;
    json_t *listener;
    json_array_foreach(listeners, i, listener)
    {
        const char *url = text_of(listener, "url");
        bool is_relay = strcmp(text_of(listener, "type"), "relay") == 0;
        bool listening = strcmp(text_of(listener, "state"), "listening") == 0;
        bool stopped = strcmp(text_of(listener, "state"), "stopped") == 0;
        bool ok = stopped || (listening && (is_relay || answers(url)));
        buf_printf(&message, "%s, %s", url,
                   stopped     ? "stopped, 'tandem listener start' opens it again"
                   : ok        ? "listening"
                   : listening ? "does not answer"
                               : text_of(listener, "state"));
        add_printed(d, is_relay ? "relay" : "listener", ok, &message,
                    is_relay ? "Check the network and that the relay runs." : "Does a firewall keep that port closed?");
    }
    buf_free(&message);
}

// ---- The two nodes -------------------------------------------------------------------------------------------------

static json_t *ask(struct ctl *c, const char *node, const char *method)
{
    struct error e = {0};
    return ctl_list(c, method, json_pack("{s:s}", "node", node), &e);
}

static const json_t *endpoint_of(const json_t *endpoints, const char *person)
{
    size_t i;
    json_t *endpoint;
    json_array_foreach(endpoints, i, endpoint)
    {
        if (strcmp(text_of(endpoint, "personId"), person) == 0)
            return endpoint;
    }
    return NULL;
}

static void check_federation(struct doctor *d, struct ctl *c, const json_t *status)
{
    struct buf message = {0};
    json_t *endpoints = ask(c, "sparse", "endpoints.list");
    const json_t *found = endpoint_of(endpoints, text_of(json_object_get(status, "archive"), "personId"));
    bool federated = json_is_true(json_object_get(status, "federated"));
    buf_add_text(&message, found != NULL ? text_of(found, "url") : "the sparse node does not know the archive");
    add_printed(d, "endpoint", found != NULL, &message, "Pair the nodes: 'tandem provision'.");
    buf_printf(&message, "the sparse node's way to the archive is %s",
               found != NULL ? text_of(found, "state") : "unknown");
    if (found != NULL && json_integer_value(json_object_get(found, "failures")) > 0)
        buf_printf(&message, " after %lld failures", (long long)json_integer_value(json_object_get(found, "failures")));
    add_printed(d, "federation", federated, &message, "See 'tandem log --grep connection' and 'tandem endpoints'.");
    json_decref(endpoints);
    buf_free(&message);
}

// ---- What each has to give -----------------------------------------------------------------------------------------

static bool is_shared(const json_t *shares, const char *hash, const char *person)
{
    size_t i, k;
    json_t *share, *with;
    json_array_foreach(shares, i, share)
    {
        if (strcmp(text_of(share, "hash"), hash) != 0)
            continue;
        json_array_foreach(json_object_get(share, "persons"), k, with)
        {
            if (strcmp(json_string_value(with), person) == 0)
                return true;
        }
    }
    return false;
}

static void check_shares(struct doctor *d, struct ctl *c, const char *node, const char *other)
{
    struct buf message = {0};
    size_t i;
    size_t alone = 0;
    json_t *channel;
    json_t *channels = ask(c, node, "channel.list");
    json_t *shares = ask(c, node, "share.list");
    json_array_foreach(channels, i, channel)
    {
        bool from_there = strcmp(text_of(channel, "owner"), other) == 0;
        alone += !from_there && !is_shared(shares, text_of(channel, "channel"), other);
    }
    buf_printf(&message, "%s: %zu channels, %zu of them not shared with the other node", node,
               json_array_size(channels), alone);
    add_printed(d, "shares", channels != NULL && shares != NULL && alone == 0, &message,
                "Share them: tandem share grant --id CHANNEL --with PERSON; see 'channel list', 'share list'.");
    json_decref(channels);
    json_decref(shares);
    buf_free(&message);
}

static void check_content(struct doctor *d, struct ctl *c, const char *node)
{
    struct error e = {0};
    struct buf message = {0};
    long long wanted = 0;
    size_t i;
    json_t *usage;
    json_t *storage = ctl_call(c, "storage", json_pack("{s:s}", "node", node), &e);
    json_array_foreach(json_object_get(storage, "items"), i, usage)
    {
        if (strcmp(text_of(usage, "state"), "wanted") == 0)
            wanted += json_integer_value(json_object_get(usage, "objects"));
    }
    buf_printf(&message, "%s: %lld objects are missing", node, wanted);
    add_printed(d, "content", storage != NULL && wanted == 0, &message,
                "They come with the next synchronisation, if somebody has them.");
    json_decref(storage);
    buf_free(&message);
}

static void check_stuck(struct doctor *d, struct ctl *c, const char *node)
{
    struct error e = {0};
    struct buf message = {0};
    json_t *health = ctl_call(c, "health", json_pack("{s:s}", "node", node), &e);
    json_int_t stuck = json_integer_value(json_object_get(health, "stuck"));
    buf_printf(&message, "%s: %lld things that fail again and again", node, (long long)stuck);
    add_printed(d, "synchronisation", health != NULL && stuck == 0, &message, "See 'tandem log --grep sync.stuck'.");
    json_decref(health);
    buf_free(&message);
}

// Of the own nodes only: what a contact does is not ours to mend.
static void check_copies(struct doctor *d, const json_t *status, const char *node)
{
    struct buf message = {0};
    size_t i;
    json_t *warning;
    bool alone = true;
    json_array_foreach(json_object_get(json_object_get(status, node), "warnings"), i, warning)
    {
        alone = alone && strncmp(json_string_value(warning), "INSTANCE-TWICE", strlen("INSTANCE-TWICE")) != 0;
    }
    buf_printf(&message, "%s: %s", node,
               alone ? "no other copy of it was met" : "another copy of this installation runs somewhere");
    add_printed(d, "copies", alone, &message, "Stop one of them; see 'tandem log --grep instance.twice'.");
    buf_free(&message);
}

void doctor_nodes(struct doctor *d, struct ctl *c, const json_t *status)
{
    static const char *const nodes[] = {"archive", "sparse"};
    if (is_running(status, "archive"))
        check_listeners(d, status);
    if (!is_running(status, "archive") || !is_running(status, "sparse"))
        return;
    check_federation(d, c, status);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        check_shares(d, c, nodes[i], text_of(json_object_get(status, nodes[1 - i]), "personId"));
        check_content(d, c, nodes[i]);
        check_stuck(d, c, nodes[i]);
        check_copies(d, status, nodes[i]);
    }
}
