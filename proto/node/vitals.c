// Everything that a node does by the clock and not because something happened; the minute is counted in ticks. While
// all is calm the timer is not set for each of them: those that passed are made up for, with what was true then.
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
enum { CALM_MS = 8000, CALM_SLACK_MS = 4000 }; // beyond the next tick

struct vitals {
    struct peers *peers;
    struct loop_timer *timer;
    struct history *history;
    struct alerts *alerts;
    unsigned ticks;
    uint64_t at;     // of the next tick
    bool separated;  // at the last
    uint64_t errors; // likewise
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

static void tick(struct vitals *v)
{
    alerts_check(v->alerts, v->at, v->separated, v->errors);
    if (++v->ticks % MINUTE_TICKS == 0) {
        end_minute(v);
        seen_tick(v->peers->seen);
        forget_idle_files(v->peers->node);
    }
    if (v->ticks % REFUSAL_TICKS == 0)
        use_tell_refusals(v->peers->node, v->peers->budgets);
}

static void set_timer(struct vitals *v, uint64_t at)
{
    uint64_t now = clock_monotonic_ms();
    loop_timer_set(v->timer, at > now ? at - now : 0);
}

static void ticks(void *ctx)
{
    struct vitals *v = ctx;
    uint64_t now = clock_monotonic_ms();
    if (now > v->at + MINUTE_TICKS * ALERTS_TICK_MS) // the process stood still
        v->at = now;
    for (; v->at <= now; v->at += ALERTS_TICK_MS) {
        if (v->at + ALERTS_TICK_MS > now) {
            v->separated = is_separated(v->peers);
            v->errors = incidents_total(v->peers->incidents);
        }
        tick(v);
    }
    set_timer(v, alerts_are_calm(v->alerts) ? clock_together(v->at + CALM_MS, CALM_SLACK_MS) : v->at);
}

void vitals_watch(struct vitals *v)
{
    if (v == NULL)
        return;
    uint64_t now = clock_monotonic_ms();
    uint64_t next = v->at;
    while (next <= now)
        next += ALERTS_TICK_MS;
    set_timer(v, next);
}

struct vitals *vitals_create(struct peers *p)
{
    struct vitals *v = mem_alloc(sizeof *v);
    v->peers = p;
    v->history = history_create();
    v->alerts = alerts_create(&p->settings.alerts, tell, v);
    v->timer = loop_timer_create(node_loop(p->node), ticks, v);
    v->at = clock_monotonic_ms() + ALERTS_TICK_MS;
    set_timer(v, v->at);
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
