// What a cluster and its sessions say to other relays, and where.
#include <stdio.h>

#include "base/log.h"
#include "relay/cluster_internal.h"

void cluster_publish(struct cluster *c, const char *subject, const char *reply, struct span payload)
{
    natsStatus st = reply != NULL
                        ? natsConnection_PublishRequest(c->nats, subject, reply, payload.ptr, (int)payload.len)
                        : natsConnection_Publish(c->nats, subject, payload.ptr, (int)payload.len);
    if (st != NATS_OK) // the numbers of the frames will show the gap
        LOG(LOG_WARN, "cluster.not-published", LOG_TEXT("why", natsStatus_GetText(st)));
}

void cluster_subject(const struct cluster *c, const struct hash *session, char out[SUBJECT_MAX])
{
    snprintf(out, SUBJECT_MAX, SUBJECTS "node.%s.%s", hash_text(&c->id).s, hash_text(session).s);
}
