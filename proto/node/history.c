// The ring has a fixed size and lies in memory that the system gives as it is first written: a node that runs for an
// hour pays for an hour. The minute before the first has counters of zero, so the first sample holds all since the
// start.
#include "node/history.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { MINUTE_MS = 60000 };

static const struct series {
    const char *name; // of numbers
    bool counter;
} series[] = {
    {"totalConnections", true}, {"failedConnections", true}, {"totalMessages", true},   {"totalBytes", true},
    {"totalErrors", true},      {"objectsSent", true},       {"objectsReceived", true}, {"activeConnections", false},
    {"averageLatency", false},  {"rssBytes", false},
};

enum { SERIES = sizeof series / sizeof *series };

struct sample {
    int64_t time_ms;
    int64_t values[SERIES];
};

struct history {
    struct sample samples[HISTORY_MINUTES]; // a ring; memory is taken as it fills
    size_t next, count;
    int64_t counters[SERIES]; // at the minute before
};

struct history *history_create(void)
{
    return mem_alloc(sizeof(struct history));
}

void history_destroy(struct history *h)
{
    free(h);
}

void history_add(struct history *h, int64_t now_ms, const json_t *numbers)
{
    struct sample *s = &h->samples[h->next];
    h->next = (h->next + 1) % HISTORY_MINUTES;
    h->count += h->count < HISTORY_MINUTES;
    s->time_ms = now_ms;
    for (size_t i = 0; i < SERIES; i++) {
        int64_t value = json_integer_value(json_object_get(numbers, series[i].name));
        s->values[i] = series[i].counter ? value - h->counters[i] : value;
        h->counters[i] = value;
    }
}

static const struct sample *sample_at(const struct history *h, size_t age)
{
    return &h->samples[(h->next + HISTORY_MINUTES - 1 - age) % HISTORY_MINUTES];
}

static json_t *show_sample(const struct sample *s)
{
    json_t *shown = json_pack("{s:I}", "time", (json_int_t)s->time_ms);
    for (size_t i = 0; i < SERIES; i++)
        json_object_set_new(shown, series[i].name, json_integer(s->values[i]));
    return shown;
}

static json_t *summarise(const struct history *h, size_t count, size_t which)
{
    int64_t min = INT64_MAX, max = INT64_MIN;
    double sum = 0;
    for (size_t age = 0; age < count; age++) {
        int64_t value = sample_at(h, age)->values[which];
        min = value < min ? value : min;
        max = value > max ? value : max;
        sum += (double)value;
    }
    return json_pack("{s:I, s:f, s:I}", "min", (json_int_t)min, "mean", sum / (double)count, "max", (json_int_t)max);
}

json_t *history_show(const struct history *h, int64_t now_ms, int64_t minutes)
{
    size_t count = 0;
    json_t *samples = json_array();
    json_t *summary = json_object();
    while (count < h->count && sample_at(h, count)->time_ms > now_ms - minutes * MINUTE_MS)
        count++;
    for (size_t age = count; age > 0; age--)
        json_array_append_new(samples, show_sample(sample_at(h, age - 1)));
    for (size_t i = 0; count != 0 && i < SERIES; i++)
        json_object_set_new(summary, series[i].name, summarise(h, count, i));
    return json_pack("{s:o, s:o}", "samples", samples, "summary", summary);
}
