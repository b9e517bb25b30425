// What comes is kept in pieces until its time, then written; a side that has too much waiting is not read from. A line
// whose key is not known yet passes undelayed: it carries a first message and nothing else.
#include "supervisor/simulate/front.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "supervisor/simulate/peek.h"

enum { BACKLOG = 128, CHUNK = 64 * 1024, WAITING_MAX = 1 << 20, PEEK_MAX = 12 * 1024, MOMENT_MS = 5 };

struct piece {
    struct piece *next;
    uint64_t due; // of the loop's clock
    uv_write_t request;
    struct side *to;
    size_t len;
    char bytes[];
};

struct side {
    struct line *line;
    struct side *other;
    uv_tcp_t tcp;
    struct piece *first, **last; // read from here, for the other
    size_t waiting;              // bytes read from here that the other has not taken
    bool reads, ended;
};

struct line {
    struct front *front;
    struct line *next;
    struct side sides[2]; // who came, and what lies behind
    uv_connect_t connect;
    struct buf seen; // of who came, until its key is known
    char key[FRONT_KEY + 1];
    bool known, connected, closing;
    unsigned handles;
};

struct front {
    uv_loop_t *loop;
    uv_tcp_t *listener;
    uv_timer_t *timer;
    size_t behind;
    front_ask ask;
    void *arg;
    int port, target;
    struct line *lines;
    size_t count;
    char chunk[CHUNK];
};

// --- the end of a line -----------------------------------------------------------------------------------------------

static void free_pieces(struct side *s)
{
    for (struct piece *p = s->first, *next; p != NULL; p = next) {
        next = p->next;
        free(p);
    }
}

static void side_closed(uv_handle_t *handle)
{
    struct side *s = handle->data;
    struct line *l = s->line;
    free_pieces(s);
    if (--l->handles > 0)
        return;
    buf_free(&l->seen);
    free(l);
}

static void end_line(struct line *l)
{
    struct line **at = &l->front->lines;
    if (l->closing)
        return;
    l->closing = true;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->front->count--;
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&l->sides[i].tcp, side_closed);
}

// --- passing on ------------------------------------------------------------------------------------------------------

static struct front_link link_of(const struct line *l)
{
    static const struct front_link open = {FRONT_OPEN, 0};
    return l->known ? l->front->ask(l->front->arg, l->key, l->front->behind) : open;
}

static void start_reading(struct side *s);

static void piece_written(uv_write_t *request, int status)
{
    struct piece *p = request->data;
    struct side *from = p->to->other;
    struct line *l = from->line;
    from->waiting -= p->len;
    free(p);
    if (status != 0)
        end_line(l);
    else if (!l->closing && !from->reads && !from->ended && from->waiting < WAITING_MAX)
        start_reading(from);
}

static void pass_on(struct side *from)
{
    struct line *l = from->line;
    uint64_t now = uv_now(l->front->loop);
    while (!l->closing && l->connected && from->first != NULL && from->first->due <= now) {
        struct piece *p = from->first;
        from->first = p->next;
        if (from->first == NULL)
            from->last = &from->first;
        p->to = from->other;
        p->request.data = p;
        uv_buf_t b = uv_buf_init(p->bytes, (unsigned)p->len);
        if (uv_write(&p->request, (uv_stream_t *)&from->other->tcp, &b, 1, piece_written) != 0) {
            free(p);
            end_line(l);
        }
    }
    if (!l->closing && from->ended && from->first == NULL)
        end_line(l);
}

static void peek_at(struct side *s, struct span bytes)
{
    struct line *l = s->line;
    if (l->known || s != &l->sides[0] || l->seen.len > PEEK_MAX)
        return;
    buf_add_span(&l->seen, bytes);
    l->known = peek_key(buf_span(&l->seen), l->key) == PEEK_FOUND;
    if (l->known)
        buf_free(&l->seen);
}

static void keep_piece(struct side *s, struct span bytes, int64_t delay_ms)
{
    struct piece *p = mem_alloc(sizeof *p + bytes.len);
    p->due = uv_now(s->line->front->loop) + (uint64_t)delay_ms;
    p->len = bytes.len;
    memcpy(p->bytes, bytes.ptr, bytes.len);
    *s->last = p;
    s->last = &p->next;
    s->waiting += bytes.len;
    if (s->waiting < WAITING_MAX)
        return;
    uv_read_stop((uv_stream_t *)&s->tcp);
    s->reads = false;
}

static void on_moment(uv_timer_t *timer)
{
    struct front *f = timer->data;
    bool waits = false;
    front_look(f);
    for (const struct line *l = f->lines; l != NULL; l = l->next)
        waits = waits || l->sides[0].first != NULL || l->sides[1].first != NULL;
    if (!waits)
        uv_timer_stop(timer);
}

static void look_soon(struct front *f)
{
    if (!uv_is_active((uv_handle_t *)f->timer))
        uv_timer_start(f->timer, on_moment, MOMENT_MS, MOMENT_MS);
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    struct side *s = handle->data;
    (void)size;
    *out = uv_buf_init(s->line->front->chunk, CHUNK);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct side *s = stream->data;
    if (s->line->closing || n == 0)
        return;
    if (n < 0) {
        s->ended = true;
        s->reads = false;
        uv_read_stop(stream);
    } else {
        struct span bytes = {b->base, (size_t)n};
        peek_at(s, bytes);
        struct front_link link = link_of(s->line);
        if (link.state == FRONT_CUT) {
            end_line(s->line);
            return;
        }
        keep_piece(s, bytes, link.delay_ms);
        if (link.state == FRONT_STALLED || link.delay_ms > 0) {
            look_soon(s->line->front);
            return;
        }
    }
    pass_on(s);
}

static void start_reading(struct side *s)
{
    s->reads = uv_read_start((uv_stream_t *)&s->tcp, give_room, on_read) == 0;
    if (!s->reads)
        end_line(s->line);
}

// --- coming ----------------------------------------------------------------------------------------------------------

static void on_connected(uv_connect_t *request, int status)
{
    struct line *l = request->data;
    if (l->closing)
        return;
    if (status != 0) {
        end_line(l);
        return;
    }
    l->connected = true;
    start_reading(&l->sides[1]);
    pass_on(&l->sides[0]);
}

static void init_side(struct line *l, size_t i)
{
    struct side *s = &l->sides[i];
    s->line = l;
    s->other = &l->sides[1 - i];
    s->last = &s->first;
    uv_tcp_init(l->front->loop, &s->tcp);
    s->tcp.data = s;
    l->handles++;
}

static void on_coming(uv_stream_t *listener, int status)
{
    struct front *f = listener->data;
    struct sockaddr_in to;
    struct line *l = mem_alloc(sizeof *l);
    l->front = f;
    l->next = f->lines;
    f->lines = l;
    f->count++;
    init_side(l, 0);
    init_side(l, 1);
    l->connect.data = l;
    uv_ip4_addr("127.0.0.1", f->target, &to);
    bool comes = status == 0 && uv_accept(listener, (uv_stream_t *)&l->sides[0].tcp) == 0;
    if (!comes || f->target == 0 ||
        uv_tcp_connect(&l->connect, &l->sides[1].tcp, (const struct sockaddr *)&to, on_connected) != 0) {
        end_line(l);
        return;
    }
    uv_tcp_nodelay(&l->sides[0].tcp, 1);
    uv_tcp_nodelay(&l->sides[1].tcp, 1);
    start_reading(&l->sides[0]);
}

// --- the front -------------------------------------------------------------------------------------------------------

void front_look(struct front *f)
{
    for (struct line *l = f->lines, *next; l != NULL; l = next) {
        next = l->next;
        struct front_link link = link_of(l);
        if (link.state == FRONT_CUT)
            end_line(l);
        for (size_t i = 0; i < 2 && link.state == FRONT_OPEN && !l->closing; i++)
            pass_on(&l->sides[i]);
    }
}

struct front *front_create(uv_loop_t *loop, size_t behind, front_ask ask, void *arg, struct error *e)
{
    struct sockaddr_in at;
    struct sockaddr_storage name;
    int len = sizeof name;
    struct front *f = mem_alloc(sizeof *f);
    *f = (struct front){.loop = loop, .behind = behind, .ask = ask, .arg = arg};
    f->listener = mem_alloc(sizeof *f->listener);
    f->timer = mem_alloc(sizeof *f->timer);
    uv_tcp_init(loop, f->listener);
    uv_timer_init(loop, f->timer);
    f->listener->data = f->timer->data = f;
    uv_ip4_addr("127.0.0.1", 0, &at);
    if (uv_tcp_bind(f->listener, (const struct sockaddr *)&at, 0) != 0 ||
        uv_listen((uv_stream_t *)f->listener, BACKLOG, on_coming) != 0 ||
        uv_tcp_getsockname(f->listener, (struct sockaddr *)&name, &len) != 0) {
        front_destroy(f);
        error_set(e, STATUS_IO, "IO", "a proxy found no free port");
        return NULL;
    }
    f->port = ntohs(((const struct sockaddr_in *)&name)->sin_port);
    return f;
}

int front_port(const struct front *f)
{
    return f->port;
}

void front_target(struct front *f, int port)
{
    f->target = port;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void free_front(uv_handle_t *handle)
{
    free(handle->data);
    free(handle);
}

void front_destroy(struct front *f)
{
    if (f == NULL)
        return;
    while (f->lines != NULL)
        end_line(f->lines);
    uv_close((uv_handle_t *)f->timer, free_handle);
    uv_close((uv_handle_t *)f->listener, free_front);
}
