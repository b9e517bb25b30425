// chat send, list and follow.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "supervisor/ctl/attach.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

enum { FOLLOW_WAIT_MS = 20000, FOLLOW_TIMEOUT_MS = 60000 };

static enum status send_one(struct ctl *c, const char *text, json_t *attachments, struct error *e)
{
    json_t *params = json_pack("{s:s, s:s, s:O}", "to", ctl_value(c, "to"), "text", text, "attachments", attachments);
    json_t *result = ctl_call(c, "chat.send", params, e);
    if (result == NULL || c->json)
        return output_result(c, result, e);
    printf("sent %.12s\n", json_string_value(json_object_get(result, "id")));
    json_decref(result);
    return STATUS_OK;
}

static enum status send_lines(struct ctl *c, json_t *attachments, struct error *e)
{
    char *line = NULL;
    size_t room = 0;
    enum status s = STATUS_OK;
    while (s == STATUS_OK && getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0')
            continue;
        s = utf8_valid(span_of(line)) ? send_one(c, line, attachments, e)
                                      : error_set(e, STATUS_INVALID, "BAD-TEXT", "a line is not valid UTF-8");
    }
    free(line);
    return s;
}

enum status run_chat_send(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "to"))
        return ctl_usage(e, "chat send wants --to PERSON");
    if (ctl_has(c, "stdin") == (c->argument_count == 1))
        return ctl_usage(e, "chat send wants either TEXT or --stdin");
    json_t *attachments = attach_files(c, e);
    if (attachments == NULL)
        return e->status;
    enum status s = ctl_has(c, "stdin") ? send_lines(c, attachments, e) : send_one(c, c->arguments[0], attachments, e);
    json_decref(attachments);
    return s;
}

enum status run_chat_list(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "with"))
        return ctl_usage(e, "chat list wants --with PERSON");
    json_t *params = json_pack("{s:s, s:s*}", "with", ctl_value(c, "with"), "before",
                               ctl_has(c, "before") ? ctl_value(c, "before") : NULL);
    return messages_print(c, "chat.list", params, e);
}

static json_t *ask_since(struct ctl *c, const char *cursor, struct error *e)
{
    json_t *params =
        json_pack("{s:s, s:i}", "with", ctl_value(c, "with"), "waitMs", cursor != NULL ? FOLLOW_WAIT_MS : 0);
    if (cursor != NULL)
        json_object_set_new(params, "cursor", json_string(cursor));
    return ctl_call_within(c, "chat.since", params, FOLLOW_TIMEOUT_MS, e);
}

enum status run_chat_follow(struct ctl *c, struct error *e)
{
    size_t i;
    json_t *item;
    char *cursor = NULL;
    if (!ctl_has(c, "with"))
        return ctl_usage(e, "chat follow wants --with PERSON");
    for (json_t *page; !output_failed() && (page = ask_since(c, cursor, e)) != NULL; json_decref(page)) {
        const char *next = json_string_value(json_object_get(page, "next"));
        json_array_foreach(json_object_get(page, "items"), i, item)
        {
            if (c->json)
                output_json(json_incref(item));
            else
                message_print(item);
        }
        fflush(stdout);
        free(cursor);
        cursor = mem_text(span_of(next));
    }
    free(cursor);
    return e->status;
}
