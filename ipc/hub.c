// Who may connect, and whom to lose; the side of the loop. What goes between a hub and one peer is in hub_peer.c.
//
// What ends a peer only marks it (hub_close); it is freed by reap, between events, so that no list changes under who
// walks it. The list is in the order in which peers were heard, longest ago first; together with rank that says whom to
// lose.
#include "ipc/hub_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/socket.h"

enum {
    ACCEPT_AT_ONCE = 64,
    EVENTS_AT_ONCE = 64,
    LAST_WORDS_MS = 200,
    TOLD_EVERY_MS = 10000,
};

// --- coming and going ------------------------------------------------------------------------------------------------

static void reap(struct hub *h)
{
    while (h->reap) { // closed may close others
        h->reap = false;
        for (struct hub_peer *p = h->peers, *next; p != NULL; p = next) {
            next = p->next;
            if (p->dead)
                hub_free_peer(h, p);
        }
    }
}

// Whom to lose: 1 has not greeted, 2 waits for nothing, 3 anybody. The first of a kind was heard longest ago.
static int rank(const struct hub_peer *p)
{
    return !p->opened ? 1 : p->holds == 0 ? 2 : 3;
}

static bool make_room(struct hub *h)
{
    struct hub_peer *victim = NULL;
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next)
        if (!p->dead && (victim == NULL || rank(p) < rank(victim)))
            victim = p;
    if (victim == NULL)
        return false;
    hub_close(victim);
    reap(h);
    return true;
}

static void turn_away(struct hub *h, struct ipc_other who, int fd)
{
    uint64_t now = clock_monotonic_ms();
    close(fd);
    h->turned_away++;
    if (h->told != 0 && now - h->told < TOLD_EVERY_MS)
        return;
    LOG(LOG_WARN, "control.refused", LOG_INT("uid", who.uid), LOG_INT("pid", who.pid),
        LOG_INT("count", h->turned_away));
    h->told = now;
    h->turned_away = 0;
}

static bool may_connect(const struct hub *h, struct ipc_other who)
{
    return ipc_socket_trusts(who) && (h->admitted == HUB_ANY_PID || who.pid == h->admitted);
}

static void take_in(struct hub *h, int fd)
{
    struct ipc_other who = ipc_socket_other(fd);
    if (!may_connect(h, who) || (h->settings.peers_max == 1 && h->peer_count == 1)) {
        turn_away(h, who, fd);
        return;
    }
    if (h->peer_count >= h->settings.peers_max)
        make_room(h);
    hub_add_peer(h, fd);
}

// Without descriptors nobody can be accepted; somebody is closed to get one, or it is tried again later.
static void accept_peers(struct hub *h)
{
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        int fd = accept4(h->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take_in(h, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            if (make_room(h))
                continue;
            hub_watch(h, h->listen_fd, EPOLL_CTL_MOD, 0, &h->listen_fd);
            hub_look_later(h);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

// --- opening and closing ---------------------------------------------------------------------------------------------

// Takes fd over.
static struct hub *hub_create(int fd, struct hub_settings settings, struct hub_events events, struct error *e)
{
    if (fd < 0)
        return NULL;
    struct hub *h = mem_alloc(sizeof *h);
    h->settings = settings;
    h->events = events;
    h->listen_fd = fd;
    h->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    h->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (h->poll_fd >= 0 && h->timer_fd >= 0 && hub_watch(h, h->timer_fd, EPOLL_CTL_ADD, EPOLLIN, &h->timer_fd))
        return h;
    error_errno(e, "cannot open a socket");
    hub_destroy(h);
    return NULL;
}

struct hub *hub_listen(const char *path, struct hub_settings settings, struct hub_events events, struct error *e)
{
    struct hub *h = hub_create(ipc_socket_listen(path, e), settings, events, e);
    if (h != NULL)
        h->path = mem_text(span_of(path));
    return h;
}

struct hub *hub_dial(const char *path, struct hub_settings settings, struct hub_events events, struct error *e)
{
    struct hub *h = hub_create(ipc_socket_dial(path, e), settings, events, e);
    if (h != NULL) {
        int fd = h->listen_fd;
        h->listen_fd = -1;
        hub_add_peer(h, fd);
    }
    return h;
}

enum status hub_listen_again(struct hub *h, struct error *e)
{
    int fd = ipc_socket_listen(h->path, e);
    if (fd < 0)
        return e->status;
    close(h->listen_fd); // leaves the epoll set with it
    h->listen_fd = fd;
    if (h->admitted != 0 && !hub_watch(h, fd, EPOLL_CTL_ADD, EPOLLIN, &h->listen_fd))
        return error_errno(e, "cannot watch %s", h->path);
    return STATUS_OK;
}

void hub_admit(struct hub *h, pid_t pid)
{
    int how = h->admitted == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    h->admitted = pid;
    hub_watch(h, h->listen_fd, how, EPOLLIN, &h->listen_fd);
}

void hub_destroy(struct hub *h)
{
    if (h == NULL)
        return;
    if (h->path != NULL)
        unlink(h->path);
    uint64_t until = clock_monotonic_ms() + LAST_WORDS_MS;
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next)
        hub_send_last_words(p, until);
    for (struct hub_peer *p = h->peers; p != NULL && h->settings.own == SP_REP; p = p->next)
        hub_see_off(p, until);
    while (h->peers != NULL)
        hub_free_peer(h, h->peers);
    const int fds[] = {h->listen_fd, h->poll_fd, h->timer_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(h->path);
    free(h);
}

// --- the loop's side -------------------------------------------------------------------------------------------------

static void look(struct hub *h)
{
    uint64_t count;
    if (read(h->timer_fd, &count, sizeof count) != sizeof count)
        return;
    uint64_t now = clock_monotonic_ms();
    h->looking = false;
    if (h->listen_fd >= 0 && h->admitted != 0)
        hub_watch(h, h->listen_fd, EPOLL_CTL_MOD, EPOLLIN, &h->listen_fd);
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next) {
        if (!p->dead && hub_is_late(p, now))
            hub_close(p);
        else if (hub_is_unfinished(p))
            hub_look_later(h);
    }
}

void hub_drain(struct hub *h)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(h->poll_fd, events, EVENTS_AT_ONCE, 0);
    bool somebody = false;
    for (int i = 0; i < n; i++) { // nobody is freed meanwhile
        if (events[i].data.ptr == &h->listen_fd)
            somebody = true;
        else if (events[i].data.ptr == &h->timer_fd)
            look(h);
        else
            hub_serve(h, events[i].data.ptr, events[i].events);
    }
    reap(h);
    if (somebody)
        accept_peers(h);
    reap(h);
}

int hub_fd(const struct hub *h)
{
    return h->poll_fd;
}

struct hub_peer *hub_only(const struct hub *h)
{
    return h->peers != NULL && !h->peers->dead ? h->peers : NULL;
}

void hub_each(struct hub *h, void (*each)(struct hub_peer *peer, void *arg), void *arg)
{
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next)
        if (p->opened && !p->dead)
            each(p, arg);
}
