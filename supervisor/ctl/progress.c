// NULL is a progress that shows nothing, so that nobody has to ask. Rates are those of the whole time until now and not
// of the last moment, which makes what is left jump less.
#include "supervisor/ctl/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"
#include "supervisor/ctl/units.h"

enum { FIRST_MS = 500, EVERY_MS = 200, ASK_MS = 500, RARELY_MS = 20000, NAME_MAX_BYTES = 30 };

struct progress {
    struct buf name;
    const char *unit; // NULL: bytes
    uint64_t began;
    uint64_t shown; // when last, 0 = not yet
};

struct progress *progress_begin(const struct ctl *c, const char *what)
{
    if (c->json || !isatty(STDERR_FILENO) || getenv("NO_COLOR") != NULL)
        return NULL;
    struct progress *p = mem_alloc(sizeof *p);
    p->began = clock_monotonic_ms();
    text_escape_controls(span_of(what), &p->name);
    return p;
}

struct progress *progress_counting(const struct ctl *c, const char *what, const char *unit)
{
    struct progress *p = progress_begin(c, what);
    if (p != NULL)
        p->unit = unit;
    return p;
}

static void add_amount(struct buf *b, const struct progress *p, double amount)
{
    if (p->unit == NULL)
        units_bytes(b, amount);
    else
        buf_printf(b, "%.0f %s", amount, p->unit);
}

static void add_rest(struct buf *b, const struct progress *p, uint64_t done, uint64_t total, double rate)
{
    double share = (double)done / (double)total;
    buf_add_text(b, " of ");
    add_amount(b, p, (double)total);
    buf_printf(b, ", %d %%", share < 1 ? (int)(share * 100) : 100);
    if (rate <= 0 || done > total)
        return;
    buf_add_text(b, ", ");
    units_seconds(b, (uint64_t)((double)(total - done) / rate) + 1);
    buf_add_text(b, " left");
}

void progress_at(struct progress *p, uint64_t done, uint64_t total)
{
    uint64_t now = clock_monotonic_ms();
    if (p == NULL || now - p->began < FIRST_MS || (p->shown != 0 && now - p->shown < EVERY_MS))
        return;
    struct buf b = {0};
    double rate = (double)done * 1000 / (double)(now - p->began);
    p->shown = now;
    buf_printf(&b, "\r%.*s: ", (int)(p->name.len < NAME_MAX_BYTES ? p->name.len : NAME_MAX_BYTES), buf_cstr(&p->name));
    add_amount(&b, p, (double)done);
    if (total != 0)
        add_rest(&b, p, done, total, rate);
    buf_add_text(&b, ", ");
    add_amount(&b, p, rate);
    buf_add_text(&b, "/s\033[K");
    fputs(buf_cstr(&b), stderr);
    fflush(stderr);
    buf_free(&b);
}

void progress_end(struct progress *p)
{
    if (p == NULL)
        return;
    if (p->shown != 0)
        fputs("\r\033[K", stderr);
    buf_free(&p->name);
    free(p);
}

int progress_interval_ms(const struct progress *p)
{
    return p != NULL ? ASK_MS : RARELY_MS;
}
