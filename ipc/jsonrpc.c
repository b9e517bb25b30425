// An event is a request without id to the method "event"; everything else is JSON-RPC 2.0 as it stands. What a message
// lends (method, params, result) lives as long as its root.
#include "ipc/jsonrpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "ipc/methods.h"

static enum status bad_request(struct error *e, const char *what)
{
    return error_set(e, STATUS_INVALID, "BAD-REQUEST", "not a JSON-RPC 2.0 request: %s", what);
}

static enum status parse_event(struct jsonrpc_message *m, struct error *e)
{
    json_t *params = json_object_get(m->root, "params");
    m->kind = JSONRPC_EVENT;
    m->method = json_string_value(json_object_get(params, "event"));
    m->params = json_object_get(params, "data");
    if (m->method == NULL || !json_is_object(m->params))
        return bad_request(e, "'id' is missing");
    return STATUS_OK;
}

static enum status parse_request(struct jsonrpc_message *m, struct error *e)
{
    m->kind = JSONRPC_REQUEST;
    m->method = json_string_value(json_object_get(m->root, "method"));
    m->params = json_object_get(m->root, "params");
    if (m->method == NULL)
        return bad_request(e, "'method' is missing or not a text");
    if (m->id == NULL)
        return strcmp(m->method, "event") == 0 ? parse_event(m, e) : bad_request(e, "'id' is missing");
    if (m->params == NULL) {
        m->params = json_object();
        json_object_set_new(m->root, "params", m->params);
    }
    if (!json_is_object(m->params))
        return bad_request(e, "'params' is not an object");
    return STATUS_OK;
}

static enum status parse_answer(struct jsonrpc_message *m, struct error *e)
{
    m->kind = JSONRPC_ANSWER;
    m->result = json_object_get(m->root, "result");
    m->error = json_object_get(m->root, "error");
    if ((m->result == NULL) == (m->error == NULL))
        return bad_request(e, "neither 'method' nor one of 'result' and 'error'");
    return STATUS_OK;
}

enum status jsonrpc_parse(struct span text, struct jsonrpc_message *m, struct error *e)
{
    *m = (struct jsonrpc_message){0};
    json_error_t why;
    while (text.len > 0 && (text.ptr[text.len - 1] == '\0' || text.ptr[text.len - 1] == '\n'))
        text.len--;
    if (!utf8_valid(text))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the request is not valid UTF-8");
    m->root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why); // peers' texts may hold it
    if (m->root == NULL)
        return error_set(e, STATUS_INVALID, "BAD-JSON", "not JSON: %s (line %d, column %d)", why.text, why.line,
                         why.column);
    if (!json_is_object(m->root))
        return bad_request(e, "not an object");
    m->id = json_object_get(m->root, "id");
    if (m->id != NULL && !json_is_integer(m->id) && !json_is_string(m->id)) {
        m->id = NULL;
        return bad_request(e, "'id' is neither an integer nor a text");
    }
    const char *version = json_string_value(json_object_get(m->root, "jsonrpc"));
    if (version == NULL || strcmp(version, "2.0") != 0)
        return bad_request(e, "'jsonrpc' is not \"2.0\"");
    bool asks = json_object_get(m->root, "method") != NULL;
    return asks ? parse_request(m, e) : parse_answer(m, e);
}

void jsonrpc_release(struct jsonrpc_message *m)
{
    json_decref(m->root);
    *m = (struct jsonrpc_message){0};
}

static json_t *or_empty(json_t *object)
{
    return object != NULL ? object : json_object();
}

json_t *jsonrpc_request(json_int_t id, const char *method, json_t *params)
{
    return json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", id, "method", method, "params", or_empty(params));
}

json_t *jsonrpc_answer(json_t *id, json_t *result)
{
    json_t *reply_id = id != NULL ? json_incref(id) : json_null();
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", reply_id, "result", or_empty(result));
}

json_t *jsonrpc_failure(json_t *id, const struct error *error)
{
    json_t *reply_id = id != NULL ? json_incref(id) : json_null();
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", reply_id, "error", ipc_error_to_json(error));
}

json_t *jsonrpc_event(const char *name, json_t *data)
{
    return json_pack("{s:s, s:s, s:{s:s, s:o}}", "jsonrpc", "2.0", "method", "event", "params", "event", name, "data",
                     or_empty(data));
}

char *jsonrpc_text(const json_t *message, struct error *e)
{
    char *text = json_dumps(message, JSON_COMPACT);
    if (text == NULL) {
        error_set(e, STATUS_INTERNAL, "INTERNAL", "a message cannot be written as JSON");
    } else if (strlen(text) > IPC_MESSAGE_MAX) {
        error_set(e, STATUS_TOO_BIG, "TOO-BIG", "a message of %zu bytes is over the limit of %d MiB", strlen(text),
                  IPC_MESSAGE_MAX >> 20);
        secret_wipe(text, strlen(text));
        free(text);
        text = NULL;
    }
    return text;
}

void jsonrpc_wipe(json_t *object, const char *name)
{
    json_t *text = json_object_get(object, name);
    if (text != NULL)
        secret_wipe((char *)(uintptr_t)json_string_value(text), json_string_length(text));
}
