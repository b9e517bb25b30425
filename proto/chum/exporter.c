// A request is answered in the order: charged, waiting, in a batch on the store thread, back, sent. Whatever ends in
// between, each is counted out exactly once (count_requests), and the exporter is freed when the last job is back.
#include "chum/exporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chum/answers.h"
#include "chum/direct.h"
#include "chum/news.h"
#include "chum/requests.h"
#include "chum/streams.h"

enum {
    REQUESTS_MAX = 4096,    // that wait; above, the peer is not read
    REQUESTS_LEAST = 64,    // that may wait whatever its other connections do
    BATCHES_MAX = 2,        // store jobs under way
    BATCH_REQUESTS = 64,    // per job
    CACHED_ROOTS = 4 << 20, // bytes of a root list that is kept
    TALLY_MS = 300000,      // sums that nobody goes on with are
};

struct roots { // the answer to "what may I see"
    uint64_t version;
    struct buf json; // a JSON string with its quotes
};

struct chum_exporter {
    struct chum_exporter_options o;
    struct chum_access_set *shown;
    struct roots cached;
    uint64_t told;            // version of the root list answered last; 0 = none
    struct chum_outflow flow; // given away while a job goes on with it
    bool flowing;
    struct chum_tally tally; // likewise
    bool tallying;
    bool packs;    // its batches may be packed
    bool at_end;   // of the feed, as the peer was told
    bool unspoken; // of the objects in its last batch the peer has not said yet whether they are stored
    struct chum_directs directs;
    struct chum_answer *waiting; // in the order they came
    struct chum_answer **waiting_end;
    struct chum_streams streams;
    size_t requests; // waiting, and streams
    struct budget *budget;
    uint64_t later; // when the store may be asked again; 0 = now
    size_t batches;
    size_t jobs; // on their way through the store thread
    bool ended;
    bool full;
};

struct batch {
    struct chum_exporter *exporter;
    struct hash person;
    const struct chum_policy *policy;
    struct chum_answer *answers;
    uint64_t ms; // it took
};

static enum status batch_work(struct store *s, void *arg, struct error *e)
{
    struct batch *b = arg;
    (void)e;
    b->ms = chum_answers_work(s, b->policy, &b->person, b->answers);
    return STATUS_OK;
}

// ---- Answers -------------------------------------------------------------------------------------------------------

static void go_on(struct chum_exporter *x);

static void release(struct chum_exporter *x)
{
    if (!x->ended || x->jobs != 0)
        return;
    buf_free(&x->cached.json);
    chum_outflow_end(&x->flow);
    chum_tally_end(&x->tally);
    budget_release(x->budget);
    free(x);
}

static void count_requests(struct chum_exporter *x, size_t more, size_t less)
{
    x->requests = x->requests + more - less;
    budget_charge(x->budget, BUDGET_REQUESTS, more);
    budget_give(x->budget, BUDGET_REQUESTS, less);
    size_t most = budget_room(x->budget, BUDGET_REQUESTS) != 0 ? REQUESTS_MAX : REQUESTS_LEAST;
    bool full = x->full ? x->requests > most / 2 : x->requests >= most;
    if (full == x->full || x->ended)
        return;
    x->full = full;
    x->o.full(x->o.ctx, full);
}

// Not for nothing, however little it was.
static void charge_work(struct chum_exporter *x, uint64_t ms)
{
    budget_charge(x->budget, BUDGET_WORK, ms != 0 ? ms : 1);
}

static void answer_roots(struct chum_exporter *x, struct chum_answer *a)
{
    if (a->spared) {
        rpc_answer_string(x->o.rpc, a->id, SPAN(CHUM_UNCHANGED));
        return;
    }
    x->told = a->version;
    if (!a->unchanged) {
        buf_free(&x->cached.json);
        x->cached.version = 0;
    }
    if (!a->unchanged && a->json.len <= CACHED_ROOTS) {
        x->cached.version = a->version;
        x->cached.json = a->json;
        a->json = (struct buf){0};
    }
    if (x->cached.version != 0)
        rpc_answer_json(x->o.rpc, a->id, buf_span(&x->cached.json));
    else
        rpc_answer_long(x->o.rpc, a->id, &a->json);
}

// Who asks for what comes next in the feed has stored what came before, unless it says otherwise. Who asks for its list
// instead gave the feed up, perhaps for what came before.
static void tell_left(struct chum_exporter *x, const struct chum_answer *a)
{
    if (a->word == CHUM_WORD_LEFT || (x->unspoken && a->service != CHUM_FEED))
        x->o.stored(x->o.ctx, false);
    x->unspoken = x->unspoken && a->word == CHUM_WORD_AHEAD;
}

// is_empty: there was nothing behind what is stored there.
static void tell_given(struct chum_exporter *x, const struct chum_answer *a, bool is_empty)
{
    if (a->word != CHUM_WORD_AHEAD)
        x->o.served(x->o.ctx, CHUM_FEED, &a->hash);
    if (a->word == CHUM_WORD_ALL && (x->at_end || (a->end && is_empty)))
        x->o.stored(x->o.ctx, true);
    x->at_end = a->end;
    x->unspoken = x->unspoken || a->given.count != 0;
    for (size_t i = 0; i < a->given.count; i++)
        x->o.served(x->o.ctx, CHUM_GET_OBJECT, &a->given.items[i]);
    x->o.counts->objects_sent += a->given.count;
}

static void told_one(struct chum_exporter *x, const struct chum_answer *a)
{
    x->o.counts->objects_sent += a->service == CHUM_GET_OBJECT || a->service == CHUM_GET_ID_OBJECT;
    x->o.served(x->o.ctx, a->service, &a->hash);
}

static void take_back(struct chum_exporter *x, struct chum_answer *a)
{
    if (a->service == CHUM_FEED) {
        x->flow = a->flow;
        x->flowing = false;
        a->flow = (struct chum_outflow){0};
    } else if (a->service == CHUM_SUMS || a->service == CHUM_RANGES) {
        x->tally = a->tally;
        x->tallying = false;
        x->tally.until = conn_now(x->o.conn) + TALLY_MS;
        conn_reschedule(x->o.conn);
        a->tally = (struct chum_tally){0};
    }
}

static void answer(struct chum_exporter *x, struct chum_answer *a)
{
    bool feed = a->service == CHUM_FEED;
    bool is_empty = a->shown.count == 0;
    take_back(x, a);
    if (feed || chum_answer_tells_all(a))
        tell_left(x, a);
    if (a->status != STATUS_OK) {
        chum_answer_error(x->o.rpc, a->id, &a->error);
        return;
    }
    for (size_t i = 0; i < a->shown.count; i++)
        chum_access_show(x->shown, &a->shown.items[i]);
    hash_list_free(&a->shown);
    if (a->service == CHUM_GET_OBJECT || a->service == CHUM_GET_ID_OBJECT || feed)
        x->o.counts->bytes_sent += feed ? a->bytes : a->json.len;
    if (feed)
        tell_given(x, a, is_empty);
    if (a->service == CHUM_GET_ACCESSIBLE_ROOTS)
        answer_roots(x, a);
    else if (a->packed.len != 0)
        rpc_answer_bytes(x->o.rpc, a->id, buf_span(&a->packed));
    else
        rpc_answer_long(x->o.rpc, a->id, &a->json);
    if (chum_answer_tells_all(a))
        x->o.served(x->o.ctx, CHUM_GET_ACCESSIBLE_ROOTS, &a->hash);
    else if (a->service < CHUM_FEED)
        told_one(x, a);
}

// What was not worked on waits again, before the others.
static void put_back(struct chum_exporter *x, struct chum_answer *answers)
{
    struct chum_answer **end = &answers;
    while (*end != NULL)
        end = &(*end)->next;
    *end = x->waiting;
    if (x->waiting == NULL)
        x->waiting_end = end;
    x->waiting = answers;
    if (x->waiting == NULL)
        x->waiting_end = &x->waiting;
}

static void batch_done(void *arg, enum status status, const struct error *e)
{
    struct batch *b = arg;
    struct chum_exporter *x = b->exporter;
    struct chum_answer *a = b->answers;
    (void)status;
    (void)e;
    while (a != NULL && (a->worked || x->ended)) {
        struct chum_answer *next = a->next;
        if (!x->ended)
            answer(x, a);
        chum_answer_free(a);
        count_requests(x, 0, 1);
        a = next;
    }
    charge_work(x, b->ms);
    free(b);
    x->jobs--;
    x->batches--;
    if (a != NULL)
        put_back(x, a);
    go_on(x);
    release(x);
}

static void begin_batch(struct chum_exporter *x)
{
    struct batch *b = mem_alloc(sizeof *b);
    *b = (struct batch){.exporter = x, .person = x->o.person, .policy = x->o.policy, .answers = x->waiting};
    struct chum_answer **end = &x->waiting;
    for (size_t i = 0; i < BATCH_REQUESTS && *end != NULL; i++) {
        (*end)->version = x->cached.version;
        end = &(*end)->next;
    }
    struct chum_answer *rest = *end;
    *end = NULL;
    x->waiting = rest;
    if (rest == NULL)
        x->waiting_end = &x->waiting;
    x->jobs++;
    x->batches++;
    store_submit_read(x->o.queue, batch_work, batch_done, b);
}

static void ask_store(struct chum_exporter *x, const struct chum_answer *request)
{
    struct chum_answer *a = mem_alloc(sizeof *a);
    *a = *request;
    *x->waiting_end = a;
    x->waiting_end = &a->next;
    count_requests(x, 1, 0);
    go_on(x);
}

static void stream_back(void *ctx, uint64_t ms, bool over)
{
    struct chum_exporter *x = ctx;
    charge_work(x, ms);
    if (over)
        count_requests(x, 0, 1);
    x->jobs--;
    go_on(x);
    release(x);
}

static void begin_stream(struct chum_exporter *x, int64_t id, const struct hash *hash, bool as_text)
{
    chum_streams_add(&x->streams, id, hash, as_text);
    count_requests(x, 1, 0);
    go_on(x);
}

// ---- Going on ------------------------------------------------------------------------------------------------------

// The store has done enough for this person.
static bool must_wait(struct chum_exporter *x)
{
    uint64_t ms = budget_wait_ms(x->budget, BUDGET_WORK, 1);
    bool has_work = x->streams.first != NULL || x->waiting != NULL;
    x->later = ms != 0 && has_work ? conn_now(x->o.conn) + ms : 0;
    if (x->later != 0)
        conn_reschedule(x->o.conn);
    return x->later != 0;
}

static void go_on(struct chum_exporter *x)
{
    if (!x->ended)
        count_requests(x, 0, chum_directs_go_on(&x->directs));
    if (x->ended || !chum_has_room(x->o.conn))
        return; // until it is drained
    if (must_wait(x))
        return;
    x->jobs += chum_streams_go_on(&x->streams);
    while (x->waiting != NULL && x->batches < BATCHES_MAX)
        begin_batch(x);
}

void chum_exporter_drained(struct chum_exporter *x)
{
    chum_tally_on_time(&x->tally, conn_now(x->o.conn));
    go_on(x);
}

uint64_t chum_exporter_deadline(const struct chum_exporter *x)
{
    return x->later == 0 || (x->tally.until != 0 && x->tally.until < x->later) ? x->tally.until : x->later;
}

static void give_or_wait(struct chum_exporter *x, const struct chum_direct *request)
{
    if (!chum_directs_take(&x->directs, request))
        count_requests(x, 1, 0);
}

// ---- Requests ------------------------------------------------------------------------------------------------------

static enum status check_request(struct chum_exporter *x, const struct rpc_request *r, const struct chum_asked *asked,
                                 struct hash *hash, struct error *e)
{
    enum status st = chum_asked_hash(asked, r->args, hash, e);
    if (st == STATUS_OK && !x->o.gives_all && !chum_access_allows(x->shown, hash))
        st = error_set(e, STATUS_REFUSED, asked->refusal, "Unauthorized, %s %s", asked->what, hash_text(hash).s);
    return st;
}

static void serve_hash(struct chum_exporter *x, const struct rpc_request *r, const struct chum_asked *asked)
{
    struct error e = {0};
    struct hash hash;
    bool as_text = false;
    enum status st = check_request(x, r, asked, &hash, &e);
    if (st == STATUS_OK && asked->service == CHUM_GET_BLOB)
        st = chum_asked_encoding(r->args, &as_text, &e);
    if (st != STATUS_OK)
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_ERROR, .id = r->id, .error = e});
    else if (asked->service == CHUM_GET_BLOB)
        begin_stream(x, r->id, &hash, as_text);
    else
        ask_store(x, &(struct chum_answer){.id = r->id, .service = asked->service, .hash = hash});
}

static void serve_roots(struct chum_exporter *x, const struct rpc_request *r)
{
    const char *word = json_string_value(json_array_get(r->args, 0));
    chum_news_asked(x->o.news);
    bool has_last = word != NULL && strcmp(word, CHUM_UNCHANGED) == 0;
    ask_store(x, &(struct chum_answer){.id = r->id,
                                       .service = CHUM_GET_ACCESSIBLE_ROOTS,
                                       .word = chum_asked_word(r->args, 1),
                                       .held = has_last ? x->told : 0});
}

// What goes on from question to question is lent to one at a time.
static enum status lend(struct chum_exporter *x, struct chum_answer *a, struct error *e)
{
    bool *lent = a->service == CHUM_FEED ? &x->flowing : &x->tallying;
    if (a->service == CHUM_HOLDS)
        return STATUS_OK;
    if (*lent)
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "the last question has no answer yet");
    *lent = true;
    if (a->service == CHUM_FEED && !x->tallying)
        chum_tally_end(&x->tally); // who goes on with the feed compares no more
    if (a->service == CHUM_FEED) {
        a->flow = x->flow;
        x->flow = (struct chum_outflow){0};
    } else {
        a->tally = x->tally;
        x->tally = (struct chum_tally){0};
    }
    return STATUS_OK;
}

static bool is_further(const struct chum_exporter *x, int64_t service)
{
    return x->o.feeds && service >= CHUM_FEED && service <= CHUM_RANGES;
}

// Services beyond those of the reference.
static void serve_further(struct chum_exporter *x, const struct rpc_request *r)
{
    struct chum_answer a = {.id = r->id, .service = (enum chum_service)r->service, .packs = x->packs};
    struct error e;
    enum status st = chum_answer_asked(r->args, &a, &e);
    if (st == STATUS_OK)
        st = lend(x, &a, &e);
    if (st != STATUS_OK) {
        chum_answer_forget_asked(&a);
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_ERROR, .id = r->id, .error = e});
        return;
    }
    if (a.service == CHUM_FEED || (a.service == CHUM_SUMS && a.begins))
        chum_news_asked(x->o.news);
    ask_store(x, &a);
}

void chum_exporter_serve(struct chum_exporter *x, const struct rpc_request *r)
{
    if (r->args == NULL) {
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_NO_ARRAY, .id = r->id});
        return;
    }
    switch (r->service) {
    case CHUM_GET_PROTOCOL_VERSION:
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_VERSION, .id = r->id});
        x->packs = chum_news_unpacks(r->args);
        x->o.greeted(x->o.ctx, r->args);
        return;
    case CHUM_GET_ACCESSIBLE_ROOTS:
        serve_roots(x, r);
        return;
    case CHUM_NEW_ACCESSIBLE_ROOT_EVENT:
        if (!chum_news_wants_no_answer(r->args))
            give_or_wait(x, &(struct chum_direct){.kind = DIRECT_NOTHING, .id = r->id});
        x->o.told_of_news(x->o.ctx);
        return;
    case CHUM_FIN:
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_NOTHING, .id = r->id});
        return;
    default:
        break;
    }
    const struct chum_asked *asked = chum_asked_find(r->service);
    if (is_further(x, r->service)) {
        serve_further(x, r);
        return;
    }
    if (asked != NULL) {
        serve_hash(x, r, asked);
        return;
    }
    give_or_wait(x, &(struct chum_direct){.kind = DIRECT_UNKNOWN, .id = r->id, .service = r->service});
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct chum_exporter *chum_exporter_create(const struct chum_exporter_options *options)
{
    struct chum_exporter *x = mem_alloc(sizeof *x);
    x->o = *options;
    x->shown = chum_access_use(options->access, &options->person);
    x->waiting_end = &x->waiting;
    x->directs = (struct chum_directs){.conn = options->conn, .rpc = options->rpc};
    x->streams = (struct chum_streams){.rpc = options->rpc,
                                       .queue = options->queue,
                                       .counts = options->counts,
                                       .ctx = x,
                                       .back = stream_back,
                                       .elsewhere = options->elsewhere};
    x->budget = budget_use(conn_budget(options->conn));
    return x;
}

uint64_t chum_exporter_answered(const struct chum_exporter *x)
{
    return x->told;
}

bool chum_exporter_is_busy(const struct chum_exporter *x)
{
    return x->requests != 0;
}

size_t chum_exporter_unanswered(const struct chum_exporter *x)
{
    return x->requests;
}

void chum_exporter_end(struct chum_exporter *x)
{
    x->ended = true;
    chum_access_leave(x->shown);
    count_requests(x, 0, chum_directs_end(&x->directs));
    while (x->waiting != NULL) {
        struct chum_answer *a = x->waiting;
        x->waiting = a->next;
        chum_answer_free(a);
        count_requests(x, 0, 1);
    }
    count_requests(x, 0, chum_streams_end(&x->streams));
    release(x);
}
