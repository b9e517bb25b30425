// NATS calls on threads of its own. What comes there is put into a letter and opened on the loop; nothing else of the
// relay is touched from them. A relay without a server works on alone.
#include "relay/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/transport.h"
#include "relay/cluster_internal.h"

enum { CLOSE_WAIT_MS = 2000 };

struct letter { // a message on its way from a thread of the library to the loop
    struct cluster *cluster;
    natsMsg *message;
};

static void want_subject(const struct public_key *key, char out[SUBJECT_MAX])
{
    char hex[2 * BOX_KEY + 1];
    hex_encode(key->b, sizeof key->b, hex);
    snprintf(out, SUBJECT_MAX, SUBJECTS "want.%s", hex);
}

// Messages, on the loop thread

static bool session_of_subject(const char *subject, struct hash *id)
{
    const char *last = subject != NULL ? strrchr(subject, '.') : NULL;
    return last != NULL && hash_parse(span_of(last + 1), id);
}

// Another relay's requester wants one of our listeners: it is accepted like a socket.
static void wanted(struct cluster *c, const char *reply, struct span request)
{
    struct hash id;
    if (!session_of_subject(reply, &id) || hash_map_has(c->sessions, &id) || c->relay == NULL)
        return;
    struct session *s = session_create(c, &id, reply);
    struct transport *t = session_transport(s);
    relay_accept(c->relay, t);
    transport_tell(t)->message(t->ctx, true, request);
}

static void received(struct cluster *c, natsMsg *m)
{
    const char *subject = natsMsg_GetSubject(m);
    struct span payload = {natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m)};
    struct hash id;
    if (strncmp(subject, SUBJECTS "want.", sizeof SUBJECTS "want." - 1) == 0) {
        wanted(c, natsMsg_GetReply(m), payload);
        return;
    }
    struct session *s = session_of_subject(subject, &id) ? hash_map_get(c->sessions, &id) : NULL;
    if (s == NULL)
        return;
    if (natsMsg_IsNoResponders(m))
        session_unanswered(s);
    else
        session_frame(s, payload);
}

static void open_letter(void *arg)
{
    struct letter *l = arg;
    if (l->cluster->watch != NULL)
        received(l->cluster, l->message);
    natsMsg_Destroy(l->message);
    free(l);
}

static void on_message(natsConnection *nats, natsSubscription *sub, natsMsg *m, void *ctx) // on a thread of the library
{
    struct cluster *c = ctx;
    (void)nats, (void)sub;
    struct letter *l = mem_alloc(sizeof *l);
    *l = (struct letter){c, m};
    mailbox_post(c->mailbox, open_letter, l);
}

static void drain(void *ctx)
{
    mailbox_drain(ctx);
}

// What the relay asks for

static void listened(void *ctx, const struct public_key *key, bool is_listened)
{
    struct cluster *c = ctx;
    struct hash h;
    char subject[SUBJECT_MAX];
    natsSubscription *sub = NULL;
    memcpy(h.b, key->b, sizeof h.b);
    want_subject(key, subject);
    if (!is_listened) {
        sub = hash_map_get(c->wants, &h);
        hash_map_remove(c->wants, &h);
        natsSubscription_Destroy(sub); // unsubscribes
        return;
    }
    natsStatus st = natsConnection_QueueSubscribe(&sub, c->nats, subject, "relays", on_message, c);
    if (st == NATS_OK)
        hash_map_set(c->wants, &h, sub);
    else
        LOG(LOG_WARN, "cluster.not-subscribed", LOG_TEXT("why", natsStatus_GetText(st)));
}

static struct transport *dial(void *ctx, const struct public_key *target, struct span request)
{
    struct cluster *c = ctx;
    struct hash id;
    char subject[SUBJECT_MAX], reply[SUBJECT_MAX];
    if (natsConnection_Status(c->nats) != NATS_CONN_STATUS_CONNECTED)
        return NULL;
    random_bytes(id.b, sizeof id.b);
    want_subject(target, subject);
    cluster_subject(c, &id, reply);
    struct session *s = session_create(c, &id, NULL);
    cluster_publish(c, subject, reply, request);
    return session_transport(s);
}

// Life

static void connected(natsConnection *nats, void *ctx)
{
    char url[256] = "";
    (void)ctx;
    natsConnection_GetConnectedUrl(nats, url, sizeof url);
    LOG(LOG_INFO, "cluster.connected", LOG_TEXT("url", strrchr(url, '@') != NULL ? strrchr(url, '@') + 1 : url));
}

static void disconnected(natsConnection *nats, void *ctx)
{
    (void)nats, (void)ctx;
    LOG(LOG_WARN, "cluster.disconnected");
}

static natsStatus configure(natsOptions *o, const char *url)
{
    natsStatus st = natsOptions_SetURL(o, url);
    if (st == NATS_OK)
        st = natsOptions_UseGlobalMessageDelivery(o, true); // else a thread for each key
    if (st == NATS_OK)
        st = natsOptions_SetMaxReconnect(o, -1);
    if (st == NATS_OK)
        st = natsOptions_SetRetryOnFailedConnect(o, true, connected, NULL);
    if (st == NATS_OK)
        st = natsOptions_SetReconnectedCB(o, connected, NULL);
    if (st == NATS_OK)
        st = natsOptions_SetDisconnectedCB(o, disconnected, NULL);
    return st;
}

static enum status connect_nats(struct cluster *c, const char *url, struct error *e)
{
    natsOptions *o = NULL;
    char inbox[SUBJECT_MAX];
    snprintf(inbox, sizeof inbox, SUBJECTS "node.%s.*", hash_text(&c->id).s);
    natsStatus st = natsOptions_Create(&o);
    if (st == NATS_OK)
        st = configure(o, url);
    if (st == NATS_OK)
        st = natsConnection_Connect(&c->nats, o);
    natsOptions_Destroy(o);
    if (st == NATS_OK)
        connected(c->nats, NULL);
    if (st == NATS_OK || st == NATS_NOT_YET_CONNECTED)
        st = natsConnection_Subscribe(&c->inbox, c->nats, inbox, on_message, c);
    if (st == NATS_OK)
        return STATUS_OK;
    return error_set(e, st == NATS_INVALID_ARG ? STATUS_INVALID : STATUS_IO, st == NATS_INVALID_ARG ? "BAD-URL" : "IO",
                     "the cluster cannot be joined: %s", natsStatus_GetText(st));
}

struct cluster *cluster_join(struct loop *l, struct relay *r, const char *url, struct error *e)
{
    struct cluster *c = mem_alloc(sizeof *c);
    c->loop = l;
    c->relay = r;
    c->wants = hash_map_create();
    c->sessions = hash_map_create();
    c->mailbox = mailbox_create();
    random_bytes(c->id.b, sizeof c->id.b);
    c->extension = (struct relay_extension){c, listened, dial};
    c->watch = loop_adopt_fd(l, mailbox_fd(c->mailbox), drain, c->mailbox, e);
    if (c->watch == NULL || connect_nats(c, url, e) != STATUS_OK) {
        cluster_leave(c);
        return NULL;
    }
    relay_extend(r, &c->extension);
    return c;
}

static void end_sessions(struct cluster *c)
{
    size_t cursor = 0;
    void *s;
    while (hash_map_next(c->sessions, &cursor, NULL, &s)) {
        session_end(s, 1000, SPAN("Close called."));
        cursor = 0;
    }
}

static void leave_nats(struct cluster *c)
{
    size_t cursor = 0;
    void *sub;
    while (hash_map_next(c->wants, &cursor, NULL, &sub))
        natsSubscription_Destroy(sub);
    natsSubscription_Destroy(c->inbox);
    natsConnection_Destroy(c->nats);
    nats_CloseAndWait(CLOSE_WAIT_MS); // none of the library's threads calls us after it
}

void cluster_leave(struct cluster *c)
{
    if (c == NULL)
        return;
    relay_extend(c->relay, NULL);
    end_sessions(c);
    leave_nats(c);
    loop_drop_fd(c->watch);
    c->watch = NULL;
    mailbox_drain(c->mailbox);
    mailbox_destroy(c->mailbox);
    hash_map_destroy(c->wants);
    hash_map_destroy(c->sessions);
    free(c);
}
