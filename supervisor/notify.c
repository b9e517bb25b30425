// Events: into the ring, as a hint to PUB, to readers that wait in events.since, and to standard output.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/core.h"

enum { LINE_MAX_BYTES = 4096 }; // a pipe that is writable takes so many bytes without blocking (PIPE_BUF)

void notify_problem(const char *event, const char *what, const char *why)
{
    LOG(LOG_ERROR, event, LOG_TEXT("problem", why));
    fprintf(stderr, "tandem-supervisor: %s: %s\n", what, why);
}

// Whoever closed the pipe knows; whose disk is full does not.
static void stream_fails(struct supervisor *s, int number)
{
    s->stream_closed = true;
    if (number != EPIPE)
        notify_problem("stdout.failed", "standard output could not be written, the nodes go on without it",
                       strerror(number));
}

// A reader that does not keep up costs it lines, never us time.
static bool write_line(struct supervisor *s, const char *text)
{
    char line[LINE_MAX_BYTES + 1];
    struct pollfd fd = {STDOUT_FILENO, POLLOUT, 0};
    int n = snprintf(line, sizeof line, "%s\n", text);
    if (s->stream_closed || n < 0 || (size_t)n >= sizeof line)
        return false;
    if (poll(&fd, 1, 0) != 1 || (fd.revents & POLLOUT) == 0)
        return false;
    if (write(STDOUT_FILENO, line, (size_t)n) < 0)
        stream_fails(s, errno);
    return true;
}

static void write_json(struct supervisor *s, const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    if (!write_line(s, text))
        s->lost_lines++;
    free(text);
}

static void stream_json(struct supervisor *s, const json_t *object)
{
    char gap[80];
    if (s->lost_lines > 0) {
        snprintf(gap, sizeof gap, "{\"event\":\"stream.gap\",\"lost\":%llu}", (unsigned long long)s->lost_lines);
        if (write_line(s, gap))
            s->lost_lines = 0;
    }
    write_json(s, object);
}

// For people only what happens to the nodes themselves.
static void stream_text(struct supervisor *s, const char *node, const char *event, const json_t *data)
{
    char line[512];
    if (strncmp(event, "node.", 5) != 0 && strncmp(event, "nodes.", 6) != 0)
        return;
    const char *reason = json_string_value(json_object_get(data, "reason"));
    snprintf(line, sizeof line, "%-10s %s%s%s", node, event, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    write_line(s, line);
}

static void stream_event(struct supervisor *s, const json_t *hint, const json_t *data)
{
    if (!s->told_ready) // "ready" is the first line
        return;
    if (!s->options->json) {
        stream_text(s, json_string_value(json_object_get(hint, "node")),
                    json_string_value(json_object_get(hint, "event")), data);
        return;
    }
    json_t *line = json_copy((json_t *)hint);
    json_object_del(line, "bootId");
    json_object_set(line, "data", (json_t *)data);
    stream_json(s, line);
    json_decref(line);
}

void notify_event(struct supervisor *s, const char *node, const char *event, const json_t *data)
{
    json_t *nothing = json_object();
    json_t *hint = ipc_ring_add(s->ring, node, event, data, clock_wall_ms());
    eventlog_add(s->event_log, s->ring);
    if (s->hints != NULL)
        ipc_hints_publish(s->hints, hint);
    stream_event(s, hint, data != NULL ? data : nothing);
    json_decref(hint);
    json_decref(nothing);
    tasks_check(s);
}

void notify_ready(struct supervisor *s)
{
    const char *control = statedir_socket(s->dir, "control.sock");
    s->told_ready = true;
    if (s->options->json) {
        char url[160];
        snprintf(url, sizeof url, "ipc://%s", control);
        json_t *line = json_pack("{s:s, s:i, s:s}", "event", "ready", "pid", (int)getpid(), "control", url);
        if (s->found_port != 0)
            json_object_set_new(line, "port", json_integer(s->found_port));
        stream_json(s, line);
        json_decref(line);
        return;
    }
    char line[512];
    snprintf(line, sizeof line, "tandem %s runs (pid %d). State: %.200s\nStop it with Ctrl-C or 'tandem down'.",
             TANDEM_VERSION, (int)getpid(), statedir_path(s->dir));
    write_line(s, line);
    if (s->found_port == 0)
        return;
    snprintf(line, sizeof line, "The usual port was taken: the archive listens at port %d from now on (%.200s/port).",
             s->found_port, statedir_path(s->dir));
    write_line(s, line);
}
