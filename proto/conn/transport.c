// What all transports have in common. One that was released tells its events until it is gone: to nobody.
#include "conn/transport.h"

uint64_t transport_new_id(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static void ignore_message(void *ctx, bool text, struct span payload)
{
    (void)ctx, (void)text, (void)payload;
}

static void ignore_closed(void *ctx, int code, struct span reason)
{
    (void)ctx, (void)code, (void)reason;
}

static void ignore(void *ctx)
{
    (void)ctx;
}

void transport_release(struct transport *t)
{
    static const struct transport_events nobody = {
        .message = ignore_message, .closed = ignore_closed, .drained = ignore, .time = ignore};
    transport_use(t, &nobody, NULL);
    t->budget = NULL;
}
