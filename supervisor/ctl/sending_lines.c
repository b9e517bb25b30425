// Lines are sent while others wait for their answers, so that a node stores many in one commit. Answers are waited for
// when enough are under way or stdin has nothing more at the moment: who writes a line and waits for its answer gets
// it.
#include "supervisor/ctl/sending_lines.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "ipc/methods.h"

// The server takes IPC_IN_FLIGHT_MAX of a client, 64; one that is answered may be counted a little longer.
enum { UNDER_WAY_MAX = 60, PIECE = 64 * 1024 };

// --- lines -----------------------------------------------------------------------------------------------------------

struct lines {
    struct buf buf;
    size_t start;    // of the line that comes next
    size_t searched; // up to here there is no end of it
    bool ended;
};

enum found { FOUND_LINE, FOUND_NOTHING, FOUND_END };

static bool is_ready(void)
{
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    return poll(&fd, 1, 0) > 0;
}

static void read_more(struct lines *l)
{
    if (l->start != 0) {
        buf_drop_front(&l->buf, l->start);
        l->searched -= l->start;
        l->start = 0;
    }
    ssize_t n;
    do
        n = read(STDIN_FILENO, buf_reserve(&l->buf, PIECE), PIECE);
    while (n < 0 && errno == EINTR);
    l->buf.len += n > 0 ? (size_t)n : 0;
    l->ended = n <= 0;
}

// With its end, but for a last one that has none. waits: for one that is not there yet.
static enum found next_line(struct lines *l, bool waits, struct span *out)
{
    for (;;) {
        const char *end =
            l->buf.len > l->searched ? memchr(l->buf.data + l->searched, '\n', l->buf.len - l->searched) : NULL;
        size_t to = end != NULL ? (size_t)(end - l->buf.data) + 1 : l->buf.len;
        l->searched = to;
        if (end != NULL || to - l->start > IPC_MESSAGE_MAX || (l->ended && to > l->start)) {
            *out = (struct span){l->buf.data + l->start, to - l->start};
            l->start = to;
            return FOUND_LINE;
        }
        if (l->ended)
            return FOUND_END;
        if (!waits && !is_ready())
            return FOUND_NOTHING;
        read_more(l);
    }
}

// Without its end, LF or CRLF. A NUL would cut it.
static enum status check_line(struct span *line, size_t number, struct error *e)
{
    if (memchr(line->ptr, '\0', line->len) != NULL)
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "line %zu has a NUL byte; it was not sent", number);
    if (line->len > 0 && line->ptr[line->len - 1] == '\n')
        line->len--;
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    if (line->len > IPC_MESSAGE_MAX)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "line %zu has more than %d MiB; it was not sent", number,
                         IPC_MESSAGE_MAX >> 20);
    if (!utf8_valid(*line))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "line %zu is not valid UTF-8; it was not sent", number);
    return STATUS_OK;
}

static bool is_blank(struct span line)
{
    size_t i = 0;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
        i++;
    return i == line.len;
}

// --- those under way -------------------------------------------------------------------------------------------------

struct under_way {
    struct ipc_call *call;
    size_t line;
};

struct window {
    struct sending *sending;
    struct under_way items[UNDER_WAY_MAX]; // a ring
    size_t first;
    size_t count;
    size_t number; // of the line that was read last
    size_t blank;
    size_t failed;
    struct error why; // of the first that failed
};

// In the order of the lines: a line that is not even sent is behind all that are under way.
static void note_failure(struct window *w, const struct error *why)
{
    if (w->failed++ == 0)
        w->why = *why;
}

// Who waited for one in vain does not wait as long again for each of the others.
static void end_oldest(struct window *w)
{
    struct under_way u = w->items[w->first];
    struct error why = {0};
    w->first = (w->first + 1) % UNDER_WAY_MAX;
    w->count--;
    if (w->why.status == STATUS_TIMEOUT || w->why.status == STATUS_CLOSED)
        ipc_client_hurry(u.call);
    if (sending_end(w->sending, u.call, u.line, &why) == STATUS_OK)
        return;
    error_prefix(&why, "line %zu", u.line);
    note_failure(w, &why);
}

static enum status begin(struct window *w, struct span line, struct error *e)
{
    char *text = mem_text(line);
    struct ipc_call *call = sending_begin(w->sending, text, e);
    free(text);
    if (call == NULL) {
        error_prefix(e, "line %zu", w->number);
        return e->status;
    }
    w->items[(w->first + w->count++) % UNDER_WAY_MAX] = (struct under_way){call, w->number};
    return STATUS_OK;
}

static enum status take_line(struct window *w, struct span line, struct error *e)
{
    if (check_line(&line, ++w->number, e) != STATUS_OK)
        return e->status;
    if (!is_blank(line))
        return begin(w, line, e);
    w->blank++;
    return STATUS_OK;
}

static void report(const struct window *w, struct error *e)
{
    if (w->blank != 0)
        fprintf(stderr, "tandem: blank lines are no messages: %zu of %zu lines were not sent\n", w->blank, w->number);
    if (w->failed == 0)
        return;
    if (w->failed == 1)
        error_set(e, w->why.status, w->why.code, "%s", w->why.message);
    else
        error_set(e, w->why.status, w->why.code, "%s (and %zu more)", w->why.message, w->failed - 1);
}

enum status sending_lines(struct sending *s, struct error *e)
{
    struct window w = {.sending = s};
    struct lines lines = {0};
    struct span line;
    struct error refused = {0};
    size_t most = ctl_has(s->ctl, "wait") ? 1 : UNDER_WAY_MAX; // one that was not delivered ends it
    enum found found = FOUND_NOTHING;
    while (found != FOUND_END && w.failed == 0 && refused.status == STATUS_OK) {
        found = w.count < most ? next_line(&lines, w.count == 0, &line) : FOUND_NOTHING;
        if (found == FOUND_LINE)
            (void)take_line(&w, line, &refused);
        else if (w.count != 0)
            end_oldest(&w);
    }
    while (w.count != 0)
        end_oldest(&w);
    if (refused.status != STATUS_OK)
        note_failure(&w, &refused);
    report(&w, e);
    buf_free(&lines.buf);
    return e->status;
}
