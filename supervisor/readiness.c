// Tells the service manager how far it is. Ready is who federates; or who has no secret and waits for somebody to type
// it, which the status says.
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/core.h"

enum { READY_ANYWAY_MS = 60000 }; // what is wrong then is to be looked at, not to be started again

// It is told that we live by the loop itself: one that stands still is to be started again.
static void still_alive(uv_timer_t *timer)
{
    const struct supervisor *s = timer->data;
    manager_tell(&s->manager, "WATCHDOG=1");
}

void readiness_watch(struct supervisor *s)
{
    uv_timer_init(&s->loop, &s->alive);
    s->alive.data = s;
    if (s->manager.alive_ms > 0)
        uv_timer_start(&s->alive, still_alive, 0, s->manager.alive_ms);
}

static const struct error *failure(const struct supervisor *s)
{
    for (int i = 0; i < NODES; i++)
        if (s->nodes[i].failure.code[0] != '\0')
            return &s->nodes[i].failure;
    return s->autostart.failure.code[0] != '\0' && s->kek.data == NULL ? &s->autostart.failure : NULL;
}

static void describe(const struct supervisor *s, char *out, size_t size)
{
    const struct error *e = failure(s);
    const char *url = s->nodes[IPC_ARCHIVE].url;
    if (s->stopping)
        snprintf(out, size, "Stopping");
    else if (e != NULL)
        snprintf(out, size, "%.200s (%s)", e->message, e->code);
    else if (!s->told_ready)
        snprintf(out, size, "Starting");
    else if (s->federated)
        snprintf(out, size, "Federated; the archive is at %.160s", url[0] != '\0' ? url : "no address of its own");
    else if (s->kek.data == NULL && !autostart_is_under_way(s))
        snprintf(out, size, "Not provisioned: it waits for 'tandem provision'");
    else
        snprintf(out, size, "The nodes are not federated yet");
}

static bool is_ready(const struct supervisor *s)
{
    bool waits = s->kek.data == NULL && !autostart_is_under_way(s);
    bool late = clock_monotonic_ms() - s->started > READY_ANYWAY_MS;
    return s->told_ready && (s->federated || waits || failure(s) != NULL || late);
}

static void keep_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ')
            *text = ' ';
}

void readiness_update(struct supervisor *s)
{
    char status[256];
    char text[320];
    if (!manager_listens(&s->manager))
        return;
    describe(s, status, sizeof status);
    keep_line(status);
    bool ready = !s->manager_told_ready && is_ready(s);
    if (!ready && strcmp(status, s->manager_status) == 0)
        return;
    snprintf(s->manager_status, sizeof s->manager_status, "%s", status);
    s->manager_told_ready = s->manager_told_ready || ready;
    snprintf(text, sizeof text, "%s%sSTATUS=%s", ready ? "READY=1\n" : "", s->stopping ? "STOPPING=1\n" : "", status);
    manager_tell(&s->manager, text);
}
