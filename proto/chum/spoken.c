// Only the beginning of a message is looked at, and not as JSON: a line of the log is not worth parsing megabytes
// twice.
#include "chum/spoken.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "chum/chum.h"

enum { CALLS = 256, HEAD = 200, ID_BYTES = 8 };

struct call { // of one direction, by the id's last digits
    int64_t id;
    int64_t service;
    uint64_t at;
};

struct spoken {
    struct conn *conn;
    struct call ours[CALLS];
    struct call theirs[CALLS];
    char head[HEAD]; // of a long text
    size_t head_len;
    size_t arrived;
};

struct spoken *spoken_create(struct conn *c)
{
    if (!log_wants(LOG_DEBUG))
        return NULL;
    struct spoken *s = mem_alloc(sizeof *s);
    s->conn = c;
    return s;
}

void spoken_destroy(struct spoken *s)
{
    free(s);
}

static const char *service_name(int64_t service)
{
    static const char *const names[] = {
        [CHUM_GET_PROTOCOL_VERSION] = "GET_PROTOCOL_VERSION",
        [CHUM_GET_ACCESSIBLE_ROOTS] = "GET_ACCESSIBLE_ROOTS",
        [CHUM_NEW_ACCESSIBLE_ROOT_EVENT] = "NEW_ACCESSIBLE_ROOT_EVENT",
        [CHUM_GET_OBJECT_CHILDREN] = "GET_OBJECT_CHILDREN",
        [CHUM_GET_ID_OBJECT_CHILDREN] = "GET_ID_OBJECT_CHILDREN",
        [CHUM_GET_OBJECT] = "GET_OBJECT",
        [CHUM_GET_ID_OBJECT] = "GET_ID_OBJECT",
        [CHUM_GET_BLOB] = "GET_BLOB",
        [CHUM_FIN] = "FIN",
        [CHUM_FEED] = "FEED",
        [CHUM_HOLDS] = "HOLDS",
        [CHUM_SUMS] = "SUMS",
        [CHUM_RANGES] = "RANGES",
    };
    bool known = service > 0 && service < (int64_t)(sizeof names / sizeof *names) && names[service] != NULL;
    return known ? names[service] : "?";
}

// What stands behind "name":
static struct span member(struct span head, const char *name)
{
    char wanted[20];
    size_t n = (size_t)snprintf(wanted, sizeof wanted, "\"%s\":", name);
    const char *at = memmem(head.ptr, head.len, wanted, n);
    return at != NULL ? (struct span){at + n, head.len - (size_t)(at + n - head.ptr)} : (struct span){0};
}

static bool read_number(struct span from, int64_t *out)
{
    size_t i = 0;
    for (*out = 0; i < from.len && i < 15 && from.ptr[i] >= '0' && from.ptr[i] <= '9'; i++)
        *out = *out * 10 + (from.ptr[i] - '0');
    return i > 0;
}

static struct span read_word(struct span from)
{
    const char *end = from.len > 1 && from.ptr[0] == '"' ? memchr(from.ptr + 1, '"', from.len - 1) : NULL;
    return end != NULL ? (struct span){from.ptr + 1, (size_t)(end - from.ptr) - 1} : SPAN("?");
}

// Of the answer's call: which service it was, and how long it took; -1 = not remembered.
static int64_t recall(const struct spoken *s, const struct call *calls, int64_t id, int64_t *ms)
{
    const struct call *c = &calls[id % CALLS];
    if (c->id != id || c->at == 0)
        return -1;
    *ms = (int64_t)(conn_now(s->conn) - c->at);
    return c->service;
}

static void write_line(const struct spoken *s, const char *event, struct span kind, int64_t service, int64_t id,
                       size_t bytes, int64_t ms)
{
    if (ms >= 0)
        LOG(LOG_DEBUG, event, LOG_INT("conn", conn_id(s->conn)), LOG_SPAN("kind", kind),
            LOG_TEXT("service", service_name(service)), LOG_INT("call", id), LOG_INT("bytes", bytes),
            LOG_INT("ms", ms));
    else
        LOG(LOG_DEBUG, event, LOG_INT("conn", conn_id(s->conn)), LOG_SPAN("kind", kind),
            LOG_TEXT("service", service_name(service)), LOG_INT("call", id), LOG_INT("bytes", bytes));
}

// asked: the calls that go this way; answered: those the answers that go this way belong to.
static void note_text(struct spoken *s, const char *event, struct call *asked, const struct call *answered,
                      struct span head, size_t bytes)
{
    int64_t id = 0, service = -1, ms = -1;
    struct span kind = read_word(member(head, "type"));
    if (read_number(member(head, "responseId"), &id)) {
        service = recall(s, answered, id, &ms);
    } else if (read_number(member(head, "requestId"), &id) && read_number(member(head, "serviceId"), &service)) {
        asked[id % CALLS] = (struct call){id, service, conn_now(s->conn)};
    } else {
        kind = span_starts_with(head, SPAN("synchronisation")) ? SPAN("synchronisation") : kind;
    }
    write_line(s, event, kind, service, id, bytes, ms);
}

static void note_binary(const struct spoken *s, const char *event, const struct call *answered, struct span message)
{
    double number;
    int64_t ms = -1;
    if (message.len < ID_BYTES)
        return;
    memcpy(&number, message.ptr, ID_BYTES);
    int64_t id = number >= 0 && number < 9e15 ? (int64_t)number : 0;
    int64_t service = recall(s, answered, id, &ms);
    write_line(s, event, SPAN("stream"), service, id, message.len, ms);
}

static struct span beginning(struct span message)
{
    return (struct span){message.ptr, message.len < HEAD ? message.len : HEAD};
}

void spoken_sent(struct spoken *s, bool text, struct span message)
{
    if (s != NULL && text)
        note_text(s, "chum.sent", s->ours, s->theirs, beginning(message), message.len);
    else if (s != NULL)
        note_binary(s, "chum.sent", s->theirs, message);
}

void spoken_heard(struct spoken *s, bool text, struct span message)
{
    if (s != NULL && text)
        note_text(s, "chum.received", s->theirs, s->ours, beginning(message), message.len);
    else if (s != NULL)
        note_binary(s, "chum.received", s->ours, message);
}

void spoken_heard_piece(struct spoken *s, struct span piece, bool first, bool last)
{
    if (s == NULL)
        return;
    if (first) {
        s->head_len = piece.len < HEAD ? piece.len : HEAD;
        if (s->head_len != 0)
            memcpy(s->head, piece.ptr, s->head_len);
        s->arrived = 0;
    }
    s->arrived += piece.len;
    if (last)
        note_text(s, "chum.received", s->theirs, s->ours, (struct span){s->head, s->head_len}, s->arrived);
}
