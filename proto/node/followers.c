// A follower looks, waits, and looks again; news while it looks are noted (again) and not lost. Its last empty answer
// is kept, so that the end of its time needs no job. When its client is gone (abandoned) it ends the same way: somebody
// has to be answered.
#include "node/followers.h"

#include <stdlib.h>

#include "node/conversation.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/params.h"
#include "node/peers.h"

enum { FOLLOWERS_MAX = 64 };

struct follower {
    struct follower *next;
    node_work work;
    struct followers *owner;
    struct ipc_request *request;
    struct loop_timer *timer; // when it is answered with nothing
    json_t *nothing;          // the answer of the last look, while it waits
    bool looking;             // a job is under way
    bool again;               // something changed meanwhile
    bool expired;
};

struct followers {
    struct node *node;
    struct follower *list;
    size_t count;
};

static void end(struct follower *f, json_t *result, const struct error *e)
{
    struct follower **link = &f->owner->list;
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    f->owner->count--;
    loop_timer_destroy(f->timer);
    if (e != NULL) {
        json_decref(result);
        ipc_request_fail(f->request, e);
    } else {
        ipc_request_reply(f->request, result);
    }
    json_decref(f->nothing);
    free(f);
}

static void look(struct follower *f);

static void looked(struct node_job *job, enum status status, const struct error *e, void *ctx)
{
    struct follower *f = ctx;
    json_t *result = job->result;
    bool found = !job->unchanged;
    f->looking = false;
    if (node_queue(f->owner->node) == NULL || status != STATUS_OK || found || f->expired) {
        end(f, result, status != STATUS_OK ? e : NULL);
        return;
    }
    json_decref(f->nothing);
    f->nothing = result;
    struct hash person;
    if (hash_parse(node_job_text(job, P_with), &person))
        peers_follow(node_peers(f->owner->node), &person);
    if (f->again)
        look(f);
}

static void look(struct follower *f)
{
    f->looking = true;
    f->again = false;
    node_job_start(f->owner->node, f->request, f->work, looked, f);
}

static void expire(void *ctx)
{
    struct follower *f = ctx;
    f->expired = true;
    if (!f->looking)
        end(f, json_incref(f->nothing), NULL);
}

static void abandoned(void *ctx)
{
    struct follower *f = ctx;
    if (!f->expired)
        expire(f);
}

static void follow(struct node *n, struct ipc_request *r, node_work work, enum ipc_name position)
{
    struct followers *fs = n->followers;
    struct error e;
    if (fs == NULL || fs->count == FOLLOWERS_MAX) {
        error_set(&e, STATUS_CONFLICT, fs == NULL ? "NOT-PROVISIONED" : "BUSY", "%s",
                  fs == NULL ? "the node has not been provisioned yet" : "too many followers");
        ipc_request_fail(r, &e);
        return;
    }
    struct follower *f = mem_alloc(sizeof *f);
    *f = (struct follower){.next = fs->list, .owner = fs, .request = r, .work = work};
    fs->list = f;
    fs->count++;
    int64_t wait_ms = ipc_request_int(r, P_waitMs, 0);
    // Who does not say what is known already is told that.
    f->expired = wait_ms == 0 || ipc_request_text(r, position) == NULL;
    f->timer = loop_timer_create(n->loop, expire, f);
    if (!f->expired)
        loop_timer_set(f->timer, (uint64_t)wait_ms);
    ipc_request_on_abandoned(r, abandoned, f);
    look(f);
}

static void chat_since(struct ipc_request *r, void *ctx)
{
    follow(ctx, r, conversation_since, P_cursor);
}

static void chat_state(struct ipc_request *r, void *ctx)
{
    follow(ctx, r, conversation_state, P_known);
}

void followers_wake(struct followers *fs)
{
    struct follower *next;
    if (fs == NULL || node_queue(fs->node) == NULL)
        return; // the node is being closed, and answers them then
    for (struct follower *f = fs->list; f != NULL; f = next) {
        next = f->next;
        if (f->looking)
            f->again = true;
        else
            look(f);
    }
}

struct followers *followers_create(struct node *n)
{
    struct followers *fs = mem_alloc(sizeof *fs);
    fs->node = n;
    return fs;
}

void followers_destroy(struct followers *fs)
{
    struct error e;
    error_set(&e, STATUS_CLOSED, "NOT-RUNNING", "the node is stopping");
    while (fs != NULL && fs->list != NULL)
        end(fs->list, NULL, &e);
    free(fs);
}

void followers_register(struct node *n)
{
    ipc_service_on(n->service, "chat.since", chat_since, n);
    ipc_service_on(n->service, "chat.state", chat_state, n);
}

void followers_written(struct node *n, const struct hash *message)
{
    node_tell(n, "message.state", json_pack("{s:o, s:s}", "id", node_json_hash(message), "state", "pending"));
    followers_wake(n->followers);
}
