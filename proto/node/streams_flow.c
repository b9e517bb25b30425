// That the other side ended its sending and that it died look alike to who reads; but of a dead one nothing can be
// heard and nothing told, which poll knows.
#include "node/streams_flow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/errors.h"

enum { PIECE = 256 << 10, FLUSH_BYTES = 8 << 20, DRAIN_MS = 10000, DRAIN_LOOK_MS = 1000 };

void streams_limit(int fd, unsigned ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static enum status broken(struct error *e)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return error_set(e, STATUS_TIMEOUT, "CLOSED", "the stream stood still for too long");
    return error_set(e, STATUS_CLOSED, "CLOSED", "the other side of the stream went away");
}

// len 0: it ended.
static enum status hear(int fd, char *data, size_t room, size_t *len, struct error *e)
{
    ssize_t n;
    do
        n = recv(fd, data, room, 0);
    while (n < 0 && errno == EINTR);
    *len = n > 0 ? (size_t)n : 0;
    return n < 0 ? broken(e) : STATUS_OK;
}

static enum status tell(int fd, struct span bytes, struct error *e)
{
    while (bytes.len != 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return broken(e);
        bytes = span_from(bytes, (size_t)n);
    }
    return STATUS_OK;
}

// No byte behind the line feed is read: it is the file's.
enum status streams_hear_ticket(int fd, char ticket[STREAM_TICKET + 1], struct error *e)
{
    for (size_t have = 0, n; have < STREAM_TICKET + 1; have += n) {
        if (hear(fd, ticket + have, STREAM_TICKET + 1 - have, &n, e) != STATUS_OK)
            return e->status;
        if (n == 0)
            return error_set(e, STATUS_INVALID, "BAD-INPUT", "a stream begins with its ticket and a line feed");
    }
    if (ticket[STREAM_TICKET] != '\n')
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a ticket has %d digits and a line feed", STREAM_TICKET);
    ticket[STREAM_TICKET] = '\0';
    return STATUS_OK;
}

static bool is_gone(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR)) != 0;
}

// The disk begins early, so that little is left to be written at the end.
static enum status receive(int fd, struct upload *u, char *piece, struct error *e)
{
    enum status st = STATUS_OK;
    size_t n = 1;
    for (uint64_t unflushed = 0; st == STATUS_OK && n != 0; unflushed += n) {
        st = hear(fd, piece, PIECE, &n, e);
        if (st == STATUS_OK)
            st = store_writer_add(u->writer, (struct span){piece, n}, e);
        u->size += n;
        if (unflushed >= FLUSH_BYTES) {
            store_writer_flush(u->writer);
            unflushed = 0;
        }
    }
    return st;
}

enum status streams_receive(int fd, struct upload *u, struct error *e)
{
    char *piece = mem_alloc(PIECE);
    enum status st = receive(fd, u, piece, e);
    free(piece);
    if (st == STATUS_OK && is_gone(fd))
        st = error_set(e, STATUS_CLOSED, "CLOSED", "the other side of the stream went away");
    return st == STATUS_OK ? store_writer_sync(u->writer, e) : st;
}

static enum status say(int fd, json_t *word, struct error *e)
{
    char *text = json_dumps(word, JSON_COMPACT);
    struct buf line = {0};
    buf_printf(&line, "%s\n", text);
    enum status st = tell(fd, buf_span(&line), e);
    buf_free(&line);
    free(text);
    json_decref(word);
    return st;
}

enum status streams_send(int fd, struct store_reader *reader, struct error *e)
{
    char *piece = mem_alloc(PIECE);
    enum status st = say(fd, json_pack("{s:I}", "size", (json_int_t)store_reader_left(reader)), e);
    for (size_t n = 1; st == STATUS_OK && n != 0;) {
        st = store_reader_next(reader, piece, PIECE, &n, e);
        if (st == STATUS_OK)
            st = tell(fd, (struct span){piece, n}, e);
    }
    free(piece);
    return st;
}

static void drain(int fd)
{
    char *piece = mem_alloc(PIECE);
    enum status st = STATUS_OK;
    size_t n = 1;
    shutdown(fd, SHUT_WR);
    streams_limit(fd, DRAIN_LOOK_MS);
    for (uint64_t until = clock_monotonic_ms() + DRAIN_MS; clock_monotonic_ms() < until;) {
        st = hear(fd, piece, PIECE, &n, NULL);
        if (st == STATUS_CLOSED || (st == STATUS_OK && n == 0))
            break;
    }
    free(piece);
}

void streams_hang_up(int fd)
{
    char ignored[4096];
    shutdown(fd, SHUT_RDWR); // nothing comes behind what is there
    while (recv(fd, ignored, sizeof ignored, MSG_DONTWAIT) > 0)
        ;
    close(fd);
}

void streams_say(int fd, uint64_t size, const struct error *error)
{
    struct error e;
    if (error == NULL) {
        (void)say(fd, json_pack("{s:I}", "size", (json_int_t)size), &e); // who went does not want to know
        return;
    }
    if (say(fd, json_pack("{s:o}", "error", ipc_error_to_json(error)), &e) == STATUS_OK)
        drain(fd);
}
