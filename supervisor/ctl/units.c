// Decimal units. Of times not long ago the biggest unit alone is told; from a week on it is the date.
#include "supervisor/ctl/units.h"

#include <time.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY };

void units_bytes(struct buf *b, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1000;
        unit++;
    }
    buf_printf(b, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

void units_seconds(struct buf *b, uint64_t seconds)
{
    unsigned long long s = seconds;
    if (s >= DAY)
        buf_printf(b, "%llu d %02llu h", s / DAY, s / HOUR % 24);
    else if (s >= HOUR)
        buf_printf(b, "%llu h %02llu min", s / HOUR, s / MINUTE % 60);
    else if (s >= MINUTE)
        buf_printf(b, "%llu min %02llu s", s / MINUTE, s % MINUTE);
    else
        buf_printf(b, "%llu s", s);
}

void units_ms(struct buf *b, int64_t ms)
{
    if (ms < 1000)
        buf_printf(b, "%lld ms", (long long)ms);
    else if (ms < 10000)
        buf_printf(b, "%.1f s", (double)ms / 1000);
    else
        units_seconds(b, (uint64_t)ms / 1000);
}

void units_date(int64_t ms, char *out, size_t size)
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    if (localtime_r(&seconds, &tm) == NULL || strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        out[0] = '\0';
}

// The largest unit alone.
static void add_rough(struct buf *b, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{DAY, "d"}, {HOUR, "h"}, {MINUTE, "min"}, {1, "s"}};
    size_t i = 0;
    while (seconds < units[i].seconds)
        i++;
    buf_printf(b, "%lld %s", (long long)(seconds / units[i].seconds), units[i].name);
}

void units_ago(struct buf *b, int64_t then, int64_t now)
{
    char date[32];
    int64_t seconds = (now - then) / 1000;
    if (seconds >= WEEK || seconds <= -WEEK) {
        units_date(then, date, sizeof date);
        buf_add_text(b, date);
    } else if (seconds == 0) {
        buf_add_text(b, now >= then ? "just now" : "now");
    } else if (seconds > 0) {
        add_rough(b, seconds);
        buf_add_text(b, " ago");
    } else {
        buf_add_text(b, "in ");
        add_rough(b, -seconds);
    }
}
