// Errors of the last minute are the difference between two totals a minute apart, kept in a ring of ticks: nothing is
// counted here. A node that begins separated is not raised at once, since the time is counted from when that was first
// seen.
#include "node/alerts.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { MINUTE_TICKS = 60000 / ALERTS_TICK_MS };

static const char *const names[ALERT_RULES] = {[ALERT_NO_SYNC] = "noSync", [ALERT_ERRORS] = "errors"};

struct alerts {
    struct alert_limits limits;
    alerts_tell tell;
    void *ctx;
    uint64_t separated_since;      // 0 = is not
    uint64_t errors[MINUTE_TICKS]; // totals at the last ticks, a ring
    size_t tick;
    int64_t values[ALERT_RULES];
    bool raised[ALERT_RULES];
};

struct alerts *alerts_create(const struct alert_limits *limits, alerts_tell tell, void *ctx)
{
    struct alerts *a = mem_alloc(sizeof *a);
    a->limits = *limits;
    a->tell = tell;
    a->ctx = ctx;
    return a;
}

void alerts_destroy(struct alerts *a)
{
    free(a);
}

static json_t *show(const struct alerts *a, int rule)
{
    return json_pack("{s:s, s:I, s:I}", "rule", names[rule], "value", (json_int_t)a->values[rule], "limit",
                     (json_int_t)a->limits.limits[rule]);
}

static int64_t seconds_apart(struct alerts *a, uint64_t now_ms, bool separated)
{
    if (!separated)
        a->separated_since = 0;
    else if (a->separated_since == 0)
        a->separated_since = now_ms;
    return separated ? (int64_t)(now_ms - a->separated_since) / 1000 : 0;
}

static int64_t errors_of_minute(struct alerts *a, uint64_t total)
{
    uint64_t *oldest = &a->errors[a->tick++ % MINUTE_TICKS];
    uint64_t before = *oldest;
    *oldest = total;
    return (int64_t)(total - before);
}

void alerts_check(struct alerts *a, uint64_t now_ms, bool separated, uint64_t total_errors)
{
    a->values[ALERT_NO_SYNC] = seconds_apart(a, now_ms, separated);
    a->values[ALERT_ERRORS] = errors_of_minute(a, total_errors);
    for (int rule = 0; rule < ALERT_RULES; rule++) {
        bool passed = a->limits.limits[rule] != 0 && a->values[rule] >= a->limits.limits[rule];
        if (passed == a->raised[rule])
            continue;
        a->raised[rule] = passed;
        a->tell(a->ctx, passed, show(a, rule));
    }
}

bool alerts_are_calm(const struct alerts *a)
{
    return a->separated_since == 0 && a->values[ALERT_ERRORS] == 0;
}

json_t *alerts_show(const struct alerts *a)
{
    json_t *list = json_array();
    for (int rule = 0; rule < ALERT_RULES; rule++)
        if (a->raised[rule])
            json_array_append_new(list, show(a, rule));
    return list;
}
