#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/support/fixture.h"

void script_begin(struct script *script)
{
    memset(script, 0, sizeof *script);
}

void script_end(struct script *script)
{
    buf_free(&script->log);
    buf_free(&script->data);
}

// ---- Answers -------------------------------------------------------------------------------------------------------

static void answer_json(struct script *script, int64_t id, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    rpc_answer_json(script->rpc, id, span_of(text));
    free(text);
}

// A list travels as a text that holds its JSON; what is a text already, or something else, as it is.
static void answer_list(struct script *script, int64_t id, const json_t *list)
{
    if (!json_is_array(list)) {
        answer_json(script, id, list);
        return;
    }
    char *text = json_dumps(list, JSON_COMPACT);
    rpc_answer_string(script->rpc, id, span_of(text));
    free(text);
}

static void answer_blob(struct script *script, int64_t id, const json_t *base64, bool as_text)
{
    struct buf bytes = {0};
    base64_decode((struct span){json_string_value(base64), json_string_length(base64)}, &bytes);
    if (bytes.len != 0 && as_text)
        rpc_stream_text(script->rpc, id, buf_span(&bytes), true);
    else if (bytes.len != 0)
        rpc_stream_binary(script->rpc, id, buf_span(&bytes));
    rpc_stream_end(script->rpc, id);
    buf_free(&bytes);
}

static void answer_member(struct script *script, const struct rpc_request *r, const char *member)
{
    const json_t *raw = NULL;
    const char *hash = json_string_value(json_array_get(r->args, 0));
    if (strcmp(member, "children") == 0)
        raw = json_object_get(script->exporter, "childrenRaw");
    const json_t *answer = json_object_get(json_object_get(script->exporter, member), hash != NULL ? hash : "");
    if (raw != NULL)
        answer_json(script, r->id, raw);
    else if (answer == NULL)
        rpc_answer_error(script->rpc, r->id, "Error", "TEST: there is no such thing", "TEST");
    else if (strcmp(member, "blobs") == 0)
        answer_blob(script, r->id, answer,
                    json_is_string(json_array_get(r->args, 1)) && !rpc_is_undefined(json_array_get(r->args, 1)));
    else if (strcmp(member, "objects") == 0)
        answer_json(script, r->id, answer);
    else
        answer_list(script, r->id, answer);
}

static void serve_usual(struct script *script, const struct rpc_request *r)
{
    const json_t *version = json_object_get(script->exporter, "protocolVersion");
    switch (r->service) {
    case CHUM_GET_PROTOCOL_VERSION:
        if (version != NULL)
            answer_json(script, r->id, version);
        else
            rpc_answer_json(script->rpc, r->id, SPAN("8"));
        return;
    case CHUM_GET_ACCESSIBLE_ROOTS:
        answer_list(script, r->id, json_object_get(script->exporter, "roots"));
        return;
    case CHUM_GET_OBJECT_CHILDREN:
        answer_member(script, r, "children");
        return;
    case CHUM_GET_ID_OBJECT_CHILDREN:
        answer_member(script, r, "idChildren");
        return;
    case CHUM_GET_OBJECT:
    case CHUM_GET_ID_OBJECT:
        answer_member(script, r, "objects");
        return;
    case CHUM_GET_BLOB:
        answer_member(script, r, "blobs");
        return;
    default:
        rpc_answer_unknown_service(script->rpc, r->id, r->service);
    }
}

static void serve(void *ctx, const struct rpc_request *r)
{
    struct script *script = ctx;
    const json_t *first = json_array_get(r->args, 0);
    buf_printf(&script->log, "%lld %s\n", (long long)r->service,
               json_is_string(first) ? json_string_value(first) : "-");
    if (script->serve == NULL || !script->serve(script->ctx, script, r))
        serve_usual(script, r);
}

// ---- The connection ------------------------------------------------------------------------------------------------

static void on_text(void *ctx, struct span message, uint64_t now_ms)
{
    struct script *script = ctx;
    if (!script->synchronised)
        script->synchronised = true;
    else if (script->raw == NULL || !script->raw(script->ctx, script, true, message))
        rpc_on_piece(script->rpc, message, true, true, now_ms); // also short ones
}

static void on_binary(void *ctx, struct span message, uint64_t now_ms)
{
    struct script *script = ctx;
    if (script->raw == NULL || !script->raw(script->ctx, script, false, message))
        rpc_on_binary(script->rpc, message, now_ms);
}

static void on_drained(void *ctx)
{
    (void)ctx;
}

static uint64_t deadline(void *ctx)
{
    return rpc_deadline(((struct script *)ctx)->rpc);
}

static void on_time(void *ctx, uint64_t now_ms)
{
    rpc_on_time(((struct script *)ctx)->rpc, now_ms);
}

static void on_closed(void *ctx, const struct error *why)
{
    struct script *script = ctx;
    rpc_fail_all(script->rpc, why);
    rpc_destroy(script->rpc);
    script->rpc = NULL;
    script->conn = NULL;
    script->synchronised = false;
}

static void send(void *ctx, bool text, struct span message)
{
    struct script *script = ctx;
    if (text)
        conn_send_text(script->conn, message);
    else
        conn_send_binary(script->conn, message);
}

void script_play(struct script *script, struct conn *c)
{
    static const struct conn_protocol protocol = {.text = on_text,
                                                  .binary = on_binary,
                                                  .drained = on_drained,
                                                  .deadline = deadline,
                                                  .time = on_time,
                                                  .closed = on_closed};
    struct rpc_transport transport = {send, script};
    struct rpc_limits limits = {.outstanding = 1000, .text = 64 << 20};
    script->conn = c;
    script->synchronised = false;
    script->rpc = rpc_create(transport, limits, serve, script);
    conn_serve(c, &protocol, script);
    conn_send_text(c, SPAN("synchronisation"));
}

// ---- Questions -----------------------------------------------------------------------------------------------------

static char *quoted(struct span s)
{
    json_t *string = json_stringn(s.ptr != NULL ? s.ptr : "", s.len);
    char *text = json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(string);
    return text;
}

static void replied(void *ctx, const struct rpc_reply *reply)
{
    struct script *script = ctx;
    char *text;
    switch (reply->kind) {
    case RPC_CHUNK:
    case RPC_PIECE:
        buf_add_span(&script->data, reply->chunk);
        return;
    case RPC_DATA:
        text = reply->data != NULL ? json_dumps(reply->data, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        if (reply->text != NULL)
            text = quoted(buf_span(reply->text));
        buf_add_text(&script->data, text != NULL ? text : "undefined");
        free(text);
        break;
    case RPC_ERROR:
    case RPC_LOST:
        script->error = *reply->error;
        break;
    case RPC_END:
        break;
    }
    script->answered = true;
}

static bool is_answered(void *ctx)
{
    return ((struct script *)ctx)->answered;
}

static bool is_synchronised(void *ctx)
{
    return ((struct script *)ctx)->synchronised;
}

void script_ask(struct stage *s, struct script *script, int64_t service, const char *args)
{
    char *json = fixture_json(args);
    stage_wait(s, is_synchronised, script, "synchronisation");
    script->answered = false;
    buf_clear(&script->data);
    error_clear(&script->error);
    rpc_call_stream(script->rpc, service, span_of(json), conn_now(script->conn), 60000, replied, script);
    stage_wait(s, is_answered, script, "an answer");
    free(json);
}

const char *script_data(struct script *script)
{
    return buf_cstr(&script->data);
}
