// Roots are fetched newest first, and a root that stands in the list of a newer one is covered: it comes as a part of
// it and is not fetched again. The texts of all are kept until the last is here and stored in one job. If a newer one
// fails, what it covered is unsure: it may be here and have had no effect.
#include "chum/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/life.h"
#include "chum/charge.h"
#include "chum/parts.h"

struct root {
    struct buf text;
    bool covered; // came as part of a newer one
};

struct chum_tree {
    struct chum_fetch *fetch;
    struct chum_want want;
    struct chum_tree_events events;
    void *ctx;
    struct root *roots;
    struct chum_root_result *results;
    size_t next;                       // the root being fetched is the one before, counting down
    struct chum_parts *parts;          // of that root
    struct store_knowledge *knowledge; // of the peer, found out for the roots so far; NULL: nothing yet
    int64_t call;                      // for that root itself; -1 = none
    struct span *texts;                // for the store
    struct life life;                  // of whoever wants it, and of the store's job
};

// ---- Life ----------------------------------------------------------------------------------------------------------

static void destroy(void *self)
{
    struct chum_tree *t = self;
    for (size_t i = 0; i < t->want.count; i++) {
        t->fetch->ahead -= t->roots[i].text.len;
        buf_free(&t->roots[i].text);
    }
    free(t->roots);
    free(t->results);
    free(t->texts);
    free(t->want.hashes);
    store_knowledge_destroy(t->knowledge);
    chum_fetch_release(t->fetch);
    free(t);
}

void chum_tree_drop(struct chum_tree *t)
{
    if (t->life.over)
        return;
    chum_parts_drop(t->parts);
    t->parts = NULL;
    chum_fetch_cancel(t->fetch, &t->call);
    life_over(&t->life);
}

static void end(struct chum_tree *t)
{
    bool any_failed = false;
    for (size_t i = t->want.count; i-- > 0;) {
        any_failed = any_failed || t->results[i].status != STATUS_OK;
        t->results[i].unsure = any_failed && t->results[i].status == STATUS_OK && t->roots[i].covered;
    }
    life_hold(&t->life); // what is told may drop it
    for (size_t i = 0; i < t->want.count && !t->fetch->ended; i++)
        t->events.root(t->ctx, &t->want.hashes[i], &t->results[i]);
    if (!t->fetch->ended)
        t->events.over(t->ctx);
    if (life_let_go(&t->life))
        life_over(&t->life);
}

// ---- Storing -------------------------------------------------------------------------------------------------------

static enum status final_work(struct store *s, void *arg, struct error *e)
{
    struct chum_tree *t = arg;
    uint64_t sent = 0;
    struct store_totals before = chum_charge_begin(s);
    store_set_sender(s, &t->fetch->sender);
    enum status st = chum_store_roots(s, t->fetch, &t->want, t->knowledge, t->texts, t->results, e);
    for (size_t i = 0; i < t->want.count; i++)
        sent += t->texts[i].len;
    if (st == STATUS_OK)
        st = chum_charge_end(s, t->fetch, &before, sent, t->want.kind == CHUM_ROOT_VERSION_NODE ? t->want.count : 0, e);
    store_set_sender(s, NULL);
    return st;
}

static void fail_rest(struct chum_tree *t, enum status status, const struct error *why)
{
    for (size_t i = 0; i < t->want.count; i++) {
        if (t->results[i].status == STATUS_OK)
            t->results[i] = (struct chum_root_result){.status = status, .why = *why};
    }
}

static void final_done(void *arg, enum status status, const struct error *e)
{
    struct chum_tree *t = arg;
    if (!life_let_go(&t->life))
        return;
    if (status != STATUS_OK)
        fail_rest(t, status, e);
    for (size_t i = 0; i < t->want.count; i++) {
        if (t->results[i].status == STATUS_OK && t->roots[i].text.len != 0)
            t->fetch->counts->objects_received++;
    }
    end(t);
}

static void store_texts(struct chum_tree *t)
{
    t->texts = mem_array(t->want.count, sizeof *t->texts);
    for (size_t i = 0; i < t->want.count; i++) {
        if (t->roots[i].text.len != 0)
            t->texts[i] = buf_span(&t->roots[i].text);
    }
    life_hold(&t->life);
    store_submit(t->fetch->queue, final_work, final_done, t);
}

// ---- One root after the other, newest first ------------------------------------------------------------------------

static void fetch_next(struct chum_tree *t);

// A peer that does not answer is not asked for the other roots.
static void failed(struct chum_tree *t, enum status status, const struct error *why, bool lost)
{
    struct chum_root_result *result = &t->results[t->next];
    result->status = status;
    result->why = *why;
    for (; lost && t->next > 0; t->next--) {
        if (!t->roots[t->next - 1].covered)
            t->results[t->next - 1] = *result;
    }
    fetch_next(t);
}

static bool is_lost(enum status status)
{
    return status == STATUS_TIMEOUT || status == STATUS_CLOSED;
}

static void root_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_tree *t = ctx;
    struct span text;
    struct error e;
    t->call = -1;
    enum status st = chum_fetch_text(reply, t->want.kind == CHUM_ROOT_ID ? "CIEC-FIDO1" : "CIEC-FO1", &text, &e);
    if (st == STATUS_OK && (!chum_fetch_fits(t->fetch, text) || t->fetch->ahead + text.len > CHUM_AHEAD_LIMIT))
        st = error_set(&e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the peer's object has %zu bytes", text.len);
    if (st == STATUS_OK && text.len == 0)
        st = error_set(&e, STATUS_INVALID, "M2O-PH1", "the peer's object is empty");
    if (st != STATUS_OK) {
        failed(t, st, &e, reply->kind == RPC_LOST);
        return;
    }
    chum_fetch_keep_text(reply, text, &t->roots[t->next].text);
    t->fetch->ahead += text.len;
    t->fetch->counts->bytes_received += text.len;
    fetch_next(t);
}

static void take_knowledge(struct chum_tree *t, struct store_knowledge *knowledge)
{
    if (t->knowledge == NULL) {
        t->knowledge = knowledge;
        return;
    }
    if (knowledge != NULL)
        store_knowledge_learn(t->knowledge, knowledge);
    store_knowledge_destroy(knowledge);
}

static void parts_here(void *ctx, const struct chum_parts_result *result)
{
    struct chum_tree *t = ctx;
    t->parts = NULL;
    take_knowledge(t, result->knowledge);
    for (size_t i = 0; result->listed != NULL && i < t->next; i++) {
        t->roots[i].covered = t->roots[i].covered || result->listed[i];
        if (t->roots[i].covered) // whatever was asked for, the newer one asks for again
            t->results[i].lacking.files += result->lacking.files;
    }
    if (result->status != STATUS_OK) {
        failed(t, result->status, result->why, is_lost(result->status));
        return;
    }
    t->results[t->next].lacking = result->lacking;
    t->call = chum_fetch_call_for(t->fetch, t->want.kind == CHUM_ROOT_ID ? CHUM_GET_ID_OBJECT : CHUM_GET_OBJECT,
                                  &t->want.hashes[t->next], root_here, t);
}

static void fetch_next(struct chum_tree *t)
{
    while (t->next > 0 && t->roots[t->next - 1].covered)
        t->next--;
    if (t->next == 0) {
        store_texts(t);
        return;
    }
    t->next--;
    const struct chum_root_ref ref = {.is_id = t->want.kind == CHUM_ROOT_ID,
                                      .hash = t->want.hashes[t->next],
                                      .id_hash = chum_want_versions_of(&t->want),
                                      .siblings = t->want.hashes,
                                      .sibling_count = t->next};
    t->parts = chum_parts_begin(t->fetch, &ref, parts_here, t);
}

struct chum_tree *chum_tree_begin(struct chum_fetch *f, const struct chum_want *want,
                                  const struct chum_tree_events *events, void *ctx)
{
    struct chum_tree *t = mem_alloc(sizeof *t);
    *t = (struct chum_tree){
        .fetch = chum_fetch_use(f), .want = *want, .events = *events, .ctx = ctx, .next = want->count, .call = -1};
    life_begin(&t->life, destroy, t);
    t->want.hashes = mem_array(want->count, sizeof *want->hashes);
    memcpy(t->want.hashes, want->hashes, want->count * sizeof *want->hashes);
    t->roots = mem_array(want->count, sizeof *t->roots);
    t->results = mem_array(want->count, sizeof *t->results);
    fetch_next(t);
    return t;
}

const struct chum_want *chum_tree_want(const struct chum_tree *t)
{
    return &t->want;
}
