// Opening the installation after a start when nobody is there to type the secret, where its user chose so with
// autostart.secret. docs/security.md says what that costs.
//
//   credential   systemd puts it into $CREDENTIALS_DIRECTORY/tandem.secret (LoadCredential=, LoadCredentialEncrypted=)
//   keyring      the desktop's keyring, asked by secret-tool, which may have to ask its user to unlock it
//
// Both are reached before the walls stand; what the keyring says comes later, through a pipe.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/core.h"
#include "supervisor/secretline.h"

enum { PATIENCE_MS = 120000, LOOK_MS = 5, GUARD_MS = 20, NOT_FOUND = 127 };

#define CREDENTIAL "tandem.secret"
#define TOOL "secret-tool"

static void open_with(struct supervisor *s, struct secret *secret)
{
    struct error e = {0};
    s->autostart.state = AUTOSTART_OPENING;
    if (provision_by_itself(s, secret, config_text(s->options->config, "autostart.user"), &e) != STATUS_OK)
        autostart_failed(s, &e);
    secret_destroy(secret);
}

// ---- A credential --------------------------------------------------------------------------------------------------

static enum status read_credential(struct secret *out, struct error *e)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    struct buf path = {0};
    if (folder == NULL || folder[0] != '/')
        return error_set(e, STATUS_INVALID, "SECRET-MISSING",
                         "systemd handed over no credentials: LoadCredential=" CREDENTIAL ":FILE in the unit");
    buf_printf(&path, "%s/" CREDENTIAL, folder);
    int fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);
    enum status st = fd >= 0
                         ? secret_line_read(fd, out, e)
                         : error_set(e, STATUS_INVALID, "SECRET-MISSING", "there is no credential %s", buf_cstr(&path));
    if (fd >= 0)
        close(fd);
    buf_free(&path);
    return st;
}

// ---- The keyring ---------------------------------------------------------------------------------------------------

//
// The tool is none of libuv's processes: it was started outside the walls, from where nobody within can signal it, so
// it has to end with us by itself.

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_tool(struct autostart *a)
{
    if (a->tool == 0)
        return;
    close_handle((uv_handle_t *)&a->out);
    close_handle((uv_handle_t *)&a->timer);
    close(a->life);
    a->tool = 0;
}

static void take_answer(struct supervisor *s, int status)
{
    struct autostart *a = &s->autostart;
    struct secret secret = {0};
    struct error e = {0};
    bool missing = WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND;
    if (missing)
        error_set(&e, STATUS_INVALID, "SECRET-MISSING", TOOL " is not installed (package libsecret-tools)");
    else if (status != 0 || a->len == 0)
        error_set(&e, STATUS_INVALID, "SECRET-MISSING",
                  "the keyring has no secret for this installation: " TOOL
                  " store --label=tandem application tandem state-dir %.160s",
                  statedir_path(s->dir));
    else
        secret_line_take(&a->room, a->len, &secret, &e);
    secret_destroy(&a->room);
    if (e.status == STATUS_OK)
        open_with(s, &secret);
    else
        autostart_failed(s, &e);
}

static void too_late(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    struct error e = {0};
    close_tool(&s->autostart);
    secret_destroy(&s->autostart.room);
    error_set(&e, STATUS_TIMEOUT, "TIMEOUT", "the keyring was not unlocked within %d s", PATIENCE_MS / 1000);
    autostart_failed(s, &e);
}

// It has said all; its end follows, or is waited for no longer than its answer.
static void look_for_end(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    int status = 0;
    pid_t gone = waitpid(s->autostart.tool, &status, WNOHANG);
    if (gone == 0 && clock_monotonic_ms() >= s->autostart.until)
        too_late(timer);
    if (gone == 0)
        return;
    close_tool(&s->autostart);
    take_answer(s, gone > 0 ? status : 0);
}

static void provide_room(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    struct supervisor *s = handle->data;
    struct autostart *a = &s->autostart;
    (void)size;
    *out = uv_buf_init((char *)a->room.data + a->len, (unsigned)(SECRET_LINE_ROOM - a->len));
}

static void tool_said(uv_stream_t *stream, ssize_t size, const uv_buf_t *chunk)
{
    struct supervisor *s = stream->data;
    (void)chunk;
    if (size > 0)
        s->autostart.len += (size_t)size;
    if (size >= 0)
        return;
    close_handle((uv_handle_t *)stream); // also when there is more than a secret can be
    uv_timer_start(&s->autostart.timer, look_for_end, 0, LOOK_MS);
}

static void become_tool(const struct supervisor *s, int answers)
{
    char *arguments[] = {TOOL, "lookup", "application", "tandem", "state-dir", (char *)(uintptr_t)statedir_path(s->dir),
                         NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(nothing, STDIN_FILENO) >= 0 && dup2(answers, STDOUT_FILENO) >= 0)
        execvp(TOOL, arguments);
    _exit(NOT_FOUND);
}

// Between us and the tool: ends it when we let go of the pipe, and passes on how it ended.
static void guard_tool(const struct supervisor *s, int life, int answers)
{
    int status = 0;
    struct pollfd held = {.fd = life, .events = POLLIN};
    pid_t tool = fork();
    if (tool == 0)
        become_tool(s, answers);
    close(answers);
    while (tool > 0 && waitpid(tool, &status, WNOHANG) == 0)
        if (poll(&held, 1, GUARD_MS) != 0)
            _exit(EXIT_FAILURE); // the tool goes with it
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static enum status run_tool(struct supervisor *s, struct error *e)
{
    struct autostart *a = &s->autostart;
    int said[2] = {-1, -1};
    int life[2] = {-1, -1};
    if (pipe2(said, O_CLOEXEC) == 0 && pipe2(life, O_CLOEXEC) == 0)
        a->tool = fork();
    if (a->tool == 0 && life[1] >= 0) {
        close(life[1]);
        guard_tool(s, life[0], said[1]);
    }
    close(said[1]);
    close(life[0]);
    a->life = life[1];
    a->said = said[0];
    if (a->tool > 0)
        return STATUS_OK;
    close(a->said);
    close(a->life);
    a->tool = 0;
    return error_set(e, STATUS_IO, "IO", "the keyring cannot be asked");
}

void autostart_listen(struct supervisor *s)
{
    struct autostart *a = &s->autostart;
    if (a->tool == 0)
        return;
    uv_pipe_init(&s->loop, &a->out, 0);
    uv_timer_init(&s->loop, &a->timer);
    a->out.data = a->timer.data = s;
    a->room = secret_create(SECRET_LINE_ROOM);
    if (uv_pipe_open(&a->out, a->said) == 0)
        uv_read_start((uv_stream_t *)&a->out, provide_room, tool_said);
    a->until = clock_monotonic_ms() + PATIENCE_MS;
    uv_timer_start(&a->timer, too_late, PATIENCE_MS, 0);
}

// ---- Its life ------------------------------------------------------------------------------------------------------

void autostart_fetch(struct supervisor *s)
{
    struct error e = {0};
    if (strcmp(autostart_source(s), "none") == 0)
        return;
    s->autostart.state = AUTOSTART_ASKING;
    bool keyring = strcmp(autostart_source(s), "keyring") == 0;
    if ((keyring ? run_tool(s, &e) : read_credential(&s->autostart.secret, &e)) != STATUS_OK)
        autostart_failed(s, &e);
}

void autostart_begin(struct supervisor *s)
{
    if (s->autostart.state == AUTOSTART_FAILED)
        autostart_tell_failure(s); // there was nobody to tell it
    if (s->autostart.secret.data != NULL)
        open_with(s, &s->autostart.secret);
}

void autostart_close(struct supervisor *s)
{
    close_tool(&s->autostart);
    secret_destroy(&s->autostart.room);
    secret_destroy(&s->autostart.secret);
}
