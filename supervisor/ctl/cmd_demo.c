// demo: the whole path on a temporary installation, with what was measured.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/ctl/blob.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/programs.h"
#include "wall/wall.h"

enum {
    LOOK_MS = 20,
    READY_MS = 10000,
    ARRIVE_MS = 30000,
    STOP_MS = 5000,
    FILE_BYTES = 1024 * 1024,
    SECRET_LENGTH = 24
};

struct demo {
    struct ctl *c;
    char dir[64];
    pid_t supervisor;
    int lifeline; // its stdin: it stops when we end
    json_t *summary;
};

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
}

static void say(const struct demo *d, const char *what, const char *value)
{
    if (!d->c->json)
        printf("%-26s %s\n", what, value);
    fflush(stdout);
}

static void note_ms(struct demo *d, const char *member, const char *what, uint64_t since)
{
    char text[32];
    uint64_t ms = clock_monotonic_ms() - since;
    snprintf(text, sizeof text, "%llu ms", (unsigned long long)ms);
    json_object_set_new(d->summary, member, json_integer((json_int_t)ms));
    say(d, what, text);
}

// --- the supervisor --------------------------------------------------------------------------------------------------

// Between fork and exec nothing of nng may run, and nothing does.
static enum status start(struct demo *d, struct error *e)
{
    int pipe_ends[2];
    char *program = program_beside("tandem-supervisor");
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return error_errno(e, "cannot make a pipe");
    d->supervisor = fork();
    if (d->supervisor == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(d->lifeline < 0 ? open("/dev/null", O_RDONLY) : pipe_ends[0], STDIN_FILENO);
        setsid();
        execl(program, program, "--state-dir", d->dir, "--json", "--listen", "localhost:0",
              d->lifeline < 0 ? NULL : "--stdin-lifetime", NULL);
        _exit(127);
    }
    close(pipe_ends[0]);
    if (d->lifeline < 0)
        close(pipe_ends[1]);
    else
        d->lifeline = pipe_ends[1];
    free(program);
    return d->supervisor > 0 ? STATUS_OK : error_errno(e, "cannot start the supervisor");
}

static enum status await_ready(struct demo *d, struct error *e)
{
    json_t *result = NULL;
    for (uint64_t until = clock_monotonic_ms() + READY_MS; result == NULL && clock_monotonic_ms() < until;) {
        error_clear(e);
        result = ctl_call_within(d->c, "wait", json_pack("{s:s}", "for", "ready"), READY_MS, e);
        if (result == NULL && waitpid(d->supervisor, NULL, WNOHANG) == d->supervisor) {
            d->supervisor = 0;
            return error_set(e, STATUS_IO, "FAILED", "the supervisor ended; see %s/log", d->dir);
        }
        if (result == NULL)
            pause_briefly();
    }
    json_decref(result);
    return result != NULL ? STATUS_OK : e->status;
}

static void stop(struct demo *d)
{
    struct error ignored = {0};
    if (d->supervisor <= 0)
        return;
    json_decref(ctl_call_within(d->c, "down", NULL, STOP_MS, &ignored));
    if (ignored.status != STATUS_OK)
        kill(d->supervisor, SIGTERM);
    uint64_t until = clock_monotonic_ms() + STOP_MS;
    while (waitpid(d->supervisor, NULL, WNOHANG) == 0) {
        if (clock_monotonic_ms() > until)
            kill(d->supervisor, SIGKILL);
        pause_briefly();
    }
}

// --- the steps -------------------------------------------------------------------------------------------------------

static json_t *ask(struct demo *d, const char *node, const char *method, json_t *params, struct error *e)
{
    json_object_set_new(params, "node", json_string(node));
    return ctl_call(d->c, method, params, e);
}

static const char *person(const struct demo *d, const char *node)
{
    return json_string_value(json_object_get(json_object_get(d->summary, node), "personId"));
}

static enum status provision(struct demo *d, struct error *e)
{
    char secret[SECRET_LENGTH + 1];
    random_text(secret, SECRET_LENGTH);
    uint64_t began = clock_monotonic_ms();
    json_t *result = ctl_call(d->c, "provision", json_pack("{s:s, s:s}", "user", "demo", "secret", secret), e);
    secret_wipe(secret, sizeof secret);
    if (result == NULL)
        return e->status;
    json_object_update(d->summary, result);
    json_object_del(d->summary, "milliseconds");
    json_decref(result);
    say(d, "archive person", person(d, "archive"));
    say(d, "sparse person", person(d, "sparse"));
    note_ms(d, "federatedMs", "provisioned and federated", began);
    return STATUS_OK;
}

// True when the newest message says so; its attachment's hash goes to *hash.
static bool has_arrived(struct demo *d, const char *node, const char *from, const char *text, char *hash,
                        struct error *e)
{
    json_t *page = ask(d, node, "chat.list", json_pack("{s:s, s:i}", "with", from, "limit", 1), e);
    json_t *newest = json_array_get(json_object_get(page, "items"), 0);
    const char *found = json_string_value(json_object_get(newest, "text"));
    json_t *file = json_array_get(json_object_get(newest, "attachments"), 0);
    const char *found_hash = json_string_value(json_object_get(file, "hash"));
    bool arrived = found != NULL && strcmp(found, text) == 0;
    if (arrived && hash != NULL)
        snprintf(hash, 65, "%s", found_hash != NULL ? found_hash : "");
    json_decref(page);
    return arrived;
}

static enum status send_and_await(struct demo *d, const char *from, const char *to, const char *text,
                                  json_t *attachments, char *hash, struct error *e)
{
    json_t *params = json_pack("{s:s, s:s, s:o}", "to", person(d, to), "text", text, "attachments", attachments);
    json_t *sent = ask(d, from, "chat.send", params, e);
    if (sent == NULL)
        return e->status;
    json_decref(sent);
    for (uint64_t until = clock_monotonic_ms() + ARRIVE_MS; clock_monotonic_ms() < until; pause_briefly()) {
        error_clear(e);
        if (has_arrived(d, to, person(d, from), text, hash, e))
            return STATUS_OK;
    }
    return error_set(e, STATUS_TIMEOUT, "TIMEOUT", "a message from %s did not reach %s", from, to);
}

static enum status chat(struct demo *d, const char *from, const char *to, const char *member, struct error *e)
{
    char text[64];
    char what[64];
    snprintf(text, sizeof text, "Hello from the %s node!", from);
    snprintf(what, sizeof what, "message to %s", to);
    uint64_t began = clock_monotonic_ms();
    if (send_and_await(d, from, to, text, json_array(), NULL, e) != STATUS_OK)
        return e->status;
    say(d, what, text);
    note_ms(d, member, "  arrived after", began);
    return STATUS_OK;
}

static enum status make_file(const char *path, struct error *e)
{
    char *bytes = mem_alloc(FILE_BYTES);
    random_bytes(bytes, FILE_BYTES);
    enum status s = file_write(path, (struct span){bytes, FILE_BYTES}, 0600, e);
    free(bytes);
    return s;
}

static enum status await_blob(struct demo *d, const char *node, const char *hash, struct error *e)
{
    for (uint64_t until = clock_monotonic_ms() + ARRIVE_MS; clock_monotonic_ms() < until; pause_briefly()) {
        error_clear(e);
        json_t *stat = ask(d, node, "blob.stat", json_pack("{s:s}", "hash", hash), e);
        json_decref(stat);
        if (stat != NULL)
            return STATUS_OK;
    }
    return e->status;
}

static enum status share_file(struct demo *d, struct error *e)
{
    char path[96];
    char hash[65] = "";
    snprintf(path, sizeof path, "%s/demo.bin", d->dir);
    if (make_file(path, e) != STATUS_OK)
        return e->status;
    uint64_t began = clock_monotonic_ms();
    d->c->node = "sparse";
    json_t *stored = ctl_upload(d->c, path, e);
    d->c->node = NULL;
    if (stored == NULL)
        return e->status;
    json_t *files = json_pack("[{s:O, s:s, s:s}]", "hash", json_object_get(stored, "hash"), "name", "demo.bin", "type",
                              "application/octet-stream");
    say(d, "file sent, hash", json_string_value(json_object_get(stored, "hash")));
    enum status s = send_and_await(d, "sparse", "archive", "a file for you", files, hash, e);
    if (s == STATUS_OK)
        s = await_blob(d, "archive", hash, e);
    if (s == STATUS_OK) {
        say(d, "file received, hash", hash);
        note_ms(d, "fileMs", "  arrived after", began);
        json_object_set_new(d->summary, "file",
                            json_pack("{s:O, s:s, s:i}", "sent", json_object_get(stored, "hash"), "received", hash,
                                      "size", FILE_BYTES));
    }
    json_decref(stored);
    return s;
}

static enum status act(struct demo *d, struct error *e)
{
    uint64_t began = clock_monotonic_ms();
    if (start(d, e) != STATUS_OK || wall_enter(WALL_TANDEM, NULL, 0, e) != STATUS_OK || await_ready(d, e) != STATUS_OK)
        return e->status;
    note_ms(d, "readyMs", "both nodes answer", began);
    if (provision(d, e) != STATUS_OK || chat(d, "sparse", "archive", "messageToArchiveMs", e) != STATUS_OK ||
        chat(d, "archive", "sparse", "messageToSparseMs", e) != STATUS_OK)
        return e->status;
    return share_file(d, e);
}

static void keep(struct demo *d)
{
    json_object_set_new(d->summary, "stateDir", json_string(d->dir));
    say(d, "kept running", d->dir);
    say(d, "try", "tandem --state-dir DIR status; later: tandem --state-dir DIR down");
}

enum status run_demo(struct ctl *c, struct error *e)
{
    struct demo d = {.c = c, .lifeline = ctl_has(c, "keep") ? -1 : 0, .summary = json_object()};
    struct error ignored = {0};
    const char *tmp = getenv("TMPDIR");
    snprintf(d.dir, sizeof d.dir, "%.40s/tandem-demo-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(d.dir) == NULL) {
        json_decref(d.summary);
        return error_errno(e, "cannot make %s", d.dir);
    }
    signal(SIGPIPE, SIG_IGN);
    free(c->state_dir);
    c->state_dir = mem_text(span_of(d.dir));
    enum status s = act(&d, e);
    if (s == STATUS_OK && ctl_has(c, "keep")) {
        keep(&d);
    } else {
        stop(&d);
        if (s == STATUS_OK)
            folder_remove_tree(d.dir, &ignored);
        else
            fprintf(stderr, "The logs are kept in %s/log.\n", d.dir);
    }
    if (s == STATUS_OK && c->json)
        output_json(json_incref(d.summary));
    json_decref(d.summary);
    return s;
}
