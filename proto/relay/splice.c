// Two parties whose messages are mirrored as they are. A sender is paused while its receiver does not keep up, so a
// splice holds little whatever goes through it. The end of one ends the other, with the same reason.
#include "relay/party.h"

#include <string.h>

enum { HIGH_WATER = 256 << 10 }; // a sender is paused above it, until its receiver drained

static void pause(struct party *p, bool paused)
{
    transport_pause(p->transport, paused);
}

static void splice(struct party *a, struct party *b)
{
    party_wait(a, NULL);
    party_wait(b, NULL);
    a->state = b->state = PARTY_SPLICED;
    a->transport->trusted = b->transport->trusted = true;
    a->other = b;
    b->other = a;
    a->relay->stats.splices++;
    a->relay->stats.handovers++;
}

static void join(struct party *requester, struct party *listener, struct span request)
{
    registration_forget(listener);
    splice(requester, listener);
    party_send(listener, &(struct relay_message){.command = RELAY_CONNECTION_HANDOVER});
    transport_send(listener->transport, true, request);
}

// The newest spare of the key that no requester waits for yet.
static struct party *find_spare(const struct relay *r, const struct buf *target)
{
    struct hash key;
    if (target->len != sizeof key.b)
        return NULL;
    memcpy(key.b, target->data, sizeof key.b);
    struct party *p = hash_map_get(r->listeners, &key);
    while (p != NULL && p->other != NULL)
        p = p->older;
    return p;
}

// Asks the other relays. The far end is joined at once; whether there is a listener shows when it closes.
static bool connect_elsewhere(struct party *requester, struct span request)
{
    struct relay *r = requester->relay;
    if (r->extension == NULL || requester->elsewhere)
        return false;
    struct transport *t = r->extension->dial(r->extension->ctx, &requester->key, request);
    if (t == NULL)
        return false;
    struct party *far = party_create(r, t);
    far->elsewhere = true;
    splice(requester, far);
    return true;
}

static void connect_to(struct party *requester, const struct buf *target, struct span request)
{
    struct relay *r = requester->relay;
    struct party *spare = find_spare(r, target);
    if (spare == NULL) {
        if (target->len == BOX_KEY && connect_elsewhere(requester, request))
            return;
        r->stats.unanswered++;
        party_close(requester, "Close called: No listening connection for the specified publicKey.");
        return;
    }
    if (!spare->ping_outstanding) {
        join(requester, spare, request);
        return;
    }
    requester->state = PARTY_PARKED;
    requester->other = spare;
    spare->other = requester;
    pause(requester, true);
    party_wait(requester, NULL); // the pong's deadline is nearer
    if (requester->request.len == 0)
        buf_add_span(&requester->request, request);
}

void splice_request(struct party *requester, const struct relay_message *m)
{
    struct buf request = {0};
    relay_message_write(m, &request); // three members, lower-case keys
    memcpy(requester->key.b, m->second.data, m->second.len < BOX_KEY ? m->second.len : BOX_KEY);
    connect_to(requester, &m->second, buf_span(&request));
    buf_free(&request);
}

void splice_after_pong(struct party *spare)
{
    struct party *requester = spare->other;
    join(requester, spare, buf_span(&requester->request));
    buf_free(&requester->request);
    pause(requester, false);
}

// The spare a requester was parked for is lost: it gets the next one, or is told that there is none.
static void try_again(struct party *requester)
{
    struct buf target = {.data = (char *)requester->key.b, .len = BOX_KEY};
    connect_to(requester, &target, buf_span(&requester->request));
    if (requester->state == PARTY_SPLICED)
        pause(requester, false);
}

void splice_message(struct party *from, bool text, struct span payload)
{
    struct party *to = from->other;
    struct transport *t = to->transport;
    from->relay->stats.messages++;
    from->relay->stats.bytes += payload.len;
    transport_send(t, text, payload);
    if (t->ops->queued(t) > HIGH_WATER)
        pause(from, true);
}

void splice_part(struct party *p, const char *reason)
{
    struct party *other = p->other;
    if (other == NULL)
        return;
    p->other = other->other = NULL;
    if (other->state == PARTY_SPLICED) {
        p->relay->stats.splices--;
        party_close(other, reason);
    } else if (other->state == PARTY_PARKED) {
        try_again(other);
    } // a spare goes on waiting for its pong
}
