// Answers that are long strings, as they come: neither the message nor a JSON value of it is ever held as a whole, only
// the string, once, or nothing when the caller takes it in pieces.
#include "chum/rpc_internal.h"

#include <stdlib.h>

#include "base/text.h"

enum { BYTES_PER_VALUE = 4096 }; // of a string: it is one value, but not for nothing

static void lose(struct rpc *r, struct call **place, enum status status, const char *code, const char *what)
{
    struct error e;
    error_set(&e, status, code, "%s", what);
    rpc_finish(r, place, &(struct rpc_reply){.kind = RPC_LOST, .error = &e});
}

static void keep(struct rpc *r, struct call **place, struct span string)
{
    struct call *c = *place;
    if (budget_take(r->limits.budget, BUDGET_HELD, string.len, NULL) != STATUS_OK) {
        lose(r, place, STATUS_TOO_BIG, "OVER-BUDGET", "the peer sends more at a time than it may");
        return;
    }
    c->counted += string.len;
    buf_add_span(&c->text, string);
}

static void deliver(struct rpc *r, struct call **place, struct span string, bool first)
{
    struct call *c = *place;
    if (first) // perhaps not the first answer with this id, if that one broke off
        c->came = 0;
    if (string.len > c->most - c->came) {
        lose(r, place, STATUS_TOO_BIG, c->too_big, "the peer's answer is longer than it may be");
        return;
    }
    c->came += string.len;
    if (c->in_pieces) {
        c->reply(c->ctx, &(struct rpc_reply){.kind = RPC_PIECE, .chunk = string, .first = first}); // may cancel c
        return;
    }
    if (first)
        rpc_drop_text(r, c);
    keep(r, place, string);
}

// As a decoder of the whole message would have.
static void repair(struct buf *text)
{
    if (utf8_valid(buf_span(text)))
        return;
    struct buf repaired = {0};
    utf8_repair(buf_span(text), &repaired);
    buf_free(text);
    *text = repaired;
}

static void finish(struct rpc *r, struct call **place)
{
    struct buf *text = &(*place)->text;
    repair(text);
    bool undefined = span_eq(buf_span(text), SPAN(RPC_UNDEFINED)); // in fragments it is what it is in one message
    rpc_finish(r, place, &(struct rpc_reply){.kind = RPC_DATA, .text = undefined ? NULL : text});
}

static void end(struct rpc *r, uint64_t now_ms)
{
    struct long_answer *a = &r->arriving;
    struct call **place = a->state == LONG_ANSWER_END ? rpc_sent_call(r, a->id) : NULL;
    if (place != NULL)
        finish(r, place);
    if (a->state == LONG_ANSWER_OTHER || a->state == LONG_ANSWER_HEAD) {
        struct buf whole = a->kept;
        a->kept = (struct buf){0};
        rpc_on_text(r, buf_span(&whole), now_ms);
        buf_free(&whole);
    } else {
        rpc_on_text(r, (struct span){0}, now_ms); // calls that waited may be sent
    }
    long_answer_end(a);
}

void rpc_on_piece(struct rpc *r, struct span piece, bool first, bool last, uint64_t now_ms)
{
    struct long_answer *a = &r->arriving;
    struct buf string = {0};
    OWNER_ASSERT(r);
    r->busy++;
    if (first)
        long_answer_begin(a);
    bool begins = a->state == LONG_ANSWER_HEAD;
    budget_charge(r->limits.budget, BUDGET_VALUES, 1 + piece.len / BYTES_PER_VALUE);
    long_answer_add(a, piece, &string);
    bool here = a->state == LONG_ANSWER_STRING || a->state == LONG_ANSWER_TAIL || a->state == LONG_ANSWER_END;
    struct call **place = here ? rpc_sent_call(r, a->id) : NULL;
    if (place != NULL && (string.len != 0 || begins))
        deliver(r, place, buf_span(&string), begins);
    buf_free(&string);
    if (last)
        end(r, now_ms);
    r->busy--;
}
