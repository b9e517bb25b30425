// Who subscribes and does not read loses hints: beyond UNREAD_MAX bytes nothing is kept for it.
#include "ipc/hints.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "ipc/hub.h"

enum { PEERS_MAX = 64, UNREAD_MAX = 64 * 1024 };

struct ipc_hints {
    struct hub *hub;
};

static void nothing_to_say(void *ctx, struct hub_peer *peer, struct span message)
{
    (void)ctx;
    (void)message;
    hub_close(peer); // SUB only listens
}

struct ipc_hints *ipc_hints_listen(const char *path, struct error *e)
{
    const struct hub_settings settings = {.own = SP_PUB, .other = SP_SUB, .peers_max = PEERS_MAX};
    struct hub *hub = hub_listen(path, settings, (struct hub_events){.message = nothing_to_say}, e);
    if (hub == NULL)
        return NULL;
    struct ipc_hints *h = mem_alloc(sizeof *h);
    h->hub = hub;
    hub_admit(hub, HUB_ANY_PID);
    return h;
}

enum status ipc_hints_listen_again(struct ipc_hints *h, struct error *e)
{
    return hub_listen_again(h->hub, e);
}

void ipc_hints_destroy(struct ipc_hints *h)
{
    if (h == NULL)
        return;
    hub_destroy(h->hub);
    free(h);
}

int ipc_hints_fd(const struct ipc_hints *h)
{
    return hub_fd(h->hub);
}

void ipc_hints_drain(struct ipc_hints *h)
{
    hub_drain(h->hub);
}

static void send_hint(struct hub_peer *peer, void *arg)
{
    if (hub_unsent(peer) < UNREAD_MAX) // otherwise one more lost hint
        hub_send(peer, (struct span){0}, span_of(arg));
}

void ipc_hints_publish(struct ipc_hints *h, const json_t *hint)
{
    char *text = json_dumps(hint, JSON_COMPACT);
    hub_each(h->hub, send_hint, text);
    free(text);
}
