// The loop accepts; everything else of a connection is done by a thread of the pool, which is made when the first one
// comes, and the loop closes it. Of those that have not given their ticket the oldest goes when there are too many; who
// comes while every place is taken waits to be accepted, as nobody with a ticket is turned away. Who has heard the last
// word of a stream finds room for the next: it does not count from just before.
#include "node/streams.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "ipc/socket.h"
#include "node/streams_flow.h"

enum { GREETERS_MAX = 4, VISITORS_MAX = 2 * STREAMS_MAX };

const struct streams_tuning STREAMS_TUNING = {.ticket_ms = 30000, .greeting_ms = 3000, .stall_ms = 10 * 60 * 1000};

struct promise {                    // in or out of what
    char ticket[STREAM_TICKET + 1]; // empty = a free place
    uint64_t until_ms;
    char upload[UPLOAD_NAME + 1]; // empty = out
    struct store_reader *reader;
};

enum visitor_state { VISITOR_NONE, VISITOR_GREETS, VISITOR_FLOWS, VISITOR_LEAVES };

struct visitor { // a connection
    struct streams *streams;
    enum visitor_state state;
    uint64_t since_ms;
    struct promise has; // while it flows
    int fd;
};

struct streams {
    struct node *node;
    char *path; // NULL = there is no socket
    struct streams_tuning tuning;
    struct store_queue *queue;
    struct loop_fd *watch; // NULL: nobody is accepted
    int listen_fd;         // the caller's
    bool stopped;
    struct pool *pool;
    pthread_mutex_t lock; // guards all below
    struct promise promises[STREAMS_MAX];
    struct visitor visitors[VISITORS_MAX];
};

// ---- Promises -------------------------------------------------------------------------------------------------------

static void break_promise(struct promise *p)
{
    store_reader_destroy(p->reader);
    memset(p, 0, sizeof *p);
}

static void forget_old(struct streams *s)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (s->promises[i].ticket[0] != '\0' && clock_monotonic_ms() > s->promises[i].until_ms)
            break_promise(&s->promises[i]);
    }
}

// A free place, unless as many are promised or under way as there may be.
static struct promise *free_promise(struct streams *s)
{
    struct promise *free = NULL;
    size_t used = 0;
    forget_old(s);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        bool taken = s->promises[i].ticket[0] != '\0';
        free = taken ? free : &s->promises[i];
        used += taken ? 1 : 0;
    }
    for (size_t i = 0; i < VISITORS_MAX; i++)
        used += s->visitors[i].state == VISITOR_FLOWS ? 1 : 0;
    return used < STREAMS_MAX ? free : NULL;
}

static void draw_ticket(char out[STREAM_TICKET + 1])
{
    uint8_t random[STREAM_TICKET / 2];
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, out);
}

// Takes what over, in any case.
static enum status promise(struct streams *s, struct promise *what, char ticket[STREAM_TICKET + 1], struct error *e)
{
    enum status st = STATUS_OK;
    pthread_mutex_lock(&s->lock);
    struct promise *p = free_promise(s);
    if (s->path == NULL)
        st = error_set(e, STATUS_CLOSED, "CLOSED", "this node takes files in pieces only");
    else if (p == NULL)
        st = error_set(e, STATUS_CONFLICT, "BUSY", "%d files are being streamed already", STREAMS_MAX);
    if (st == STATUS_OK) {
        draw_ticket(what->ticket);
        what->until_ms = clock_monotonic_ms() + s->tuning.ticket_ms;
        *p = *what;
        memcpy(ticket, p->ticket, sizeof p->ticket);
    }
    pthread_mutex_unlock(&s->lock);
    if (st != STATUS_OK)
        break_promise(what);
    return st;
}

enum status streams_promise_in(struct streams *s, const char *upload, char ticket[STREAM_TICKET + 1], struct error *e)
{
    struct promise what = {0};
    memcpy(what.upload, upload, sizeof what.upload);
    return promise(s, &what, ticket, e);
}

enum status streams_promise_out(struct streams *s, struct store_reader *reader, char ticket[STREAM_TICKET + 1],
                                struct error *e)
{
    return promise(s, &(struct promise){.reader = reader}, ticket, e);
}

// A ticket is good once, and v flows from here on.
static enum status redeem(struct visitor *v, const char *ticket, struct error *e)
{
    struct streams *s = v->streams;
    pthread_mutex_lock(&s->lock);
    forget_old(s);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct promise *p = &s->promises[i];
        if (p->ticket[0] == '\0' || !bytes_eq_constant_time(span_of(p->ticket), span_of(ticket)))
            continue;
        v->has = *p;
        v->state = VISITOR_FLOWS;
        memset(p, 0, sizeof *p);
    }
    bool found = v->state == VISITOR_FLOWS;
    pthread_mutex_unlock(&s->lock);
    return found ? STATUS_OK
                 : error_set(e, STATUS_REFUSED, "REFUSED", "this ticket is not known, was used, or is too old");
}

void streams_give_up(struct streams *s, struct span upload)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor *v = &s->visitors[i];
        if (v->state == VISITOR_FLOWS && span_eq_text(upload, v->has.upload))
            shutdown(v->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&s->lock);
}

// ---- A connection, in a thread of the pool
// ----------------------------------------------------------------------------

static enum status note_damage(struct store *store, void *arg, struct error *e)
{
    (void)e;
    store_reader_failed(store, arg);
    return STATUS_OK;
}

static void damage_noted(void *arg, enum status status, const struct error *e)
{
    (void)status;
    (void)e; // it cannot fail
    free(arg);
}

// Before the connection ends, so that who asks then is told.
static void tell_damage(const struct visitor *v)
{
    struct hash *hash = mem_alloc(sizeof *hash);
    *hash = *store_reader_hash(v->has.reader);
    store_submit_read(v->streams->queue, note_damage, damage_noted, hash);
}

static void flow_out(struct visitor *v)
{
    struct error e = {0};
    if (streams_send(v->fd, v->has.reader, &e) == STATUS_OK)
        return;
    if (e.status == STATUS_CORRUPT)
        tell_damage(v);
    LOG(LOG_INFO, "stream.broken", LOG_HASH("hash", store_reader_hash(v->has.reader)), LOG_TEXT("why", e.message));
}

static enum status flow_in(struct visitor *v, uint64_t *size, struct error *e)
{
    struct uploads *uploads = node_uploads(v->streams->node);
    struct upload *u;
    if (uploads_take(uploads, span_of(v->has.upload), &u, e) != STATUS_OK)
        return e->status;
    enum status st = streams_receive(v->fd, u, e);
    *size = u->size;
    return uploads_leave(uploads, u, st, e);
}

static void stop_flowing(struct visitor *v)
{
    pthread_mutex_lock(&v->streams->lock);
    v->state = VISITOR_LEAVES;
    break_promise(&v->has);
    pthread_mutex_unlock(&v->streams->lock);
}

static void visit(void *arg)
{
    struct visitor *v = arg;
    struct error e = {0};
    char ticket[STREAM_TICKET + 1];
    uint64_t size = 0;
    streams_limit(v->fd, v->streams->tuning.greeting_ms);
    enum status st = streams_hear_ticket(v->fd, ticket, &e);
    if (st == STATUS_OK)
        st = redeem(v, ticket, &e);
    bool out = st == STATUS_OK && v->has.reader != NULL;
    streams_limit(v->fd, v->streams->tuning.stall_ms);
    if (out)
        flow_out(v);
    else if (st == STATUS_OK)
        st = flow_in(v, &size, &e);
    stop_flowing(v);
    if (!out)
        streams_say(v->fd, size, st != STATUS_OK ? &e : NULL);
    shutdown(v->fd, SHUT_RDWR);
}

// ---- Coming and going, on the loop ----------------------------------------------------------------------------------

static void listen_on(struct streams *s);

static void visited(void *arg)
{
    struct visitor *v = arg;
    struct streams *s = v->streams;
    pthread_mutex_lock(&s->lock);
    streams_hang_up(v->fd);
    v->state = VISITOR_NONE;
    pthread_mutex_unlock(&s->lock);
    if (!s->stopped)
        listen_on(s);
}

// The oldest of too many that keep their ticket to themselves goes.
static void press_greeters(struct streams *s)
{
    struct visitor *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor *v = &s->visitors[i];
        if (v->state != VISITOR_GREETS)
            continue;
        count++;
        oldest = oldest == NULL || v->since_ms < oldest->since_ms ? v : oldest;
    }
    if (count >= GREETERS_MAX)
        shutdown(oldest->fd, SHUT_RDWR);
}

// NULL: all are taken. Only the loop takes one.
static struct visitor *free_place(struct streams *s)
{
    struct visitor *place = NULL;
    pthread_mutex_lock(&s->lock);
    press_greeters(s);
    for (size_t i = 0; i < VISITORS_MAX && place == NULL; i++) {
        if (s->visitors[i].state == VISITOR_NONE)
            place = &s->visitors[i];
    }
    pthread_mutex_unlock(&s->lock);
    return place;
}

static void take_in(struct streams *s, struct visitor *v, int fd)
{
    if (!ipc_socket_trusts(ipc_socket_other(fd))) {
        close(fd);
        return;
    }
    pthread_mutex_lock(&s->lock);
    *v = (struct visitor){.streams = s, .state = VISITOR_GREETS, .since_ms = clock_monotonic_ms(), .fd = fd};
    pthread_mutex_unlock(&s->lock);
    if (s->pool == NULL)
        s->pool = pool_create(VISITORS_MAX, loop_mailbox(node_loop(s->node)));
    if (pool_submit(s->pool, visit, visited, v) != STATUS_OK)
        visited(v);
}

static bool is_out_of_something(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOMEM || number == ENOBUFS;
}

static void stop_listening(struct streams *s)
{
    loop_drop_fd(s->watch);
    s->watch = NULL;
}

// Without a place nobody is accepted until one is free; without descriptors, until streams_tick tries again.
static void accept_some(void *ctx)
{
    struct streams *s = ctx;
    for (int i = 0; i < VISITORS_MAX; i++) {
        struct visitor *place = free_place(s);
        int fd = place != NULL ? accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0) {
            take_in(s, place, fd);
        } else if (place == NULL || is_out_of_something(errno)) {
            stop_listening(s);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void listen_on(struct streams *s)
{
    struct error e = {0};
    if (s->path != NULL && s->watch == NULL)
        s->watch = loop_adopt_fd(node_loop(s->node), s->listen_fd, accept_some, s, &e);
    if (e.status != STATUS_OK)
        LOG(LOG_WARN, "stream.deaf", LOG_TEXT("why", e.message));
}

void streams_tick(struct streams *s)
{
    listen_on(s);
    pthread_mutex_lock(&s->lock);
    forget_old(s);
    pthread_mutex_unlock(&s->lock);
}

struct streams *streams_create(struct node *n, int fd, const char *path, struct streams_tuning tuning)
{
    struct streams *s = mem_alloc(sizeof *s);
    *s = (struct streams){.node = n, .queue = node_queue(n), .listen_fd = fd, .tuning = tuning};
    s->path = path != NULL ? mem_text(span_of(path)) : NULL;
    pthread_mutex_init(&s->lock, NULL);
    listen_on(s);
    return s;
}

void streams_stop(struct streams *s)
{
    if (s == NULL)
        return;
    s->stopped = true;
    stop_listening(s);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        if (s->visitors[i].state != VISITOR_NONE)
            shutdown(s->visitors[i].fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&s->lock);
    pool_destroy(s->pool);
    s->pool = NULL;
}

void streams_destroy(struct streams *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        break_promise(&s->promises[i]);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

const char *streams_path(const struct streams *s)
{
    return s->path;
}
