// Carries what waits in the sparse node's outbox to the archive, one batch at a time, and what the archive tells of
// deliveries back. Both nodes keep everything durably: whatever breaks off here begins again.
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/core.h"

enum { BATCH = 64, CALL_MS = 60000, WAIT_MS = 20000, GRACE_MS = 15000 };
static const struct backoff again_ms = {500, 60000};
enum { PEOPLE_MS = 500 };
enum { GATHER_MS = 20 }; // changes of deliveries that come close together are copied together

// A node that is being given back what it lost knows nobody yet: nothing is asked of it until it does.
static bool both_open(const struct supervisor *s)
{
    return node_is_open(&s->nodes[IPC_ARCHIVE]) && node_is_open(&s->nodes[IPC_SPARSE]) && !s->stopping &&
           s->installation.restoring < 0;
}

static void ask(struct supervisor *s, enum ipc_node which, const char *method, json_t *params, uint64_t ms,
                ipc_answer answer)
{
    ipc_channel_call(process_channel(s->nodes[which].process), method, params, ms, answer, s);
}

static void again(uv_timer_t *timer);

// ---- The outbox -----------------------------------------------------------------------------------------------------

static void look(struct supervisor *s);

// Something has to wait: later, and later each time.
static void try_later(struct supervisor *s)
{
    struct courier *c = &s->courier;
    uint64_t wait = backoff_ms(again_ms, c->rounds++);
    if (!s->stopping)
        uv_timer_start(&c->timer, again, wait, 0);
}

static void end_round(struct supervisor *s)
{
    struct courier *c = &s->courier;
    bool kicked = c->kicked;
    c->carrying = false;
    c->kicked = false;
    c->after = 0;
    if (kicked)
        courier_kick(s);
    else if (c->left > 0)
        try_later(s);
    else
        c->rounds = 0;
}

static void call_failed(struct supervisor *s, const char *what, const struct error *error)
{
    if (strcmp(error->code, "NODE-DOWN") != 0)
        LOG(LOG_WARN, "courier.failed", LOG_TEXT("method", what), LOG_TEXT("code", error->code),
            LOG_TEXT("reason", error->message));
    s->courier.left++;
    end_round(s);
}

// Errors that pass by; whatever else the archive says is its last word.
static bool passes_by(const json_t *outcome)
{
    static const char *const codes[] = {
        "BLOB-UNAVAILABLE", "BUSY",        "CLOSED",       "DISK-FULL",     "DISK-READ-ONLY", "IO",     "NODE-DOWN",
        "NOT-PROVISIONED",  "NOT-RUNNING", "STORE-FAILED", "STORE-CORRUPT", "OUT-OF-MEMORY",  "TIMEOUT"};
    const char *code = json_string_value(json_object_get(json_object_get(outcome, "error"), "code"));
    for (size_t i = 0; code != NULL && i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static void settled(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    (void)result;
    if (error != NULL)
        call_failed(s, "node.carried", error);
    else
        look(s);
}

static void carried(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    size_t i;
    json_t *item;
    if (error != NULL) {
        call_failed(s, "node.carry", error);
        return;
    }
    json_t *over = json_array();
    json_array_foreach(json_object_get(result, "items"), i, item)
    {
        if (passes_by(item))
            s->courier.left++;
        else
            json_array_append(over, item);
    }
    ask(s, IPC_SPARSE, "node.carried", json_pack("{s:o}", "items", over), CALL_MS, settled);
}

static void fetched(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    json_t *items = json_object_get(result, "items");
    size_t count = json_array_size(items);
    if (error != NULL) {
        call_failed(s, "node.outbox", error);
    } else if (count == 0 || !both_open(s)) {
        end_round(s);
    } else {
        s->courier.after = json_integer_value(json_object_get(json_array_get(items, count - 1), "seq"));
        ask(s, IPC_ARCHIVE, "node.carry", json_pack("{s:O}", "items", items), CALL_MS, carried);
    }
}

// Behind those that have to wait.
static void fetch(struct supervisor *s)
{
    ask(s, IPC_SPARSE, "node.outbox", json_pack("{s:I, s:i}", "after", s->courier.after, "limit", BATCH), CALL_MS,
        fetched);
}

static void alive(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    (void)result;
    if (error != NULL)
        call_failed(s, "node.heartbeat", error);
    else
        fetch(s);
}

// Nothing is given to an archive that does not answer: until then the user may think better of it.
static void look(struct supervisor *s)
{
    ask(s, IPC_ARCHIVE, "node.heartbeat", NULL, CALL_MS, alive);
}

void courier_kick(struct supervisor *s)
{
    struct courier *c = &s->courier;
    c->kicked = c->carrying;
    if (c->carrying || !both_open(s))
        return;
    c->carrying = true;
    c->left = 0;
    look(s);
}

// ---- Deliveries -----------------------------------------------------------------------------------------------------

static void listen_on(struct supervisor *s);

static void listening_failed(struct supervisor *s)
{
    s->courier.listening = false;
    if (!s->stopping)
        uv_timer_start(&s->courier.listen_timer, again, again_ms.first_ms, 0);
}

static void copied(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    (void)result;
    if (error != NULL)
        listening_failed(s);
    else
        listen_on(s);
}

static void heard(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    struct courier *c = &s->courier;
    json_t *items = json_object_get(result, "items");
    if (error != NULL || !both_open(s)) {
        listening_failed(s);
        return;
    }
    c->epoch = json_integer_value(json_object_get(result, "epoch"));
    c->change = json_integer_value(json_object_get(result, "next"));
    if (json_array_size(items) == 0)
        listen_on(s);
    else
        ask(s, IPC_SPARSE, "node.delivered",
            json_pack("{s:I, s:I, s:O}", "epoch", c->epoch, "next", c->change, "items", items), CALL_MS, copied);
}

static void gathered(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    struct courier *c = &s->courier;
    ask(s, IPC_ARCHIVE, "node.deliveries",
        json_pack("{s:I, s:I, s:i}", "epoch", c->epoch, "since", c->change, "waitMs", WAIT_MS), WAIT_MS + GRACE_MS,
        heard);
}

static void listen_on(struct supervisor *s)
{
    if (both_open(s))
        uv_timer_start(&s->courier.listen_timer, gathered, GATHER_MS, 0);
    else
        listening_failed(s);
}

static void positioned(void *ctx, json_t *result, const struct error *error)
{
    struct supervisor *s = ctx;
    const json_t *last = json_object_get(result, "delivered");
    if (error != NULL) {
        listening_failed(s);
        return;
    }
    s->courier.epoch = json_integer_value(json_object_get(last, "epoch"));
    s->courier.change = json_integer_value(json_object_get(last, "change"));
    listen_on(s);
}

static void listen_to_deliveries(struct supervisor *s)
{
    if (s->courier.listening || !both_open(s))
        return;
    s->courier.listening = true;
    ask(s, IPC_SPARSE, "node.outbox", json_pack("{s:i}", "limit", 1), CALL_MS, positioned);
}

// ---- What the archive knows of people, for when it is away ----------------------------------------------------------

static void kept(void *ctx, json_t *result, const struct error *error)
{
    (void)ctx;
    (void)result;
    (void)error; // said again at the next news
}

void courier_keep_people(struct supervisor *s, json_t *items)
{
    if (both_open(s))
        ask(s, IPC_SPARSE, "node.known", json_pack("{s:O}", "items", items), CALL_MS, kept);
}

static void said_of_people(void *ctx, json_t *result, const struct error *error)
{
    if (error == NULL)
        courier_keep_people(ctx, json_object_get(result, "items"));
}

static void people_due(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    if (both_open(s))
        ask(s, IPC_ARCHIVE, "node.contacts", NULL, CALL_MS, said_of_people);
}

void courier_people(struct supervisor *s)
{
    if (!s->stopping && !uv_is_active((uv_handle_t *)&s->courier.people_timer))
        uv_timer_start(&s->courier.people_timer, people_due, PEOPLE_MS, 0);
}

// ---- Life -----------------------------------------------------------------------------------------------------------

static void again(uv_timer_t *timer)
{
    courier_attend(timer->data);
}

void courier_attend(struct supervisor *s)
{
    courier_kick(s);
    courier_people(s);
    listen_to_deliveries(s);
}

bool courier_is_idle(const struct supervisor *s)
{
    return !s->courier.carrying && s->courier.left == 0;
}

void courier_init(struct supervisor *s)
{
    uv_timer_init(&s->loop, &s->courier.timer);
    uv_timer_init(&s->loop, &s->courier.listen_timer);
    uv_timer_init(&s->loop, &s->courier.people_timer);
    s->courier.timer.data = s->courier.listen_timer.data = s->courier.people_timer.data = s;
}

void courier_close(struct supervisor *s)
{
    uv_close((uv_handle_t *)&s->courier.timer, NULL);
    uv_close((uv_handle_t *)&s->courier.listen_timer, NULL);
    uv_close((uv_handle_t *)&s->courier.people_timer, NULL);
}
