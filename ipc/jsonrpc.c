// An event is a request without id to the method "event"; everything else is JSON-RPC 2.0 as it stands. What a message
// lends (method, params, result) lives as long as its root.
//
// Whatever has an outline jsonrpc_parse takes, too: strings are looked through to their end, everything else but
// objects at the top is parsed by jansson. Names and the method are compared as they stand, so they have no escapes.
#include "ipc/jsonrpc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/secret.h"
#include "ipc/errors.h"

// --- read whole ------------------------------------------------------------------------------------------------------

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
    if (strlen(m->method) != json_string_length(json_object_get(m->root, "method"))) // it would be cut there
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "'method' contains the character U+0000");
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

// --- in outline ------------------------------------------------------------------------------------------------------

enum { ENVELOPE = 4 }; // jsonrpc, id, method, params

struct scan {
    const char *at;
    const char *end;
};

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL && *s->at != '\0')
        s->at++;
}

static bool take(struct scan *s, char c)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

// Behind the backslash. Halves of a pair are left to who parses.
static bool skip_escape(struct scan *s)
{
    unsigned code = 0;
    if (s->at == s->end || strchr("\"\\/bfnrtu", *s->at) == NULL || *s->at == '\0')
        return false;
    if (*s->at++ != 'u')
        return true;
    for (int i = 0; i < 4; i++, s->at++) {
        if (s->at == s->end || !isxdigit((unsigned char)*s->at))
            return false;
        code = code * 16 + (unsigned)(isdigit((unsigned char)*s->at) ? *s->at - '0' : (*s->at | 32) - 'a' + 10);
    }
    return code < 0xd800 || code > 0xdfff;
}

static bool skip_string(struct scan *s)
{
    if (!take(s, '"'))
        return false;
    while (s->at < s->end && *s->at != '"') {
        if ((unsigned char)*s->at < 0x20)
            return false;
        if (*s->at++ == '\\' && !skip_escape(s))
            return false;
    }
    return take(s, '"');
}

// To the comma or bracket behind it; whether it is JSON is for others to say.
static bool skip_value(struct scan *s)
{
    int depth = 0;
    skip_blanks(s);
    for (; s->at < s->end && (depth > 0 || strchr(",}", *s->at) == NULL); s->at++) {
        if (*s->at == '"' && (!skip_string(s) || s->at-- == s->end))
            return false;
        depth += strchr("[{", *s->at) != NULL;
        depth -= strchr("]}", *s->at) != NULL;
    }
    return s->at < s->end && depth == 0;
}

static const struct outline_member *find(const struct outline_member *members, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(members[i].name, name))
            return &members[i];
    return NULL;
}

static bool read_member(struct scan *s, struct outline_member *m)
{
    skip_blanks(s);
    const char *begin = s->at;
    if (!skip_string(s))
        return false;
    m->name = (struct span){begin + 1, (size_t)(s->at - begin) - 2};
    if (memchr(m->name.ptr, '\\', m->name.len) != NULL || !take(s, ':'))
        return false;
    skip_blanks(s);
    m->value.ptr = s->at;
    if (s->at == s->end || (*s->at == '"' ? !skip_string(s) : !skip_value(s)))
        return false;
    m->value.len = (size_t)(s->at - m->value.ptr);
    m->whole = (struct span){begin, (size_t)(s->at - begin)};
    return true;
}

static bool is_over(struct scan *s)
{
    skip_blanks(s);
    return s->at == s->end;
}

// The whole text is an object.
static bool read_members(struct scan *s, struct outline_member *members, size_t max, size_t *count)
{
    *count = 0;
    if (!take(s, '{'))
        return false;
    if (take(s, '}'))
        return is_over(s);
    do {
        if (*count == max || !read_member(s, &members[*count]) || find(members, *count, members[*count].name) != NULL)
            return false;
        (*count)++;
    } while (take(s, ','));
    return take(s, '}') && is_over(s);
}

static json_t *parse(struct span value)
{
    return json_loadb(value.ptr, value.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
}

static bool is_passed_unread(const struct ipc_param *p, struct span value)
{
    return value.ptr[0] == '"' && (p->kind == IPC_TEXT && p->max > IPC_NAME_MAX);
}

static bool read_params(struct outline *o)
{
    o->read = json_object();
    for (size_t i = 0; i < o->count; i++) {
        const struct outline_member *m = &o->params[i];
        const struct ipc_param *p = ipc_method_param(o->method, m->name);
        if (p == NULL)
            return false;
        if (is_passed_unread(p, m->value))
            continue;
        json_t *value = parse(m->value);
        if (value == NULL)
            return false;
        json_object_set_new(o->read, p->name, value);
        if (ipc_param_check(o->method, p, value, NULL) != STATUS_OK)
            return false;
        o->given[p->number] = value;
    }
    return true;
}

static bool read_method(struct outline *o, struct span value)
{
    char name[64];
    if (value.len < 2 || value.len - 2 >= sizeof name)
        return false;
    memcpy(name, value.ptr + 1, value.len - 2);
    name[value.len - 2] = '\0';
    o->method = value.ptr[0] == '"' ? ipc_method_find(name) : NULL;
    return o->method != NULL;
}

static bool read_envelope(struct outline *o, struct span text, struct span *params)
{
    struct scan s = {text.ptr, text.ptr + text.len};
    struct outline_member parts[ENVELOPE];
    size_t count;
    bool whole = read_members(&s, parts, ENVELOPE, &count) && count == ENVELOPE;
    const struct outline_member *version = whole ? find(parts, count, SPAN("jsonrpc")) : NULL;
    const struct outline_member *id = whole ? find(parts, count, SPAN("id")) : NULL;
    const struct outline_member *method = whole ? find(parts, count, SPAN("method")) : NULL;
    const struct outline_member *given = whole ? find(parts, count, SPAN("params")) : NULL;
    if (version == NULL || id == NULL || method == NULL || given == NULL || !span_eq_text(version->value, "\"2.0\""))
        return false;
    *params = given->value;
    o->id = parse(id->value);
    return (json_is_integer(o->id) || json_is_string(o->id)) && read_method(o, method->value);
}

bool outline_read(struct span text, bool (*wanted)(void *ctx, const struct ipc_method *m), void *ctx,
                  struct outline *out)
{
    struct span params;
    *out = (struct outline){0};
    while (text.len > 0 && (text.ptr[text.len - 1] == '\0' || text.ptr[text.len - 1] == '\n'))
        text.len--;
    if (read_envelope(out, text, &params) && wanted(ctx, out->method) && utf8_valid(text)) {
        struct scan s = {params.ptr, params.ptr + params.len};
        if (read_members(&s, out->params, OUTLINE_MEMBERS, &out->count) && read_params(out))
            return true;
    }
    outline_release(out);
    return false;
}

void outline_release(struct outline *o)
{
    json_decref(o->id);
    json_decref(o->read);
    *o = (struct outline){0};
}

void outline_pass(const struct outline *o, struct buf *out)
{
    const char *comma = "";
    for (size_t i = 0; i < o->count; i++) {
        if (span_eq_text(o->params[i].name, "node"))
            continue;
        buf_add_text(out, comma);
        buf_add_span(out, o->params[i].whole);
        comma = ",";
    }
}

// --- written ---------------------------------------------------------------------------------------------------------

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
