// Tells the service manager how far it is (sd_notify(3): datagrams of KEY=value to $NOTIFY_SOCKET). Ready is who
// federates; or who has no secret and waits for somebody to type it, which the status says.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/core.h"

enum { READY_ANYWAY_MS = 60000 }; // what is wrong then is to be looked at, not to be started again

// Before the walls stand. An abstract name begins with '@' in the variable, with a 0 in the address.
void readiness_open(struct supervisor *s)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    s->manager_fd = -1;
    if (name == NULL || (name[0] != '/' && name[0] != '@') || strlen(name) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    s->manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->manager_fd >= 0 && connect(s->manager_fd, (const struct sockaddr *)&address, size) != 0)
        readiness_close(s);
    unsetenv("NOTIFY_SOCKET"); // ours, not the nodes'
}

void readiness_close(struct supervisor *s)
{
    if (s->manager_fd >= 0)
        close(s->manager_fd);
    s->manager_fd = -1;
}

static void tell(const struct supervisor *s, const char *text)
{
    if (send(s->manager_fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        LOG(LOG_DEBUG, "manager.deaf", LOG_TEXT("text", text));
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
    if (s->manager_fd < 0)
        return;
    describe(s, status, sizeof status);
    keep_line(status);
    bool ready = !s->manager_told_ready && is_ready(s);
    if (!ready && strcmp(status, s->manager_status) == 0)
        return;
    snprintf(s->manager_status, sizeof s->manager_status, "%s", status);
    s->manager_told_ready = s->manager_told_ready || ready;
    snprintf(text, sizeof text, "%s%sSTATUS=%s", ready ? "READY=1\n" : "", s->stopping ? "STOPPING=1\n" : "", status);
    tell(s, text);
}
