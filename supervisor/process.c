// An incarnation is one process of the system. It outlives its owner's interest until libuv has let go of all its
// handles, so every callback looks first whether it has an owner. The one timer waits for a restart, the next heartbeat
// or the end of grace; which it is follows from the state.
#include "supervisor/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/child.h"
#include "ipc/socket.h"
#include "supervisor/lastwords.h"

enum { READY_WITHIN_MS = 10000, STOP_ANSWER_MS = 1500 };

// What belongs to one operating system process; it lives until libuv let go of all its handles.
struct incarnation {
    struct process *owner; // NULL once the owner lost interest
    uv_process_t process;
    uv_poll_t poll;   // of the channel
    uv_pipe_t errors; // its standard error
    struct ipc_channel *channel;
    struct logfile *log;
    unsigned handles; // still open
    uint64_t started;
    uint64_t answered; // when it answered first, 0 = not yet
    uint64_t heard;    // when it answered last
    struct last_words words;
    char chunk[16 * 1024];
};

struct process {
    uv_loop_t *loop;
    struct process_settings settings;
    struct process_tuning tuning;
    struct process_events events;
    struct logfile *log;
    struct incarnation *now; // NULL without a process
    uv_timer_t *timer;       // restart, heartbeat or the end of grace, by state
    uint64_t beaten;         // when the heartbeat's timer fired last
    struct restart restart;
    enum process_state state;
    bool stopping;
    const char *death; // why we killed it, for the event
    char last_end[160];
    int64_t ended_at;
    unsigned restarts;
    uint64_t generation;
};

static void spawn(struct process *p);
static void beat(uv_timer_t *timer);

static void set_state(struct process *p, enum process_state state)
{
    if (p->state == state)
        return;
    p->state = state;
    p->events.changed(p->events.ctx, p);
}

static void tell(struct process *p, const char *event, json_t *data)
{
    p->events.event(p->events.ctx, event, data);
    json_decref(data);
}

// --- its end ---------------------------------------------------------------------------------------------------------

static void handle_closed(uv_handle_t *handle)
{
    struct incarnation *in = handle->data;
    if (--in->handles == 0)
        free(in);
}

// The owner lets go. The channel goes at once, because its socket is wanted again; what was said before the end is
// heard first. The pipe of the log stays until it is read to its end.
static void release(struct process *p, struct incarnation *in)
{
    uv_poll_stop(&in->poll);
    ipc_channel_drain(in->channel);
    p->now = NULL;
    in->owner = NULL;
    ipc_channel_destroy(in->channel);
    unlink(p->settings.files);
    uv_close((uv_handle_t *)&in->process, handle_closed);
    uv_close((uv_handle_t *)&in->poll, handle_closed);
    if (!uv_is_active((uv_handle_t *)&in->errors) && !uv_is_closing((uv_handle_t *)&in->errors))
        uv_close((uv_handle_t *)&in->errors, handle_closed);
}

static void restart_due(uv_timer_t *timer)
{
    spawn(timer->data);
}

static void count_death(struct process *p, uint64_t answered_ms)
{
    int64_t wait = restart_after_death(&p->restart, clock_monotonic_ms(), answered_ms);
    if (wait == RESTART_NEVER) {
        tell(p, "node.failed", json_pack("{s:i}", "deaths", (int)p->restart.count));
        set_state(p, PROCESS_FAILED);
        return;
    }
    p->restarts++;
    set_state(p, PROCESS_STARTING);
    uv_timer_start(p->timer, restart_due, (uint64_t)wait, 0);
}

static void take_said(struct incarnation *in, struct span said)
{
    logfile_write(in->log, said);
    last_words_take(&in->words, said);
}

// Its end is often told before what it said last was read.
static void hear_last_words(struct incarnation *in)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&in->errors, &fd) != 0)
        return;
    for (ssize_t n; (n = read(fd, in->chunk, sizeof in->chunk)) > 0;)
        take_said(in, (struct span){in->chunk, (size_t)n});
}

static void describe_end(struct process *p, const struct last_words *words, int64_t status, int signal_number)
{
    char *out = p->last_end;
    size_t size = sizeof p->last_end;
    p->ended_at = clock_wall_ms();
    if (p->death != NULL)
        snprintf(out, size, "%s", p->death);
    else if (signal_number != 0)
        snprintf(out, size, "ended by signal %d (%s)", signal_number, strsignal(signal_number));
    else
        snprintf(out, size, "ended with status %lld%s%s", (long long)status, words->why[0] != '\0' ? ": " : "",
                 words->why);
}

static void ended(uv_process_t *process, int64_t status, int signal_number)
{
    struct incarnation *in = process->data;
    struct process *p = in->owner;
    int pid = process->pid;
    uint64_t answered_ms = in->answered != 0 ? clock_monotonic_ms() - in->answered : 0;
    hear_last_words(in);
    release(p, in);
    uv_timer_stop(p->timer);
    if (p->stopping) {
        p->stopping = false;
        tell(p, "node.stopped", json_pack("{s:i}", "pid", pid));
        set_state(p, PROCESS_STOPPED);
        return;
    }
    LOG(LOG_ERROR, "node.died", LOG_TEXT("node", p->settings.name), LOG_INT("pid", pid), LOG_INT("status", status),
        LOG_INT("signal", signal_number));
    describe_end(p, &in->words, status, signal_number);
    tell(p, "node.died",
         json_pack("{s:i, s:I, s:i, s:s}", "pid", pid, "status", (json_int_t)status, "signal", signal_number, "reason",
                   p->last_end));
    p->death = NULL;
    count_death(p, answered_ms);
}

// --- its life --------------------------------------------------------------------------------------------------------

static void heard(void *ctx, json_t *result, const struct error *error)
{
    struct incarnation *in = ctx;
    (void)result;
    struct process *p = in->owner;
    if (p == NULL || error != NULL)
        return;
    in->heard = clock_monotonic_ms();
    if (in->answered != 0)
        return;
    in->answered = in->heard;
    p->generation++;
    tell(p, "node.ready", json_pack("{s:i}", "pid", in->process.pid));
    if (!p->stopping)
        set_state(p, PROCESS_UP);
}

static void ask_life(struct incarnation *in)
{
    ipc_channel_call(in->channel, "node.heartbeat", NULL, in->owner->tuning.silence_ms, heard, in);
}

static void kill_for(struct process *p, const char *reason)
{
    p->death = reason;
    uv_process_kill(&p->now->process, SIGKILL);
}

static uint64_t later(uint64_t since, uint64_t ms, uint64_t now)
{
    return now - since > ms ? since + ms : now;
}

// Nobody is heard while this process stands still itself, with its whole machine or container: that time does not
// count.
static void forgive_own_delay(struct process *p, uint64_t now)
{
    uint64_t passed = now - p->beaten;
    uint64_t delay = passed > p->tuning.heartbeat_ms ? passed - p->tuning.heartbeat_ms : 0;
    p->beaten = now;
    p->now->started = later(p->now->started, delay, now);
    p->now->heard = later(p->now->heard, delay, now);
}

static void beat(uv_timer_t *timer)
{
    struct process *p = timer->data;
    uint64_t now = clock_monotonic_ms();
    if (p->now == NULL)
        return;
    forgive_own_delay(p, now);
    if (p->now->answered == 0 && now - p->now->started >= READY_WITHIN_MS)
        kill_for(p, "did not answer after its start");
    else if (p->now->answered != 0 && now - p->now->heard >= p->tuning.silence_ms)
        kill_for(p, "did not answer any more");
    else if (ipc_channel_is_open(p->now->channel))
        ask_life(p->now);
}

static void channel_opened(void *ctx)
{
    ask_life(ctx);
}

static void channel_ready(uv_poll_t *poll, int status, int events)
{
    struct incarnation *in = poll->data;
    (void)status;
    (void)events;
    ipc_channel_drain(in->channel);
}

static void provide_chunk(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    struct incarnation *in = handle->data;
    (void)size;
    *out = uv_buf_init(in->chunk, sizeof in->chunk);
}

static void take_errors(uv_stream_t *stream, ssize_t size, const uv_buf_t *chunk)
{
    struct incarnation *in = stream->data;
    if (size > 0)
        take_said(in, (struct span){chunk->base, (size_t)size});
    else if (size < 0)
        uv_close((uv_handle_t *)stream, handle_closed);
}

// --- its birth -------------------------------------------------------------------------------------------------------

// Without it the node takes files in pieces only.
static int listen_for_files(const struct process *p)
{
    struct error e = {0};
    int fd = ipc_socket_listen(p->settings.files, &e);
    if (fd < 0)
        LOG(LOG_WARN, "node.withoutFiles", LOG_TEXT("node", p->settings.name), LOG_TEXT("reason", e.message));
    return fd;
}

static int start(struct process *p, struct incarnation *in, char **arguments, int files)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&in->errors},
        [IPC_CHILD_FILES_FD] = {.flags = files >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = files}};
    uv_process_options_t options = {.file = p->settings.program,
                                    .args = arguments,
                                    .stdio = stdio,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .exit_cb = ended};
    return uv_spawn(p->loop, &in->process, &options);
}

static int run_binary(struct process *p, struct incarnation *in, int files)
{
    char parent[16];
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    char *arguments[] = {(char *)p->settings.binary,
                         "--dir",
                         (char *)p->settings.dir,
                         "--channel",
                         (char *)p->settings.channel,
                         "--parent",
                         parent,
                         "--log-level",
                         (char *)p->tuning.log_level,
                         "--files",
                         files >= 0 ? (char *)p->settings.files : "",
                         p->tuning.ca_file[0] != '\0' ? "--ca-file" : NULL,
                         (char *)p->tuning.ca_file,
                         NULL};
    return start(p, in, arguments, files);
}

static struct incarnation *incarnation_create(struct process *p)
{
    struct incarnation *in = mem_alloc(sizeof *in);
    in->owner = p;
    in->log = p->log;
    in->handles = 3;
    in->started = clock_monotonic_ms();
    in->process.data = in;
    in->poll.data = in;
    in->errors.data = in;
    uv_pipe_init(p->loop, &in->errors, 0);
    return in;
}

// Anything that keeps a process from starting counts as a death, so that it is retried and given up alike.
static void spawn_failed(struct process *p, const char *reason)
{
    LOG(LOG_ERROR, "node.spawn", LOG_TEXT("node", p->settings.name), LOG_TEXT("reason", reason));
    snprintf(p->last_end, sizeof p->last_end, "%s", reason);
    p->ended_at = clock_wall_ms();
    tell(p, "node.died", json_pack("{s:i, s:s}", "pid", 0, "reason", reason));
    count_death(p, 0);
}

static void spawn(struct process *p)
{
    struct error e = {0};
    struct incarnation *in = incarnation_create(p);
    struct ipc_channel_events events = {
        .opened = channel_opened, .ctx = in, .event = p->events.event, .event_ctx = p->events.ctx};
    in->channel = ipc_channel_listen(p->settings.channel, NULL, events, &e);
    if (in->channel == NULL) {
        in->handles = 1;
        uv_close((uv_handle_t *)&in->errors, handle_closed);
        spawn_failed(p, e.message);
        return;
    }
    uv_poll_init(p->loop, &in->poll, ipc_channel_fd(in->channel));
    int files = listen_for_files(p);
    int n = run_binary(p, in, files);
    if (files >= 0)
        close(files); // it is the node's alone, and ends with it
    if (n != 0) {
        release(p, in);
        spawn_failed(p, uv_strerror(n));
        return;
    }
    ipc_channel_expect(in->channel, in->process.pid);
    uv_poll_start(&in->poll, UV_READABLE, channel_ready);
    uv_read_start((uv_stream_t *)&in->errors, provide_chunk, take_errors);
    p->now = in;
    p->beaten = clock_monotonic_ms();
    uv_timer_start(p->timer, beat, p->tuning.heartbeat_ms, p->tuning.heartbeat_ms);
    tell(p, "node.started", json_pack("{s:i}", "pid", in->process.pid));
    set_state(p, PROCESS_STARTING);
}

struct process *process_create(uv_loop_t *loop, struct process_settings settings, struct process_tuning tuning,
                               struct process_events events, struct logfile *log)
{
    struct process *p = mem_alloc(sizeof *p);
    *p = (struct process){.loop = loop, .settings = settings, .tuning = tuning, .events = events, .log = log};
    p->restart.limits = tuning.limits;
    p->timer = mem_alloc(sizeof *p->timer);
    uv_timer_init(loop, p->timer);
    p->timer->data = p;
    return p;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void process_destroy(struct process *p)
{
    if (p == NULL)
        return;
    uv_close((uv_handle_t *)p->timer, free_handle);
    free(p);
}

void process_adjust(struct process *p, struct process_tuning tuning)
{
    p->tuning = tuning;
    p->restart.limits = tuning.limits;
    if (p->now != NULL && !p->stopping)
        uv_timer_start(p->timer, beat, tuning.heartbeat_ms, tuning.heartbeat_ms);
}

void process_start(struct process *p)
{
    if (p->state != PROCESS_STOPPED && p->state != PROCESS_FAILED)
        return;
    restart_reset(&p->restart);
    spawn(p);
}

static void grace_over(uv_timer_t *timer)
{
    process_kill(timer->data);
}

static void stop_answered(void *ctx, json_t *result, const struct error *error)
{
    (void)ctx;
    (void)result;
    (void)error; // its end is what counts
}

void process_stop(struct process *p, uint64_t grace_ms)
{
    if (p->now == NULL) {
        uv_timer_stop(p->timer);
        set_state(p, PROCESS_STOPPED);
        return;
    }
    if (p->stopping)
        return;
    p->stopping = true;
    if (ipc_channel_is_open(p->now->channel))
        ipc_channel_call(p->now->channel, "node.stop", NULL, STOP_ANSWER_MS, stop_answered, NULL);
    else
        uv_process_kill(&p->now->process, SIGTERM);
    uv_timer_start(p->timer, grace_over, grace_ms, 0);
}

void process_kill(struct process *p)
{
    if (p->now != NULL)
        kill_for(p, "killed");
}

const char *process_name(const struct process *p)
{
    return p->settings.name;
}

enum process_state process_state(const struct process *p)
{
    bool dying = p->now == NULL || !ipc_channel_is_open(p->now->channel);
    return p->state == PROCESS_UP && dying ? PROCESS_STARTING : p->state;
}

pid_t process_pid(const struct process *p)
{
    return p->now != NULL ? p->now->process.pid : 0;
}

const char *process_last_end(const struct process *p)
{
    return p->last_end;
}

int64_t process_ended_at(const struct process *p)
{
    return p->ended_at;
}

unsigned process_restarts(const struct process *p)
{
    return p->restarts;
}

uint64_t process_generation(const struct process *p)
{
    return p->generation;
}

struct ipc_channel *process_channel(const struct process *p)
{
    return process_state(p) == PROCESS_UP && !p->stopping ? p->now->channel : NULL;
}
