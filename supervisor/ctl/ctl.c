// How a command reaches the supervisor. One that holds the lock but is not to be found has just begun, or makes anew
// what somebody removed: it is waited for (MEND_MS), and only then told what is wrong. Secrets are read from a file
// that nobody else can read, or from the terminal without echo; never from the command line.
#include "supervisor/ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "io/file.h"
#include "ipc/methods.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/secretline.h"
#include "supervisor/statedir.h"

enum { LOOK_MS = 20, MEND_MS = 8000, AWAY_MS = 200 }; // a supervisor looks every five seconds
enum { SMALL_FILE = 16 * 1024, INPUT_MAX = 768 * 1024, PAGE = 500 };

// --- what was typed --------------------------------------------------------------------------------------------------

// The next value of a repeated option; start with *cursor = 0. NULL at the end.
static const char *next_value(const struct ctl *c, const char *option, size_t *cursor)
{
    while (*cursor < c->given_count) {
        const struct ctl_given *g = &c->given[(*cursor)++];
        if (strcmp(g->option->name, option) == 0)
            return g->value != NULL ? g->value : "";
    }
    return NULL;
}

const char *ctl_value(const struct ctl *c, const char *option)
{
    const char *last = NULL;
    size_t cursor = 0;
    for (const char *v; (v = next_value(c, option, &cursor)) != NULL;)
        last = v;
    return last;
}

bool ctl_has(const struct ctl *c, const char *option)
{
    return ctl_value(c, option) != NULL;
}

void ctl_add(const struct ctl *c, json_t *params, const char *option, const char *name)
{
    if (ctl_has(c, option))
        json_object_set_new(params, name, json_string(ctl_value(c, option)));
}

json_t *ctl_values(const struct ctl *c, const char *option)
{
    json_t *list = json_array();
    size_t cursor = 0;
    for (const char *v; (v = next_value(c, option, &cursor)) != NULL;)
        json_array_append_new(list, json_string(v));
    return list;
}

enum status ctl_number(const struct ctl *c, const char *option, int64_t otherwise, int64_t most, int64_t *out,
                       struct error *e)
{
    const char *text = ctl_value(c, option);
    char *end;
    *out = otherwise;
    if (text == NULL)
        return STATUS_OK;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    bool too_big = (errno == ERANGE && n > 0) || n > most;
    if (too_big && most != CTL_ASKED_SAYS)
        return ctl_usage(e, "--%s goes up to %lld, not %.40s", option, (long long)most, text);
    if ((errno != 0 && !too_big) || end == text || *end != '\0' || n < 0)
        return ctl_usage(e, "--%s wants a number, not '%.40s'", option, text);
    *out = n;
    return STATUS_OK;
}

enum status ctl_confirm(const struct ctl *c, const char *question, const char *otherwise, struct error *e)
{
    char answer[16] = "";
    if (ctl_has(c, "yes"))
        return STATUS_OK;
    if (isatty(STDIN_FILENO)) {
        fprintf(stderr, "%s Type yes: ", question);
        if (fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0)
            return STATUS_OK;
    }
    return error_set(e, STATUS_REFUSED, "CONFIRMATION-MISSING", "%s", otherwise);
}

// --- asking ----------------------------------------------------------------------------------------------------------

static enum status read_control(const struct ctl *c, char **path, struct error *e)
{
    static const char scheme[] = "ipc://";
    struct buf file = {0};
    struct buf text = {0};
    struct error unread = {0};
    json_t *object = NULL;
    enum status s = STATUS_OK;
    buf_printf(&file, "%s/run/control.json", c->state_dir);
    if (file_read(buf_cstr(&file), SMALL_FILE, &text, &unread) == STATUS_OK)
        object = json_loadb(text.data, text.len, 0, NULL);
    const char *url = json_string_value(json_object_get(object, "control"));
    if (unread.status != STATUS_OK && unread.status != STATUS_NOT_FOUND) {
        *e = unread;
        s = e->status;
    } else if (url == NULL || strncmp(url, scheme, sizeof scheme - 1) != 0) {
        s = error_set(e, STATUS_CLOSED, "NOT-RUNNING", "no supervisor runs on %s", c->state_dir);
    } else {
        *path = mem_text(span_of(url + sizeof scheme - 1));
    }
    json_decref(object);
    buf_free(&text);
    buf_free(&file);
    return s;
}

void ctl_pause(void)
{
    nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
}

// A supervisor that holds the lock and is not to be found has just begun, or makes anew what somebody removed.
enum status ctl_find_control(const struct ctl *c, char **path, struct error *e)
{
    enum status s = read_control(c, path, e);
    for (uint64_t until = clock_monotonic_ms() + MEND_MS; s == STATUS_CLOSED && statedir_holder(c->state_dir) != 0;) {
        if (clock_monotonic_ms() > until)
            return error_set(e, s, "NOT-RUNNING",
                             "a supervisor (pid %d) runs on %s, but %s/run/control.json is missing",
                             (int)statedir_holder(c->state_dir), c->state_dir, c->state_dir);
        ctl_pause();
        error_clear(e);
        s = read_control(c, path, e);
    }
    return s;
}

// Somebody removed the socket, or the supervisor does not answer any more.
static void say_why_unreachable(const struct ctl *c, const char *path, struct error *e)
{
    pid_t holder = statedir_holder(c->state_dir);
    if (strcmp(e->code, "NOT-RUNNING") != 0)
        return;
    if (holder == 0)
        error_set(e, STATUS_CLOSED, "NOT-RUNNING", "no supervisor runs on %s any more", c->state_dir);
    else
        error_set(e, STATUS_CLOSED, "NOT-RUNNING",
                  "the supervisor (pid %d) runs but cannot be reached at %s; end it with SIGTERM first", (int)holder,
                  path);
}

static enum status connect_once(struct ctl *c, struct error *e)
{
    char *path = NULL;
    if (c->client != NULL)
        return STATUS_OK;
    if (ctl_find_control(c, &path, e) != STATUS_OK)
        return e->status;
    c->client = ipc_client_connect(path, e);
    if (c->client == NULL)
        say_why_unreachable(c, path, e);
    free(path);
    return c->client != NULL ? STATUS_OK : e->status;
}

static bool takes(const struct ipc_method *m, const char *param)
{
    const struct ipc_param *p = m->params;
    while (p->name != NULL && strcmp(p->name, param) != 0)
        p++;
    return p->name != NULL;
}

static int64_t timeout_ms(const struct ctl *c)
{
    return c->timeout_s < 0 ? IPC_FOREVER : (int64_t)c->timeout_s * 1000;
}

// Connects, and completes the parameters with what was typed; NULL with e filled.
static json_t *prepare(struct ctl *c, const char *method, json_t *params, struct error *e)
{
    const struct ipc_method *m = ipc_method_find(method);
    json_t *body = params != NULL ? params : json_object();
    if (connect_once(c, e) != STATUS_OK) {
        json_decref(body);
        return NULL;
    }
    if (c->node != NULL && m->site == IPC_NODE && json_object_get(body, "node") == NULL)
        json_object_set_new(body, "node", json_string(c->node));
    if (ctl_has(c, "as") && takes(m, "as"))
        json_object_set_new(body, "as", json_string(ctl_value(c, "as")));
    ipc_client_stop_when(c->client, c->ends_when_interrupted ? interrupt_came : NULL);
    return body;
}

struct ipc_call *ctl_begin(struct ctl *c, const char *method, json_t *params, struct error *e)
{
    json_t *body = prepare(c, method, params, e);
    return body != NULL ? ipc_client_begin(c->client, method, body, timeout_ms(c), e) : NULL;
}

json_t *ctl_call_within(struct ctl *c, const char *method, json_t *params, int64_t timeout_ms, struct error *e)
{
    json_t *body = prepare(c, method, params, e);
    return body != NULL ? ipc_client_call(c->client, method, body, timeout_ms, e) : NULL;
}

json_t *ctl_call(struct ctl *c, const char *method, json_t *params, struct error *e)
{
    return ctl_call_within(c, method, params, timeout_ms(c), e);
}

bool ctl_is_away(struct ctl *c, struct error *e)
{
    const struct timespec pause = {.tv_nsec = AWAY_MS * 1000000L};
    if (strcmp(e->code, "NODE-DOWN") != 0 && strcmp(e->code, "NOT-RUNNING") != 0)
        return false;
    nanosleep(&pause, NULL);
    struct error gone;
    json_t *status = ctl_call(c, "status", NULL, &gone);
    if (status == NULL)
        return false;
    json_decref(status);
    error_clear(e);
    return true;
}

json_t *ctl_list(struct ctl *c, const char *method, json_t *params, struct error *e)
{
    json_t *all = json_array();
    json_t *query = params != NULL ? params : json_object();
    json_object_set_new(query, "limit", json_integer(PAGE));
    for (bool more = true; more;) {
        json_t *page = ctl_call(c, method, json_copy(query), e);
        if (page == NULL) {
            json_decref(all);
            all = NULL;
            break;
        }
        const json_t *next = json_object_get(page, "next");
        json_array_extend(all, json_object_get(page, "items"));
        more = json_is_string(next) && json_array_size(json_object_get(page, "items")) > 0;
        if (more)
            json_object_set(query, "after", (json_t *)next);
        json_decref(page);
    }
    json_decref(query);
    return all;
}

// --- input -----------------------------------------------------------------------------------------------------------

static enum status check_private(int fd, const char *file, struct error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_errno(e, "cannot look at %s", file);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "%s must be your own and readable by nobody else", file);
    return STATUS_OK;
}

// A FIFO that nobody writes to is an empty file, not one to wait for.
static int open_secret(const char *file)
{
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        fcntl(fd, F_SETFL, 0); // who writes to it may take its time
    return fd;
}

static void ask_quietly(const char *prompt, bool quiet)
{
    struct termios t;
    if (tcgetattr(STDIN_FILENO, &t) != 0)
        return;
    t.c_lflag = quiet ? t.c_lflag & ~(tcflag_t)ECHO : t.c_lflag | (tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
    fputs(quiet ? prompt : "\n", stderr);
}

enum status ctl_secret(struct ctl *c, const char *file, const char *prompt, struct secret *out, struct error *e)
{
    (void)c;
    *out = (struct secret){0};
    if (file != NULL) {
        int fd = open_secret(file);
        if (fd < 0)
            return error_errno(e, "cannot open %s", file);
        enum status s = check_private(fd, file, e);
        if (s == STATUS_OK)
            s = secret_line_read(fd, out, e);
        close(fd);
        return s;
    }
    bool terminal = isatty(STDIN_FILENO);
    if (terminal)
        ask_quietly(prompt, true);
    enum status s = secret_line_read(STDIN_FILENO, out, e);
    if (terminal)
        ask_quietly(prompt, false);
    return s;
}

enum status ctl_new_secret(struct ctl *c, const char *file, const char *prompt, struct secret *out, struct error *e)
{
    struct secret again = {0};
    enum status s = ctl_secret(c, file, prompt, out, e);
    if (s != STATUS_OK || file != NULL || !isatty(STDIN_FILENO))
        return s;
    s = ctl_secret(c, NULL, "The same again: ", &again, e);
    if (s == STATUS_OK && !secret_eq(out, &again))
        s = error_set(e, STATUS_INVALID, "BAD-INPUT", "the two secrets differ; nothing was changed");
    if (s != STATUS_OK)
        secret_destroy(out);
    secret_destroy(&again);
    return s;
}

enum status ctl_read(const char *file, size_t max, struct buf *out, struct error *e)
{
    bool is_stdin = strcmp(file, "-") == 0;
    enum status s = STATUS_OK;
    FILE *f = is_stdin ? stdin : fopen(file, "re");
    if (f == NULL)
        return error_errno(e, "cannot open %s", file);
    for (size_t n = 1; n > 0 && out->len <= max;) {
        n = fread(buf_reserve(out, 65536), 1, 65536, f);
        out->len += n;
    }
    if (ferror(f))
        s = error_errno(e, "cannot read %s", file);
    else if (out->len > max)
        s = error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s is larger than %zu bytes", file, max);
    if (!is_stdin)
        fclose(f);
    return s;
}

enum status ctl_read_json(const char *file, json_t **out, struct error *e)
{
    struct buf text = {0};
    json_error_t why;
    const char *name = strcmp(file, "-") == 0 ? "stdin" : file;
    enum status s = ctl_read(file, INPUT_MAX, &text, e);
    if (s == STATUS_OK && !utf8_valid(buf_span(&text)))
        s = error_set(e, STATUS_INVALID, "BAD-TEXT", "%s is not valid UTF-8", file);
    if (s == STATUS_OK) {
        *out = json_loadb(text.len > 0 ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &why);
        if (*out == NULL)
            s = error_set(e, STATUS_INVALID, "BAD-INPUT", "%s is not JSON: %s (line %d)", name, why.text, why.line);
        else if (!json_is_object(*out))
            s = error_set(e, STATUS_INVALID, "BAD-INPUT", "%s is not a JSON object", name);
    }
    buf_free(&text);
    return s;
}
