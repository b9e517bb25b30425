// The way of chat messages, step by step, as far as this node sees it (MODELS.md 10.5). The message id is the trace's.
//
//   chatModelSend          the request to send it came
//   channelManagerPost     it is stored for good
//   accessGrantsCreated    the recipient's right to see its channel is stored, too
//   chumSyncTriggered      the recipient asked for its roots after that
//   channelManagerUpdated  the recipient was shown the version of the channel that holds it
//   remoteDelivery         the recipient fetched it
//
// A step without a time has not happened yet. Of a message that came from elsewhere only the last step is known: when
// it arrived. The store keeps those of the last messages (store/trace.h), half a second later; the last TRACES_MAX of
// our own are also here, and go on where they were when the node was restarted. Loop thread.
#pragma once

#include <jansson.h>

#include "base/hash.h"
#include "chum/chum.h"
#include "store/trace.h"

enum { TRACES_MAX = 1000 };

struct peers;
struct traces;

struct traces *traces_create(void);
void traces_load(struct traces *t, struct peers *p); // those of before; from now on they are kept
void traces_save(struct traces *t);                  // now
void traces_destroy(struct traces *t);               // NULL-safe

// What sending leaves for the trace.
struct traced_message {
    struct hash id; // zero = nothing was sent
    struct hash channel;
    struct hash recipient; // zero = whoever sees the topic
    int64_t began_ms;      // wall time
    bool granted;
};

void traces_sent(struct traces *t, const struct traced_message *message, int64_t now_ms);
void traces_received(struct traces *t, const struct hash *id, int64_t now_ms); // from elsewhere

// A request of the person was answered. access tells what it has been shown.
struct chum_access;
void traces_served(struct traces *t, const struct chum_access *access, const struct hash *person,
                   enum chum_service service, const struct hash *hash, int64_t now_ms);

// {messageId, channelId, direction, steps:[{name,time}], …}; NULL when the id is not among those here.
json_t *traces_report(const struct traces *t, const struct hash *id);
json_t *traces_show(const struct store_trace *trace); // the same of one that was kept

struct traces_summary {
    uint64_t sent;         // messages traced since the start
    uint64_t delivered;    // of them
    uint64_t delivered_ms; // sum of the times they took
};
struct traces_summary traces_summary(const struct traces *t);
