// With --wait a message goes on without the command when the time is over, and the error says so.
#include "supervisor/ctl/sending.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/text.h"
#include "supervisor/ctl/attach.h"
#include "supervisor/ctl/output.h"

enum { FOLLOW_WAIT_MS = 20000, FOLLOW_TIMEOUT_MS = 60000, ARCHIVE_MS = 1000 };

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
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
        if (follow_state(c, sent, wait_ms, e) != STATUS_OK && !ctl_is_away(c, e))
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

// --- one message -----------------------------------------------------------------------------------------------------

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

json_t *sending_message(const struct sending *s, const char *text)
{
    return json_pack("{s:s, s:s, s:O}", "to", ctl_value(s->ctl, "to"), "text", text, "attachments", s->attachments);
}

struct ipc_call *sending_begin(const struct sending *s, json_t *message, struct error *e)
{
    return ctl_begin(s->ctl, "chat.send", json_incref(message), e);
}

enum status sending_end(struct sending *s, json_t *result, size_t line, struct error *e)
{
    struct ctl *c = s->ctl;
    if (result == NULL)
        return e->status;
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
