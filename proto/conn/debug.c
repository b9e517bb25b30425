// One question, one answer, then the connection ends. The host may answer when the connection is long gone: a question
// holds the life of d until it is answered.
#include "conn/debug.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/life.h"
#include "base/text.h"
#include "conn/message.h"
#include "wire/jsontext.h"

enum { AWAIT_MS = 30000 };

enum phase { AWAIT_START, AWAIT_DATA_REQUEST, ANSWERING_OBJECTS, ANSWERING_DATA, OVER };

struct debug {
    struct life life; // of the connection, and of the question the host works on
    struct conn *conn;
    const struct debug_host *host;
    struct hash person;
    enum phase phase;
    enum debug_kind kind;
    bool asked; // the host owes the one answer
    uint64_t deadline;
};

static bool answering(const struct debug *d)
{
    return d->phase == ANSWERING_OBJECTS || d->phase == ANSWERING_DATA;
}

static void fail(struct debug *d, const char *text)
{
    struct error why;
    error_set(&why, STATUS_INVALID, "BAD-MESSAGE", "%s", text);
    d->phase = OVER;
    conn_fail(d->conn, &why);
}

// ---- Answers ----

static void ask(struct debug *d, enum phase phase)
{
    d->phase = phase;
    d->asked = true;
    life_hold(&d->life);
}

// false: nobody is there any more to be told.
static bool answered(struct debug *d)
{
    INVARIANT(d->asked);
    d->asked = false;
    return life_let_go(&d->life);
}

void debug_answer(struct debug *d, struct span content)
{
    if (!answered(d))
        return;
    bool objects = d->phase == ANSWERING_OBJECTS;
    d->phase = OVER;
    struct buf message = {0};
    buf_printf(&message, "{\"type\":\"%s\",\"%s\":", objects ? "accessible_objects" : "data",
               objects ? "objects" : "data");
    if (objects)
        buf_add_span(&message, content);
    else
        text_add_json(content, &message);
    buf_add_char(&message, '}');
    conn_send_text(d->conn, buf_span(&message));
    buf_free(&message);
    conn_close(d->conn,
               objects ? "Debug protocol \"getAccessibleObjects\" finished" : "Debug protocol \"getData\" finished");
}

void debug_refuse(struct debug *d)
{
    if (!answered(d))
        return;
    bool id = d->phase == ANSWERING_DATA && d->kind == DEBUG_ID_OBJECT;
    d->phase = OVER;
    conn_close(d->conn, id ? "You do not have permission to access this id file"
                           : "You do not have permission to access this file");
}

// ---- Messages ----

static void mismatch(struct debug *d, const char *type)
{
    char text[120];
    snprintf(text, sizeof text, "Received data does not match the data expected for message type \"%s\"", type);
    fail(d, text);
}

static void start(struct debug *d, const json_t *message)
{
    struct span protocol = message_string(message, "protocol");
    struct span version = message_string(message, "version");
    bool objects = span_eq_text(protocol, "getAccessibleObjects");
    if (version.ptr == NULL || (!objects && !span_eq_text(protocol, "getData"))) {
        mismatch(d, "start_protocol");
    } else if (!span_eq_text(version, "1.0")) {
        d->phase = OVER;
        conn_close(d->conn, "Protocol version not supported. Only 1.0 is supported");
    } else if (objects) {
        ask(d, ANSWERING_OBJECTS);
        d->host->objects(d->host->ctx, d, d->conn, &d->person);
    } else {
        d->phase = AWAIT_DATA_REQUEST;
    }
}

static void request_data(struct debug *d, const json_t *message)
{
    static const char *const kinds[] = {
        [DEBUG_OBJECT] = "object", [DEBUG_ID_OBJECT] = "id", [DEBUG_BLOB] = "blob", [DEBUG_CLOB] = "clob"};
    struct hash hash;
    struct span kind = message_string(message, "hashType");
    size_t k = 0;
    while (k < 4 && !span_eq_text(kind, kinds[k]))
        k++;
    if (k == 4 || !hash_parse(message_string(message, "hash"), &hash)) {
        mismatch(d, "request_data");
        return;
    }
    d->kind = (enum debug_kind)k;
    ask(d, ANSWERING_DATA);
    d->host->data(d->host->ctx, d, d->conn, &d->person, d->kind, &hash);
}

static void on_text(void *ctx, struct span text, uint64_t now_ms)
{
    struct debug *d = ctx;
    d->deadline = now_ms + AWAIT_MS;
    const char *expected = d->phase == AWAIT_DATA_REQUEST ? "request_data" : "start_protocol";
    json_t *message = jsontext_parse(text, (struct jsontext_limits){.bytes = 4096, .depth = 4, .values = 32}, NULL);
    if (d->phase != AWAIT_START && d->phase != AWAIT_DATA_REQUEST)
        ; // nothing is expected while an answer is being made
    else if (!span_eq_text(message_string(message, "type"), expected))
        mismatch(d, expected);
    else if (d->phase == AWAIT_START)
        start(d, message);
    else
        request_data(d, message);
    json_decref(message);
}

static void on_binary(void *ctx, struct span message, uint64_t now_ms)
{
    (void)message, (void)now_ms;
    fail(ctx, "Received message that is not a string message.");
}

// ---- The connection's other events ----

static uint64_t deadline(void *ctx)
{
    const struct debug *d = ctx;
    return answering(d) ? 0 : d->deadline;
}

static void on_time(void *ctx, uint64_t now_ms)
{
    struct debug *d = ctx;
    if (d->deadline <= now_ms && !answering(d))
        fail(d, "The awaited message did not come in time");
}

static void on_closed(void *ctx, const struct error *why)
{
    (void)why;
    struct debug *d = ctx;
    life_over(&d->life);
}

void debug_serve(struct conn *c, const struct debug_host *host)
{
    static const struct conn_protocol protocol = {
        .text = on_text, .binary = on_binary, .deadline = deadline, .time = on_time, .closed = on_closed};
    struct debug *d = mem_alloc(sizeof *d);
    life_begin(&d->life, free, d);
    d->conn = c;
    d->host = host;
    d->person = conn_peer(c)->person_id;
    d->deadline = conn_now(c) + AWAIT_MS;
    conn_serve(c, &protocol, d);
}
