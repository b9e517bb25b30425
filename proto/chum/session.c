#include "chum/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "chum/charge.h"
#include "chum/exporter.h"
#include "chum/importer.h"
#include "chum/news.h"
#include "chum/refetch.h"
#include "chum/spoken.h"

enum {
    COURTESY_MS = 75,       // between the peer's "synchronisation" and our first question (WIRE.md 10.2)
    VERSION_RETRY_MS = 300, // while the peer has no services yet (10.3)
    VERSION_RETRIES = 15,
    VERSION_CALL_MS = 5000, // a lost first question is asked again once
    SYNC_MS = 30000,        // for the peer's "synchronisation"
    POLL_ACTIVE_MS = 800,
    POLL_IDLE_MS = 5000,
    POLL_TOLD_MS = 15000, // who tells of news is only asked in case it could not
    NEWS_REST_MS = 50,    // between two passes for a contact's news
    ACTIVE_MS = 60000,    // how long traffic or a follower keeps a session active
    MOVE_ON_MS = 5000,    // after that long a pass is not waited for
    POSTPONED_MS = 50,    // when the last pass left something for another one
    FAILING_PASSES = 10,  // after that many, what has failed so far is not expected any more
    POLL_PER_ANSWER = 20, // polls are at least this many times the peer's answer time apart
    STOP_MS = 3000,       // for answers to our own questions before closing
    WINDOW_OWN = 32,
    WINDOW_REFERENCE = 8,
    TREES_OWN = 32,
    TREES_REFERENCE = 4,
    CALLS_MAX = 1024,
    ANSWER_MAX = 64 << 10, // bytes of an answer of which nobody says more
};

enum phase { SYNCHRONISING, COURTESY, ASKING_VERSION, RUNNING, STOPPING };

struct chum_session {
    struct conn *conn;
    struct rpc *rpc;
    struct chum_options options;
    struct chum_events events;
    struct chum_counts counts;
    struct chum_fetch *fetch; // outlives the session until the last store job is back
    struct chum_exporter *exporter;
    struct chum_importer *importer;
    struct chum_news *news;
    struct spoken *spoken;
    struct chum_refetch *refetch; // NULL: none is under way
    chum_session_refetched refetched;
    void *refetched_ctx;
    enum phase phase;
    unsigned version_tries;
    uint64_t due;          // when the phase's timer fires; 0 = none
    uint64_t active_until; // polls often until then
    uint64_t pass_began, pass_took;
    bool passed;                           // the last one
    uint64_t latency_before_ms;            // of the answer before counts.latency_ms
    uint64_t objects_before, bytes_before; // counts at the end of the last pass
    bool poked;                            // another pass as soon as this one is over
    bool importing;
    bool exporting;
    unsigned full; // reasons for which the peer is not read
    char stop_reason[124];
};

static uint64_t now(const struct chum_session *s)
{
    return conn_now(s->conn);
}

static void wait_until(struct chum_session *s, uint64_t when)
{
    s->due = when;
    conn_reschedule(s->conn);
}

static void close_with(struct chum_session *s, const char *code, const char *message)
{
    struct error e;
    char text[400];
    snprintf(text, sizeof text, "Chum ended [%llu] with error: Error: %s: %s", (unsigned long long)conn_id(s->conn),
             code, message);
    (void)error_set(&e, STATUS_INVALID, code, "%s", message);
    conn_close(s->conn, text);
}

static void set_full(void *ctx, bool full)
{
    struct chum_session *s = ctx;
    s->full = full ? s->full + 1 : s->full - 1;
    conn_pause(s->conn, s->full != 0);
}

// ---- Passes --------------------------------------------------------------------------------------------------------

static void begin_pass(struct chum_session *s)
{
    s->latency_before_ms = s->importing ? s->counts.latency_ms : UINT64_MAX; // nothing was answered before
    s->poked = false;
    s->pass_began = now(s);
    wait_until(s, now(s) + MOVE_ON_MS);
    chum_importer_pass(s->importer);
}

// One late answer does not make a slow peer, it may have been asleep: the quicker of the last two counts.
static uint64_t answer_time(const struct chum_session *s)
{
    return s->latency_before_ms < s->counts.latency_ms ? s->latency_before_ms : s->counts.latency_ms;
}

static uint64_t interval(const struct chum_session *s)
{
    if (s->options.poll_ms != 0)
        return s->options.poll_ms;
    bool in_want = s->counts.failed_roots != 0 || !s->passed;
    if (chum_news_are_told(s->news) && (s->options.peer_is_own || !in_want))
        return POLL_TOLD_MS;
    uint64_t usual = s->active_until > now(s) ? POLL_ACTIVE_MS : POLL_IDLE_MS;
    uint64_t least = POLL_PER_ANSWER * answer_time(s);
    return usual > least ? usual : least;
}

// The interval is counted from the beginning of the pass that is over. What failed is not kept waiting by a peer that
// may be asked at any time.
static uint64_t when_next(const struct chum_session *s)
{
    uint64_t next = s->pass_began + interval(s);
    uint64_t retry = s->options.peer_is_own ? chum_importer_retry_at(s->importer) : 0;
    if (retry != 0 && retry < next)
        next = retry > s->pass_began + POLL_ACTIVE_MS ? retry : s->pass_began + POLL_ACTIVE_MS;
    return next > now(s) ? next : now(s);
}

// The next pass for news: a contact that tells of them all the time has half of it for them.
static uint64_t soonest(const struct chum_session *s)
{
    uint64_t rest = chum_charge_rest(s->fetch);
    uint64_t rested = s->pass_began + 2 * s->pass_took + NEWS_REST_MS;
    if (s->options.peer_is_own)
        return now(s);
    return now(s) + rest > rested ? now(s) + rest : rested;
}

// A peer that sends more than it may is asked again when it may.
static uint64_t postponed_ms(const struct chum_session *s)
{
    uint64_t rest = chum_charge_rest(s->fetch);
    if (rest <= POSTPONED_MS)
        return POSTPONED_MS;
    return rest < POLL_IDLE_MS ? rest : POLL_IDLE_MS;
}

static void pass_over(void *ctx, enum status status, const struct error *why)
{
    struct chum_session *s = ctx;
    uint64_t objects = s->counts.objects_received - s->objects_before;
    s->pass_took = now(s) - s->pass_began;
    s->passed = status == STATUS_OK;
    if (s->phase == STOPPING)
        return;
    if (status == STATUS_INVALID || status == STATUS_TOO_BIG || status == STATUS_TIMEOUT || status == STATUS_CLOSED) {
        close_with(s, why->code, why->message);
        return;
    }
    LOG(LOG_DEBUG, "sync.pass", LOG_INT("conn", conn_id(s->conn)), LOG_INT("objects", objects),
        LOG_INT("failed", s->counts.failed_roots), LOG_INT("ms", s->pass_took));
    if (status != STATUS_OK)
        LOG(LOG_INFO, "sync.emptyPass", LOG_INT("conn", conn_id(s->conn)), LOG_TEXT("code", why->code),
            LOG_TEXT("why", why->message));
    if (objects != 0)
        s->active_until = now(s) + ACTIVE_MS;
    bool first = !s->importing && status == STATUS_OK;
    if (first) {
        s->importing = true;
        if (s->events.importing != NULL)
            s->events.importing(s->events.ctx, s);
    }
    if ((first || objects != 0) && s->events.passed != NULL)
        s->events.passed(s->events.ctx, s, objects, s->counts.bytes_received - s->bytes_before, s->pass_took);
    if (status == STATUS_OK && !chum_importer_is_postponing(s->importer) && !chum_importer_is_fetching(s->importer) &&
        (s->counts.failed_roots == 0 || s->counts.passes >= FAILING_PASSES) && s->events.complete != NULL)
        s->events.complete(s->events.ctx, s);
    s->objects_before = s->counts.objects_received;
    s->bytes_before = s->counts.bytes_received;
    if (chum_importer_is_postponing(s->importer))
        wait_until(s, now(s) + postponed_ms(s));
    else if (status != STATUS_OK && s->options.peer_is_own)
        wait_until(s, now(s) + POLL_ACTIVE_MS);
    else
        wait_until(s, s->poked ? soonest(s) : when_next(s));
}

static void root_failed(void *ctx, const struct hash *root, const struct error *why)
{
    struct chum_session *s = ctx;
    if (s->events.failed != NULL)
        s->events.failed(s->events.ctx, s, root, why);
}

static void id_stuck(void *ctx, const struct hash *id_hash, const struct error *why)
{
    struct chum_session *s = ctx;
    if (s->events.stuck != NULL)
        s->events.stuck(s->events.ctx, s, id_hash, why);
}

static void told_of_news(void *ctx)
{
    struct chum_session *s = ctx;
    if (!chum_news_are_told(s->news))
        return;
    s->poked = true;
    if (s->phase == RUNNING && !chum_importer_is_busy(s->importer))
        wait_until(s, soonest(s));
}

static void greeted(void *ctx, const json_t *arguments)
{
    struct chum_session *s = ctx;
    chum_news_greeted(s->news, arguments);
}

static uint64_t answered(void *ctx)
{
    const struct chum_session *s = ctx;
    return chum_exporter_answered(s->exporter);
}

static void served(void *ctx, enum chum_service service, const struct hash *hash)
{
    struct chum_session *s = ctx;
    bool first = (service == CHUM_GET_ACCESSIBLE_ROOTS || service == CHUM_FEED) && !s->exporting;
    s->exporting = s->exporting || first;
    if (first && s->events.exporting != NULL)
        s->events.exporting(s->events.ctx, s);
    if (s->events.served != NULL)
        s->events.served(s->events.ctx, s, service, hash);
}

static void left(void *ctx)
{
    struct chum_session *s = ctx;
    if (s->events.left != NULL)
        s->events.left(s->events.ctx, s);
}

// ---- Starting ------------------------------------------------------------------------------------------------------

static void ask_version(struct chum_session *s);

static void version_here(void *ctx, const struct rpc_reply *reply)
{
    struct chum_session *s = ctx;
    char text[100];
    if (s->phase != ASKING_VERSION || s->fetch->ended)
        return;
    if (reply->kind == RPC_DATA && json_is_integer(reply->data) &&
        json_integer_value(reply->data) == CHUM_PROTOCOL_VERSION) {
        s->phase = RUNNING;
        begin_pass(s);
        chum_news_begin(s->news);
        return;
    }
    if (reply->kind == RPC_ERROR && strcmp(reply->error->code, "UNKNOWN-SERVICE") == 0 &&
        s->version_tries <= VERSION_RETRIES) {
        wait_until(s, now(s) + VERSION_RETRY_MS);
        return;
    }
    if (reply->kind == RPC_LOST && reply->error->status == STATUS_TIMEOUT && s->version_tries < 2) {
        ask_version(s);
        return;
    }
    if (reply->kind == RPC_DATA) {
        char *shown = reply->data != NULL ? json_dumps(reply->data, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        snprintf(text, sizeof text, "[%llu] Chum protocol mismatch, local: 8, remote: %.20s",
                 (unsigned long long)conn_id(s->conn), shown != NULL ? shown : "undefined");
        free(shown);
        close_with(s, "CS-MISMATCH", text);
        return;
    }
    close_with(s, reply->error->code, reply->error->message);
}

static void ask_version(struct chum_session *s)
{
    s->version_tries++;
    wait_until(s, 0);
    rpc_call(s->rpc, CHUM_GET_PROTOCOL_VERSION, chum_news_greeting(), now(s), VERSION_CALL_MS, version_here, s);
    conn_reschedule(s->conn);
}

static void synchronised(struct chum_session *s)
{
    s->phase = COURTESY;
    wait_until(s, now(s) + (s->options.peer_is_own ? 0 : COURTESY_MS));
}

// ---- The connection's protocol -------------------------------------------------------------------------------------

static void finish_stop(struct chum_session *s)
{
    conn_close(s->conn, s->stop_reason[0] != '\0' ? s->stop_reason : NULL);
}

static void on_text(void *ctx, struct span message, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    spoken_heard(s->spoken, true, message);
    if (s->phase == SYNCHRONISING)
        synchronised(s);
    else
        rpc_on_text(s->rpc, message, now_ms);
    if (s->phase == STOPPING && rpc_pending(s->rpc) == 0)
        finish_stop(s);
}

static void on_binary(void *ctx, struct span message, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    spoken_heard(s->spoken, false, message);
    if (s->phase == SYNCHRONISING)
        synchronised(s);
    else
        rpc_on_binary(s->rpc, message, now_ms);
    if (s->phase == STOPPING && rpc_pending(s->rpc) == 0)
        finish_stop(s);
}

static void on_piece(void *ctx, struct span piece, bool first, bool last, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    spoken_heard_piece(s->spoken, piece, first, last);
    if (s->phase != SYNCHRONISING)
        rpc_on_piece(s->rpc, piece, first, last, now_ms);
    else if (last)
        synchronised(s);
    if (s->phase == STOPPING && rpc_pending(s->rpc) == 0)
        finish_stop(s);
}

static void on_drained(void *ctx)
{
    struct chum_session *s = ctx;
    chum_exporter_drained(s->exporter);
}

static uint64_t deadline(void *ctx)
{
    struct chum_session *s = ctx;
    uint64_t calls = rpc_deadline(s->rpc);
    uint64_t exporter = chum_exporter_deadline(s->exporter);
    uint64_t first = s->due;
    if (calls != 0 && (first == 0 || calls < first))
        first = calls;
    return exporter != 0 && (first == 0 || exporter < first) ? exporter : first;
}

static void on_time(void *ctx, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    bool stopping = s->phase == STOPPING;
    rpc_on_time(s->rpc, now_ms);
    if (chum_exporter_deadline(s->exporter) != 0 && chum_exporter_deadline(s->exporter) <= now_ms)
        chum_exporter_drained(s->exporter);
    if (stopping && (rpc_pending(s->rpc) == 0 || s->due <= now_ms)) {
        finish_stop(s);
        return;
    }
    if (s->due == 0 || s->due > now_ms)
        return;
    s->due = 0;
    switch (s->phase) {
    case SYNCHRONISING:
        conn_close(s->conn, "no synchronisation message in time");
        return;
    case COURTESY:
        s->phase = ASKING_VERSION;
        ask_version(s);
        return;
    case ASKING_VERSION:
        ask_version(s);
        return;
    case RUNNING:
        if (!chum_importer_is_busy(s->importer)) {
            begin_pass(s);
            return;
        }
        wait_until(s, now_ms + MOVE_ON_MS);
        chum_importer_move_on(s->importer);
        return;
    case STOPPING:
        return;
    }
}

static void on_wind_up(void *ctx, const char *reason)
{
    chum_session_stop(ctx, reason);
}

static void on_closed(void *ctx, const struct error *why)
{
    struct chum_session *s = ctx;
    s->fetch->closing = true;
    chum_importer_end(s->importer);
    chum_refetch_end(s->refetch);
    s->fetch->ended = true;
    chum_exporter_end(s->exporter);
    rpc_fail_all(s->rpc, why);
    chum_news_end(s->news);
    if (s->events.closed != NULL)
        s->events.closed(s->events.ctx, s, why);
    rpc_destroy(s->rpc);
    chum_fetch_release(s->fetch);
    spoken_destroy(s->spoken);
    free(s);
}

static const struct conn_protocol protocol = {.text = on_text,
                                              .binary = on_binary,
                                              .piece = on_piece,
                                              .drained = on_drained,
                                              .deadline = deadline,
                                              .time = on_time,
                                              .wind_up = on_wind_up,
                                              .closed = on_closed};

static void rpc_send(void *ctx, bool text, struct span message)
{
    struct chum_session *s = ctx;
    spoken_sent(s->spoken, text, message);
    if (text)
        conn_send_text(s->conn, message);
    else
        conn_send_binary(s->conn, message);
}

static void serve(void *ctx, const struct rpc_request *request)
{
    struct chum_session *s = ctx;
    chum_exporter_serve(s->exporter, request);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

static void create_halves(struct chum_session *s, struct store_queue *queue, struct chum_access *access,
                          const struct chum_policy *policy)
{
    bool own = s->options.peer_is_own;
    s->fetch = mem_alloc(sizeof *s->fetch);
    *s->fetch = (struct chum_fetch){.users = 1,
                                    .conn = s->conn,
                                    .rpc = s->rpc,
                                    .queue = queue,
                                    .policy = policy,
                                    .counts = &s->counts,
                                    .sender = conn_peer(s->conn)->person_id,
                                    .object_max = own ? CHUM_OWN_OBJECT_MAX : CHUM_OBJECT_MAX,
                                    .self = conn_local(s->conn)->person_id,
                                    .file_max = s->options.file_max != 0 ? s->options.file_max : CHUM_FILE_MAX,
                                    .window = own ? WINDOW_OWN : WINDOW_REFERENCE,
                                    .full = set_full,
                                    .ctx = s};
    struct chum_exporter_options exporter = {.conn = s->conn,
                                             .rpc = s->rpc,
                                             .queue = queue,
                                             .access = access,
                                             .policy = policy,
                                             .counts = &s->counts,
                                             .person = s->fetch->sender,
                                             .feeds = own && s->options.feeds,
                                             .gives_all = s->options.gives_all,
                                             .served = served,
                                             .left = left,
                                             .told_of_news = told_of_news,
                                             .greeted = greeted,
                                             .full = set_full,
                                             .ctx = s};
    s->exporter = chum_exporter_create(&exporter);
    struct chum_importer_events events = {.ctx = s, .passed = pass_over, .failed = root_failed, .stuck = id_stuck};
    struct chum_importer_options importer = {
        .trees = own ? TREES_OWN : TREES_REFERENCE, .peer_is_own = own, .feeds = own && s->options.feeds};
    s->importer = chum_importer_create(s->fetch, &importer, &events);
    s->news =
        chum_news_create(&(struct chum_news_options){.fetch = s->fetch, .own = own, .ctx = s, .answered = answered});
}

struct chum_session *chum_session_create(struct conn *c, struct store_queue *queue, struct chum_access *access,
                                         const struct chum_policy *policy, const struct chum_options *options,
                                         const struct chum_events *events)
{
    struct chum_session *s = mem_alloc(sizeof *s);
    s->conn = c;
    s->options = *options;
    s->events = *events;
    struct rpc_transport transport = {rpc_send, s};
    struct rpc_limits limits = {.outstanding = CALLS_MAX, .text = ANSWER_MAX, .budget = conn_budget(c)};
    s->rpc = rpc_create(transport, limits, serve, s);
    create_halves(s, queue, access, policy);
    s->spoken = spoken_create(c);
    s->active_until = conn_now(c) + ACTIVE_MS;
    s->due = conn_now(c) + SYNC_MS;
    conn_serve(c, &protocol, s);
    rpc_send(s, true, SPAN("synchronisation"));
    return s;
}

void chum_session_stop(struct chum_session *s, const char *reason)
{
    if (s->phase == STOPPING)
        return;
    s->phase = STOPPING;
    s->fetch->closing = true;
    snprintf(s->stop_reason, sizeof s->stop_reason, "%s", reason != NULL ? reason : "");
    if (rpc_pending(s->rpc) == 0)
        finish_stop(s);
    else
        wait_until(s, now(s) + STOP_MS);
}

void chum_session_poke(struct chum_session *s)
{
    s->poked = true;
    if (s->phase == RUNNING && !chum_importer_is_busy(s->importer))
        wait_until(s, now(s));
}

uint64_t chum_session_recheck(struct chum_session *s)
{
    bool busy = s->phase == RUNNING && chum_importer_is_busy(s->importer);
    chum_importer_forget(s->importer);
    chum_session_poke(s);
    return s->counts.passes + (busy ? 2 : 1);
}

static void refetch_over(void *ctx, const struct hash_list *failed)
{
    struct chum_session *s = ctx;
    s->refetch = NULL;
    s->refetched(s->refetched_ctx, failed);
}

bool chum_session_refetch(struct chum_session *s, const struct hash_list *hashes, chum_session_refetched done,
                          void *ctx)
{
    if (s->phase != RUNNING || s->refetch != NULL || hashes->count == 0)
        return false;
    s->refetched = done;
    s->refetched_ctx = ctx;
    struct chum_refetch *begun = chum_refetch_begin(s->fetch, hashes, refetch_over, s);
    s->refetch = begun;
    return true;
}

void chum_session_tell_news(struct chum_session *s)
{
    chum_news_changed(s->news);
}

void chum_session_keep_active(struct chum_session *s, uint64_t ms)
{
    uint64_t until = now(s) + ms;
    if (until > s->active_until)
        s->active_until = until;
    if (s->phase == RUNNING && !chum_importer_is_busy(s->importer) && s->due > when_next(s))
        wait_until(s, when_next(s));
}

const struct conn_peer *chum_session_peer(const struct chum_session *s)
{
    return conn_peer(s->conn);
}

struct conn *chum_session_conn(const struct chum_session *s)
{
    return s->conn;
}

struct chum_counts chum_session_counts(const struct chum_session *s)
{
    return s->counts;
}

bool chum_session_is_importing(const struct chum_session *s)
{
    return s->importing;
}

bool chum_session_is_exporting(const struct chum_session *s)
{
    return s->exporting;
}

size_t chum_session_unanswered(const struct chum_session *s)
{
    return chum_exporter_unanswered(s->exporter);
}

bool chum_session_is_idle(const struct chum_session *s)
{
    return s->phase == RUNNING && !chum_importer_is_fetching(s->importer) && !chum_exporter_is_busy(s->exporter);
}
