// Calls wait in a list; what is written carries the number of its call. A broken connection fails all of them from the
// timer, so that no callback runs within a call. The handles outlive rpc_destroy until libuv let go of them.
#include "supervisor/simulate/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/errors.h"
#include "ipc/sp.h"

enum { ANSWER_MAX = 16 << 20, LOOK_MS = 10, WORD = 4, READ_SIZE = 64 * 1024 };

struct pending {
    struct pending *next;
    uint32_t number;
    uint64_t until; // of the loop's clock
    rpc_done done;
    void *arg;
};

// One connection.
struct line {
    struct rpc *owner; // NULL: given up
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct sp_reader reader;
    char chunk[READ_SIZE];
};

struct rpc {
    uv_loop_t *loop;
    char *path;
    struct line *line; // NULL: not connected
    uv_timer_t *timer;
    struct pending *pending;
    uint32_t last;
    bool broken; // since the timer looked last
};

struct message {
    uv_write_t request;
    struct buf bytes;
};

// --- the connection --------------------------------------------------------------------------------------------------

static void forget_line(uv_handle_t *handle)
{
    struct line *l = handle->data;
    sp_reader_clear(&l->reader);
    free(l);
}

static void hang_up(struct rpc *r)
{
    if (r->line == NULL)
        return;
    r->line->owner = NULL;
    uv_close((uv_handle_t *)&r->line->pipe, forget_line);
    r->line = NULL;
    r->broken = true;
}

static void take_answer(struct rpc *r, struct span message)
{
    struct pending **at = &r->pending;
    struct error e = {0};
    struct span words;
    if (!sp_split_words(&message, &words) || words.len != WORD)
        return;
    const unsigned char *w = (const unsigned char *)words.ptr;
    uint32_t number = ((uint32_t)(w[0] & 0x7f) << 24) | ((uint32_t)w[1] << 16) | ((uint32_t)w[2] << 8) | w[3];
    while (*at != NULL && (*at)->number != number)
        at = &(*at)->next;
    if (*at == NULL)
        return; // it has timed out
    struct pending *p = *at;
    *at = p->next;
    json_t *answer = json_loadb(message.ptr, message.len, 0, NULL);
    const json_t *result = json_object_get(answer, "result");
    if (result == NULL)
        ipc_error_from_json(json_object_get(answer, "error"), &e);
    p->done(p->arg, result, &e);
    json_decref(answer);
    free(p);
}

static void take_bytes(struct line *l, struct span bytes)
{
    while (l->owner != NULL) {
        enum sp_progress got = sp_reader_take(&l->reader, &bytes);
        if (got == SP_MORE)
            return;
        if (got == SP_BROKEN)
            hang_up(l->owner);
        else if (got == SP_MESSAGE)
            take_answer(l->owner, sp_reader_message(&l->reader));
    }
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    struct line *l = handle->data;
    (void)size;
    *out = uv_buf_init(l->chunk, sizeof l->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct line *l = stream->data;
    if (l->owner == NULL)
        return;
    if (n < 0)
        hang_up(l->owner);
    else
        take_bytes(l, (struct span){b->base, (size_t)n});
}

static void on_connected(uv_connect_t *request, int status)
{
    struct line *l = request->data;
    if (l->owner == NULL)
        return;
    if (status != 0 || uv_read_start((uv_stream_t *)&l->pipe, give_room, on_read) != 0)
        hang_up(l->owner);
}

static void written(uv_write_t *request, int status)
{
    struct message *m = request->data;
    (void)status; // the reader notices
    buf_free(&m->bytes);
    free(m);
}

static void write_out(struct line *l, struct buf bytes)
{
    struct message *m = mem_alloc(sizeof *m);
    m->bytes = bytes;
    m->request.data = m;
    uv_buf_t b = uv_buf_init(m->bytes.data, (unsigned)m->bytes.len);
    if (uv_write(&m->request, (uv_stream_t *)&l->pipe, &b, 1, written) != 0)
        written(&m->request, 0);
}

static void dial(struct rpc *r)
{
    unsigned char greeting[SP_GREETING_SIZE];
    struct buf bytes = {0};
    struct line *l = mem_alloc(sizeof *l);
    *l = (struct line){.owner = r, .reader = {.expected = SP_REP, .max = ANSWER_MAX}};
    uv_pipe_init(r->loop, &l->pipe, 0);
    l->pipe.data = l->connect.data = l;
    r->line = l;
    uv_pipe_connect(&l->connect, &l->pipe, r->path, on_connected);
    sp_greeting(SP_REQ, greeting);
    buf_add(&bytes, greeting, sizeof greeting);
    write_out(l, bytes);
}

// --- calls -----------------------------------------------------------------------------------------------------------

static void fail(struct rpc *r, bool all)
{
    struct pending *list = r->pending;
    struct pending **rest = &r->pending;
    uint64_t now = uv_now(r->loop);
    r->pending = NULL;
    for (struct pending *next; list != NULL; list = next) {
        struct error e = {0};
        next = list->next;
        if (!all && list->until > now) {
            list->next = NULL;
            while (*rest != NULL)
                rest = &(*rest)->next;
            *rest = list;
            continue;
        }
        if (all)
            error_set(&e, STATUS_CLOSED, "CLOSED", "the connection with the supervisor broke");
        else
            error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "no answer came in time");
        list->done(list->arg, NULL, &e);
        free(list);
    }
}

static void look(uv_timer_t *timer)
{
    struct rpc *r = timer->data;
    bool broken = r->broken;
    r->broken = false;
    fail(r, broken);
    if (r->pending == NULL)
        uv_timer_stop(timer);
}

struct rpc *rpc_create(uv_loop_t *loop, const char *path)
{
    struct rpc *r = mem_alloc(sizeof *r);
    *r = (struct rpc){.loop = loop, .path = mem_text(span_of(path)), .timer = mem_alloc(sizeof *r->timer)};
    uv_timer_init(loop, r->timer);
    r->timer->data = r;
    return r;
}

void rpc_call(struct rpc *r, const char *method, json_t *params, uint64_t timeout_ms, rpc_done done, void *arg)
{
    struct pending *p = mem_alloc(sizeof *p);
    struct buf bytes = {0};
    unsigned char head[SP_HEAD_SIZE];
    uint32_t n = r->last = (r->last + 1) & 0x7fffffff;
    unsigned char words[WORD] = {(unsigned char)(0x80 | n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                                 (unsigned char)n};
    *p = (struct pending){r->pending, n, uv_now(r->loop) + timeout_ms, done, arg};
    r->pending = p;
    json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", (json_int_t)n, "method", method,
                                "params", params != NULL ? params : json_object());
    char *text = json_dumps(request, JSON_COMPACT);
    sp_head(strlen(text) + WORD, head);
    buf_add(&bytes, head, sizeof head);
    buf_add(&bytes, words, sizeof words);
    buf_add_text(&bytes, text);
    free(text);
    json_decref(request);
    if (!uv_is_active((uv_handle_t *)r->timer))
        uv_timer_start(r->timer, look, LOOK_MS, LOOK_MS);
    if (r->line == NULL && !r->broken)
        dial(r);
    if (r->line != NULL)
        write_out(r->line, bytes);
    else
        buf_free(&bytes);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void rpc_destroy(struct rpc *r)
{
    if (r == NULL)
        return;
    hang_up(r);
    for (struct pending *p = r->pending, *next; p != NULL; p = next) {
        next = p->next;
        free(p);
    }
    uv_close((uv_handle_t *)r->timer, free_handle);
    free(r->path);
    free(r);
}
