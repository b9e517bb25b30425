// discovery.on, discovery.off, discovery.list: the program tandem-discovery, which is started while the setting
// discovery.on is true, and what it says. It is started anew when what is to be announced changes, as its end is what
// withdraws an announcement.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "supervisor/config_edit.h"
#include "supervisor/core.h"

#define KEY "discovery.on"
#define HIDDEN "the listener is reached from this machine only: the setting listen.address says where it listens"
#define NOT_BUILT "this tandem was built without Avahi's library"

enum { SETTLE_MS = 6000, CHUNK = 4096 };

struct seeker { // one process of the program
    struct supervisor *owner;
    uv_process_t process;
    uv_pipe_t in; // it lives as long as this is open
    uv_pipe_t out;
    int handles;
    bool dropped; // it is to end, and what it still says does not count
    uint64_t began;
    struct buf line;
    char chunk[CHUNK];
};

static bool is_on(const struct supervisor *s)
{
    return strcmp(config_text(s->options->config, KEY), "true") == 0;
}

// --- what is to be announced -----------------------------------------------------------------------------------------

static bool take_listener(const json_t *listener, struct announcement *a)
{
    struct ws_url url;
    const char *type = json_string_value(json_object_get(listener, "type"));
    const char *state = json_string_value(json_object_get(listener, "state"));
    const char *text = json_string_value(json_object_get(listener, "url"));
    if (type == NULL || state == NULL || text == NULL || strcmp(type, "websocket") != 0 ||
        strcmp(state, "listening") != 0 || ws_url_parse(text, &url, NULL) != STATUS_OK)
        return false;
    a->port = url.port;
    snprintf(a->host, sizeof a->host, "%s", url.host);
    return true;
}

static bool find_listener(const struct node *archive, struct announcement *a)
{
    size_t i;
    const json_t *listener;
    json_array_foreach(node_is_open(archive) ? json_object_get(archive->status, "listeners") : NULL, i, listener)
    {
        if (take_listener(listener, a))
            return true;
    }
    return false;
}

// Nothing of it changes while the archive is between two processes.
static void find_place(const struct supervisor *s, struct announcement *a)
{
    const struct node *archive = &s->nodes[IPC_ARCHIVE];
    struct listen_address where = {0};
    if (s->kek.data != NULL && archive->status == NULL && process_state(archive->process) != PROCESS_FAILED) {
        if (a->port == 0 && a->why == NULL)
            a->why = "the archive is starting";
        return;
    }
    *a = (struct announcement){0};
    config_listen(s->options->config, &where, NULL);
    bool listens = find_listener(archive, a);
    if (strcmp(where.host, "none") == 0)
        a->why = "the setting listen.address is none";
    else if (s->installation.listener_stopped)
        a->why = "the listener is stopped: 'tandem listener start' opens it";
    else if (address_reach(listens ? a->host : where.host) == ADDRESS_MACHINE)
        a->why = HIDDEN;
    else if (!listens)
        a->why = "the archive does not listen: see 'tandem status'";
    if (a->why != NULL)
        *a = (struct announcement){.why = a->why};
}

// --- what the program says -------------------------------------------------------------------------------------------

static void announces_nothing(struct discovery *d)
{
    d->announced[0] = d->refused[0] = '\0';
}

static void take_state(struct discovery *d, const char *state, const json_t *said)
{
    const json_t *name = json_object_get(said, "name");
    bool away = strcmp(state, "away") == 0;
    bool announced = strcmp(state, "announced") == 0;
    char why[FOUND_WHY_MAX + 1];
    if (announced && !found_is_ours(name, d->name))
        return;
    found_why(json_object_get(said, "why"), why);
    error_clear(&d->failure);
    d->settled = d->settled && !away;
    announces_nothing(d);
    if (away)
        error_set(&d->failure, STATUS_CLOSED, "DISCOVERY-UNAVAILABLE", "discovery is on, and waits: %s", why);
    else if (announced)
        snprintf(d->announced, sizeof d->announced, "%s", json_string_value(name));
    else if (strcmp(state, "unannounced") == 0)
        snprintf(d->refused, sizeof d->refused, "Avahi refuses it, and is asked again: %s", why);
    else if (strcmp(state, "hidden") == 0)
        d->hidden = true;
}

static void take_settled(struct discovery *d, bool settled)
{
    d->settled = settled;
    if (!settled)
        found_again(d->found);
}

static void take_line(struct supervisor *s, struct span line)
{
    struct discovery *d = &s->discovery;
    json_t *said = json_loadb(line.ptr, line.len, 0, NULL);
    const char *state = json_string_value(json_object_get(said, "state"));
    const json_t *settled = json_object_get(said, "settled");
    if (state != NULL)
        take_state(d, state, said);
    else if (settled != NULL)
        take_settled(d, json_is_true(settled));
    else
        found_take(d->found, said, clock_wall_ms());
    json_decref(said);
    tasks_check(s);
}

static void take_lines(struct seeker *k)
{
    size_t done = 0;
    for (;;) {
        struct span rest = span_from(buf_span(&k->line), done);
        const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        if (end == NULL)
            break;
        if (!k->dropped)
            take_line(k->owner, (struct span){rest.ptr, (size_t)(end - rest.ptr)});
        done += (size_t)(end - rest.ptr) + 1;
    }
    buf_drop_front(&k->line, done);
    if (k->line.len > FOUND_LINE_MAX)
        uv_process_kill(&k->process, SIGKILL);
}

// --- its life --------------------------------------------------------------------------------------------------------

static void start(struct supervisor *s);

static void due(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    if (s->discovery.seeker == NULL && is_on(s) && !s->stopping)
        start(s);
}

static void handle_closed(uv_handle_t *handle)
{
    struct seeker *k = handle->data;
    if (--k->handles > 0)
        return;
    buf_free(&k->line);
    free(k);
}

static void close_handles(struct seeker *k)
{
    k->handles = 3;
    uv_close((uv_handle_t *)&k->in, handle_closed);
    uv_close((uv_handle_t *)&k->out, handle_closed);
    uv_close((uv_handle_t *)&k->process, handle_closed);
}

// lived_ms: 0 = it never began.
static void try_later(struct supervisor *s, uint64_t lived_ms, const char *why)
{
    struct discovery *d = &s->discovery;
    int64_t wait = restart_after_death(&d->restart, clock_monotonic_ms(), lived_ms);
    LOG(LOG_WARN, "discovery.ended", LOG_TEXT("reason", why), LOG_INT("againMs", wait));
    if (d->failure.code[0] == '\0')
        error_set(&d->failure, STATUS_CLOSED, "DISCOVERY-UNAVAILABLE", "tandem-discovery %s", why);
    if (wait != RESTART_NEVER)
        uv_timer_start(&d->timer, due, (uint64_t)wait, 0);
    tasks_check(s);
}

static void ended(uv_process_t *process, int64_t status, int signal)
{
    struct seeker *k = process->data;
    struct supervisor *s = k->owner;
    char why[64];
    snprintf(why, sizeof why, signal != 0 ? "was ended by signal %d" : "ended with status %d",
             signal != 0 ? signal : (int)status);
    if (!k->dropped) {
        s->discovery.seeker = NULL;
        announces_nothing(&s->discovery);
        try_later(s, clock_monotonic_ms() - k->began, why);
    }
    close_handles(k);
}

static void provide_chunk(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    struct seeker *k = handle->data;
    (void)size;
    *out = uv_buf_init(k->chunk, sizeof k->chunk);
}

static void take_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *chunk)
{
    struct seeker *k = stream->data;
    if (size < 0) {
        uv_read_stop(stream);
        return;
    }
    buf_add(&k->line, chunk->base, (size_t)size);
    take_lines(k);
}

static void drop(struct discovery *d)
{
    struct seeker *k = d->seeker;
    d->seeker = NULL;
    if (k == NULL)
        return;
    k->dropped = true;
    uv_process_kill(&k->process, SIGKILL);
}

static int spawn(struct supervisor *s, struct seeker *k)
{
    struct discovery *d = &s->discovery;
    char port[8];
    snprintf(port, sizeof port, "%d", d->place.port);
    char *arguments[] = {"tandem-discovery",
                         d->place.port != 0 ? "--name" : NULL,
                         d->name,
                         "--host",
                         d->place.host,
                         "--port",
                         port,
                         NULL};
    uv_stdio_container_t stdio[] = {{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&k->in},
                                    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&k->out},
                                    {.flags = UV_IGNORE}};
    uv_process_options_t options = {
        .file = d->program, .args = arguments, .stdio = stdio, .stdio_count = 3, .exit_cb = ended};
    return uv_spawn(&s->loop, &k->process, &options);
}

// A name that says nothing of whose it is, and is another one with each run of the program.
static void draw_name(char *out, size_t size)
{
    char drawn[8 + 1];
    random_letters(drawn, sizeof drawn - 1);
    snprintf(out, size, "one-%s", drawn);
}

static void start(struct supervisor *s)
{
    struct discovery *d = &s->discovery;
    if (access(d->program, X_OK) != 0) {
        error_set(&d->failure, STATUS_NOT_FOUND, "DISCOVERY-NOT-BUILT", NOT_BUILT);
        return;
    }
    struct seeker *k = mem_alloc(sizeof *k);
    *k = (struct seeker){.owner = s, .began = clock_monotonic_ms()};
    k->process.data = k->in.data = k->out.data = k;
    uv_pipe_init(&s->loop, &k->in, 0);
    uv_pipe_init(&s->loop, &k->out, 0);
    found_destroy(d->found);
    d->found = found_create();
    d->settled = d->hidden = false;
    announces_nothing(d);
    draw_name(d->name, sizeof d->name);
    int n = spawn(s, k);
    if (n != 0) {
        close_handles(k);
        try_later(s, 0, uv_strerror(n));
        return;
    }
    uv_read_start((uv_stream_t *)&k->out, provide_chunk, take_output);
    d->seeker = k;
}

static void forget(struct discovery *d)
{
    drop(d);
    uv_timer_stop(&d->timer);
    restart_reset(&d->restart);
    error_clear(&d->failure);
    announces_nothing(d);
}

static bool is_same(const struct announcement *a, const struct announcement *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

void discovery_update(struct supervisor *s)
{
    struct discovery *d = &s->discovery;
    struct announcement now = d->place;
    bool on = is_on(s) && !s->stopping;
    if (!on || !d->on) {
        if (on != d->on)
            forget(d);
        d->on = on;
        if (!on)
            return;
        find_place(s, &d->place);
        start(s);
        return;
    }
    find_place(s, &now);
    bool same = is_same(&now, &d->place);
    d->place = now;
    if (same)
        return;
    forget(d);
    start(s);
}

void discovery_init(struct supervisor *s)
{
    struct discovery *d = &s->discovery;
    uv_timer_init(&s->loop, &d->timer);
    d->timer.data = s;
    d->restart.limits = (struct restart_limits){500, 60000, RESTART_DEATHS_MAX, 600000, 30000};
    d->found = found_create();
}

void discovery_close(struct supervisor *s)
{
    forget(&s->discovery);
    found_destroy(s->discovery.found);
    uv_close((uv_handle_t *)&s->discovery.timer, NULL);
}

// --- what is asked ---------------------------------------------------------------------------------------------------

static bool is_settled(const struct supervisor *s, const struct task *t)
{
    const struct discovery *d = &s->discovery;
    bool silent = d->place.port == 0 || d->hidden || d->refused[0] != '\0' || d->announced[0] != '\0';
    (void)t;
    return !d->on || d->failure.code[0] != '\0' || (d->settled && silent);
}

static const char *why_silent(const struct discovery *d)
{
    if (!d->on || d->announced[0] != '\0')
        return NULL;
    if (d->failure.code[0] != '\0')
        return d->failure.message;
    if (d->hidden)
        return HIDDEN;
    if (d->refused[0] != '\0')
        return d->refused;
    return d->place.port == 0 ? d->place.why : "the network is being asked whether the name is free";
}

static json_t *show(const struct supervisor *s, const struct task *t)
{
    const struct discovery *d = &s->discovery;
    bool announced = d->announced[0] != '\0';
    const char *why = why_silent(d);
    const char *state = !d->on ? "off" : d->failure.code[0] != '\0' ? "waiting" : announced ? "announced" : "looking";
    (void)t;
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "state", state, "name",
                     announced ? json_string(d->announced) : json_null(), "port",
                     announced ? json_integer(d->place.port) : json_null(), "reason",
                     why != NULL ? json_string(why) : json_null(), "code",
                     d->failure.code[0] != '\0' ? json_string(d->failure.code) : json_null());
}

static json_t *show_list(const struct supervisor *s, const struct task *t)
{
    const struct discovery *d = &s->discovery;
    json_t *shown = show(s, t);
    json_object_set_new(shown, "items", d->on ? found_list(d->found, d->announced) : json_array());
    json_object_set_new(shown, "leftOut", json_integer(d->on ? (json_int_t)found_left_out(d->found) : 0));
    return shown;
}

static void answer_when_settled(struct supervisor *s, struct ipc_request *r,
                                json_t *(*result)(const struct supervisor *, const struct task *))
{
    const struct task_kind kind = {is_settled, result, true};
    if (tasks_begin(s, r, kind, SETTLE_MS) != NULL)
        tasks_check(s);
}

// The file is the one place where it is kept, so that people and programs see the same.
static enum status keep(struct supervisor *s, const char *value, struct error *e)
{
    const struct supervisor_options *o = s->options;
    bool had;
    if (config_edit(o->config_file, KEY, value, &had, e) != STATUS_OK) {
        if (strcmp(e->code, "NO-PERMISSION") == 0) // elsewhere: out of reach within our walls
            error_prefix(e, "'tandem config set --config %.160s " KEY " %s', then SIGHUP", o->config_file, value);
        return e->status;
    }
    if (s->reload(s, e) != STATUS_OK)
        return e->status;
    if (strcmp(config_text(o->config, KEY), value) == 0)
        return STATUS_OK;
    return error_set(e, STATUS_CONFLICT, "BAD-CONFIG", "the file has it, but the environment sets TANDEM_DISCOVERY_ON");
}

static void change(struct supervisor *s, struct ipc_request *r, bool on)
{
    struct error e = {0};
    if (on && access(s->discovery.program, X_OK) != 0)
        error_set(&e, STATUS_NOT_FOUND, "DISCOVERY-NOT-BUILT", NOT_BUILT);
    else
        keep(s, on ? "true" : "false", &e);
    if (e.status != STATUS_OK) {
        ipc_request_fail(r, &e);
        return;
    }
    LOG(LOG_INFO, "discovery.switched", LOG_TEXT("to", on ? "on" : "off"));
    answer_when_settled(s, r, show);
}

static void handle_on(struct ipc_request *r, void *ctx)
{
    change(ctx, r, true);
}

static void handle_off(struct ipc_request *r, void *ctx)
{
    change(ctx, r, false);
}

static void handle_list(struct ipc_request *r, void *ctx)
{
    answer_when_settled(ctx, r, show_list);
}

void discovery_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "discovery.on", handle_on, s);
    ipc_service_on(service, "discovery.off", handle_off, s);
    ipc_service_on(service, "discovery.list", handle_list, s);
}
