// chat send, list and follow. A node that restarts under a follower is waited for as long as the supervisor answers
// (ctl_is_away): its cursor is still good.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "ipc/methods.h"
#include "supervisor/ctl/attach.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/sending_lines.h"

enum { FOLLOW_WAIT_MS = 20000, FOLLOW_TIMEOUT_MS = 60000 };

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

// --- sending ---------------------------------------------------------------------------------------------------------

static enum status send_one(struct sending *s, const char *text, struct error *e)
{
    json_t *message = sending_message(s, text);
    struct ipc_call *call = sending_begin(s, message, e);
    json_decref(message);
    return call != NULL ? sending_end(s, ipc_client_take(call, e), 0, e) : e->status;
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
    enum status s = e->status == STATUS_OK ? send_one(sending, buf_cstr(&text), e) : e->status;
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
        s = sending_lines(&sending, e);
    else if (has_text && strcmp(c->arguments[0], "-") == 0)
        s = send_stdin(&sending, e);
    else
        s = send_one(&sending, has_text ? c->arguments[0] : "", e);
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
        if (page == NULL && cursor != NULL && ctl_is_away(c, e))
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
