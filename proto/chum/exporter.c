#include "chum/exporter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chum/direct.h"
#include "chum/outflow.h"

enum {
    REQUESTS_MAX = 4096,    // that wait; above, the peer is not read
    REQUESTS_LEAST = 64,    // that may wait whatever its other connections do
    BATCHES_MAX = 2,        // store jobs under way
    BATCH_REQUESTS = 64,    // per job
    BATCH_BYTES = 1 << 20,  // of answers per job; what is left waits for the next
    STREAMS_MAX = 4,        // files on their way at a time
    CACHED_ROOTS = 4 << 20, // bytes of a root list that is kept
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
    struct chum_directs directs;
    struct answer *waiting; // in the order they came
    struct answer **waiting_end;
    struct stream *streams; // likewise
    size_t requests;        // waiting, and streams
    struct budget *budget;
    uint64_t later; // when the store may be asked again; 0 = now
    size_t batches;
    size_t jobs; // on their way through the store thread
    bool ended;
    bool full;
};

struct answer { // a request that the store answers
    struct answer *next;
    int64_t id;
    enum chum_service service;
    struct hash hash;
    bool worked;    // on it; otherwise it waits for another batch
    bool unchanged; // the root list of that version is known
    uint64_t version;
    uint64_t held;   // version of the root list that the peer says it has; 0 = it names none
    bool spared;     // it is an own node, and needs no other one
    struct buf json; // a JSON string with its quotes
    struct hash_list shown;
    struct chum_cursor since; // CHUM_FEED
    bool left;                // something of the last batch is not stored
    struct chum_outflow flow;
    struct hash_list given;
    enum status status;
    struct error error;
};

struct batch {
    struct chum_exporter *exporter;
    struct hash person;
    const struct chum_policy *policy;
    struct answer *answers;
    uint64_t ms; // it took
};

struct stream { // a file on its way out
    struct stream *next;
    struct chum_exporter *exporter;
    int64_t id;
    struct hash hash;
    uint64_t offset; // of the next piece in the file
    struct buf piece;
    bool as_text;
    bool first;
    bool reading; // a job is under way
    bool last;    // the piece read last was the end
    uint64_t ms;  // reading it took
};

// ---- On the store thread -------------------------------------------------------------------------------------------

static enum status compare_roots(struct store *s, const struct batch *b, struct answer *a)
{
    uint64_t version = 0;
    enum status st = store_roots_version(s, &b->person, &version, &a->error);
    a->unchanged = a->version != 0 && a->version == version;
    a->spared = a->held != 0 && a->held == version && chum_is_own(b->policy, s, &b->person);
    a->version = version;
    return st;
}

static enum status give_batch(struct store *s, const struct batch *b, struct answer *a)
{
    if (!chum_is_own(b->policy, s, &b->person))
        return error_set(&a->error, STATUS_REFUSED, "REFUSED", "feeds are for own nodes");
    return chum_outflow_next(s, &a->flow, b->policy, &b->person, &a->since, &a->json, &a->shown, &a->given, &a->error);
}

static bool is_list(const struct answer *a)
{
    return a->service == CHUM_GET_ACCESSIBLE_ROOTS;
}

// What a list needs may take more turns than one; then it is not worked on.
static void prepare(struct store *s, const struct batch *b, struct answer *a)
{
    a->status = is_list(a) ? compare_roots(s, b, a) : STATUS_OK;
    a->worked = true;
    if (is_list(a) && a->status == STATUS_OK && !a->unchanged && !a->spared)
        a->status = store_roots_prepare(s, &b->person, &a->worked, &a->error);
    a->worked |= a->status != STATUS_OK;
}

static void answer_one(struct store *s, const struct batch *b, struct answer *a)
{
    prepare(s, b, a);
    if (!a->worked || a->status != STATUS_OK || a->unchanged || a->spared)
        return;
    buf_add_char(&a->json, '"');
    if (a->service == CHUM_FEED)
        a->status = give_batch(s, b, a);
    else
        a->status = chum_export(s, b->policy, &b->person, a->service, &a->hash, &a->json, &a->shown, &a->error);
    buf_add_char(&a->json, '"');
}

static enum status batch_work(struct store *s, void *arg, struct error *e)
{
    struct batch *b = arg;
    size_t bytes = 0;
    uint64_t begun = clock_monotonic_ms();
    (void)e;
    for (struct answer *a = b->answers; a != NULL && bytes < BATCH_BYTES; a = a->next) {
        answer_one(s, b, a);
        bytes += a->json.len;
        if (!a->worked)
            break;
    }
    b->ms = clock_monotonic_ms() - begun;
    return STATUS_OK;
}

static enum status read_work(struct store *s, void *arg, struct error *e)
{
    struct stream *t = arg;
    size_t before = t->piece.len;
    uint64_t begun = clock_monotonic_ms();
    enum status st = store_read_chunk(s, &t->hash, t->offset, &t->piece, e);
    t->last = t->piece.len - before < STORE_CHUNK;
    t->offset += t->piece.len - before;
    t->ms = clock_monotonic_ms() - begun;
    return st;
}

// ---- Answers -------------------------------------------------------------------------------------------------------

static void go_on(struct chum_exporter *x);

static void release(struct chum_exporter *x)
{
    if (!x->ended || x->jobs != 0)
        return;
    buf_free(&x->cached.json);
    chum_outflow_end(&x->flow);
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

static void free_answer(struct answer *a)
{
    buf_free(&a->json);
    hash_list_free(&a->shown);
    hash_list_free(&a->given);
    chum_outflow_end(&a->flow);
    free(a);
}

// Not for nothing, however little it was.
static void charge_work(struct chum_exporter *x, uint64_t ms)
{
    budget_charge(x->budget, BUDGET_WORK, ms != 0 ? ms : 1);
}

static void answer_roots(struct chum_exporter *x, struct answer *a)
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

// Who asks for what comes next has stored what came before, unless it says otherwise.
static void tell_given(struct chum_exporter *x, const struct answer *a)
{
    if (a->left)
        x->o.left(x->o.ctx);
    x->o.served(x->o.ctx, CHUM_FEED, &a->hash);
    for (size_t i = 0; i < a->given.count; i++)
        x->o.served(x->o.ctx, CHUM_GET_OBJECT, &a->given.items[i]);
    x->o.counts->objects_sent += a->given.count;
    x->o.counts->bytes_sent += a->json.len;
}

static void take_flow(struct chum_exporter *x, struct answer *a)
{
    x->flow = a->flow;
    x->flowing = false;
    a->flow = (struct chum_outflow){0};
}

static void answer(struct chum_exporter *x, struct answer *a)
{
    if (a->service == CHUM_FEED)
        take_flow(x, a);
    if (a->status != STATUS_OK) {
        chum_answer_error(x->o.rpc, a->id, &a->error);
        return;
    }
    for (size_t i = 0; i < a->shown.count; i++)
        chum_access_show(x->shown, &a->shown.items[i]);
    hash_list_free(&a->shown);
    if (a->service == CHUM_GET_OBJECT || a->service == CHUM_GET_ID_OBJECT) {
        x->o.counts->objects_sent++;
        x->o.counts->bytes_sent += a->json.len;
    }
    if (a->service == CHUM_FEED)
        tell_given(x, a);
    if (is_list(a))
        answer_roots(x, a);
    else
        rpc_answer_long(x->o.rpc, a->id, &a->json);
    if (a->service != CHUM_FEED)
        x->o.served(x->o.ctx, a->service, &a->hash);
}

// What was not worked on waits again, before the others.
static void put_back(struct chum_exporter *x, struct answer *answers)
{
    struct answer **end = &answers;
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
    struct answer *a = b->answers;
    (void)status;
    (void)e;
    while (a != NULL && (a->worked || x->ended)) {
        struct answer *next = a->next;
        if (!x->ended)
            answer(x, a);
        free_answer(a);
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
    struct answer **end = &x->waiting;
    for (size_t i = 0; i < BATCH_REQUESTS && *end != NULL; i++) {
        (*end)->version = x->cached.version;
        end = &(*end)->next;
    }
    struct answer *rest = *end;
    *end = NULL;
    x->waiting = rest;
    if (rest == NULL)
        x->waiting_end = &x->waiting;
    x->jobs++;
    x->batches++;
    store_submit_read(x->o.queue, batch_work, batch_done, b);
}

static void ask_store(struct chum_exporter *x, const struct answer *request)
{
    struct answer *a = mem_alloc(sizeof *a);
    *a = *request;
    *x->waiting_end = a;
    x->waiting_end = &a->next;
    count_requests(x, 1, 0);
    go_on(x);
}

// ---- Streams -------------------------------------------------------------------------------------------------------

static void forget_stream(struct stream *t)
{
    struct stream **link = &t->exporter->streams;
    while (*link != t)
        link = &(*link)->next;
    *link = t->next;
    count_requests(t->exporter, 0, 1);
    buf_free(&t->piece);
    free(t);
}

// How much of a text ends at a character boundary; at the end of the file everything does.
static size_t whole_characters(const struct stream *t)
{
    return t->last ? t->piece.len : utf8_certain(buf_span(&t->piece)).len;
}

// false: the peer wants no more of it.
static bool send_piece(struct stream *t)
{
    struct chum_exporter *x = t->exporter;
    size_t n = t->as_text ? whole_characters(t) : t->piece.len;
    struct span piece = {t->piece.data, n};
    bool wanted = true;
    if (n != 0 && t->as_text)
        wanted = rpc_stream_text(x->o.rpc, t->id, piece, t->first);
    else if (n != 0)
        wanted = rpc_stream_binary(x->o.rpc, t->id, piece);
    t->first = t->first && n == 0;
    x->o.counts->bytes_sent += n;
    buf_drop_front(&t->piece, n);
    return wanted;
}

static void read_failed(struct stream *t, const struct error *e)
{
    struct chum_exporter *x = t->exporter;
    if (t->first)
        chum_answer_error(x->o.rpc, t->id, e);
    else
        rpc_stream_error(x->o.rpc, t->id, e->message);
    forget_stream(t);
}

static void piece_here(struct stream *t)
{
    struct chum_exporter *x = t->exporter;
    if (send_piece(t) && !t->last)
        return;
    rpc_stream_end(x->o.rpc, t->id);
    x->o.counts->objects_sent += t->last;
    forget_stream(t);
}

static void read_done(void *arg, enum status status, const struct error *e)
{
    struct stream *t = arg;
    struct chum_exporter *x = t->exporter;
    t->reading = false;
    charge_work(x, t->ms);
    if (x->ended)
        forget_stream(t);
    else if (status != STATUS_OK)
        read_failed(t, e);
    else
        piece_here(t);
    x->jobs--;
    go_on(x);
    release(x);
}

static void read_on(struct stream *t)
{
    t->reading = true;
    t->exporter->jobs++;
    store_submit_read(t->exporter->o.queue, read_work, read_done, t);
}

static void begin_stream(struct chum_exporter *x, int64_t id, const struct hash *hash, bool as_text)
{
    struct stream *t = mem_alloc(sizeof *t);
    *t = (struct stream){.exporter = x, .id = id, .hash = *hash, .as_text = as_text, .first = true};
    struct stream **link = &x->streams;
    while (*link != NULL)
        link = &(*link)->next;
    *link = t;
    count_requests(x, 1, 0);
    go_on(x);
}

// ---- Going on ------------------------------------------------------------------------------------------------------

// The store has done enough for this person.
static bool must_wait(struct chum_exporter *x)
{
    uint64_t ms = budget_wait_ms(x->budget, BUDGET_WORK, 1);
    bool has_work = x->streams != NULL || x->waiting != NULL;
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
    size_t i = 0;
    for (struct stream *t = x->streams; t != NULL && i < STREAMS_MAX; t = t->next, i++) {
        if (!t->reading)
            read_on(t);
    }
    while (x->waiting != NULL && x->batches < BATCHES_MAX)
        begin_batch(x);
}

void chum_exporter_drained(struct chum_exporter *x)
{
    go_on(x);
}

uint64_t chum_exporter_deadline(const struct chum_exporter *x)
{
    return x->later;
}

static void give_or_wait(struct chum_exporter *x, const struct chum_direct *request)
{
    if (!chum_directs_take(&x->directs, request))
        count_requests(x, 1, 0);
}

// ---- Requests ------------------------------------------------------------------------------------------------------

static const struct refusal { // of services 4 to 8 (WIRE.md 10.6)
    const char *code;
    const char *what;
    enum chum_service service;
    bool is_id;
} refusals[] = {
    {"CES-GOC1", "obj", CHUM_GET_OBJECT_CHILDREN, false}, {"CES-GIDOC1", "id obj", CHUM_GET_ID_OBJECT_CHILDREN, true},
    {"CES-GO1", "obj", CHUM_GET_OBJECT, false},           {"CES-GIDO1", "id obj", CHUM_GET_ID_OBJECT, true},
    {"CES-GBL1", "file", CHUM_GET_BLOB, false},
};

static bool read_hash(const json_t *args, size_t i, struct hash *out)
{
    const json_t *text = json_array_get(args, i);
    return json_is_string(text) && hash_parse((struct span){json_string_value(text), json_string_length(text)}, out);
}

static enum status check_request(struct chum_exporter *x, const struct rpc_request *r, const struct refusal *refusal,
                                 struct hash *hash, struct error *e)
{
    if (!read_hash(r->args, 0, hash))
        return error_set(e, STATUS_INVALID, refusal->is_id ? "UTC-EIDHASH" : "UTC-EHASH", "the argument is not a hash");
    if (!x->o.gives_all && !chum_access_allows(x->shown, hash))
        return error_set(e, STATUS_REFUSED, refusal->code, "Unauthorized, %s %s", refusal->what, hash_text(hash).s);
    return STATUS_OK;
}

static enum status check_encoding(const struct rpc_request *r, bool *as_text, struct error *e)
{
    const json_t *encoding = json_array_get(r->args, 1);
    *as_text = json_is_string(encoding) && strcmp(json_string_value(encoding), "utf8") == 0;
    if (*as_text || encoding == NULL || rpc_is_undefined(encoding))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "CES-GBL2", "only utf8 or no encoding is known");
}

static void serve_hash(struct chum_exporter *x, const struct rpc_request *r, const struct refusal *refusal)
{
    struct error e = {0};
    struct hash hash;
    bool as_text = false;
    enum status st = check_request(x, r, refusal, &hash, &e);
    if (st == STATUS_OK && refusal->service == CHUM_GET_BLOB)
        st = check_encoding(r, &as_text, &e);
    if (st != STATUS_OK)
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_ERROR, .id = r->id, .error = e});
    else if (refusal->service == CHUM_GET_BLOB)
        begin_stream(x, r->id, &hash, as_text);
    else
        ask_store(x, &(struct answer){.id = r->id, .service = refusal->service, .hash = hash});
}

static void serve_roots(struct chum_exporter *x, const struct rpc_request *r)
{
    const char *word = json_string_value(json_array_get(r->args, 0));
    bool has_last = word != NULL && strcmp(word, CHUM_UNCHANGED) == 0;
    ask_store(x, &(struct answer){.id = r->id, .service = CHUM_GET_ACCESSIBLE_ROOTS, .held = has_last ? x->told : 0});
}

static bool read_cursor(const json_t *args, struct chum_cursor *out)
{
    const json_t *epoch = json_array_get(args, 0); // as text: JavaScript has no such integers
    const json_t *place = json_array_get(args, 1);
    char *end;
    if (!json_is_string(epoch) || !json_is_integer(place) || json_integer_value(place) < -1)
        return false;
    errno = 0;
    *out = (struct chum_cursor){strtoll(json_string_value(epoch), &end, 10), json_integer_value(place)};
    return errno == 0 && *end == '\0' && end != json_string_value(epoch);
}

static void serve_feed(struct chum_exporter *x, const struct rpc_request *r)
{
    struct answer a = {.id = r->id, .service = CHUM_FEED};
    struct error e;
    a.left = json_is_string(json_array_get(r->args, 2));
    if (!x->flowing && read_cursor(r->args, &a.since)) {
        a.flow = x->flow;
        x->flow = (struct chum_outflow){0};
        x->flowing = true;
        ask_store(x, &a);
        return;
    }
    (void)error_set(&e, STATUS_INVALID, "BAD-INPUT", "the arguments are an epoch and a place, one request at a time");
    give_or_wait(x, &(struct chum_direct){.kind = DIRECT_ERROR, .id = r->id, .error = e});
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
        x->o.greeted(x->o.ctx, r->args);
        return;
    case CHUM_GET_ACCESSIBLE_ROOTS:
        serve_roots(x, r);
        return;
    case CHUM_NEW_ACCESSIBLE_ROOT_EVENT:
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_NOTHING, .id = r->id});
        x->o.told_of_news(x->o.ctx);
        return;
    case CHUM_FIN:
        give_or_wait(x, &(struct chum_direct){.kind = DIRECT_NOTHING, .id = r->id});
        return;
    case CHUM_FEED:
        if (x->o.feeds) {
            serve_feed(x, r);
            return;
        }
        break;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if ((int64_t)refusals[i].service == r->service) {
            serve_hash(x, r, &refusals[i]);
            return;
        }
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
        struct answer *a = x->waiting;
        x->waiting = a->next;
        free_answer(a);
        count_requests(x, 0, 1);
    }
    for (struct stream *t = x->streams; t != NULL;) {
        struct stream *next = t->next;
        if (!t->reading)
            forget_stream(t);
        t = next;
    }
    release(x);
}
