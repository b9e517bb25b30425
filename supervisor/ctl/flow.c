// The node may have the last word before all was sent: then it has refused the rest, and says why.
#include "supervisor/ctl/flow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/socket.h"
#include "supervisor/ctl/interrupt.h"

enum { PIECE = 256 * 1024, WORD_MAX = 4096 };

// --- the file here ---------------------------------------------------------------------------------------------------

enum status transfer_write(struct transfer *t, struct span bytes, struct error *e)
{
    while (bytes.len > 0) {
        ssize_t n = write(t->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, "cannot write %s", t->file);
        bytes = span_from(bytes, (size_t)n);
    }
    return STATUS_OK;
}

enum status transfer_read(struct transfer *t, char *data, size_t room, size_t *len, struct error *e)
{
    *len = 0;
    while (*len < room) {
        ssize_t n = read(t->fd, data + *len, room - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, "cannot read %s", t->file);
        if (n == 0)
            break;
        *len += (size_t)n;
    }
    return STATUS_OK;
}

void transfer_moved(struct transfer *t, size_t bytes)
{
    t->done += bytes;
    progress_at(t->progress, t->done, t->total);
}

// --- the stream ------------------------------------------------------------------------------------------------------

static enum status gone(struct error *e)
{
    return error_set(e, STATUS_CLOSED, "CLOSED", "the node broke the stream off");
}

// Until the stream can do what is wanted, or something can be heard. *hears may be NULL.
static enum status wait_for(int stream, short wanted, bool *hears, struct error *e)
{
    struct pollfd p = {.fd = stream, .events = wanted};
    while (poll(&p, 1, -1) < 0) {
        if (errno != EINTR)
            return error_errno(e, "cannot wait for the node");
        if (interrupt_check(e) != STATUS_OK)
            return e->status;
    }
    if (hears != NULL)
        *hears = (p.revents & POLLIN) != 0;
    return STATUS_OK;
}

// STATUS_CLOSED: the node takes no more.
static enum status push(int stream, struct span bytes, struct error *e)
{
    while (bytes.len > 0) {
        bool hears;
        if (wait_for(stream, POLLIN | POLLOUT, &hears, e) != STATUS_OK)
            return e->status;
        ssize_t n = hears ? -1 : send(stream, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (!hears && n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0)
            return gone(e);
        bytes = span_from(bytes, (size_t)n);
    }
    return STATUS_OK;
}

// 0: it ended.
static enum status pull(int stream, void *data, size_t room, int flags, size_t *len, struct error *e)
{
    ssize_t n;
    do {
        if (wait_for(stream, POLLIN, NULL, e) != STATUS_OK)
            return e->status;
        n = recv(stream, data, room, flags);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    *len = n > 0 ? (size_t)n : 0;
    return STATUS_OK; // one that was reset ended, too
}

// A line of the node's, {"size":N} or {"error":…}, and not a byte more.
static enum status take_word(int stream, uint64_t *size, struct error *e)
{
    char line[WORD_MAX];
    size_t have;
    if (pull(stream, line, sizeof line, MSG_PEEK, &have, e) != STATUS_OK)
        return e->status;
    const char *end = memchr(line, '\n', have);
    if (end == NULL)
        return gone(e);
    size_t length = (size_t)(end - line) + 1;
    if (pull(stream, line, length, 0, &have, e) != STATUS_OK)
        return e->status;
    json_t *word = json_loadb(line, length, 0, NULL);
    const json_t *error = json_object_get(word, "error");
    *size = (uint64_t)json_integer_value(json_object_get(word, "size"));
    enum status st = error != NULL ? ipc_error_from_json(error, e) : STATUS_OK;
    json_decref(word);
    return st;
}

static enum status fill(int stream, struct transfer *t, char *piece, struct error *e)
{
    size_t n = 1;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && n > 0) {
        st = transfer_read(t, piece, PIECE, &n, e);
        if (st == STATUS_OK)
            st = push(stream, (struct span){piece, n}, e);
        if (st == STATUS_OK)
            transfer_moved(t, n);
    }
    return st;
}

enum status flow_fill(int stream, struct transfer *t, struct error *e)
{
    struct error told = {0};
    uint64_t size = 0;
    char *piece = mem_alloc(PIECE);
    enum status st = fill(stream, t, piece, e);
    free(piece);
    if (st == STATUS_OK)
        shutdown(stream, SHUT_WR);
    if (st != STATUS_OK && st != STATUS_CLOSED)
        return st;
    if (take_word(stream, &size, &told) != STATUS_OK) {
        *e = told;
        return told.status;
    }
    return st == STATUS_OK && size != t->done ? gone(e) : st;
}

enum status flow_draw(int stream, struct transfer *t, struct error *e)
{
    char *piece = mem_alloc(PIECE);
    enum status st = take_word(stream, &t->total, e);
    for (size_t n = 1; st == STATUS_OK && n > 0 && t->done < t->total;) {
        st = pull(stream, piece, PIECE, 0, &n, e);
        if (st == STATUS_OK)
            st = transfer_write(t, (struct span){piece, n}, e);
        if (st == STATUS_OK)
            transfer_moved(t, n);
        if (st == STATUS_OK)
            st = interrupt_check(e);
    }
    free(piece);
    return st == STATUS_OK && t->done < t->total ? gone(e) : st;
}

// --- its beginning ---------------------------------------------------------------------------------------------------

static int connect_with(const json_t *way, struct error *e)
{
    const char *path = json_string_value(json_object_get(way, "socket"));
    const char *ticket = json_string_value(json_object_get(way, "ticket"));
    struct buf line = {0};
    if (path == NULL || ticket == NULL)
        return -1;
    int stream = ipc_socket_dial(path, e);
    buf_printf(&line, "%s\n", ticket);
    if (stream >= 0 && push(stream, buf_span(&line), e) != STATUS_OK) {
        close(stream);
        stream = -1;
    }
    buf_free(&line);
    return stream;
}

json_t *flow_call(struct ctl *c, const char *method, json_t *params, struct error *e)
{
    json_t *result;
    do {
        error_clear(e);
        result = ctl_call(c, method, json_copy(params), e);
    } while (result == NULL && strcmp(e->code, "STILL-FETCHING") == 0 && interrupt_check(e) == STATUS_OK);
    json_decref(params);
    return result;
}

// An older node, one that streams enough already, and one without a socket for it.
static bool goes_in_pieces(const struct error *e)
{
    static const char *const codes[] = {"UNKNOWN-METHOD", "BUSY", "CLOSED"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(e->code, codes[i]) == 0)
            return true;
    return false;
}

enum status flow_open(struct ctl *c, json_t *params, int *stream, struct error *e)
{
    struct error ignored;
    json_t *way = flow_call(c, "blob.stream", params, e);
    *stream = way != NULL ? connect_with(way, &ignored) : -1;
    json_decref(way);
    if (way != NULL || !goes_in_pieces(e))
        return way != NULL ? STATUS_OK : e->status;
    error_clear(e);
    return STATUS_OK;
}
