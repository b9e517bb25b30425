#include "ipc/hints.h"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/socket.h"

struct ipc_hints {
    nng_socket socket;
    struct ipc_gate gate;
};

struct ipc_hints *ipc_hints_listen(const char *path, struct error *e)
{
    struct ipc_hints *h = mem_alloc(sizeof *h);
    atomic_store(&h->gate.pid, IPC_ANY_PID);
    int n = nng_pub0_open(&h->socket);
    if (n != 0)
        ipc_socket_error(n, e, "cannot open the events socket");
    else if (ipc_socket_prepare(h->socket, &h->gate, e) == STATUS_OK &&
             ipc_socket_listen(h->socket, path, e) == STATUS_OK)
        return h;
    ipc_hints_destroy(h);
    return NULL;
}

void ipc_hints_destroy(struct ipc_hints *h)
{
    if (h == NULL)
        return;
    if (h->socket.id != 0)
        nng_close(h->socket);
    free(h);
}

void ipc_hints_publish(struct ipc_hints *h, const json_t *hint)
{
    char *text = json_dumps(hint, JSON_COMPACT);
    nng_send(h->socket, text, strlen(text), NNG_FLAG_NONBLOCK); // a failure is one more lost hint
    free(text);
}
