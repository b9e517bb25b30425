// One timer for everything that a node does by the clock and not because something happened; the minute is counted in
// ticks of it. It is set again first, so that whatever a tick does, there is a next one.
#include "node/vitals.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/node_internal.h"
#include "node/numbers.h"
#include "node/peers_internal.h"
#include "node/seen.h"
#include "node/streams.h"
#include "node/use.h"

enum { MINUTE_TICKS = 60000 / ALERTS_TICK_MS, REFUSAL_TICKS = 10000 / ALERTS_TICK_MS };

struct vitals {
    struct peers *peers;
    struct loop_timer *timer;
    struct history *history;
    struct alerts *alerts;
    unsigned ticks;
};

static void tell(void *ctx, bool raised, json_t *data)
{
    struct vitals *v = ctx;
    node_tell(v->peers->node, raised ? "alert.raised" : "alert.cleared", data);
}

static int64_t number(const json_t *numbers, const char *name)
{
    return json_integer_value(json_object_get(numbers, name));
}

static void end_minute(struct vitals *v)
{
    json_t *numbers = numbers_show(v->peers->node);
    history_add(v->history, clock_wall_ms(), numbers);
    LOG(LOG_INFO, "stats.minute", LOG_INT("connections", number(numbers, "totalConnections")),
        LOG_INT("active", number(numbers, "activeConnections")), LOG_INT("messages", number(numbers, "totalMessages")),
        LOG_INT("bytes", number(numbers, "totalBytes")), LOG_INT("errors", number(numbers, "totalErrors")),
        LOG_INT("latencyMs", number(numbers, "averageLatency")), LOG_INT("rssBytes", number(numbers, "rssBytes")),
        LOG_INT("cpuMs", number(numbers, "cpuMs")));
    json_decref(numbers);
}

static bool is_separated(const struct peers *p)
{
    bool importing = false;
    bool exporting = false;
    return p->own.paired &&
           !(syncs_with(p->syncs, &p->own.peer.person, &importing, &exporting) && importing && exporting);
}

static enum status forget_uploads(struct store *s, void *arg, struct error *e)
{
    (void)s;
    (void)e;
    uploads_forget_idle(arg);
    return STATUS_OK;
}

static void forgot_uploads(void *arg, enum status status, const struct error *e)
{
    (void)arg;
    (void)status;
    (void)e; // it cannot fail
}

// Their files are removed, which is not for the loop.
static void forget_idle_files(struct node *n)
{
    store_submit_read(node_queue(n), forget_uploads, forgot_uploads, node_uploads(n));
    streams_tick(node_streams(n));
}

static void tick(void *ctx)
{
    struct vitals *v = ctx;
    loop_timer_set(v->timer, ALERTS_TICK_MS);
    alerts_check(v->alerts, clock_monotonic_ms(), is_separated(v->peers), incidents_total(v->peers->incidents));
    if (++v->ticks % MINUTE_TICKS == 0) {
        end_minute(v);
        seen_tick(v->peers->seen);
        forget_idle_files(v->peers->node);
    }
    if (v->ticks % REFUSAL_TICKS == 0)
        use_tell_refusals(v->peers->node, v->peers->budgets);
}

struct vitals *vitals_create(struct peers *p)
{
    struct vitals *v = mem_alloc(sizeof *v);
    v->peers = p;
    v->history = history_create();
    v->alerts = alerts_create(&p->settings.alerts, tell, v);
    v->timer = loop_timer_create(node_loop(p->node), tick, v);
    loop_timer_set(v->timer, ALERTS_TICK_MS);
    return v;
}

void vitals_destroy(struct vitals *v)
{
    if (v == NULL)
        return;
    loop_timer_destroy(v->timer);
    history_destroy(v->history);
    alerts_destroy(v->alerts);
    free(v);
}

const struct history *vitals_history(const struct vitals *v)
{
    return v->history;
}

const struct alerts *vitals_alerts(const struct vitals *v)
{
    return v->alerts;
}
