// chat delete, object delete. A whole conversation goes in slices, so that the nodes go on with everything else; what
// breaks off is gone on with by the same command.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/progress.h"

static enum status ask_first(const struct ctl *c, struct error *e)
{
    char answer[16] = "";
    if (ctl_has(c, "yes"))
        return STATUS_OK;
    if (!isatty(STDIN_FILENO))
        return ctl_usage(e, "without a terminal deleting a conversation needs --yes");
    fprintf(stderr, "This deletes the whole conversation here, for ever; others keep theirs. Go on? [y/N] ");
    if (fgets(answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
        return error_set(e, STATUS_REFUSED, "REFUSED", "nothing was deleted");
    return STATUS_OK;
}

// A slice at a time, so that the nodes go on with everything else. What breaks off is gone on with by the same command.
static enum status delete_all(struct ctl *c, json_t *params, struct error *e)
{
    json_int_t deleted = 0;
    struct progress *p = progress_counting(c, "deleting", "messages");
    for (bool more = true; more;) {
        json_t *result = ctl_call(c, "chat.delete", json_deep_copy(params), e);
        if (result == NULL)
            break;
        deleted += json_integer_value(json_object_get(result, "deleted"));
        more = json_is_true(json_object_get(result, "more"));
        if (json_is_string(json_object_get(result, "next")))
            json_object_set(params, "before", json_object_get(result, "next"));
        progress_at(p, (uint64_t)deleted, 0);
        json_decref(result);
    }
    progress_end(p);
    if (e->status != STATUS_OK)
        return e->status;
    if (c->json)
        output_json(json_pack("{s:I}", "deleted", deleted));
    else
        printf("%lld message%s deleted. Other people keep their copies.\n", (long long)deleted,
               deleted != 1 ? "s" : "");
    return STATUS_OK;
}

enum status run_chat_delete(struct ctl *c, struct error *e)
{
    bool whole = ctl_has(c, "with") || ctl_has(c, "topic");
    if ((c->argument_count == 1) == whole || (ctl_has(c, "with") && ctl_has(c, "topic")))
        return ctl_usage(e, "chat delete wants either ID, --with PERSON or --topic TOPIC");
    if (!whole) {
        json_t *result = ctl_call(c, "chat.delete", json_pack("{s:s}", "message", c->arguments[0]), e);
        if (result != NULL)
            json_object_del(result, "more");
        return output_done(c, result, "Deleted. Other people keep their copies.", e);
    }
    if (ask_first(c, e) != STATUS_OK)
        return e->status;
    json_t *params = json_object();
    ctl_add(c, params, "with", "with");
    ctl_add(c, params, "topic", "topic");
    enum status s = delete_all(c, params, e);
    json_decref(params);
    return s;
}

enum status run_object_delete(struct ctl *c, struct error *e)
{
    json_t *params = json_pack("{s:s}", "hash", c->arguments[0]);
    return output_done(c, ctl_call(c, "object.delete", params, e), "Deleted. Other people keep their copies.", e);
}
