// Events go to standard output. The line of progress goes to standard error if that is a terminal, and the next event
// wipes it.
#include "supervisor/simulate/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

struct timeline {
    enum timeline_show show;
    json_t *events;
    bool terminal;
    bool shown; // a line of progress stands there
};

struct timeline *timeline_create(enum timeline_show show)
{
    struct timeline *t = mem_alloc(sizeof *t);
    *t = (struct timeline){.show = show, .events = json_array()};
    t->terminal = isatty(STDERR_FILENO) != 0 && getenv("NO_COLOR") == NULL && show != TIMELINE_SILENT;
    return t;
}

static void wipe(struct timeline *t)
{
    if (t->shown)
        fputs("\r\x1b[K", stderr);
    t->shown = false;
}

void timeline_add(struct timeline *t, int64_t ms, const char *text)
{
    json_array_append_new(t->events, json_pack("{s:I, s:s}", "atMs", (json_int_t)ms, "text", text));
    if (t->show == TIMELINE_SILENT)
        return;
    wipe(t);
    printf("%s%8.3f s  %s\n", t->show == TIMELINE_COMMENTS ? "# " : "", (double)ms / 1000, text);
    fflush(stdout);
}

void timeline_progress(struct timeline *t, const char *text)
{
    if (!t->terminal)
        return;
    wipe(t);
    fputs(text, stderr);
    t->shown = true;
}

const json_t *timeline_events(const struct timeline *t)
{
    return t->events;
}

void timeline_destroy(struct timeline *t)
{
    if (t == NULL)
        return;
    wipe(t);
    json_decref(t->events);
    free(t);
}
