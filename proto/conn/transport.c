#include "conn/transport.h"

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
}
