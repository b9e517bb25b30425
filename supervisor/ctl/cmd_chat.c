// chat send, list and follow. A node that restarts under a follower is waited for as long as the supervisor answers
// (is_away): its cursor is still good. With --wait a message goes on without the command when the time is over, and the
// error says so.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/text.h"
#include "ipc/methods.h"
#include "supervisor/ctl/attach.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"

enum { FOLLOW_WAIT_MS = 20000, FOLLOW_TIMEOUT_MS = 60000, ARCHIVE_MS = 1000, AWAY_MS = 200 };

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

// The node stops, starts or has failed, and the supervisor answers: it will be back. Waits a little.
static bool is_away(struct ctl *c, struct error *e)
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

// --- how far it got --------------------------------------------------------------------------------------------------

// Puts the state into the answer to chat.send, once it is another one or the time is over.
static enum status follow_state(struct ctl *c, json_t *sent, int64_t wait_ms, struct error *e)
{
    json_t *params = json_pack("{s:O, s:O, s:I}", "message", json_object_get(sent, "id"), "known",
                               json_object_get(sent, "state"), "waitMs", (json_int_t)wait_ms);
    json_t *now = ctl_call_within(c, "chat.state", params, wait_ms + FOLLOW_TIMEOUT_MS, e);
    if (now == NULL)
        return e->status;
    json_object_update(sent, now);
    json_decref(now);
    return STATUS_OK;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_over(const json_t *sent)
{
    const char *state = text_of(sent, "state");
    return strcmp(state, "delivered") == 0 || strcmp(state, "failed") == 0;
}

static enum status wait_until_over(struct ctl *c, json_t *sent, struct error *e)
{
    int64_t end = c->timeout_s < 0 ? INT64_MAX : now_ms() + (int64_t)c->timeout_s * 1000;
    for (int64_t left; !is_over(sent) && (left = end - now_ms()) > 0;) {
        int64_t wait_ms = left < FOLLOW_WAIT_MS ? left : FOLLOW_WAIT_MS;
        if (follow_state(c, sent, wait_ms, e) != STATUS_OK && !is_away(c, e))
            return e->status;
    }
    if (!is_over(sent))
        return error_set(e, STATUS_TIMEOUT, "TIMEOUT", "%.12s is %s; it goes on without this command",
                         text_of(sent, "id"), text_of(sent, "state"));
    if (strcmp(text_of(sent, "state"), "failed") == 0)
        return error_set(e, STATUS_REFUSED, "FAILED", "%.12s was not delivered: %s", text_of(sent, "id"),
                         text_of(sent, "why") != NULL ? text_of(sent, "why") : "");
    return STATUS_OK;
}

// What waits for the archive is with it a moment later, if that is up; people need not read of it.
static void settle(struct ctl *c, json_t *sent)
{
    struct error ignored = {0};
    const char *state = text_of(sent, "state");
    if (!c->json && !ctl_has(c, "stdin") && state != NULL && strcmp(state, "pending") == 0)
        (void)follow_state(c, sent, ARCHIVE_MS, &ignored);
}

// --- sending ---------------------------------------------------------------------------------------------------------

struct sending {
    struct ctl *ctl;
    json_t *attachments;
    bool warned;
};

// It is kept, but whoever waits for an answer is to know.
static void warn_of_disabled(struct sending *s, const json_t *sent)
{
    const char *person = text_of(sent, "disabledContact");
    struct buf to = {0};
    if (person == NULL || s->warned || s->ctl->json)
        return;
    s->warned = true;
    text_escape_controls(span_of(ctl_value(s->ctl, "to")), &to);
    fprintf(stderr, "warning: %s is disabled, and gets it after 'tandem contact enable %.12s'\n", buf_cstr(&to),
            person);
    buf_free(&to);
}

// line: of stdin, 0 = it is no line.
static enum status send_one(struct sending *s, const char *text, size_t line, struct error *e)
{
    struct ctl *c = s->ctl;
    json_t *params =
        json_pack("{s:s, s:s, s:O}", "to", ctl_value(c, "to"), "text", text, "attachments", s->attachments);
    json_t *result = ctl_call(c, "chat.send", params, e);
    if (result == NULL)
        return output_result(result, e);
    warn_of_disabled(s, result);
    if (line != 0)
        json_object_set_new(result, "line", json_integer((json_int_t)line));
    if (ctl_has(c, "wait") && wait_until_over(c, result, e) != STATUS_OK) {
        json_decref(result);
        return e->status;
    }
    settle(c, result);
    return message_sent(c, result, e);
}

// Without its end, LF or CRLF. A NUL would cut it.
static enum status check_line(char *line, size_t length, size_t number, struct error *e)
{
    if (memchr(line, '\0', length) != NULL)
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "line %zu has a NUL byte; it was not sent", number);
    if (line[length - 1] == '\n')
        line[--length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    if (!utf8_valid(span_of(line)))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "line %zu is not valid UTF-8; it was not sent", number);
    return STATUS_OK;
}

static enum status send_lines(struct sending *sending, struct error *e)
{
    char *line = NULL;
    size_t room = 0;
    size_t number = 0;
    size_t blank = 0;
    enum status s = STATUS_OK;
    for (ssize_t length; s == STATUS_OK && (length = getline(&line, &room, stdin)) > 0;) {
        s = check_line(line, (size_t)length, ++number, e);
        if (s == STATUS_OK && line[strspn(line, " \t")] == '\0')
            blank++;
        else if (s == STATUS_OK)
            s = send_one(sending, line, number, e);
    }
    free(line);
    if (blank != 0)
        fprintf(stderr, "tandem: blank lines are no messages: %zu of %zu lines were not sent\n", blank, number);
    return s;
}

// All of stdin as one message, without the end of its last line.
static enum status send_stdin(struct sending *sending, struct error *e)
{
    char piece[4096];
    struct buf text = {0};
    for (size_t n; text.len <= IPC_MESSAGE_MAX && (n = fread(piece, 1, sizeof piece, stdin)) > 0;)
        buf_add(&text, piece, n);
    if (text.len != 0 && text.data[text.len - 1] == '\n')
        text.len--;
    if (memchr(buf_cstr(&text), '\0', text.len) != NULL || !utf8_valid(buf_span(&text)))
        error_set(e, STATUS_INVALID, "BAD-TEXT", "what came on stdin is no valid UTF-8 text; it was not sent");
    enum status s = e->status == STATUS_OK ? send_one(sending, buf_cstr(&text), 0, e) : e->status;
    buf_free(&text);
    return s;
}

enum status run_chat_send(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "to"))
        return ctl_usage(e, "chat send wants --to PERSON");
    bool has_text = c->argument_count == 1;
    if (ctl_has(c, "stdin") ? has_text : !has_text && !ctl_has(c, "attach"))
        return ctl_usage(e, "chat send wants TEXT, --attach FILE or both; or --stdin");
    struct sending sending = {.ctl = c, .attachments = attach_files(c, e)};
    if (sending.attachments == NULL)
        return e->status;
    enum status s;
    if (ctl_has(c, "stdin"))
        s = send_lines(&sending, e);
    else if (has_text && strcmp(c->arguments[0], "-") == 0)
        s = send_stdin(&sending, e);
    else
        s = send_one(&sending, has_text ? c->arguments[0] : "", 0, e);
    json_decref(sending.attachments);
    return s;
}

enum status run_chat_list(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "with"))
        return ctl_usage(e, "chat list wants --with PERSON");
    return messages_print(c, "chat.list", "with", ctl_value(c, "with"), e);
}

static json_t *ask_since(struct ctl *c, const char *with, const char *cursor, struct error *e)
{
    json_t *params = json_pack("{s:s, s:i}", "with", with, "waitMs", cursor != NULL ? FOLLOW_WAIT_MS : 0);
    if (cursor != NULL)
        json_object_set_new(params, "cursor", json_string(cursor));
    return ctl_call_within(c, "chat.since", params, FOLLOW_TIMEOUT_MS, e);
}

static void show_page(const struct ctl *c, const json_t *page, const json_t *names)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(page, "items"), i, item)
    {
        if (c->json)
            output_json(json_incref(item));
        else
            message_print(item, names);
    }
    fflush(stdout);
}

// The cursor outlives the node: a restart is waited for. The id outlives the name.
enum status run_chat_follow(struct ctl *c, struct error *e)
{
    char *cursor = NULL;
    if (!ctl_has(c, "with"))
        return ctl_usage(e, "chat follow wants --with PERSON");
    char *with = names_person(c, ctl_value(c, "with"));
    json_t *names = c->json ? NULL : names_load(c);
    while (!output_failed()) {
        json_t *page = ask_since(c, with, cursor, e);
        if (page == NULL && cursor != NULL && is_away(c, e))
            continue;
        if (page == NULL)
            break;
        show_page(c, page, names);
        messages_seen(c, "with", with, json_object_get(page, "items"));
        free(cursor);
        cursor = mem_text(span_of(text_of(page, "next")));
        json_decref(page);
    }
    free(cursor);
    free(with);
    json_decref(names);
    return e->status;
}
