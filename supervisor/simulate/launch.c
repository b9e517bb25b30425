// By fork, as libuv's spawn cannot have the child told of our death. The end is the end of its output: whoever else had
// that open, its own children, dies with it.
#include "supervisor/simulate/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CHUNK = 16 * 1024, LINE_MAX_BYTES = 1 << 20 };

struct launch {
    struct launch_events events;
    pid_t pid;
    int lifeline; // its standard input
    uv_pipe_t output;
    bool closing;
    struct buf line;
    char chunk[CHUNK];
};

static void become(char *const *words, char *const *environment, const char *errors, pid_t parent, int in, int out)
{
    int err = open(errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || err < 0)
        _exit(127);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    setsid();
    for (; environment != NULL && *environment != NULL; environment++)
        putenv(*environment);
    execv(words[0], words);
    _exit(127);
}

static void let_go(uv_handle_t *handle)
{
    struct launch *l = handle->data;
    buf_free(&l->line);
    free(l);
}

static void close_all(struct launch *l)
{
    l->closing = true;
    close(l->lifeline);
    uv_close((uv_handle_t *)&l->output, let_go);
}

static void take_lines(struct launch *l)
{
    for (;;) {
        const char *end = l->line.len > 0 ? memchr(l->line.data, '\n', l->line.len) : NULL;
        if (end == NULL || l->closing)
            return;
        size_t len = (size_t)(end - l->line.data) + 1;
        json_t *line = json_loadb(l->line.data, len, 0, NULL);
        buf_drop_front(&l->line, len);
        if (line != NULL)
            l->events.said(l->events.arg, line);
        json_decref(line);
    }
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    struct launch *l = handle->data;
    (void)size;
    *out = uv_buf_init(l->chunk, CHUNK);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct launch *l = stream->data;
    int status = 0;
    if (l->closing || n == 0)
        return;
    if (n > 0 && l->line.len < LINE_MAX_BYTES) {
        buf_add(&l->line, b->base, (size_t)n);
        take_lines(l);
        return;
    }
    struct launch_events events = l->events;
    kill(l->pid, SIGKILL); // without an output it is of no use
    waitpid(l->pid, &status, 0);
    close_all(l);
    events.ended(events.arg, status);
}

struct launch *launch_start(uv_loop_t *loop, char *const *words, char *const *environment, const char *errors,
                            const struct launch_events *events, struct error *e)
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    pid_t parent = getpid();
    struct launch *l = mem_alloc(sizeof *l);
    *l = (struct launch){.events = *events, .pid = -1};
    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
        l->pid = fork();
    if (l->pid == 0)
        become(words, environment, errors, parent, in[0], out[1]);
    if (l->pid < 0) {
        error_errno(e, "cannot start %s", words[0]);
        for (size_t i = 0; i < 2; i++) {
            close(in[i]);
            close(out[i]);
        }
        free(l);
        return NULL;
    }
    close(in[0]);
    close(out[1]);
    l->lifeline = in[1];
    uv_pipe_init(loop, &l->output, 0);
    l->output.data = l;
    uv_pipe_open(&l->output, out[0]);
    uv_read_start((uv_stream_t *)&l->output, give_room, on_read);
    return l;
}

pid_t launch_pid(const struct launch *l)
{
    return l->pid;
}

void launch_destroy(struct launch *l)
{
    if (l == NULL || l->closing)
        return;
    kill(l->pid, SIGKILL);
    waitpid(l->pid, NULL, 0);
    close_all(l);
}
