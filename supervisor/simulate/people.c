// Opening an installation derives a key with a lot of memory and time, so only as many do at a time as there are
// processors for.
#include "supervisor/simulate/people.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "supervisor/simulate/machine.h"
#include "supervisor/simulate/mail.h"

enum { SECRET_LENGTH = 24, PROVISION_MS = 120000, ASK_MS = 60000, AT_ONCE_MAX = 16, WORDS = 12, GONE_LOOKS = 20 };

static void open_user(struct user *u);

// --- links -----------------------------------------------------------------------------------------------------------

// Those of a pair that meets at a relay have no other way to each other, as behind two routers.
static bool is_walled(const struct world *w, size_t one, size_t other)
{
    for (size_t i = 0; w->scenario->relay_count > 0 && i < w->scenario->pair_count; i++) {
        const struct scenario_pair *p = &w->scenario->pairs[i];
        if (p->relay && ((p->one == one && p->other == other) || (p->one == other && p->other == one)))
            return true;
    }
    return false;
}

static struct front_link ask_link(void *arg, const char *key, size_t behind)
{
    const struct world *w = arg;
    struct front_link out = {FRONT_OPEN, 0};
    const json_t *user = w->link_count + w->scenario->relay_count > 0 ? json_object_get(w->keys, key) : NULL;
    size_t who = (size_t)json_integer_value(user);
    if (user != NULL && is_walled(w, who, behind))
        out.state = FRONT_CUT;
    for (size_t i = 0; user != NULL && i < w->link_count; i++) {
        const struct link *l = &w->links[i];
        if (!(l->one == who && l->other == behind) && !(l->one == behind && l->other == who))
            continue;
        if (out.state != FRONT_CUT)
            out.state = l->cut > 0 ? FRONT_CUT : l->stalled > 0 ? FRONT_STALLED : FRONT_OPEN;
        out.delay_ms = l->delay_ms;
    }
    return out;
}

// --- opening ---------------------------------------------------------------------------------------------------------

static int port_of(const char *url)
{
    struct ws_url parts;
    return url != NULL && ws_url_parse(url, &parts, NULL) == STATUS_OK ? parts.port : 0;
}

static void keep_text(char **at, const json_t *value)
{
    if (!json_is_string(value))
        return;
    free(*at);
    *at = mem_text(span_of(json_string_value(value)));
}

static void keep_key(struct user *u, size_t node, const json_t *result)
{
    const char *key = json_string_value(json_object_get(json_object_get(result, "instanceKeys"), "publicKey"));
    if (key == NULL || strlen(key) != FRONT_KEY)
        return;
    memcpy(u->keys[node], key, FRONT_KEY + 1);
    json_object_set_new(u->world->keys, key, json_integer((json_int_t)u->number));
}

static void on_sparse_id(void *arg, const json_t *result, const struct error *e)
{
    struct user *u = arg;
    if (e->status != STATUS_OK) {
        world_fail(u->world, e, "%s does not say who it is", u->name);
        return;
    }
    keep_key(u, 1, result);
    u->state = USER_THERE;
}

static void on_archive_id(void *arg, const json_t *result, const struct error *e)
{
    struct user *u = arg;
    if (e->status != STATUS_OK) {
        world_fail(u->world, e, "%s does not say who it is", u->name);
        return;
    }
    keep_key(u, 0, result);
    rpc_call(u->rpc, "id", json_pack("{s:s}", "node", "sparse"), ASK_MS, on_sparse_id, u);
}

static void on_opened(void *arg, const json_t *result, const struct error *e)
{
    struct user *u = arg;
    const json_t *archive = json_object_get(result, "archive");
    const json_t *sparse = json_object_get(result, "sparse");
    if (u->state != USER_OPENING || u->dies)
        return; // it was killed meanwhile
    if (e->status != STATUS_OK && u->opening > 1) {
        open_user(u);
        return;
    }
    if (e->status != STATUS_OK) {
        world_fail(u->world, e, "%s could not be opened", u->name);
        return;
    }
    u->archive_pid = (pid_t)json_integer_value(json_object_get(archive, "pid"));
    u->sparse_pid = (pid_t)json_integer_value(json_object_get(sparse, "pid"));
    keep_text(&u->archive_person, json_object_get(archive, "personId"));
    keep_text(&u->sparse_person, json_object_get(sparse, "personId"));
    front_target(u->front, port_of(json_string_value(json_object_get(archive, "url"))));
    if (u->opening > 1) {
        u->state = USER_THERE;
        world_tell(u->world, "%s is back after %llu ms", u->name,
                   (unsigned long long)(world_now(u->world) - u->asked_at));
        return;
    }
    u->federated_ms = (int64_t)(world_now(u->world) - u->asked_at);
    rpc_call(u->rpc, "id", json_pack("{s:s}", "node", "archive"), ASK_MS, on_archive_id, u);
}

static void open_user(struct user *u)
{
    struct buf secret = {0};
    buf_add(&secret, u->secret.data, u->secret.len);
    json_t *params =
        json_pack("{s:s, s:s, s:i}", "user", u->name, "secret", buf_cstr(&secret), "timeoutMs", PROVISION_MS);
    u->state = USER_OPENING;
    rpc_call(u->rpc, "provision", params, PROVISION_MS + ASK_MS, on_opened, u);
    secret_wipe(secret.data, secret.len);
    buf_free(&secret);
}

// --- what a supervisor says ------------------------------------------------------------------------------------------

static void on_event(struct user *u, const char *event, const json_t *line)
{
    const json_t *data = json_object_get(line, "data");
    const char *node = json_string_value(json_object_get(line, "node"));
    const char *id = json_string_value(json_object_get(data, "id"));
    if (strcmp(event, "chat.received") == 0 && id != NULL)
        mail_received(u->world, u->number, id);
    if (strcmp(event, "node.started") == 0 && node != NULL) {
        pid_t pid = (pid_t)json_integer_value(json_object_get(data, "pid"));
        *(strcmp(node, "archive") == 0 ? &u->archive_pid : &u->sparse_pid) = pid;
    }
}

static void on_line(void *arg, const json_t *line)
{
    struct user *u = arg;
    const char *event = json_string_value(json_object_get(line, "event"));
    const char *control = json_string_value(json_object_get(line, "control"));
    const char *message = json_string_value(json_object_get(json_object_get(line, "error"), "message"));
    if (message != NULL)
        world_fail(u->world, NULL, "the supervisor of %s does not start: %s", u->name, message);
    if (event == NULL)
        return;
    if (u->state != USER_STARTING || control == NULL) {
        on_event(u, event, line);
        return;
    }
    if (u->rpc == NULL)
        u->rpc = rpc_create(u->world->loop, control + strlen("ipc://"));
    u->asked_at = world_now(u->world);
    u->opening += u->opening < 2;
    open_user(u);
}

static void on_ended(void *arg, int status)
{
    struct user *u = arg;
    bool meant = u->dies;
    u->supervisor = NULL;
    u->state = USER_ABSENT;
    if (!meant)
        world_fail(u->world, NULL, "the supervisor of %s ended with status %d", u->name, status);
}

// --- starting --------------------------------------------------------------------------------------------------------

static bool has_pair(const struct world *w, size_t user, bool relay, bool inviting)
{
    for (size_t i = 0; i < w->scenario->pair_count; i++) {
        const struct scenario_pair *p = &w->scenario->pairs[i];
        if (p->relay == relay && (p->one == user || (!inviting && p->other == user)))
            return true;
    }
    return false;
}

// Who meets others at a relay only has no listener, so that nobody finds a shorter way.
static void start_user(struct user *u)
{
    struct world *w = u->world;
    struct error e = {0};
    struct arena *memory = arena_create();
    bool relayed = has_pair(w, u->number, true, true);
    bool dialled = has_pair(w, u->number, false, false) || !has_pair(w, u->number, true, false);
    char *words[WORDS];
    size_t n = 0;
    words[n++] = w->program;
    words[n++] = "--state-dir";
    words[n++] = u->dir;
    words[n++] = "--json";
    words[n++] = "--stdin-lifetime";
    words[n++] = "--listen";
    words[n++] = dialled ? "localhost:0" : "none";
    if (dialled) {
        words[n++] = "--public-url";
        words[n++] = (char *)arena_printf(memory, "ws://127.0.0.1:%d", front_port(u->front)).ptr;
    }
    if (relayed) {
        const struct relay *r = &w->relays[u->number % w->scenario->relay_count];
        words[n++] = "--relay";
        words[n++] = (char *)arena_printf(memory, "ws://127.0.0.1:%d", front_port(r->front)).ptr;
    }
    words[n] = NULL;
    char *environment[] = {NULL, NULL, NULL};
    if (w->clock_library != NULL) {
        environment[0] = (char *)arena_printf(memory, "LD_PRELOAD=%s", w->clock_library).ptr;
        environment[1] = (char *)arena_printf(memory, "TANDEM_CLOCK_SHIFT=%s.clock", u->dir).ptr;
    }
    const struct launch_events events = {on_line, on_ended, u};
    struct span errors = arena_printf(memory, "%s.stderr", u->dir);
    u->dies = false;
    u->state = USER_STARTING;
    u->supervisor = launch_start(w->loop, words, environment, errors.ptr, &events, &e);
    if (u->supervisor == NULL)
        world_fail(w, &e, "%s", u->name);
    arena_destroy(memory);
}

bool people_tick(struct world *w)
{
    size_t busy = 0;
    size_t there = 0;
    size_t most = uv_available_parallelism() * 2;
    for (size_t i = 0; i < w->scenario->relay_count; i++)
        if (w->relays[i].program == NULL || !w->relays[i].listens)
            return false;
    for (size_t i = 0; i < w->scenario->user_count; i++) {
        there += w->users[i].state == USER_THERE;
        busy += w->users[i].state != USER_THERE && w->users[i].state != USER_ABSENT;
    }
    for (size_t i = 0; i < w->scenario->user_count && busy < most && busy < AT_ONCE_MAX; i++)
        if (w->users[i].state == USER_ABSENT) {
            start_user(&w->users[i]);
            busy++;
        }
    return there == w->scenario->user_count;
}

// --- relays ----------------------------------------------------------------------------------------------------------

static void on_relay_line(void *arg, const json_t *line)
{
    struct relay *r = arg;
    const char *url = json_string_value(json_object_get(line, "url"));
    if (url == NULL || r->listens)
        return;
    front_target(r->front, port_of(url));
    r->listens = true;
}

static void on_relay_ended(void *arg, int status)
{
    struct relay *r = arg;
    r->program = NULL;
    world_fail(r->world, NULL, "relay%zu ended with status %d", r->number + 1, status);
}

static enum status create_relay(struct world *w, size_t i, struct error *e)
{
    struct relay *r = &w->relays[i];
    struct buf errors = {0};
    char *words[] = {w->relay_program, "--listen", "127.0.0.1:0", "--json", "--drain", "1", NULL};
    const struct launch_events events = {on_relay_line, on_relay_ended, r};
    *r = (struct relay){.world = w, .number = i};
    r->front = front_create(w->loop, w->scenario->user_count + i, ask_link, w, e);
    buf_printf(&errors, "%s/relay%zu.stderr", w->dir, i + 1);
    if (r->front != NULL)
        r->program = launch_start(w->loop, words, NULL, buf_cstr(&errors), &events, e);
    buf_free(&errors);
    return e->status;
}

static enum status create_user(struct world *w, size_t i, struct error *e)
{
    struct user *u = &w->users[i];
    char secret[SECRET_LENGTH + 1];
    struct buf dir = {0};
    *u = (struct user){.world = w, .number = i, .name = w->scenario->users[i]};
    random_text(secret, SECRET_LENGTH);
    u->secret = secret_copy(secret, SECRET_LENGTH);
    secret_wipe(secret, sizeof secret);
    buf_printf(&dir, "%s/%s", w->dir, u->name);
    u->dir = mem_text(buf_span(&dir));
    buf_free(&dir);
    if (machine_give(u, e) == STATUS_OK)
        u->front = front_create(w->loop, i, ask_link, w, e);
    return e->status;
}

enum status people_create(struct world *w, struct error *e)
{
    w->users = mem_array(w->scenario->user_count, sizeof *w->users);
    w->relays = mem_array(w->scenario->relay_count + 1, sizeof *w->relays);
    for (size_t i = 0; i < w->scenario->relay_count && e->status == STATUS_OK; i++)
        create_relay(w, i, e);
    for (size_t i = 0; i < w->scenario->user_count && e->status == STATUS_OK; i++)
        create_user(w, i, e);
    return e->status;
}

// Nodes die with their supervisors; so that nothing is written any more when this returns, they are told and waited
// for.
static void end_nodes(struct world *w)
{
    const struct timespec moment = {0, 10 * 1000000};
    for (size_t i = 0; w->users != NULL && i < w->scenario->user_count; i++) {
        const pid_t pids[] = {w->users[i].archive_pid, w->users[i].sparse_pid};
        for (size_t k = 0; k < 2; k++)
            for (int n = 0; n < GONE_LOOKS && pids[k] > 0 && kill(pids[k], 0) == 0; n++)
                nanosleep(&moment, NULL);
        w->users[i].archive_pid = w->users[i].sparse_pid = 0;
    }
}

// Killed, as nobody wants what they would still write.
void people_stop(struct world *w)
{
    for (size_t i = 0; w->users != NULL && i < w->scenario->user_count; i++) {
        launch_destroy(w->users[i].supervisor);
        w->users[i].supervisor = NULL;
    }
    for (size_t i = 0; w->relays != NULL && i < w->scenario->relay_count; i++) {
        launch_destroy(w->relays[i].program);
        w->relays[i].program = NULL;
    }
    end_nodes(w);
}

void people_destroy(struct world *w)
{
    people_stop(w);
    for (size_t i = 0; w->users != NULL && i < w->scenario->user_count; i++) {
        struct user *u = &w->users[i];
        rpc_destroy(u->rpc);
        front_destroy(u->front);
        secret_destroy(&u->secret);
        free(u->dir);
        free(u->archive_person);
        free(u->sparse_person);
    }
    for (size_t i = 0; w->relays != NULL && i < w->scenario->relay_count; i++)
        front_destroy(w->relays[i].front);
    free(w->users);
    free(w->relays);
}
