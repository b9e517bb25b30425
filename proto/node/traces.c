// Peers do not say how far a message is; each step is inferred from what they ask for, and from the last one those
// before it (fetched). So a step may be told late, never early. The table keeps two rings, so that what comes in does
// not push out what we sent; an item is saved before it is used again.
#include "node/traces.h"

#include <stdlib.h>

#include "base/log.h"
#include "chum/access_set.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/peers_internal.h"

// On disk: places in times of table trace.
enum step { SENT = 0, POSTED = 1, GRANTED = 2, SYNCING = 3, SHOWN = 4, DELIVERED = 5, STEPS = 6 };

static const char *const step_names[STEPS] = {
    [SENT] = "chatModelSend",        [POSTED] = "channelManagerPost",   [GRANTED] = "accessGrantsCreated",
    [SYNCING] = "chumSyncTriggered", [SHOWN] = "channelManagerUpdated", [DELIVERED] = "remoteDelivery",
};

_Static_assert((int)STEPS == (int)STORE_TRACE_STEPS, "each step has its time in the store");

enum { SAVE_MS = 500 };

struct trace {
    struct store_trace kept; // message zero = unused
    bool changed;            // since it was saved
};

struct ring { // the last TRACES_MAX; the oldest makes room
    struct trace items[TRACES_MAX];
    size_t next;
    struct hash_map *by_id; // to its item
};

struct traces {
    struct ring sent;
    struct ring received;
    struct traces_summary summary;
    struct node *node;
    struct loop_timer *timer; // runs when something is to be saved
    struct hash_list changed;
};

// ---- Keeping them --------------------------------------------------------------------------------------------------

struct saving {
    struct store_trace *rows;
    size_t count;
};

static enum status save_work(struct store *s, void *arg, struct error *e)
{
    const struct saving *x = arg;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < x->count; i++)
        st = store_trace_set(s, &x->rows[i], e);
    return st;
}

static void save_done(void *arg, enum status status, const struct error *e)
{
    struct saving *x = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "traces.unwritten", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    free(x->rows);
    free(x);
}

static struct trace *find(const struct traces *t, const struct hash *id)
{
    struct trace *own = hash_map_get(t->sent.by_id, id);
    return own != NULL ? own : hash_map_get(t->received.by_id, id);
}

void traces_save(struct traces *t)
{
    if (t->changed.count == 0)
        return;
    struct saving *x = mem_alloc(sizeof *x);
    x->rows = mem_array(t->changed.count, sizeof *x->rows);
    for (size_t i = 0; i < t->changed.count; i++) {
        struct trace *trace = find(t, &t->changed.items[i]);
        trace->changed = false;
        x->rows[x->count++] = trace->kept;
    }
    t->changed.count = 0;
    loop_timer_cancel(t->timer);
    store_submit(node_queue(t->node), save_work, save_done, x);
}

static void save_due(void *ctx)
{
    traces_save(ctx);
}

static void note_change(struct traces *t, struct trace *trace)
{
    if (trace->changed || t->node == NULL)
        return;
    trace->changed = true;
    if (t->changed.count == 0)
        loop_timer_set(t->timer, SAVE_MS);
    hash_list_add(&t->changed, &trace->kept.message);
}

static struct trace *add(struct traces *t, struct ring *r, const struct hash *id)
{
    struct trace *trace = &r->items[r->next];
    if (trace->changed)
        traces_save(t); // before it makes room
    r->next = (r->next + 1) % TRACES_MAX;
    if (!hash_is_zero(&trace->kept.message))
        hash_map_remove(r->by_id, &trace->kept.message);
    *trace = (struct trace){.kept = {.message = *id, .incoming = r == &t->received}};
    hash_map_set(r->by_id, id, trace);
    return trace;
}

// ---- Those of before -----------------------------------------------------------------------------------------------

struct loading {
    struct peers *peers;
    struct store_trace rows[TRACES_MAX];
    size_t count;
};

static enum status load_work(struct store *s, void *arg, struct error *e)
{
    struct loading *x = arg;
    return store_trace_latest(s, false, TRACES_MAX, x->rows, &x->count, e);
}

static void load_done(void *arg, enum status status, const struct error *e)
{
    struct loading *x = arg;
    struct traces *t = x->peers->traces;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "traces.unreadable", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    for (size_t i = x->count; status == STATUS_OK && i > 0; i--)
        if (!hash_map_has(t->sent.by_id, &x->rows[i - 1].message))
            add(t, &t->sent, &x->rows[i - 1].message)->kept = x->rows[i - 1];
    free(x);
}

void traces_load(struct traces *t, struct peers *p)
{
    struct loading *x = mem_alloc(sizeof *x);
    x->peers = p;
    t->node = p->node;
    t->timer = loop_timer_create(node_loop(p->node), save_due, t);
    store_submit_read(node_queue(p->node), load_work, load_done, x);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct traces *traces_create(void)
{
    struct traces *t = mem_alloc(sizeof *t);
    t->sent.by_id = hash_map_create();
    t->received.by_id = hash_map_create();
    return t;
}

void traces_destroy(struct traces *t)
{
    if (t == NULL)
        return;
    loop_timer_destroy(t->timer);
    hash_list_free(&t->changed);
    hash_map_destroy(t->sent.by_id);
    hash_map_destroy(t->received.by_id);
    free(t);
}

// ---- What happens --------------------------------------------------------------------------------------------------

static void happened(struct traces *t, struct trace *trace, enum step step, int64_t now_ms)
{
    if (trace->kept.times[step] != 0)
        return;
    trace->kept.times[step] = now_ms;
    note_change(t, trace);
    LOG(LOG_INFO, "message.step", LOG_TEXT("text", "[MessageTransferDebug]"), LOG_TEXT("step", step_names[step]),
        LOG_HASH("id", &trace->kept.message));
}

void traces_sent(struct traces *t, const struct traced_message *message, int64_t now_ms)
{
    if (hash_is_zero(&message->id) || hash_map_has(t->sent.by_id, &message->id))
        return;
    struct trace *trace = add(t, &t->sent, &message->id);
    trace->kept.channel = message->channel;
    trace->kept.recipient = message->recipient;
    happened(t, trace, SENT, message->began_ms);
    happened(t, trace, POSTED, now_ms);
    if (message->granted)
        happened(t, trace, GRANTED, now_ms);
    t->summary.sent++;
}

void traces_received(struct traces *t, const struct hash *id, int64_t now_ms)
{
    if (!hash_map_has(t->sent.by_id, id) && !hash_map_has(t->received.by_id, id))
        happened(t, add(t, &t->received, id), DELIVERED, now_ms);
}

// ---- What a peer asks for ------------------------------------------------------------------------------------------

static bool is_for(const struct trace *trace, const struct hash *person)
{
    const struct hash *recipient = &trace->kept.recipient;
    return !hash_is_zero(&trace->kept.message) && (hash_is_zero(recipient) || hash_eq(recipient, person));
}

static void asked_for_roots(struct traces *t, const struct hash *person, int64_t now_ms)
{
    for (size_t i = 0; i < TRACES_MAX; i++) {
        if (is_for(&t->sent.items[i], person))
            happened(t, &t->sent.items[i], SYNCING, now_ms);
    }
}

static void was_shown(struct traces *t, const struct chum_access *access, const struct hash *person, int64_t now_ms)
{
    for (size_t i = 0; i < TRACES_MAX; i++) {
        struct trace *trace = &t->sent.items[i];
        if (trace->kept.times[SHOWN] == 0 && is_for(trace, person) &&
            chum_access_shown_to(access, person, &trace->kept.message))
            happened(t, trace, SHOWN, now_ms);
    }
}

// What must have come before has then happened too, at the latest now.
static void fetched(struct traces *t, const struct hash *person, const struct hash *hash, int64_t now_ms)
{
    struct trace *trace = hash_map_get(t->sent.by_id, hash);
    if (trace == NULL || trace->kept.times[DELIVERED] != 0 || !is_for(trace, person))
        return;
    for (enum step step = GRANTED; step < STEPS; step++)
        happened(t, trace, step, now_ms);
    t->summary.delivered++;
    int64_t sent = trace->kept.times[SENT];
    t->summary.delivered_ms += now_ms > sent ? (uint64_t)(now_ms - sent) : 0;
}

void traces_served(struct traces *t, const struct chum_access *access, const struct hash *person,
                   enum chum_service service, const struct hash *hash, int64_t now_ms)
{
    if (service == CHUM_GET_ACCESSIBLE_ROOTS || service == CHUM_FEED)
        asked_for_roots(t, person, now_ms);
    else if (service == CHUM_GET_OBJECT_CHILDREN)
        was_shown(t, access, person, now_ms);
    else if (service == CHUM_GET_OBJECT)
        fetched(t, person, hash, now_ms);
}

// ---- Reports -------------------------------------------------------------------------------------------------------

static json_t *show_steps(const struct store_trace *trace)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < STEPS; i++) {
        if (trace->times[i] != 0)
            json_array_append_new(steps,
                                  json_pack("{s:s, s:I}", "name", step_names[i], "time", (json_int_t)trace->times[i]));
    }
    return steps;
}

static const char *failure_point(const struct store_trace *trace)
{
    for (size_t i = 0; !trace->incoming && i < STEPS; i++) {
        if (trace->times[i] == 0)
            return step_names[i];
    }
    return NULL;
}

json_t *traces_show(const struct store_trace *trace)
{
    const char *failure = failure_point(trace);
    int64_t first = trace->incoming ? trace->times[DELIVERED] : trace->times[SENT];
    int64_t last = 0;
    for (size_t i = 0; i < STEPS; i++)
        last = trace->times[i] > last ? trace->times[i] : last;
    json_t *steps = show_steps(trace);
    return json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:i, s:s?, s:b, s:o}", "messageId",
                     node_json_hash(&trace->message), "channelId", node_json_hash(&trace->channel), "direction",
                     trace->incoming ? "in" : "out", "startTime", (json_int_t)first, "totalTime",
                     (json_int_t)(last - first), "completedSteps", (json_int_t)json_array_size(steps), "totalSteps",
                     STEPS, "failurePoint", failure, "success", failure == NULL, "steps", steps);
}

json_t *traces_report(const struct traces *t, const struct hash *id)
{
    const struct trace *trace = find(t, id);
    return trace != NULL ? traces_show(&trace->kept) : NULL;
}

struct traces_summary traces_summary(const struct traces *t)
{
    return t->summary;
}
