// Only the first failure counts: what follows from it would hide it.
#include "supervisor/simulate/world.h"

#include <stdarg.h>
#include <stdio.h>

uint64_t world_now(const struct world *w)
{
    return uv_now(w->loop) - w->began;
}

void world_tell(struct world *w, const char *format, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    timeline_add(w->timeline, (int64_t)world_now(w), text);
}

void world_fail(struct world *w, const struct error *why, const char *format, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (w->failure.status != STATUS_OK)
        return;
    if (why != NULL)
        error_set(&w->failure, why->status, why->code, "%s: %s", text, why->message);
    else
        error_set(&w->failure, STATUS_IO, "FAILED", "%s", text);
    world_tell(w, "failed: %s", w->failure.message);
}
