// Inside proto/relay only: what a cluster's sessions need of it.
#pragma once

#include <nats/nats.h>

#include "base/hash.h"
#include "relay/cluster.h"
#include "relay/session.h"

#define SUBJECTS "tandem.relay."

enum { SUBJECT_MAX = 192 };

struct cluster {
    struct loop *loop;
    struct relay *relay;
    struct mailbox *mailbox; // from the threads of the NATS library
    struct loop_fd *watch;
    natsConnection *nats;
    natsSubscription *inbox;   // tandem.relay.node.ID.*
    struct hash id;            // of this relay
    struct hash_map *wants;    // key → natsSubscription
    struct hash_map *sessions; // id → struct session
    struct relay_extension extension;
};

// cluster_bus.c
void cluster_publish(struct cluster *c, const char *subject, const char *reply, struct span payload);
void cluster_subject(const struct cluster *c, const struct hash *session, char out[SUBJECT_MAX]); // of our inbox
