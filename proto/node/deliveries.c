// Reading what changed (telling) and the one request that waits (asking) have one job of the store under way at a time,
// and look again if something changed meanwhile. "Waiting" is only a hint that keeps the store from being asked about
// every object that is served; what it lacks, because it was full, is found out after the next start (older).
#include "node/deliveries.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/delivery.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"

enum {
    WAITING_MAX = 1 << 16,
    TAKEN_MAX = 4096,
    UNSURE_MAX = 4096,     // of a person: a session's
    UNSURE_PERSONS = 1024, // who have any
    TOLD_AT_A_TIME = 500
};

struct deliveries {
    struct node *node;
    struct hash_map *waiting; // messages that somebody has not got yet
    unsigned beginning;       // counts them
    int64_t began_ms;         // the last one
    struct hash_map *unsure;  // a hash_list by person: messages that it fetched, and perhaps did not store
    int64_t told;             // the last change that was told of
    bool telling;
    bool again;
    struct asking { // node.deliveries, as long as there is nothing
        struct ipc_request *request;
        struct loop_timer *timer;
        bool looking;
        bool again;
        bool expired;
    } asking;
};

// ---- Telling -------------------------------------------------------------------------------------------------------

struct telling {
    struct deliveries *owner;
    struct arena *arena;
    struct store_deliveries changes;
};

static void look(struct deliveries *d);

static enum status tell_work(struct store *s, void *arg, struct error *e)
{
    struct telling *t = arg;
    return store_delivery_since(s, t->arena, t->owner->told, TOLD_AT_A_TIME, &t->changes, e);
}

static void tell(struct node *n, const struct store_delivery *d)
{
    bool failed = d->state == DELIVERY_FAILED;
    if (d->state == DELIVERY_SENT)
        return;
    json_t *data = json_pack("{s:o, s:o, s:s}", "id", node_json_hash(&d->message), "personId",
                             node_json_hash(&d->person), "state", failed ? "failed" : "delivered");
    if (failed)
        json_object_set_new(data, "why", node_json_text(d->why));
    node_tell(n, "message.state", data);
}

static void tell_done(void *arg, enum status status, const struct error *e)
{
    struct telling *t = arg;
    struct deliveries *d = t->owner;
    d->telling = false;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "deliveries.unreadable", LOG_TEXT("code", e->code));
    for (size_t i = 0; i < t->changes.count; i++) {
        tell(d->node, &t->changes.items[i]);
        d->told = t->changes.items[i].change;
    }
    bool more = t->changes.count == TOLD_AT_A_TIME;
    bool news = t->changes.count != 0;
    arena_destroy(t->arena);
    free(t);
    if (news) {
        followers_wake(d->node->followers);
        sweeper_kick(d->node->sweeper);
        look(d);
    }
    if (more || d->again)
        deliveries_changed(d);
}

void deliveries_changed(struct deliveries *d)
{
    if (d == NULL || node_queue(d->node) == NULL)
        return;
    d->again = d->telling;
    if (d->telling)
        return;
    d->telling = true;
    struct telling *t = mem_alloc(sizeof *t);
    *t = (struct telling){.owner = d, .arena = arena_create()};
    store_submit_read(node_queue(d->node), tell_work, tell_done, t);
}

// ---- Writing -------------------------------------------------------------------------------------------------------

struct writing {
    struct deliveries *owner;
    struct hash person, self;
    struct hash_list messages; // it has
    bool returned;             // it brought them, messages of ours that nothing is known of
    bool older;                // and everything that it was shown from before that time
    int64_t before_ms;
    int64_t now_ms;
    struct hash_list done; // nobody waits for these any more
};

static enum status write_one(struct store *s, struct writing *w, const struct hash *message, struct arena *a,
                             struct error *e)
{
    bool changed;
    bool waits = false;
    struct store_deliveries rows;
    const struct store_delivery d = {
        .message = *message, .person = w->person, .state = DELIVERY_DELIVERED, .at_ms = w->now_ms};
    enum status st = store_delivery_of(s, a, message, &rows, e);
    bool is_for = false;
    for (size_t i = 0; st == STATUS_OK && i < rows.count; i++) {
        bool is_person = hash_eq(&rows.items[i].person, &w->person);
        is_for = is_for || is_person;
        waits = waits || (!is_person && rows.items[i].state == DELIVERY_SENT);
    }
    if (st == STATUS_OK && (is_for || (w->returned && rows.count == 0)))
        st = store_delivery_set(s, &d, &changed, e);
    if (st == STATUS_OK && !waits)
        hash_list_add(&w->done, message);
    return st;
}

static enum status write_work(struct store *s, void *arg, struct error *e)
{
    struct writing *w = arg;
    struct arena *a = arena_create();
    enum status st = STATUS_OK;
    if (w->older)
        st = delivery_older(s, &w->person, &w->self, w->before_ms, a, &w->messages, e);
    for (size_t i = 0; st == STATUS_OK && i < w->messages.count; i++)
        st = write_one(s, w, &w->messages.items[i], a, e);
    arena_destroy(a);
    return st;
}

static void write_done(void *arg, enum status status, const struct error *e)
{
    struct writing *w = arg;
    struct deliveries *d = w->owner;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "deliveries.unwritten", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    for (size_t i = 0; status == STATUS_OK && i < w->done.count; i++)
        hash_map_remove(d->waiting, &w->done.items[i]);
    hash_list_free(&w->messages);
    hash_list_free(&w->done);
    free(w);
    deliveries_changed(d);
}

static struct writing *begin_writing(struct deliveries *d, const struct hash *person)
{
    struct writing *w = mem_alloc(sizeof *w);
    *w = (struct writing){.owner = d, .person = *person, .self = node_self(d->node)->person, .now_ms = clock_wall_ms()};
    return w;
}

static void submit(struct writing *w)
{
    if (node_queue(w->owner->node) != NULL)
        store_submit(node_queue(w->owner->node), write_work, write_done, w);
    else
        write_done(w, STATUS_OK, NULL);
}

// ---- What peers ask for --------------------------------------------------------------------------------------------

void deliveries_sent(struct deliveries *d, const struct hash *message)
{
    if (d == NULL || hash_is_zero(message))
        return;
    if (hash_map_count(d->waiting) < WAITING_MAX)
        hash_map_add(d->waiting, message);
    deliveries_changed(d);
}

static void take_unsure(struct deliveries *d, const struct hash *person, struct hash_list *out)
{
    struct hash_list *unsure = hash_map_get(d->unsure, person);
    if (unsure == NULL)
        return;
    *out = *unsure;
    hash_map_remove(d->unsure, person);
    free(unsure);
}

// Nobody's share is at the cost of another one's. NULL: too many persons have one.
static struct hash_list *unsure_of(struct deliveries *d, const struct hash *person)
{
    struct hash_list *unsure = hash_map_get(d->unsure, person);
    if (unsure == NULL && hash_map_count(d->unsure) < UNSURE_PERSONS) {
        unsure = mem_alloc(sizeof *unsure);
        hash_map_set(d->unsure, person, unsure);
    }
    return unsure;
}

// It has what it fetched in this session.
static void has_taken(struct deliveries *d, struct served_session *s, const struct hash *person)
{
    struct writing *w = begin_writing(d, person);
    w->messages = s->taken;
    s->taken = (struct hash_list){0};
    submit(w);
}

// listed_ms: it was shown a list of everything until then; 0 = none in this session.
static void is_quiet(struct deliveries *d, struct served_session *s, const struct hash *person, int64_t listed_ms)
{
    struct writing *w = begin_writing(d, person);
    take_unsure(d, person, &w->messages);
    w->older = !s->judged;
    w->before_ms = listed_ms > d->began_ms ? listed_ms : d->began_ms;
    s->judged = s->says || listed_ms != 0;
    if (w->older || w->messages.count != 0)
        submit(w);
    else
        write_done(w, STATUS_OK, NULL);
}

void deliveries_returned(struct deliveries *d, const struct hash *person, const struct hash_list *messages)
{
    if (d == NULL)
        return;
    struct writing *w = begin_writing(d, person);
    w->returned = true;
    for (size_t i = 0; i < messages->count; i++)
        hash_list_add(&w->messages, &messages->items[i]);
    submit(w);
}

static void begin_anew(const struct deliveries *d, struct served_session *s)
{
    if (s->beginning == d->beginning)
        return;
    s->beginning = d->beginning;
    s->quiet = 0;
    s->judged = false;
}

static void asked_for_roots(struct deliveries *d, struct served_session *s, const struct hash *person)
{
    begin_anew(d, s);
    s->quiet++;
    if (s->taken.count != 0)
        has_taken(d, s, person);
    else if (s->quiet > 1 && (!s->judged || hash_map_has(d->unsure, person)))
        is_quiet(d, s, person, s->asked_before_ms);
}

static void note_question(struct served_session *s)
{
    s->asked_before_ms = s->asked_ms;
    s->asked_ms = clock_wall_ms();
}

void deliveries_served(struct deliveries *d, struct served_session *s, const struct hash *person,
                       enum chum_service service, const struct hash *hash, size_t unanswered)
{
    if (d == NULL)
        return;
    s->says = s->says || service == CHUM_FEED;
    if (service == CHUM_GET_ACCESSIBLE_ROOTS && !s->says && unanswered <= 1) {
        asked_for_roots(d, s, person);
        note_question(s);
        return;
    }
    if (service == CHUM_GET_ACCESSIBLE_ROOTS && s->says)
        note_question(s);
    if (service == CHUM_FEED || (service == CHUM_GET_ACCESSIBLE_ROOTS && s->says)) {
        if (s->taken.count != 0)
            has_taken(d, s, person);
        return;
    }
    s->quiet = 0;
    if (service == CHUM_GET_OBJECT && s->taken.count < TAKEN_MAX && hash_map_has(d->waiting, hash))
        hash_list_add(&s->taken, hash);
}

void deliveries_stored(struct deliveries *d, struct served_session *s, const struct hash *person)
{
    if (d == NULL)
        return;
    begin_anew(d, s);
    if (!s->judged || hash_map_has(d->unsure, person))
        is_quiet(d, s, person, s->asked_ms);
}

void deliveries_left(struct deliveries *d, struct served_session *s, const struct hash *person)
{
    struct hash_list *unsure = d != NULL && s->taken.count != 0 ? unsure_of(d, person) : NULL;
    for (size_t i = 0; unsure != NULL && i < s->taken.count && unsure->count < UNSURE_MAX; i++)
        hash_list_add(unsure, &s->taken.items[i]);
    hash_list_free(&s->taken);
}

// ---- node.deliveries -----------------------------------------------------------------------------------------------

static json_t *show(const struct store_delivery *d)
{
    return json_pack("{s:o, s:o, s:i, s:I, s:o}", "message", node_json_hash(&d->message), "person",
                     node_json_hash(&d->person), "state", (int)d->state, "at", (json_int_t)d->at_ms, "why",
                     node_json_text(d->why));
}

// Of another database than the one read last everything is new.
static enum status ask_work(struct node_job *job, struct model *m, struct error *e)
{
    struct store_deliveries rows;
    int64_t epoch;
    int64_t since = ipc_request_int(job->request, P_since, 0);
    enum status st = store_epoch(m->store, &epoch, e);
    if (st == STATUS_OK && epoch != ipc_request_int(job->request, P_epoch, 0))
        since = 0;
    if (st == STATUS_OK)
        st = store_delivery_since(m->store, m->arena, since, TOLD_AT_A_TIME, &rows, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < rows.count; i++)
        json_array_append_new(items, show(&rows.items[i]));
    job->result = json_pack("{s:I, s:o, s:I}", "epoch", (json_int_t)epoch, "items", items, "next",
                            (json_int_t)(rows.count != 0 ? rows.items[rows.count - 1].change : since));
    return STATUS_OK;
}

static void end_asking(struct deliveries *d)
{
    loop_timer_destroy(d->asking.timer);
    d->asking = (struct asking){0};
}

static void looked(struct node_job *job, enum status status, const struct error *e, void *ctx)
{
    struct deliveries *d = ctx;
    struct asking *a = &d->asking;
    bool found = json_array_size(json_object_get(job->result, "items")) != 0;
    a->looking = false;
    if (status != STATUS_OK || found || a->expired || d->node->closing) {
        end_asking(d);
        if (status != STATUS_OK)
            ipc_request_fail(job->request, e);
        else
            ipc_request_reply(job->request, job->result);
        return;
    }
    json_decref(job->result);
    if (a->again)
        look(d);
}

static void look(struct deliveries *d)
{
    struct asking *a = &d->asking;
    if (a->request == NULL || node_queue(d->node) == NULL)
        return; // nobody asks, or the node is being closed and answers then
    a->again = a->looking;
    if (a->looking)
        return;
    a->looking = true;
    node_job_start(d->node, a->request, ask_work, looked, d);
}

static void expire(void *ctx)
{
    struct deliveries *d = ctx;
    d->asking.expired = true;
    look(d);
}

void deliveries_ask(struct deliveries *d, struct ipc_request *r)
{
    struct error e;
    if (d == NULL || d->asking.request != NULL) {
        error_set(&e, STATUS_CONFLICT, d == NULL ? "NOT-PROVISIONED" : "BUSY", "%s",
                  d == NULL ? "the node has not been provisioned yet" : "one asks already");
        ipc_request_fail(r, &e);
        return;
    }
    int64_t ms = ipc_request_int(r, P_waitMs, 0);
    d->asking = (struct asking){.request = r, .expired = ms == 0};
    d->asking.timer = loop_timer_create(d->node->loop, expire, d);
    if (ms != 0)
        loop_timer_set(d->asking.timer, (uint64_t)ms);
    look(d);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct beginning {
    struct deliveries *owner;
    bool again; // what was told of stays
    struct hash_list waiting;
    int64_t last;
};

static enum status begin_work(struct store *s, void *arg, struct error *e)
{
    struct beginning *b = arg;
    enum status st = store_delivery_waiting(s, WAITING_MAX, &b->waiting, e);
    return st == STATUS_OK ? store_delivery_last(s, &b->last, e) : st;
}

static void begin_done(void *arg, enum status status, const struct error *e)
{
    struct beginning *b = arg;
    struct deliveries *d = b->owner;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "deliveries.unreadable", LOG_TEXT("code", e->code));
    for (size_t i = 0; i < b->waiting.count; i++)
        hash_map_add(d->waiting, &b->waiting.items[i]);
    if (!b->again) {
        d->told = b->last;
        d->telling = false;
    }
    if (b->again || d->again)
        deliveries_changed(d);
    hash_list_free(&b->waiting);
    free(b);
}

static void begin(struct deliveries *d, bool again)
{
    struct beginning *b = mem_alloc(sizeof *b);
    *b = (struct beginning){.owner = d, .again = again};
    d->beginning++;
    d->began_ms = clock_wall_ms() + again; // what was written before it ended is older
    d->telling = d->telling || !again;
    store_submit_read(d->node->queue, begin_work, begin_done, b);
}

void deliveries_restored(struct deliveries *d)
{
    if (d != NULL && node_queue(d->node) != NULL)
        begin(d, true);
}

struct deliveries *deliveries_create(struct node *n)
{
    struct deliveries *d = mem_alloc(sizeof *d);
    d->node = n;
    d->waiting = hash_map_create();
    d->unsure = hash_map_create();
    begin(d, false);
    return d;
}

static void free_unsure(struct deliveries *d)
{
    size_t cursor = 0;
    struct hash person;
    void *unsure;
    while (hash_map_next(d->unsure, &cursor, &person, &unsure))
        hash_list_free(unsure);
    hash_map_free_values(d->unsure);
    hash_map_destroy(d->unsure);
}

void deliveries_destroy(struct deliveries *d)
{
    if (d == NULL)
        return;
    if (d->asking.request != NULL) {
        struct error e;
        error_set(&e, STATUS_CLOSED, "NOT-RUNNING", "the node is stopping");
        ipc_request_fail(d->asking.request, &e);
        end_asking(d);
    }
    free_unsure(d);
    hash_map_destroy(d->waiting);
    free(d);
}
