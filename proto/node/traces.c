#include "node/traces.h"

#include <stdlib.h>

#include "chum/access_set.h"
#include "node/job.h"

enum step { SENT, POSTED, GRANTED, SYNCING, SHOWN, DELIVERED, STEPS };

static const char *const step_names[STEPS] = {
    "chatModelSend",     "channelManagerPost",    "accessGrantsCreated",
    "chumSyncTriggered", "channelManagerUpdated", "remoteDelivery",
};

struct trace {
    struct hash id; // zero = unused
    struct hash channel;
    struct hash recipient;
    int64_t times[STEPS]; // wall time, 0 = not seen
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
};

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
    hash_map_destroy(t->sent.by_id);
    hash_map_destroy(t->received.by_id);
    free(t);
}

static struct trace *add(struct ring *r, const struct hash *id)
{
    struct trace *trace = &r->items[r->next];
    r->next = (r->next + 1) % TRACES_MAX;
    if (!hash_is_zero(&trace->id))
        hash_map_remove(r->by_id, &trace->id);
    *trace = (struct trace){.id = *id};
    hash_map_set(r->by_id, id, trace);
    return trace;
}

void traces_sent(struct traces *t, const struct traced_message *message, int64_t now_ms)
{
    if (hash_is_zero(&message->id) || hash_map_has(t->sent.by_id, &message->id))
        return;
    struct trace *trace = add(&t->sent, &message->id);
    trace->channel = message->channel;
    trace->recipient = message->recipient;
    trace->times[SENT] = message->began_ms;
    trace->times[POSTED] = now_ms;
    trace->times[GRANTED] = message->granted ? now_ms : 0;
    t->summary.sent++;
}

void traces_received(struct traces *t, const struct hash *id, int64_t now_ms)
{
    if (!hash_map_has(t->sent.by_id, id) && !hash_map_has(t->received.by_id, id))
        add(&t->received, id)->times[DELIVERED] = now_ms;
}

// ---- What a peer asks for ------------------------------------------------------------------------------------------

static bool is_for(const struct trace *trace, const struct hash *person)
{
    return !hash_is_zero(&trace->id) && (hash_is_zero(&trace->recipient) || hash_eq(&trace->recipient, person));
}

static void happened(struct trace *trace, enum step step, int64_t now_ms)
{
    if (trace->times[step] == 0)
        trace->times[step] = now_ms;
}

static void asked_for_roots(struct traces *t, const struct hash *person, int64_t now_ms)
{
    for (size_t i = 0; i < TRACES_MAX; i++) {
        if (is_for(&t->sent.items[i], person))
            happened(&t->sent.items[i], SYNCING, now_ms);
    }
}

static void was_shown(struct traces *t, const struct chum_access *access, const struct hash *person, int64_t now_ms)
{
    for (size_t i = 0; i < TRACES_MAX; i++) {
        struct trace *trace = &t->sent.items[i];
        if (trace->times[SHOWN] == 0 && is_for(trace, person) && chum_access_shown_to(access, person, &trace->id))
            happened(trace, SHOWN, now_ms);
    }
}

// What must have come before has then happened too, at the latest now.
static void fetched(struct traces *t, const struct hash *person, const struct hash *hash, int64_t now_ms)
{
    struct trace *trace = hash_map_get(t->sent.by_id, hash);
    if (trace == NULL || trace->times[DELIVERED] != 0 || !is_for(trace, person))
        return;
    for (enum step step = GRANTED; step < STEPS; step++)
        happened(trace, step, now_ms);
    t->summary.delivered++;
    t->summary.delivered_ms += now_ms > trace->times[SENT] ? (uint64_t)(now_ms - trace->times[SENT]) : 0;
}

void traces_served(struct traces *t, const struct chum_access *access, const struct hash *person,
                   enum chum_service service, const struct hash *hash, int64_t now_ms)
{
    if (service == CHUM_GET_ACCESSIBLE_ROOTS)
        asked_for_roots(t, person, now_ms);
    else if (service == CHUM_GET_OBJECT_CHILDREN)
        was_shown(t, access, person, now_ms);
    else if (service == CHUM_GET_OBJECT)
        fetched(t, person, hash, now_ms);
}

// ---- Reports -------------------------------------------------------------------------------------------------------

static json_t *show_steps(const struct trace *trace)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < STEPS; i++) {
        if (trace->times[i] != 0)
            json_array_append_new(steps,
                                  json_pack("{s:s, s:I}", "name", step_names[i], "time", (json_int_t)trace->times[i]));
    }
    return steps;
}

static const char *failure_point(const struct trace *trace)
{
    for (size_t i = 0; i < STEPS; i++) {
        if (trace->times[i] == 0)
            return step_names[i];
    }
    return NULL;
}

json_t *traces_report(const struct traces *t, const struct hash *id)
{
    const struct trace *own = hash_map_get(t->sent.by_id, id);
    const struct trace *trace = own != NULL ? own : hash_map_get(t->received.by_id, id);
    if (trace == NULL)
        return NULL;
    const char *failure = own != NULL ? failure_point(own) : NULL;
    int64_t first = own != NULL ? own->times[SENT] : trace->times[DELIVERED];
    int64_t last = 0;
    for (size_t i = 0; i < STEPS; i++)
        last = trace->times[i] > last ? trace->times[i] : last;
    json_t *steps = show_steps(trace);
    return json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:i, s:s?, s:b, s:o}", "messageId", node_json_hash(id),
                     "channelId", node_json_hash(&trace->channel), "direction", own != NULL ? "out" : "in", "startTime",
                     (json_int_t)first, "totalTime", (json_int_t)(last - first), "completedSteps",
                     (json_int_t)json_array_size(steps), "totalSteps", STEPS, "failurePoint", failure, "success",
                     failure == NULL, "steps", steps);
}

struct traces_summary traces_summary(const struct traces *t)
{
    return t->summary;
}
