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
#include "base/clock.h"
#include "base/text.h"
#include "ipc/methods.h"

// The server takes IPC_IN_FLIGHT_MAX of a client, 64; one that is answered may be counted a little longer.
enum { UNDER_WAY_MAX = 60, PIECE = 64 * 1024, WHY_MAX = 200 };

// --- lines -----------------------------------------------------------------------------------------------------------

struct lines {
    struct buf buf;
    size_t start;    // of the line that comes next
    size_t searched; // up to here there is no end of it
    bool ended;
    int error; // that ended it
};

enum found { FOUND_LINE, FOUND_NOTHING, FOUND_END };

static bool is_ready(int wait_ms)
{
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    return poll(&fd, 1, wait_ms) > 0;
}

static void read_more(struct lines *l)
{
    if (l->start != 0) {
        buf_drop_front(&l->buf, l->start);
        l->searched -= l->start;
        l->start = 0;
    }
    ssize_t n = read(STDIN_FILENO, buf_reserve(&l->buf, PIECE), PIECE);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) // who shares it may have made it not to wait
        return;
    l->buf.len += n > 0 ? (size_t)n : 0;
    l->ended = n <= 0;
    l->error = n < 0 ? errno : 0;
}

// With its end, but for a last one that has none; what a failure cut is no line. waits: for one that is not there yet.
static enum found next_line(struct lines *l, bool waits, struct span *out)
{
    for (;;) {
        const char *end =
            l->buf.len > l->searched ? memchr(l->buf.data + l->searched, '\n', l->buf.len - l->searched) : NULL;
        size_t to = end != NULL ? (size_t)(end - l->buf.data) + 1 : l->buf.len;
        l->searched = to;
        if (end != NULL || to - l->start > IPC_MESSAGE_MAX || (l->ended && l->error == 0 && to > l->start)) {
            *out = (struct span){l->buf.data + l->start, to - l->start};
            l->start = to;
            return FOUND_LINE;
        }
        if (l->ended)
            return FOUND_END;
        if (!is_ready(waits ? -1 : 0) && !waits)
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
    json_t *message;
    size_t line;
};

struct window {
    struct sending *sending;
    struct under_way items[UNDER_WAY_MAX]; // a ring
    size_t first;
    size_t count;
    struct under_way busy[UNDER_WAY_MAX]; // the server had no room for them: they are begun again, in this order
    size_t busy_count;
    size_t number; // of the line that was read last
    size_t blank;
    size_t failed; // and not stored
    size_t known;  // the last line of which it is known what became of it
    struct {       // lines without an answer: each may have been stored
        size_t count;
        size_t first;
        size_t last;
        bool mixed; // not all between first and last
    } lost;
    struct error why; // of the first line that was not stored for sure
    size_t why_line;
    bool why_lost;
};

static bool has_failed(const struct window *w)
{
    return w->why_line != 0;
}

static void note_lost(struct window *w, size_t line)
{
    w->lost.mixed = w->lost.mixed || (w->lost.count != 0 && w->known > w->lost.first);
    if (w->lost.count == 0 || line < w->lost.first)
        w->lost.first = line;
    if (line > w->lost.last)
        w->lost.last = line;
    w->lost.count++;
}

static void note_failure(struct window *w, size_t line, const struct error *why, bool lost)
{
    if (lost)
        note_lost(w, line);
    else
        w->failed++;
    if (has_failed(w) && w->why_line < line)
        return;
    w->why = *why;
    w->why_line = line;
    w->why_lost = lost;
}

// result: of ipc_client_take, taken over.
static void end_line(struct window *w, size_t line, json_t *result, struct error *why)
{
    bool lost = result == NULL && (why->status == STATUS_TIMEOUT || why->status == STATUS_CLOSED);
    if (!lost && line > w->known)
        w->known = line;
    if (sending_end(w->sending, result, line, why) == STATUS_OK)
        return;
    error_prefix(why, "line %zu", line);
    note_failure(w, line, why, lost);
}

static void end_oldest(struct window *w)
{
    struct under_way u = w->items[w->first];
    struct error why = {0};
    w->first = (w->first + 1) % UNDER_WAY_MAX;
    w->count--;
    json_t *result = ipc_client_take(u.call, &why);
    if (result == NULL && strcmp(why.code, "BUSY") == 0) {
        w->busy[w->busy_count++] = u;
        return;
    }
    json_decref(u.message);
    end_line(w, u.line, result, &why);
}

// While nothing else of ours is under way, and as long as one call may take.
static void send_again(struct window *w, const struct under_way *u)
{
    const struct ctl *c = w->sending->ctl;
    uint64_t until = c->timeout_s < 0 ? UINT64_MAX : clock_monotonic_ms() + (uint64_t)c->timeout_s * 1000;
    for (;;) {
        struct error why = {0};
        struct ipc_call *call = sending_begin(w->sending, u->message, &why);
        json_t *result = call != NULL ? ipc_client_take(call, &why) : NULL;
        if (result != NULL || strcmp(why.code, "BUSY") != 0 || clock_monotonic_ms() >= until) {
            end_line(w, u->line, result, &why);
            return;
        }
        ctl_pause();
    }
}

// Those behind a line that failed are not sent any more.
static void send_busy_again(struct window *w)
{
    for (size_t i = 0; i < w->busy_count; i++) {
        const struct under_way *u = &w->busy[i];
        struct error why = {0};
        error_set(&why, STATUS_CONFLICT, "BUSY", "line %zu: too many requests were in flight", u->line);
        if (has_failed(w) && w->why_line < u->line)
            note_failure(w, u->line, &why, false);
        else
            send_again(w, u);
        json_decref(u->message);
    }
    w->busy_count = 0;
}

static enum status begin(struct window *w, struct span line, struct error *e)
{
    char *text = mem_text(line);
    json_t *message = sending_message(w->sending, text);
    struct ipc_call *call = sending_begin(w->sending, message, e);
    free(text);
    if (call == NULL) {
        json_decref(message);
        error_prefix(e, "line %zu", w->number);
        return e->status;
    }
    w->items[(w->first + w->count++) % UNDER_WAY_MAX] = (struct under_way){call, message, w->number};
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

static void describe_lost(const struct window *w, struct buf *out)
{
    if (w->lost.count == 1 && w->why_lost)
        buf_add_text(out, "; not known whether it was stored");
    else if (w->lost.count == 1)
        buf_printf(out, "; line %zu: not known whether it was stored", w->lost.first);
    else if (w->lost.count > 1 && !w->lost.mixed)
        buf_printf(out, "; lines %zu–%zu: not known whether they were stored", w->lost.first, w->lost.last);
    else if (w->lost.count > 1)
        buf_printf(out, "; %zu of the lines %zu–%zu: not known whether they were stored", w->lost.count, w->lost.first,
                   w->lost.last);
}

static void report(const struct window *w, struct error *e)
{
    struct span why = utf8_beginning(span_of(w->why.message), WHY_MAX);
    size_t more = w->failed - (has_failed(w) && !w->why_lost ? 1 : 0);
    struct buf rest = {0};
    if (w->blank != 0)
        fprintf(stderr, "tandem: blank lines are no messages: %zu of %zu lines were not sent\n", w->blank, w->number);
    if (!has_failed(w))
        return;
    if (more != 0)
        buf_printf(&rest, w->why_lost ? "; not stored: %zu more" : " (and %zu more)", more);
    describe_lost(w, &rest);
    error_set(e, w->why.status, w->why.code, "%.*s%s", (int)why.len, why.ptr, buf_cstr(&rest));
    buf_free(&rest);
}

// The line that could not be sent is behind all others.
static void note_end(struct window *w, const struct lines *lines, const struct error *refused)
{
    struct error why = {0};
    if (refused->status != STATUS_OK) {
        note_failure(w, w->number, refused, false);
    } else if (lines->error != 0 && !has_failed(w)) {
        errno = lines->error;
        error_errno(&why, "cannot read stdin after line %zu", w->number);
        note_failure(w, w->number + 1, &why, false);
    }
}

enum status sending_lines(struct sending *s, struct error *e)
{
    struct window w = {.sending = s};
    struct lines lines = {0};
    struct span line;
    struct error refused = {0};
    size_t most = ctl_has(s->ctl, "wait") ? 1 : UNDER_WAY_MAX; // one that was not delivered ends it
    enum found found = FOUND_NOTHING;
    while (found != FOUND_END && !has_failed(&w) && refused.status == STATUS_OK) {
        bool takes = w.count < most && w.busy_count == 0;
        found = takes ? next_line(&lines, w.count == 0, &line) : FOUND_NOTHING;
        if (found == FOUND_LINE)
            (void)take_line(&w, line, &refused);
        else if (w.count != 0)
            end_oldest(&w);
        else
            send_busy_again(&w);
    }
    while (w.count != 0)
        end_oldest(&w);
    send_busy_again(&w);
    note_end(&w, &lines, &refused);
    report(&w, e);
    buf_free(&lines.buf);
    return e->status;
}
