// What is answered to the peer's requests: values, errors, and streams until the peer says that it cannot store them.
#include <string.h>

#include "base/text.h"
#include "chum/rpc_internal.h"

// ---- Sending ----

void rpc_send_text(struct rpc *r, struct buf *text)
{
    r->transport.send(r->transport.ctx, true, buf_span(text));
    buf_free(text);
}

static void add_undefined_or_string(struct buf *out, const char *text)
{
    text_add_json(span_of(text != NULL ? text : RPC_UNDEFINED), out);
}

static struct buf response(int64_t id, const char *type)
{
    struct buf out = {0};
    buf_printf(&out, "{\"responseId\":%lld,\"type\":\"%s\"", (long long)id, type);
    return out;
}

void rpc_answer_json(struct rpc *r, int64_t id, struct span json)
{
    struct buf out = response(id, "data");
    buf_add_text(&out, ",\"data\":");
    if (json.len != 0)
        buf_add_span(&out, json);
    else
        add_undefined_or_string(&out, NULL);
    buf_add_char(&out, '}');
    rpc_send_text(r, &out);
}

void rpc_answer_long(struct rpc *r, int64_t id, struct buf *json)
{
    struct buf front = response(id, "data");
    buf_add_text(&front, ",\"data\":");
    buf_reserve(json, front.len + 1);
    memmove(json->data + front.len, json->data, json->len);
    memcpy(json->data, front.data, front.len);
    json->len += front.len;
    buf_add_char(json, '}');
    buf_free(&front);
    rpc_send_text(r, json);
}

void rpc_answer_string(struct rpc *r, int64_t id, struct span text)
{
    struct buf out = response(id, "data");
    buf_add_text(&out, ",\"data\":");
    text_add_json(text, &out);
    buf_add_char(&out, '}');
    rpc_send_text(r, &out);
}

void rpc_answer_error(struct rpc *r, int64_t id, const char *name, const char *message, const char *code)
{
    struct buf out = response(id, "error");
    buf_add_text(&out, ",\"error\":{\"name\":");
    add_undefined_or_string(&out, name);
    buf_add_text(&out, ",\"message\":");
    add_undefined_or_string(&out, message);
    buf_add_text(&out, ",\"code\":");
    add_undefined_or_string(&out, code);
    buf_add_text(&out, "}}");
    rpc_send_text(r, &out);
}

void rpc_answer_no_array(struct rpc *r, int64_t id)
{
    rpc_answer_error(r, id, "TypeError", "the arguments of a request have to be an array", NULL);
}

void rpc_answer_unknown_service(struct rpc *r, int64_t id, int64_t service)
{
    char message[80]; // the misspelling is part of the protocol
    snprintf(message, sizeof message, "Not a function: Servcie ID %lld [number]", (long long)service);
    rpc_answer_error(r, id, "TypeError", message, "UNKNOWN-SERVICE");
}

// ---- Streams out ----

static bool stream_refused(const struct rpc *r, int64_t id)
{
    for (size_t i = 0; i < r->refused_count; i++)
        if (r->refused[i] == id)
            return true;
    return false;
}

static void forget_refusal(struct rpc *r, int64_t id)
{
    for (size_t i = 0; i < r->refused_count; i++)
        if (r->refused[i] == id)
            r->refused[i--] = r->refused[--r->refused_count];
}

// Remembers the newest few: a peer that names streams which do not exist only forgets its own.
void rpc_remember_refusal(struct rpc *r, int64_t id)
{
    forget_refusal(r, id);
    if (r->refused_count == REFUSED_STREAMS) {
        memmove(r->refused, r->refused + 1, (REFUSED_STREAMS - 1) * sizeof r->refused[0]);
        r->refused_count--;
    }
    r->refused[r->refused_count++] = id;
}

static void send_bytes(struct rpc *r, int64_t id, struct span bytes)
{
    double number = (double)id;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    struct buf out = {0};
    buf_reserve(&out, ID_BYTES + bytes.len);
    for (int i = 0; i < ID_BYTES; i++)
        buf_add_char(&out, (char)(bits >> (8 * i)));
    buf_add_span(&out, bytes);
    r->transport.send(r->transport.ctx, false, buf_span(&out));
    buf_free(&out);
}

void rpc_answer_bytes(struct rpc *r, int64_t id, struct span bytes)
{
    send_bytes(r, id, bytes);
}

bool rpc_stream_binary(struct rpc *r, int64_t id, struct span chunk)
{
    if (stream_refused(r, id))
        return false;
    send_bytes(r, id, chunk);
    return true;
}

bool rpc_stream_text(struct rpc *r, int64_t id, struct span chunk, bool first)
{
    if (stream_refused(r, id))
        return false;
    struct buf out = response(id, "stream");
    buf_add_text(&out, ",\"chunk\":");
    text_add_json(chunk, &out);
    buf_add_text(&out, ",\"encoding\":");
    add_undefined_or_string(&out, first ? "utf8" : NULL);
    buf_add_char(&out, '}');
    rpc_send_text(r, &out);
    return true;
}

void rpc_stream_end(struct rpc *r, int64_t id)
{
    forget_refusal(r, id);
    struct buf out = response(id, "stream-end");
    buf_add_char(&out, '}');
    rpc_send_text(r, &out);
}

void rpc_stream_error(struct rpc *r, int64_t id, const char *message)
{
    forget_refusal(r, id);
    struct buf out = response(id, "stream-error");
    buf_add_text(&out, ",\"error\":");
    add_undefined_or_string(&out, message);
    buf_add_char(&out, '}');
    rpc_send_text(r, &out);
}
