// One peer of a hub: what comes from it and what goes to it.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "ipc/hub_internal.h"
#include "ipc/methods.h"

enum {
    GREETING_MS = 3000,
    UNFINISHED_MS = 30000,
    LOOK_MS = 500,
    MESSAGE_MAX = IPC_MESSAGE_MAX + SP_WORDS_MAX,
    STOP_READING_AT = 4 * 1024 * 1024, // bytes a peer has not read; it is not heard until it has
    HELD_MAX = 64 * 1024 * 1024,       // bytes kept for all peers that hurry
};

// --- watching --------------------------------------------------------------------------------------------------------

bool hub_watch(struct hub *h, int fd, int how, uint32_t events, void *who)
{
    struct epoll_event event = {.events = events, .data.ptr = who};
    return epoll_ctl(h->poll_fd, how, fd, &event) == 0;
}

size_t hub_unsent(const struct hub_peer *p)
{
    return p->out.len - p->sent;
}

bool hub_is_unfinished(const struct hub_peer *p)
{
    return sp_reader_amid(&p->in) || hub_unsent(p) > 0;
}

void hub_look_later(struct hub *h)
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
        hub_watch(p->hub, p->fd, EPOLL_CTL_MOD, events, p);
    p->watched = events;
    if (hub_is_unfinished(p))
        hub_look_later(p->hub);
}

bool hub_is_late(const struct hub_peer *p, uint64_t now)
{
    if (!p->opened)
        return p->hub->listen_fd >= 0 && now - p->since >= GREETING_MS;
    return p->hub->settings.hurry && hub_is_unfinished(p) && now - p->since >= UNFINISHED_MS;
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

void hub_add_peer(struct hub *h, int fd)
{
    unsigned char greeting[SP_GREETING_SIZE];
    struct hub_peer *p = mem_alloc(sizeof *p);
    *p = (struct hub_peer){.hub = h, .fd = fd, .watched = EPOLLIN, .since = clock_monotonic_ms()};
    p->in = (struct sp_reader){.expected = h->settings.other, .max = MESSAGE_MAX};
    *place_of(h, NULL) = p;
    h->peer_count++;
    sp_greeting(h->settings.own, greeting);
    if (!hub_watch(h, fd, EPOLL_CTL_ADD, EPOLLIN, p) ||
        send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) != (ssize_t)sizeof greeting)
        hub_close(p);
    hub_look_later(h);
}

static void forget_kept(struct hub_peer *p)
{
    if (p->out.data != NULL)
        secret_wipe(p->out.data, p->out.cap);
    buf_free(&p->out);
    p->sent = 0;
}

void hub_free_peer(struct hub *h, struct hub_peer *p)
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

void hub_hold(struct hub_peer *p, int more)
{
    p->holds += more;
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
    p->said = clock_monotonic_ms();
    if (hub_unsent(p) == 0)
        n = sendmsg(p->fd, &message, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        hub_close(p);
    else if (n < (ssize_t)whole)
        keep(p, pieces, 3, n > 0 ? (size_t)n : 0);
}

void hub_send_last_words(struct hub_peer *p, uint64_t until)
{
    while (!p->dead && hub_unsent(p) > 0) {
        uint64_t now = clock_monotonic_ms();
        struct pollfd fd = {p->fd, POLLOUT, 0};
        if (now >= until || poll(&fd, 1, (int)(until - now)) <= 0)
            return;
        send_kept(p);
    }
}

// nng's request sockets forget an answer when the connection ends before it was asked for: so whoever was answered just
// now ends it, if it does so soon.
void hub_see_off(struct hub_peer *p, uint64_t until)
{
    char ignored[4096];
    uint64_t now = clock_monotonic_ms();
    ssize_t n = !p->dead && p->said != 0 && now - p->said < until - now ? 1 : 0;
    while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))) {
        struct pollfd fd = {p->fd, POLLIN, 0};
        now = clock_monotonic_ms();
        if (now >= until || poll(&fd, 1, (int)(until - now)) <= 0)
            return;
        n = read(p->fd, ignored, sizeof ignored);
    }
}

void hub_serve(struct hub *h, struct hub_peer *p, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && !p->dead && hub_unsent(p) > 0)
        send_kept(p);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !p->dead)
        hear(h, p);
}
