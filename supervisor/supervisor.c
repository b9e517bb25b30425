// Building, taking down, and what processes, sockets, timers and signals tell. After each change drive comes before
// tasks_check: what is driven may be what a task waits for.
#include "supervisor/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/core.h"

enum { ROTATION_MS = 10000 };

// --- what the nodes tell ---------------------------------------------------------------------------------------------

// Before everything answered once, a node that is given up means that this installation does not work.
static void give_up(struct supervisor *s, const struct process *p)
{
    error_set(&s->failure, STATUS_IO, "NODE-DOWN", "the %s node cannot be started: %s", process_name(p),
              process_last_end(p));
    supervisor_stop(s, "a node cannot be started");
}

static void note_end(struct node *n)
{
    struct error e = {0};
    error_set(&e, STATUS_CLOSED, "NODE-DOWN", "it was started again and again, and %s each time",
              process_last_end(n->process));
    node_note_failure(n, &e);
}

static void process_changed(void *ctx, struct process *p)
{
    struct node *n = ctx;
    struct supervisor *s = n->owner;
    if (process_state(p) != PROCESS_UP)
        node_forget(n);
    if (process_state(p) == PROCESS_FAILED)
        note_end(n);
    if (s->stopping) {
        if (nodes_are_both(s, PROCESS_STOPPED))
            stopping_close(s);
        return;
    }
    if (n->restarting && process_state(p) == PROCESS_STOPPED) {
        n->restarting = false;
        process_start(p);
    }
    if (!s->told_ready && process_state(p) == PROCESS_FAILED) {
        give_up(s, p);
        return;
    }
    if (!s->told_ready && nodes_are_both(s, PROCESS_UP))
        notify_ready(s);
    readiness_update(s);
    provision_nodes_changed(s);
    drive(s);
    discovery_update(s);
    tasks_check(s);
}

// News about synchronising or contacts make the node's status worth asking for at once.
static void process_event(void *ctx, const char *name, json_t *data)
{
    struct node *n = ctx;
    struct supervisor *s = n->owner;
    if (strcmp(name, "keys.changed") == 0) {
        n->copied = 0;
        drive(s);
        return;
    }
    if (strcmp(name, "outbox.waiting") == 0) {
        courier_kick(s);
        return;
    }
    notify_event(s, ipc_node_name(n->which), name, data);
    if (strncmp(name, "chum.", 5) == 0 || strncmp(name, "contact.", 8) == 0) {
        n->asked_at = 1;
        courier_people(s);
        drive(s);
    }
}

// A node will not take a step: whoever waits for it hears so.
static void node_refused(struct node *n, const struct error *error)
{
    struct supervisor *s = n->owner;
    requests_refused(n, error);
    provision_failed(s, error);
    if (n->which == IPC_ARCHIVE)
        listener_refused(s);
}

// --- what the loop tells ---------------------------------------------------------------------------------------------

static void requests_waiting(uv_poll_t *poll, int status, int events)
{
    struct supervisor *s = poll->data;
    (void)status;
    (void)events;
    ipc_server_drain(s->server);
}

static void listeners_waiting(uv_poll_t *poll, int status, int events)
{
    struct supervisor *s = poll->data;
    (void)status;
    (void)events;
    ipc_hints_drain(s->hints);
}

static void rotate_own_log(struct supervisor *s)
{
    static uint64_t last;
    uint64_t now = clock_monotonic_ms();
    if (now - last < ROTATION_MS)
        return;
    last = now;
    logfile_rotate_if_full(s->own_log);
}

static void ticked(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    rotate_own_log(s);
    endpoints_mend(s);
    readiness_update(s);
    backup_tick(s);
    drive(s);
    discovery_update(s);
    tasks_check(s);
    uv_timer_start(timer, ticked, drive_poll_ms(s), 0);
}

static void kick(struct supervisor *s)
{
    if (!s->stopping)
        uv_timer_start(&s->tick, ticked, drive_poll_ms(s), 0);
}

static struct restart_limits restart_limits(const struct config *c)
{
    return (struct restart_limits){.backoff_min_ms = (uint64_t)config_int(c, "restart.backoff_min_ms"),
                                   .backoff_max_ms = (uint64_t)config_int(c, "restart.backoff_max_ms"),
                                   .deaths = (unsigned)config_int(c, "restart.deaths"),
                                   .window_ms = (uint64_t)config_int(c, "restart.window_s") * 1000,
                                   .healthy_ms = (uint64_t)config_int(c, "restart.healthy_s") * 1000};
}

static struct process_tuning tuning(const struct config *c)
{
    return (struct process_tuning){.log_level = config_text(c, "log.level"),
                                   .ca_file = config_text(c, "tls.ca_file"),
                                   .limits = restart_limits(c),
                                   .heartbeat_ms = (uint64_t)config_int(c, "heartbeat.interval_s") * 1000,
                                   .silence_ms = (uint64_t)config_int(c, "heartbeat.silence_s") * 1000};
}

static enum log_level level_of(const struct config *c)
{
    enum log_level level = LOG_ERROR;
    log_level_parse(config_text(c, "log.level"), &level); // checked when it was read
    return level;
}

static void tell_left_out(const struct config *c)
{
    size_t i;
    json_t *text;
    json_array_foreach(config_left_out(c), i, text)
    {
        LOG(LOG_WARN, "config.left-out", LOG_TEXT("problem", json_string_value(text)));
        fprintf(stderr, "tandem-supervisor: %s\n", json_string_value(text));
    }
}

static void apply_settings(struct supervisor *s)
{
    const struct config *c = s->options->config;
    log_open(logfile_fd(s->own_log), LOG_FORMAT_JSON, level_of(c), "supervisor");
    for (int i = 0; i < NODES; i++)
        process_adjust(s->nodes[i].process, tuning(c));
    walls_check_reach(s);
    tell_left_out(c);
    discovery_update(s);
}

static enum status read_settings(struct supervisor *s, struct error *e)
{
    const struct supervisor_options *o = s->options;
    if (config_reload(o->config, o->config_file, o->config_required, e) == STATUS_OK)
        apply_settings(s);
    return e->status;
}

static void reopen_log(struct logfile *l)
{
    struct error e = {0};
    if (logfile_reopen(l, &e) != STATUS_OK)
        notify_problem("log.kept", "the log goes on in its old file", e.message);
}

// The window that it was started in is gone.
static bool lost_terminal(const struct supervisor *s)
{
    return s->terminal >= 0 && isatty(s->terminal) == 0;
}

static int find_terminal(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (isatty(fd) == 1)
            return fd;
    return -1;
}

// Logs, limits and the supervisor's log level change at once, what concerns a node when that node is started again.
static void reload(struct supervisor *s)
{
    struct error e = {0};
    reopen_log(s->own_log);
    reopen_log(s->event_log);
    reopen_log(s->node_logs[0]);
    reopen_log(s->node_logs[1]);
    if (read_settings(s, &e) != STATUS_OK) {
        notify_problem("config.refused", "the settings stay as they were", e.message);
        return;
    }
    LOG(LOG_INFO, "config.reloaded");
}

static void signalled(uv_signal_t *handle, int number)
{
    struct supervisor *s = handle->data;
    if (number == SIGHUP && !lost_terminal(s)) {
        s->endpoints_looked_at = 0;
        endpoints_mend(s);
        reload(s);
    } else if (!s->stopping) {
        supervisor_stop(s, number == SIGHUP ? "the terminal is gone" : "signal");
    } else {
        process_kill(s->nodes[IPC_ARCHIVE].process);
        process_kill(s->nodes[IPC_SPARSE].process);
    }
}

static void stdin_moved(uv_poll_t *poll, int status, int events)
{
    struct supervisor *s = poll->data;
    char unread[256];
    (void)events;
    if (status < 0 || read(STDIN_FILENO, unread, sizeof unread) <= 0) {
        uv_poll_stop(poll);
        supervisor_stop(s, "standard input ended");
    }
}

// --- building up -----------------------------------------------------------------------------------------------------

static void create_node(struct supervisor *s, enum ipc_node which, const char *binary)
{
    char name[32], files[32];
    struct node *n = &s->nodes[which];
    snprintf(name, sizeof name, "%s.sock", ipc_node_name(which));
    snprintf(files, sizeof files, "%s.file.sock", ipc_node_name(which));
    struct process_settings settings = {.name = ipc_node_name(which),
                                        .binary = binary,
                                        .program = walls_hold_program(&s->programs[which], binary),
                                        .dir = statedir_file(s->dir, ipc_node_name(which)),
                                        .channel = statedir_socket(s->dir, name),
                                        .files = statedir_socket(s->dir, files)};
    struct process_events events = {process_changed, process_event, n};
    n->owner = s;
    n->which = which;
    n->process = process_create(&s->loop, settings, tuning(s->options->config), events, s->node_logs[which]);
}

static struct logfile *open_log(struct supervisor *s, const char *name, struct error *e)
{
    char file[48];
    snprintf(file, sizeof file, "log/%s.log", name);
    return logfile_open(statedir_file(s->dir, file), e);
}

static struct journal *journal; // log_also has no room for it

static void write_journal(struct span line)
{
    journal_line(journal, line);
}

// A journal that is not there keeps nobody from starting.
static void open_journal(struct supervisor *s)
{
    struct error e = {0};
    if (journal_open(config_text(s->options->config, "log.journal"), &s->journal, &e) != STATUS_OK)
        notify_problem("journal.missing", "the log goes to its files only", e.message);
    if (s->journal == NULL)
        return;
    journal = s->journal;
    log_also(write_journal);
    for (int i = 0; i < NODES; i++)
        logfile_use_journal(s->node_logs[i], s->journal);
}

static enum status open_logs(struct supervisor *s, struct error *e)
{
    s->own_log = open_log(s, "supervisor", e);
    if (s->own_log == NULL)
        return e->status;
    for (int i = 0; i < NODES; i++) {
        s->node_logs[i] = open_log(s, ipc_node_name((enum ipc_node)i), e);
        if (s->node_logs[i] == NULL)
            return e->status;
    }
    log_open(logfile_fd(s->own_log), LOG_FORMAT_JSON, level_of(s->options->config), "supervisor");
    open_journal(s);
    tell_left_out(s->options->config);
    s->ring = ipc_ring_create();
    s->event_log = eventlog_open(statedir_file(s->dir, "log/events.log"), s->ring, e);
    return s->event_log != NULL ? STATUS_OK : e->status;
}

static void watch_signals(struct supervisor *s)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], signalled, numbers[i]);
    }
}

static void watch(struct supervisor *s)
{
    watch_signals(s);
    uv_timer_init(&s->loop, &s->tick);
    s->tick.data = s;
    readiness_watch(s);
    courier_init(s);
    discovery_init(s);
    uv_poll_init(&s->loop, &s->server_poll, ipc_server_fd(s->server));
    s->server_poll.data = s;
    uv_poll_start(&s->server_poll, UV_READABLE, requests_waiting);
    uv_poll_init(&s->loop, &s->hints_poll, ipc_hints_fd(s->hints));
    s->hints_poll.data = s;
    uv_poll_start(&s->hints_poll, UV_READABLE, listeners_waiting);
    s->watches_stdin = s->options->stdin_lifetime && uv_poll_init(&s->loop, &s->stdin_poll, STDIN_FILENO) == 0;
    if (s->watches_stdin) {
        s->stdin_poll.data = s;
        uv_poll_start(&s->stdin_poll, UV_READABLE | UV_DISCONNECT, stdin_moved);
    }
}

static enum status shut_in(struct supervisor *s, struct error *e)
{
    if (statedir_open(s->options->state_dir, &s->dir, e) != STATUS_OK || open_logs(s, e) != STATUS_OK)
        return e->status;
    autostart_fetch(s);
    return walls_enter(s, e);
}

static enum status build(struct supervisor *s, struct error *e)
{
    if (provision_clean_up(s, e) != STATUS_OK || port_settle(s, e) != STATUS_OK || endpoints_open(s, e) != STATUS_OK)
        return e->status;
    create_node(s, IPC_ARCHIVE, s->options->archive_binary);
    create_node(s, IPC_SPARSE, s->options->sparse_binary);
    s->discovery.program = walls_hold_program(&s->discovery_program, s->options->discovery_binary);
    watch(s);
    return STATUS_OK;
}

static void take_down(struct supervisor *s)
{
    autostart_close(s);
    endpoints_close(s);
    walls_release_programs(s);
    secret_destroy(&s->kek);
    secret_destroy(&s->import_secret);
    json_decref(s->imported);
    json_decref(s->lost);
    backup_close(s);
    repeats_destroy(s->repeats);
    for (int i = 0; i < NODES; i++) {
        json_decref(s->nodes[i].status);
        logfile_close(s->node_logs[i]);
    }
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_WARN, "supervisor");
    log_also(NULL);
    journal_close(s->journal);
    logfile_close(s->own_log);
    logfile_close(s->event_log);
    statedir_close(s->dir);
}

enum status supervisor_run(const struct supervisor_options *options, struct error *e)
{
    struct supervisor *s = mem_alloc(sizeof *s);
    s->options = options;
    s->recreate = -1;
    s->kick = kick;
    s->reload = read_settings;
    s->refused = node_refused;
    s->repeats = tasks_memory();
    s->terminal = find_terminal();
    manager_open(&s->manager);
    s->started = clock_monotonic_ms();
    enum status status = shut_in(s, e);
    // Within the walls: a libuv that has got an io_uring before cannot go on without, there.
    uv_loop_init(&s->loop);
    autostart_listen(s);
    if (status == STATUS_OK && (status = build(s, e)) == STATUS_OK) {
        LOG(LOG_INFO, "supervisor.started", LOG_TEXT("version", TANDEM_VERSION));
        process_start(s->nodes[IPC_ARCHIVE].process);
        process_start(s->nodes[IPC_SPARSE].process);
        autostart_begin(s);
        kick(s);
        uv_run(&s->loop, UV_RUN_DEFAULT);
        status = s->failure.status;
        if (status != STATUS_OK)
            *e = s->failure;
    }
    take_down(s);
    uv_loop_close(&s->loop);
    manager_close(&s->manager);
    free(s);
    return status;
}
