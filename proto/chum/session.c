// The end has an order (on_closed): the halves stop asking and answering before the calls under way fail, so that no
// reply finds them; whoever made the session hears of it while its counts are still there; and the fetch outlives it
// all until the last store job is back.
#include "chum/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "chum/exporter.h"
#include "chum/held.h"
#include "chum/hello.h"
#include "chum/importer.h"
#include "chum/news.h"
#include "chum/pace.h"
#include "chum/refetch.h"
#include "chum/spoken.h"

enum {
    GREETING_MS = 300,   // for a contact to say that it has a feed, before it is asked for its list
    MOVE_ON_MS = 5000,   // after that long a pass is not waited for
    FAILING_PASSES = 10, // after that many, what has failed so far is not expected any more
    STOP_MS = 3000,      // for answers to our own questions before closing
    WINDOW_OWN = 32,
    WINDOW_REFERENCE = 8,
    TREES_OWN = 32,
    TREES_REFERENCE = 4,
    CALLS_MAX = 1024,
    ANSWER_MAX = 64 << 10, // bytes of an answer of which nobody says more
};

enum phase { OPENING, RUNNING, STOPPING };

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
    struct chum_refetch *refetches; // those under way
    enum phase phase;
    struct chum_hello hello;               // while it opens
    struct chum_pace pace;                 // of the passes
    uint64_t due;                          // when the phase's timer fires; 0 = none
    uint64_t objects_before, bytes_before; // counts at the end of the last pass
    bool poked;                            // another pass as soon as this one is over
    bool greeted;
    bool importing, exporting;
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

static void close_with(struct chum_session *s, const struct error *why)
{
    char text[400];
    snprintf(text, sizeof text, "Chum ended [%llu] with error: Error: %s: %s", (unsigned long long)conn_id(s->conn),
             why->code, why->message);
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
    s->poked = false;
    chum_pace_begin(&s->pace, now(s), s->importing);
    wait_until(s, now(s) + MOVE_ON_MS);
    chum_importer_pass(s->importer);
}

static void pass_over(void *ctx, enum status status, const struct error *why)
{
    struct chum_session *s = ctx;
    uint64_t objects = s->counts.objects_received - s->objects_before;
    chum_pace_over(&s->pace, now(s), status == STATUS_OK);
    if (s->phase == STOPPING)
        return;
    if (status == STATUS_INVALID || status == STATUS_TOO_BIG || status == STATUS_TIMEOUT || status == STATUS_CLOSED) {
        close_with(s, why);
        return;
    }
    LOG(LOG_DEBUG, "sync.pass", LOG_INT("conn", conn_id(s->conn)), LOG_INT("objects", objects),
        LOG_INT("failed", s->counts.failed_roots), LOG_INT("ms", s->pace.took));
    if (status != STATUS_OK)
        LOG(LOG_INFO, "sync.emptyPass", LOG_INT("conn", conn_id(s->conn)), LOG_TEXT("code", why->code),
            LOG_TEXT("why", why->message));
    if (objects != 0)
        chum_pace_keep_active(&s->pace, now(s), CHUM_ACTIVE_MS);
    bool first = !s->importing && status == STATUS_OK;
    s->importing = s->importing || first;
    if (first && s->events.importing != NULL)
        s->events.importing(s->events.ctx, s);
    if ((first || objects != 0) && s->events.passed != NULL)
        s->events.passed(s->events.ctx, s, objects, s->counts.bytes_received - s->bytes_before, s->pace.took);
    if (status == STATUS_OK && !chum_importer_is_postponing(s->importer) && !chum_importer_is_fetching(s->importer) &&
        (s->counts.failed_roots == 0 || s->counts.passes >= FAILING_PASSES) && s->events.complete != NULL)
        s->events.complete(s->events.ctx, s);
    s->objects_before = s->counts.objects_received;
    s->bytes_before = s->counts.bytes_received;
    wait_until(s, chum_pace_after(&s->pace, now(s), s->poked || chum_importer_owes_word(s->importer)));
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
        wait_until(s, chum_pace_for_news(&s->pace, now(s)));
}

static void greeted(void *ctx, const json_t *arguments)
{
    struct chum_session *s = ctx;
    chum_news_greeted(s->news, arguments);
    s->greeted = true;
    if (s->options.feeds && chum_news_have_feed(s->news))
        chum_importer_feed(s->importer, chum_news_have_sums(s->news));
    if (s->phase == RUNNING && s->pace.began == 0)
        wait_until(s, now(s));
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

static void stored(void *ctx, bool all)
{
    struct chum_session *s = ctx;
    if (s->events.stored != NULL)
        s->events.stored(s->events.ctx, s, all);
}

static void opened(void *ctx, const struct error *why)
{
    struct chum_session *s = ctx;
    if (why != NULL) {
        close_with(s, why);
        return;
    }
    s->phase = RUNNING;
    if (s->greeted || s->options.peer_is_own)
        begin_pass(s);
    else
        wait_until(s, now(s) + GREETING_MS);
    chum_news_begin(s->news);
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
    if (!chum_hello_takes(&s->hello))
        rpc_on_text(s->rpc, message, now_ms);
    if (s->phase == STOPPING && rpc_pending(s->rpc) == 0)
        finish_stop(s);
}

static void on_binary(void *ctx, struct span message, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    spoken_heard(s->spoken, false, message);
    if (!chum_hello_takes(&s->hello))
        rpc_on_binary(s->rpc, message, now_ms);
    if (s->phase == STOPPING && rpc_pending(s->rpc) == 0)
        finish_stop(s);
}

static void on_piece(void *ctx, struct span piece, bool first, bool last, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    spoken_heard_piece(s->spoken, piece, first, last);
    if (s->hello.step != HELLO_SYNCHRONISING)
        rpc_on_piece(s->rpc, piece, first, last, now_ms);
    else if (last)
        (void)chum_hello_takes(&s->hello);
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
    const uint64_t others[] = {rpc_deadline(s->rpc), chum_exporter_deadline(s->exporter), s->hello.due};
    uint64_t first = s->due;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] != 0 && (first == 0 || others[i] < first))
            first = others[i];
    return first;
}

// Another pass is due, or the running one was waited for long enough.
static void next_step(struct chum_session *s)
{
    if (!chum_importer_is_busy(s->importer)) {
        begin_pass(s);
        return;
    }
    wait_until(s, now(s) + MOVE_ON_MS);
    chum_importer_move_on(s->importer);
}

static void on_time(void *ctx, uint64_t now_ms)
{
    struct chum_session *s = ctx;
    bool stopping = s->phase == STOPPING;
    rpc_on_time(s->rpc, now_ms);
    if (chum_exporter_deadline(s->exporter) != 0 && chum_exporter_deadline(s->exporter) <= now_ms)
        chum_exporter_drained(s->exporter);
    if (stopping && (rpc_pending(s->rpc) == 0 || s->due <= now_ms))
        finish_stop(s);
    else if (s->phase == OPENING)
        chum_hello_on_time(&s->hello, now_ms);
    else if (s->phase == RUNNING && s->due != 0 && s->due <= now_ms)
        next_step(s);
}

static void on_wind_up(void *ctx, const char *reason)
{
    chum_session_stop(ctx, reason);
}

static void on_closed(void *ctx, const struct error *why)
{
    struct chum_session *s = ctx;
    s->fetch->closing = true;
    chum_hello_end(&s->hello);
    chum_importer_end(s->importer);
    chum_refetch_end(&s->refetches);
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

static void create_fetch(struct chum_session *s, struct store_queue *queue, const struct chum_policy *policy)
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
                                    .takes = own ? s->options.takes : NULL,
                                    .window = own ? WINDOW_OWN : WINDOW_REFERENCE,
                                    .full = set_full,
                                    .ctx = s};
}

static void create_halves(struct chum_session *s, struct store_queue *queue, struct chum_access *access,
                          const struct chum_policy *policy)
{
    bool own = s->options.peer_is_own;
    create_fetch(s, queue, policy);
    s->news =
        chum_news_create(&(struct chum_news_options){.fetch = s->fetch, .own = own, .ctx = s, .answered = answered});
    struct chum_exporter_options exporter = {.conn = s->conn,
                                             .rpc = s->rpc,
                                             .queue = queue,
                                             .access = access,
                                             .policy = policy,
                                             .counts = &s->counts,
                                             .person = s->fetch->sender,
                                             .news = s->news,
                                             .feeds = s->options.feeds,
                                             .gives_all = s->options.gives_all,
                                             .served = served,
                                             .stored = stored,
                                             .told_of_news = told_of_news,
                                             .greeted = greeted,
                                             .full = set_full,
                                             .elsewhere = s->events.elsewhere,
                                             .ctx = s};
    s->exporter = chum_exporter_create(&exporter);
    struct chum_importer_events events = {.ctx = s, .passed = pass_over, .failed = root_failed, .stuck = id_stuck};
    struct chum_importer_options importer = {
        .trees = own ? TREES_OWN : TREES_REFERENCE, .peer_is_own = own, .feeds = own && s->options.feeds};
    s->importer = chum_importer_create(s->fetch, &importer, &events);
}

struct chum_session *chum_session_create(struct conn *c, struct store_queue *queue, struct chum_access *access,
                                         const struct chum_policy *policy, const struct chum_options *options,
                                         const struct chum_events *events)
{
    struct chum_session *s = mem_alloc(sizeof *s);
    s->conn = c;
    s->options = *options;
    s->events = *events;
    struct rpc_limits limits = {.outstanding = CALLS_MAX, .text = ANSWER_MAX, .budget = conn_budget(c)};
    s->rpc = rpc_create((struct rpc_transport){rpc_send, s}, limits, serve, s);
    create_halves(s, queue, access, policy);
    s->spoken = spoken_create(c);
    s->hello = (struct chum_hello){
        .conn = c, .rpc = s->rpc, .own = options->peer_is_own, .feeds = options->feeds, .ctx = s, .over = opened};
    chum_hello_begin(&s->hello);
    s->pace = (struct chum_pace){.fetch = s->fetch,
                                 .importer = s->importer,
                                 .news = s->news,
                                 .peer_is_own = options->peer_is_own,
                                 .poll_ms = options->poll_ms};
    chum_pace_keep_active(&s->pace, now(s), CHUM_ACTIVE_MS);
    conn_serve(c, &protocol, s);
    rpc_send(s, true, SPAN("synchronisation"));
    return s;
}

void chum_session_stop(struct chum_session *s, const char *reason)
{
    if (s->phase == STOPPING)
        return;
    s->phase = STOPPING;
    chum_hello_end(&s->hello);
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

bool chum_session_refetch(struct chum_session *s, const struct hash_list *hashes, chum_session_refetched done,
                          void *ctx)
{
    if (s->phase != RUNNING || hashes->count == 0)
        return false;
    chum_refetch_begin(&s->refetches, s->fetch, hashes, done, ctx);
    return true;
}

bool chum_session_ask_held(struct chum_session *s, const struct hash_list *files, chum_session_held done, void *ctx)
{
    return s->phase == RUNNING && s->options.peer_is_own && chum_held_ask(s->fetch, files, done, ctx);
}

void chum_session_tell_news(struct chum_session *s)
{
    chum_news_changed(s->news);
}

void chum_session_keep_active(struct chum_session *s, uint64_t ms)
{
    chum_pace_keep_active(&s->pace, now(s), ms);
    uint64_t next = chum_pace_next(&s->pace, now(s));
    if (s->phase == RUNNING && !chum_importer_is_busy(s->importer) && s->due > next)
        wait_until(s, next);
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
