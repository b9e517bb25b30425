#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop_epoll.h"

enum { WAIT_MS = 10000, TURN_MS = 2 };

struct loop *open_loop(const struct loop_options *options)
{
    struct error e = {0};
    struct loop_options o = options != NULL ? *options : (struct loop_options){0};
    const char *wanted = getenv("LOOP");
    if (wanted != NULL)
        o.engine = &LOOP_EPOLL;
    struct loop *l = loop_create(&o, &e);
    if (l == NULL)
        fail_msg("%s", e.message);
    assert_string_equal(loop_waits_with(l), wanted != NULL ? wanted : "poll");
    return l;
}

struct waiting {
    struct loop *loop;
    struct loop_timer *timer;
    const bool *condition;
    uint64_t deadline;
};

static void look(void *ctx)
{
    struct waiting *w = ctx;
    bool met = w->condition != NULL && __atomic_load_n(w->condition, __ATOMIC_ACQUIRE);
    if (met || loop_now(w->loop) >= w->deadline)
        loop_stop(w->loop);
    else
        loop_timer_set(w->timer, TURN_MS);
}

static void run(struct loop *l, const bool *condition, uint64_t ms)
{
    struct waiting w = {.loop = l, .condition = condition, .deadline = loop_now(l) + ms};
    w.timer = loop_timer_create(l, look, &w);
    loop_timer_set(w.timer, 0);
    loop_run(l);
    loop_timer_destroy(w.timer);
}

void run_until(struct loop *l, const bool *condition)
{
    run(l, condition, WAIT_MS);
    assert_true(__atomic_load_n(condition, __ATOMIC_ACQUIRE));
}

void run_for(struct loop *l, uint64_t ms)
{
    run(l, NULL, ms);
}

static void message(void *ctx, bool text, struct span payload)
{
    struct peer *p = ctx;
    buf_clear(&p->last);
    buf_add_span(&p->last, payload);
    p->last_text = text;
    p->messages++;
    p->got = true;
    if (p->echo)
        p->transport->ops->send(p->transport, text, payload);
}

static void closed(void *ctx, int code, struct span reason)
{
    struct peer *p = ctx;
    p->closed = true;
    p->closings++;
    p->code = code;
    buf_add_span(&p->reason, reason);
    p->transport = NULL;
}

static void drained(void *ctx)
{
    ((struct peer *)ctx)->drained = true;
}

static void timed(void *ctx)
{
    ((struct peer *)ctx)->timed = true;
}

const struct transport_events peer_events = {message, closed, drained, timed};

void peer_use(struct peer *p, struct transport *t)
{
    p->transport = t;
    transport_use(t, &peer_events, p);
}

void peer_free(struct peer *p)
{
    buf_free(&p->last);
    buf_free(&p->reason);
}

void pair_accepted(void *ctx, struct transport *t)
{
    struct pair *p = ctx;
    p->accepted = true;
    peer_free(&p->far);
    p->far = (struct peer){.echo = p->far.echo};
    peer_use(&p->far, t);
}

static void pair_dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct pair *p = ctx;
    p->connected = t != NULL;
    p->failed = t == NULL;
    if (t != NULL)
        peer_use(&p->near, t);
    else
        p->why = *why;
}

void pair_dial(struct pair *p, const char *url)
{
    struct error e = {0};
    p->connected = p->failed = p->accepted = false;
    assert_non_null(ws_client_connect(p->client, url, 0, 0, pair_dialled, p, &e));
}

void pair_listen(struct pair *p, const struct ws_server_options *options)
{
    struct error e = {0};
    *p = (struct pair){0};
    p->loop = open_loop(NULL);
    p->server = ws_server_listen(p->loop, "localhost:0", options, pair_accepted, p, &e);
    if (p->server == NULL)
        fail_msg("%s: %s", e.code, e.message);
    p->client = ws_client_create(p->loop, NULL, NULL);
}

void pair_open(struct pair *p, const struct ws_server_options *options)
{
    pair_listen(p, options);
    pair_dial(p, ws_server_url(p->server));
    run_until(p->loop, &p->connected);
    run_until(p->loop, &p->accepted);
}

void pair_close(struct pair *p)
{
    ws_client_destroy(p->client);
    ws_server_destroy(p->server);
    loop_destroy(p->loop);
    peer_free(&p->near);
    peer_free(&p->far);
}

static int dial(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
        return fd;
    close(fd);
    return -1;
}

static void read_until_end(int fd, struct buf *out, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, ms) > 0) {
        ssize_t n = recv(fd, buf_reserve(out, 4096), 4096, 0);
        if (n <= 0)
            return;
        out->len += (size_t)n;
    }
}

static void wait_for_answer(int fd)
{
    poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, WAIT_MS);
}

static void *raw_thread(void *arg)
{
    struct raw *r = arg;
    int fd = dial(r->port);
    if (fd >= 0) {
        for (int i = 0; i < 3; i++) {
            send(fd, r->send[i].ptr, r->send[i].len, MSG_NOSIGNAL);
            if (i == 2 || r->send[i + 1].len == 0)
                continue;
            if (r->in_turn)
                wait_for_answer(fd);
            read_until_end(fd, &r->received, 50);
        }
        struct linger reset = {.l_onoff = 1};
        if (r->hang_up)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        else
            read_until_end(fd, &r->received, WAIT_MS);
        close(fd);
    }
    __atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
    return NULL;
}

void raw_run(struct loop *l, struct raw *r)
{
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, raw_thread, r), 0);
    run_until(l, &r->done);
    pthread_join(t, NULL);
    buf_cstr(&r->received);
}

static void *stub_thread(void *arg)
{
    struct stub *s = arg;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (s->answer.len != 0) {
        ssize_t n = recv(fd, buf_reserve(&s->request, 4096), 4096, 0);
        s->request.len += n > 0 ? (size_t)n : 0;
        send(fd, s->answer.ptr, s->answer.len, MSG_NOSIGNAL);
    }
    if (!s->hang_up)
        read_until_end(fd, &s->request, WAIT_MS);
    close(fd);
    return NULL;
}

void stub_start(struct stub *s)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof sa;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    getsockname(s->fd, (struct sockaddr *)&sa, &len);
    s->port = ntohs(sa.sin_port);
    pthread_t *t = mem_alloc(sizeof *t);
    s->thread = t;
    assert_int_equal(pthread_create(t, NULL, stub_thread, s), 0);
}

void stub_stop(struct stub *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(*(pthread_t *)s->thread, NULL);
    close(s->fd);
    free(s->thread);
}
