#include "ipc/hub.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "ipc/methods.h"
#include "ipc/socket.h"

enum {
    ACCEPT_AT_ONCE = 64,
    EVENTS_AT_ONCE = 64,
    READ_AT_ONCE = 64 * 1024,
    GREETING_MS = 3000,
    UNFINISHED_MS = 30000,
    LOOK_MS = 500,
    LAST_WORDS_MS = 200,
    TOLD_EVERY_MS = 10000,
    MESSAGE_MAX = IPC_MESSAGE_MAX + SP_WORDS_MAX,
    STOP_READING_AT = 4 * 1024 * 1024, // bytes a peer has not read; it is not heard until it has
    HELD_MAX = 64 * 1024 * 1024,       // bytes kept for all peers that hurry
};

struct hub_peer {
    struct hub_peer *next; // heard longest ago first
    struct hub *hub;
    int fd;
    bool dead;   // closed at the end of the drain
    bool opened; // the owner knows it
    uint32_t watched;
    struct sp_reader in;
    struct buf out;
    size_t sent;    // of out
    uint64_t since; // when it last got on with what is unfinished
    int holds;
};

struct hub {
    struct hub_settings settings;
    struct hub_events events;
    char *path; // of the socket file, NULL when dialled
    int listen_fd;
    int poll_fd; // an epoll set of everything here
    int timer_fd;
    bool looking;   // the timer runs
    pid_t admitted; // 0 = nobody yet
    struct hub_peer *peers;
    size_t peer_count;
    bool reap;
    uint64_t turned_away;
    uint64_t told; // when of that
    char chunk[READ_AT_ONCE];
};

// --- watching --------------------------------------------------------------------------------------------------------

static bool watch(struct hub *h, int fd, int how, uint32_t events, void *who)
{
    struct epoll_event event = {.events = events, .data.ptr = who};
    return epoll_ctl(h->poll_fd, how, fd, &event) == 0;
}

size_t hub_unsent(const struct hub_peer *p)
{
    return p->out.len - p->sent;
}

static bool is_unfinished(const struct hub_peer *p)
{
    return sp_reader_amid(&p->in) || hub_unsent(p) > 0;
}

static void look_later(struct hub *h)
{
    struct itimerspec when = {.it_value = {0, LOOK_MS * 1000000L}};
    if (h->looking)
        return;
    h->looking = true;
    timerfd_settime(h->timer_fd, 0, &when, NULL);
}

static void watch_peer(struct hub_peer *p)
{
    uint32_t events = (hub_unsent(p) < STOP_READING_AT ? EPOLLIN : 0U) | (hub_unsent(p) > 0 ? EPOLLOUT : 0U);
    if (events != p->watched && !p->dead)
        watch(p->hub, p->fd, EPOLL_CTL_MOD, events, p);
    p->watched = events;
    if (is_unfinished(p))
        look_later(p->hub);
}

// --- coming and going ------------------------------------------------------------------------------------------------

void hub_close(struct hub_peer *p)
{
    p->dead = true;
    p->hub->reap = true;
    shutdown(p->fd, SHUT_RDWR); // makes the hub readable
}

static struct hub_peer **place_of(struct hub *h, const struct hub_peer *p) // NULL: the end
{
    struct hub_peer **at = &h->peers;
    while (*at != p)
        at = &(*at)->next;
    return at;
}

static void move_to_end(struct hub *h, struct hub_peer *p)
{
    *place_of(h, p) = p->next;
    p->next = NULL;
    *place_of(h, NULL) = p;
}

static void add_peer(struct hub *h, int fd)
{
    unsigned char greeting[SP_GREETING_SIZE];
    struct hub_peer *p = mem_alloc(sizeof *p);
    *p = (struct hub_peer){.hub = h, .fd = fd, .watched = EPOLLIN, .since = clock_monotonic_ms()};
    p->in = (struct sp_reader){.expected = h->settings.other, .max = MESSAGE_MAX};
    *place_of(h, NULL) = p;
    h->peer_count++;
    sp_greeting(h->settings.own, greeting);
    if (!watch(h, fd, EPOLL_CTL_ADD, EPOLLIN, p) ||
        send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) != (ssize_t)sizeof greeting)
        hub_close(p);
    look_later(h);
}

static void forget_kept(struct hub_peer *p)
{
    if (p->out.data != NULL)
        secret_wipe(p->out.data, p->out.cap);
    buf_free(&p->out);
    p->sent = 0;
}

static void free_peer(struct hub *h, struct hub_peer *p)
{
    *place_of(h, p) = p->next;
    h->peer_count--;
    if ((p->opened || h->listen_fd < 0) && h->events.closed != NULL)
        h->events.closed(h->events.ctx, p);
    close(p->fd); // leaves the epoll set with it
    sp_reader_clear(&p->in);
    forget_kept(p);
    free(p);
}

static void reap(struct hub *h)
{
    while (h->reap) { // closed may close others
        h->reap = false;
        for (struct hub_peer *p = h->peers, *next; p != NULL; p = next) {
            next = p->next;
            if (p->dead)
                free_peer(h, p);
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
    return (who.uid == geteuid() || who.uid == 0) && (h->admitted == HUB_ANY_PID || who.pid == h->admitted);
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
    add_peer(h, fd);
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
            watch(h, h->listen_fd, EPOLL_CTL_MOD, 0, &h->listen_fd);
            look_later(h);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

// --- what comes ------------------------------------------------------------------------------------------------------

// One that keeps much in memory has to go when all together keep too much.
static void keep_within_bounds(struct hub *h)
{
    size_t held = 0;
    size_t largest = 0;
    struct hub_peer *most = NULL;
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next) {
        size_t own = p->in.size + p->out.cap;
        held += own;
        if (!p->dead && own > largest) {
            largest = own;
            most = p;
        }
    }
    if (held > HELD_MAX && most != NULL && h->settings.hurry)
        hub_close(most);
}

static void take_bytes(struct hub *h, struct hub_peer *p, struct span bytes)
{
    enum sp_progress progress = SP_MESSAGE;
    size_t whole = bytes.len;
    while (!p->dead && bytes.len > 0 && progress != SP_BROKEN) {
        progress = sp_reader_take(&p->in, &bytes);
        if (progress == SP_GREETED) {
            p->opened = true;
            if (h->events.opened != NULL)
                h->events.opened(h->events.ctx, p);
        } else if (progress == SP_MESSAGE) {
            h->events.message(h->events.ctx, p, sp_reader_message(&p->in));
            sp_reader_clear(&p->in);
            p->since = clock_monotonic_ms();
        }
    }
    secret_wipe(h->chunk, whole);
    if (progress == SP_BROKEN)
        hub_close(p);
}

static void hear(struct hub *h, struct hub_peer *p)
{
    size_t size_before = p->in.size;
    ssize_t n = read(p->fd, h->chunk, sizeof h->chunk);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            hub_close(p);
        return;
    }
    if (!sp_reader_amid(&p->in))
        p->since = clock_monotonic_ms(); // something begins
    move_to_end(h, p);
    take_bytes(h, p, (struct span){h->chunk, (size_t)n});
    if (p->in.size > size_before)
        keep_within_bounds(h);
    watch_peer(p);
}

// --- what goes -------------------------------------------------------------------------------------------------------

static void send_kept(struct hub_peer *p)
{
    ssize_t n = send(p->fd, p->out.data + p->sent, hub_unsent(p), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        hub_close(p);
    if (n <= 0)
        return;
    p->sent += (size_t)n;
    p->since = clock_monotonic_ms();
    if (hub_unsent(p) == 0)
        forget_kept(p);
    watch_peer(p);
}

static void keep(struct hub_peer *p, const struct iovec *pieces, int count, size_t done)
{
    if (hub_unsent(p) == 0)
        p->since = clock_monotonic_ms();
    if (p->sent > p->out.len / 2) {
        buf_drop_front(&p->out, p->sent);
        p->sent = 0;
    }
    for (int i = 0; i < count; i++) {
        size_t skip = done < pieces[i].iov_len ? done : pieces[i].iov_len;
        buf_add(&p->out, (const char *)pieces[i].iov_base + skip, pieces[i].iov_len - skip);
        done -= skip;
    }
    keep_within_bounds(p->hub);
    watch_peer(p);
}

void hub_send(struct hub_peer *p, struct span words, struct span text)
{
    unsigned char head[SP_HEAD_SIZE];
    sp_head(words.len + text.len, head);
    struct iovec pieces[] = {
        {head, sizeof head}, {(void *)(uintptr_t)words.ptr, words.len}, {(void *)(uintptr_t)text.ptr, text.len}};
    size_t whole = sizeof head + words.len + text.len;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    ssize_t n = 0;
    if (p->dead)
        return;
    if (hub_unsent(p) == 0)
        n = sendmsg(p->fd, &message, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        hub_close(p);
    else if (n < (ssize_t)whole)
        keep(p, pieces, 3, n > 0 ? (size_t)n : 0);
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
    if (h->poll_fd >= 0 && h->timer_fd >= 0 && watch(h, h->timer_fd, EPOLL_CTL_ADD, EPOLLIN, &h->timer_fd))
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
        add_peer(h, fd);
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
    if (h->admitted != 0 && !watch(h, fd, EPOLL_CTL_ADD, EPOLLIN, &h->listen_fd))
        return error_errno(e, "cannot watch %s", h->path);
    return STATUS_OK;
}

void hub_admit(struct hub *h, pid_t pid)
{
    int how = h->admitted == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    h->admitted = pid;
    watch(h, h->listen_fd, how, EPOLLIN, &h->listen_fd);
}

static void send_last_words(struct hub_peer *p, uint64_t until)
{
    while (!p->dead && hub_unsent(p) > 0) {
        uint64_t now = clock_monotonic_ms();
        struct pollfd fd = {p->fd, POLLOUT, 0};
        if (now >= until || poll(&fd, 1, (int)(until - now)) <= 0)
            return;
        send_kept(p);
    }
}

void hub_destroy(struct hub *h)
{
    if (h == NULL)
        return;
    if (h->path != NULL)
        unlink(h->path);
    uint64_t until = clock_monotonic_ms() + LAST_WORDS_MS;
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next)
        send_last_words(p, until);
    while (h->peers != NULL)
        free_peer(h, h->peers);
    const int fds[] = {h->listen_fd, h->poll_fd, h->timer_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(h->path);
    free(h);
}

// --- the loop's side -------------------------------------------------------------------------------------------------

static bool is_late(const struct hub_peer *p, uint64_t now)
{
    if (!p->opened)
        return p->hub->listen_fd >= 0 && now - p->since >= GREETING_MS;
    return p->hub->settings.hurry && is_unfinished(p) && now - p->since >= UNFINISHED_MS;
}

static void look(struct hub *h)
{
    uint64_t count;
    if (read(h->timer_fd, &count, sizeof count) != sizeof count)
        return;
    uint64_t now = clock_monotonic_ms();
    h->looking = false;
    if (h->listen_fd >= 0 && h->admitted != 0)
        watch(h, h->listen_fd, EPOLL_CTL_MOD, EPOLLIN, &h->listen_fd);
    for (struct hub_peer *p = h->peers; p != NULL; p = p->next) {
        if (!p->dead && is_late(p, now))
            hub_close(p);
        else if (is_unfinished(p))
            look_later(h);
    }
}

static void serve(struct hub *h, struct hub_peer *p, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && !p->dead && hub_unsent(p) > 0)
        send_kept(p);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !p->dead)
        hear(h, p);
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
            serve(h, events[i].data.ptr, events[i].events);
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

void hub_hold(struct hub_peer *p, int more)
{
    p->holds += more;
}
