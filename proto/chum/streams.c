// A stream that ends while a piece of it is being read stays until the read is back, whatever became of the connection:
// the store thread writes into it.
#include "chum/streams.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chum/direct.h"

enum {
    STREAMS_MAX = 4,  // on their way at a time; the others wait
    READ_AT_ONCE = 4, // pieces, of bytes: the thread of the store is asked less often
    FETCHES_MAX = 3,  // waited for, of a file that takes long, or goes again as there is no room for it
};

struct chum_stream {
    struct chum_stream *next;
    struct chum_streams *streams;
    int64_t id;
    struct hash hash;
    uint64_t offset; // of the next piece in the file
    struct buf piece;
    bool as_text;
    bool first;
    bool reading; // a job is under way, or the file is fetched
    bool fetching;
    unsigned fetches; // begun
    bool last;        // the piece read last was the end
    uint64_t ms;      // reading it took
};

static struct chum_stream **place_of(struct chum_streams *ss, const struct chum_stream *t) // NULL: the end
{
    struct chum_stream **at = &ss->first;
    while (*at != t)
        at = &(*at)->next;
    return at;
}

static void forget(struct chum_stream *t)
{
    *place_of(t->streams, t) = t->next;
    buf_free(&t->piece);
    free(t);
}

// How much of a text ends at a character boundary; at the end of the file everything does.
static size_t whole_characters(const struct chum_stream *t)
{
    return t->last ? t->piece.len : utf8_certain(buf_span(&t->piece)).len;
}

static bool send_bytes(struct chum_stream *t, struct span bytes)
{
    bool wanted = true;
    while (wanted && bytes.len != 0) {
        size_t n = bytes.len < STORE_CHUNK ? bytes.len : STORE_CHUNK;
        wanted = rpc_stream_binary(t->streams->rpc, t->id, (struct span){bytes.ptr, n});
        bytes = span_from(bytes, n);
    }
    return wanted;
}

// false: the peer wants no more of it.
static bool send_piece(struct chum_stream *t)
{
    struct chum_streams *ss = t->streams;
    size_t n = t->as_text ? whole_characters(t) : t->piece.len;
    struct span piece = {t->piece.data, n};
    bool wanted = true;
    if (n != 0 && t->as_text)
        wanted = rpc_stream_text(ss->rpc, t->id, piece, t->first);
    else if (n != 0)
        wanted = send_bytes(t, piece);
    t->first = t->first && n == 0;
    ss->counts->bytes_sent += n;
    buf_drop_front(&t->piece, n);
    return wanted;
}

static void read_failed(struct chum_stream *t, const struct error *e)
{
    if (t->first)
        chum_answer_error(t->streams->rpc, t->id, e);
    else
        rpc_stream_error(t->streams->rpc, t->id, e->message);
}

// true: that was all of it.
static bool piece_here(struct chum_stream *t)
{
    if (send_piece(t) && !t->last)
        return false;
    rpc_stream_end(t->streams->rpc, t->id);
    t->streams->counts->objects_sent += t->last;
    return true;
}

static enum status read_work(struct store *s, void *arg, struct error *e)
{
    struct chum_stream *t = arg;
    uint64_t begun = clock_monotonic_ms();
    enum status st = STATUS_OK;
    t->last = false;
    for (size_t i = 0; st == STATUS_OK && !t->last && i < (t->as_text ? 1 : READ_AT_ONCE); i++) {
        size_t before = t->piece.len;
        st = store_read_chunk(s, &t->hash, t->offset, &t->piece, e);
        t->last = t->piece.len - before < STORE_CHUNK;
        t->offset += t->piece.len - before;
    }
    t->ms = clock_monotonic_ms() - begun;
    return st;
}

static void read_done(void *arg, enum status status, const struct error *e);

static void fetched(void *arg, enum status status, const struct error *why)
{
    struct chum_stream *t = arg;
    t->fetching = false;
    if (!t->streams->ended && status == STATUS_OK)
        store_submit_read(t->streams->queue, read_work, read_done, t);
    else
        read_done(t, status, why);
}

// true: our other node has the bytes, and is asked for them; the peer waits.
static bool fetch(struct chum_stream *t, const struct error *e)
{
    const struct chum_elsewhere *elsewhere = &t->streams->elsewhere;
    bool may_come = strcmp(e->code, "REMOTE") == 0 || strcmp(e->code, "STILL-FETCHING") == 0;
    if (!may_come || elsewhere->fetch == NULL || t->fetches++ == FETCHES_MAX)
        return false;
    t->fetching = true;
    elsewhere->fetch(elsewhere->ctx, &t->hash, fetched, t);
    return true;
}

static void read_done(void *arg, enum status status, const struct error *e)
{
    struct chum_stream *t = arg;
    struct chum_streams *ss = t->streams;
    uint64_t ms = t->ms;
    bool over = true;
    if (!ss->ended && status != STATUS_OK && fetch(t, e))
        return;
    t->reading = false;
    if (!ss->ended && status != STATUS_OK)
        read_failed(t, e);
    else if (!ss->ended)
        over = piece_here(t);
    if (over)
        forget(t);
    ss->back(ss->ctx, ms, over);
}

void chum_streams_add(struct chum_streams *ss, int64_t id, const struct hash *hash, bool as_text)
{
    struct chum_stream *t = mem_alloc(sizeof *t);
    *t = (struct chum_stream){.streams = ss, .id = id, .hash = *hash, .as_text = as_text, .first = true};
    *place_of(ss, NULL) = t;
}

size_t chum_streams_go_on(struct chum_streams *ss)
{
    size_t begun = 0;
    size_t here = 0, fetching = 0; // what is fetched does not keep back what is here, but is bounded, too
    for (struct chum_stream *t = ss->first; t != NULL && here < STREAMS_MAX && fetching < STREAMS_MAX; t = t->next) {
        here += !t->fetching;
        fetching += t->fetching;
        if (t->reading)
            continue;
        t->reading = true;
        begun++;
        store_submit_read(ss->queue, read_work, read_done, t);
    }
    return begun;
}

size_t chum_streams_end(struct chum_streams *ss)
{
    size_t dropped = 0;
    ss->ended = true;
    for (struct chum_stream *t = ss->first; t != NULL;) {
        struct chum_stream *next = t->next;
        if (!t->reading) {
            forget(t);
            dropped++;
        }
        t = next;
    }
    return dropped;
}
