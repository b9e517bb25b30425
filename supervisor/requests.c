// What the control endpoint answers besides provisioning: wait, restart, down, events, and everything of a node.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "ipc/contacts.h"
#include "ipc/errors.h"
#include "ipc/events.h"
#include "supervisor/core.h"

enum { WAIT_MS = 30000, RESTART_MS = 30000, BEGIN_MS = 2500, JOIN_MS = 300, EVENTS_LIMIT = 500, PAGE_DEFAULT = 100 };

// --- wait ------------------------------------------------------------------------------------------------------------

static bool both_up(const struct supervisor *s)
{
    return process_state(s->nodes[0].process) == PROCESS_UP && process_state(s->nodes[1].process) == PROCESS_UP;
}

static bool wait_ready(const struct supervisor *s, const struct task *t)
{
    const char *what = ipc_request_text(t->request, P_for);
    if (strcmp(what, "federated") == 0)
        return nodes_are_federated_since(s, t->began);
    if (strcmp(what, "idle") == 0)
        return nodes_are_federated_since(s, t->began) && drive_is_idle(s);
    return both_up(s) && s->reset == RESET_NONE;
}

static void handle_wait(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {wait_ready, tasks_empty_result, false};
    struct supervisor *s = ctx;
    if (tasks_begin(s, r, kind, (uint64_t)ipc_request_int(r, P_timeoutMs, WAIT_MS)) != NULL)
        drive(s);
    tasks_check(s);
}

// --- restart and down ------------------------------------------------------------------------------------------------

static bool restart_ready(const struct supervisor *s, const struct task *t)
{
    const struct node *n = &s->nodes[t->node];
    if (n->restarting || process_state(n->process) != PROCESS_UP)
        return false;
    return s->kek.data == NULL || node_is_open(n);
}

void requests_refused(const struct node *n, const struct error *e)
{
    struct supervisor *s = n->owner;
    for (struct task *t = s->tasks, *next; t != NULL; t = next) {
        next = t->next;
        if (t->kind.ready == restart_ready && t->node == (int)n->which && !n->restarting)
            tasks_fail(s, t, e);
    }
}

void requests_restart(struct supervisor *s, struct ipc_request *r, enum ipc_node which)
{
    static const struct task_kind kind = {restart_ready, tasks_empty_result, false};
    struct task *t = tasks_begin(s, r, kind, RESTART_MS);
    if (t == NULL)
        return;
    t->node = (int)which;
    struct node *n = &s->nodes[which];
    if (n->restarting || s->reset != RESET_NONE)
        return; // one is under way
    n->restarting = true;
    process_stop(n->process, STOP_GRACE_MS); // its end starts it again
}

static void handle_restart(struct ipc_request *r, void *ctx)
{
    enum ipc_node which = IPC_ARCHIVE;
    ipc_node_parse(ipc_request_text(r, P_node), &which);
    requests_restart(ctx, r, which);
}

static void handle_down(struct ipc_request *r, void *ctx)
{
    ipc_request_reply(r, NULL);
    supervisor_stop(ctx, "asked to");
}

// --- events ----------------------------------------------------------------------------------------------------------

static struct ipc_ring_query events_query(const struct ipc_request *r)
{
    const char *from = ipc_request_text(r, P_from);
    return (struct ipc_ring_query){.boot_id = ipc_request_text(r, P_bootId),
                                   .seq = (uint64_t)ipc_request_int(r, P_seq, 0),
                                   .from = from == NULL || strcmp(from, "run") == 0 ? IPC_FROM_RUN
                                           : strcmp(from, "now") == 0               ? IPC_FROM_NOW
                                                                                    : IPC_FROM_OLDEST,
                                   .node = ipc_request_text(r, P_node),
                                   .type = ipc_request_text(r, P_type)};
}

static bool events_ready(const struct supervisor *s, const struct task *t)
{
    struct ipc_ring_query q = events_query(t->request);
    return q.from == IPC_FROM_NOW || ipc_ring_has(s->ring, &q);
}

static json_t *events_result(const struct supervisor *s, const struct task *t)
{
    struct ipc_request *r = t->request;
    struct ipc_ring_query q = events_query(r);
    return ipc_ring_read(s->ring, &q, (size_t)ipc_request_int(r, P_limit, EVENTS_LIMIT));
}

static void handle_events(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {events_ready, events_result, true};
    struct supervisor *s = ctx;
    struct error e = {0};
    if (ipc_request_text(r, P_type) != NULL && ipc_event_type_check(ipc_request_text(r, P_type), &e) != STATUS_OK) {
        ipc_request_fail(r, &e);
        return;
    }
    if (tasks_begin(s, r, kind, (uint64_t)ipc_request_int(r, P_waitMs, 0)) != NULL)
        tasks_check(s);
}

// --- a node's methods ------------------------------------------------------------------------------------------------

struct forwarding {
    struct supervisor *owner;
    enum ipc_node node;
    struct process *process;
    struct ipc_request *request;
    void (*join)(struct forwarding *f, json_t *result); // the archive is to add what it knows; NULL: nothing
    json_t *first;                                      // what the sparse node said
    bool asks;                                          // what that does not have the archive is asked for
    struct buf params;                                  // of that question, as text
};

static void forwarding_free(struct forwarding *f)
{
    buf_free(&f->params);
    free(f);
}

static void abandoned(void *ctx)
{
    struct forwarding *f = ctx;
    ipc_channel_abandon(process_channel(f->process), f);
}

static bool is_of_main(const struct installation *in, const json_t *contact)
{
    const char *identity = json_string_value(json_object_get(contact, "identity"));
    return identity != NULL && (strcmp(identity, in->nodes[IPC_ARCHIVE].person_id) == 0 ||
                                strcmp(identity, in->nodes[IPC_SPARSE].person_id) == 0);
}

// The same contact of the same identity; the main one is a person of its own at each node.
static const json_t *contact_among(const struct installation *in, const json_t *items, const json_t *contact)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        if (json_equal(json_object_get(item, "personId"), json_object_get(contact, "personId")) &&
            (json_equal(json_object_get(item, "identity"), json_object_get(contact, "identity")) ||
             (is_of_main(in, item) && is_of_main(in, contact))))
            return item;
    }
    return NULL;
}

// Whether the answer is the whole list, of all identities.
static bool is_whole(struct ipc_request *r, const json_t *list)
{
    return ipc_request_text(r, P_after) == NULL && ipc_request_text(r, P_as) == NULL &&
           !json_is_string(json_object_get(list, "next"));
}

// Those whom the archive has just met, and of whom the sparse node has not heard.
static void add_unheard(const struct installation *in, struct ipc_request *r, json_t *items, const json_t *archives)
{
    size_t i;
    json_t *item;
    json_array_foreach(archives, i, item)
    {
        bool own = json_is_true(json_object_get(item, "own"));
        if (own || contact_among(in, items, item) != NULL ||
            (int64_t)json_array_size(items) >= ipc_request_int(r, P_limit, PAGE_DEFAULT))
            continue;
        if (ipc_request_bool(r, P_unread, false))
            json_object_set_new(item, "unread", json_integer(0));
        json_array_append(items, item);
    }
}

// A list of contacts as it is without the archive, if that says nothing.
static void contacts_joined(void *ctx, json_t *result, const struct error *error)
{
    struct forwarding *f = ctx;
    struct ipc_request *r = f->request;
    const struct installation *in = &f->owner->installation;
    json_t *list = f->first;
    size_t i;
    json_t *item;
    if (error == NULL) // what was shown once is shown again when the archive is away
        courier_keep_people(f->owner, json_object_get(result, "items"));
    forwarding_free(f);
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        ipc_contact_join(item, contact_among(in, json_object_get(result, "items"), item));
    }
    if (is_whole(r, list))
        add_unheard(in, r, json_object_get(list, "items"), json_object_get(result, "items"));
    ipc_request_reply(r, list);
}

static void join_contacts(struct forwarding *f, json_t *result)
{
    struct node *archive = &f->owner->nodes[IPC_ARCHIVE];
    json_t *persons = json_array();
    size_t i;
    json_t *item;
    bool whole = is_whole(f->request, result); // then all are asked for
    json_array_foreach(json_object_get(result, "items"), i, item)
    {
        if (!whole)
            json_array_append(persons, json_object_get(item, "personId"));
    }
    f->first = json_incref(result);
    f->process = archive->process;
    ipc_channel_call(process_channel(f->process), "node.contacts", json_pack("{s:o}", "persons", persons), JOIN_MS,
                     contacts_joined, f);
}

static void add_number(json_t *to, const char *name, const json_t *from)
{
    json_int_t sum = json_integer_value(json_object_get(to, name)) + json_integer_value(json_object_get(from, name));
    json_object_set_new(to, name, json_integer(sum));
}

static int severity(const json_t *health)
{
    static const char *const words[] = {"healthy", "degraded", "offline"};
    const char *word = json_string_value(json_object_get(health, "health"));
    int i = 2;
    while (word != NULL && i > 0 && strcmp(words[i], word) != 0)
        i--;
    return i;
}

static void keep_greater(json_t *to, const char *name, const json_t *from)
{
    if (json_integer_value(json_object_get(from, name)) > json_integer_value(json_object_get(to, name)))
        json_object_set(to, name, json_object_get(from, name));
}

// The sparse node has its archive alone; that the archive has somebody is no comfort when the two are apart. One that
// does not answer is not well, however open its connections are.
static void health_joined(void *ctx, json_t *result, const struct error *error)
{
    static const char *const sums[] = {"totalConnections", "activeConnections", "stuck", "twice", "contacts",
                                       "reached"};
    struct forwarding *f = ctx;
    struct ipc_request *r = f->request;
    json_t *health = f->first;
    forwarding_free(f);
    for (size_t i = 0; error == NULL && i < sizeof sums / sizeof *sums; i++)
        add_number(health, sums[i], result);
    if (error == NULL) {
        double total = (double)json_integer_value(json_object_get(health, "totalConnections"));
        double active = (double)json_integer_value(json_object_get(health, "activeConnections"));
        json_object_set_new(health, "connectionRatio", json_real(total > 0 ? active / total : 0));
        json_array_extend(json_object_get(health, "unreached"), json_object_get(result, "unreached"));
        keep_greater(health, "avgLatency", result);
        keep_greater(health, "lastSync", result);
        if (severity(result) > severity(health))
            json_object_set(health, "health", json_object_get(result, "health"));
    } else if (severity(health) == 0) {
        json_object_set_new(health, "health", json_string("degraded"));
    }
    ipc_request_reply(r, health);
}

static void join_health(struct forwarding *f, json_t *result)
{
    f->first = json_incref(result);
    f->process = f->owner->nodes[IPC_ARCHIVE].process;
    ipc_channel_call(process_channel(f->process), "health", NULL, JOIN_MS, health_joined, f);
}

static void forwarded(void *ctx, json_t *result, const struct error *error);

static void ask_archive(struct forwarding *f)
{
    const struct ipc_method *m = ipc_method_find(ipc_request_method(f->request));
    f->node = IPC_ARCHIVE;
    f->process = f->owner->nodes[IPC_ARCHIVE].process;
    f->asks = false;
    f->join = NULL;
    ipc_channel_call_soon(process_channel(f->process), m->name, buf_span(&f->params), BEGIN_MS,
                          m->timeout_ms + (uint64_t)ipc_request_int(f->request, P_waitMs, 0), forwarded, f);
}

// The archive keeps more than the sparse node does: for the installation what either has is there. Nor may a further
// identity of the archive, or what it has, have come to the sparse node yet.
static bool either_may_have_it(const struct supervisor *s, const struct ipc_request *r, const struct ipc_method *m)
{
    bool is_kept =
        strncmp(m->name, "object.", strlen("object.")) == 0 || strncmp(m->name, "blob.", strlen("blob.")) == 0;
    return (is_kept || ipc_request_text(r, P_as) != NULL) && m->effect == IPC_READS &&
           node_is_open(&s->nodes[IPC_ARCHIVE]);
}

static struct error named(const struct forwarding *f, const struct error *error)
{
    struct error e = *error;
    const char *name = process_name(f->process);
    if (strcmp(e.code, "NODE-DOWN") == 0 && strstr(e.message, name) == NULL)
        error_prefix(&e, "the %s node", name);
    return e;
}

static void forwarded(void *ctx, json_t *result, const struct error *error)
{
    struct forwarding *f = ctx;
    struct error e = error != NULL ? named(f, error) : (struct error){0};
    struct ipc_request *r = f->request;
    if (error == NULL && f->join != NULL && node_is_open(&f->owner->nodes[IPC_ARCHIVE])) {
        f->join(f, result);
        return;
    }
    if (error != NULL && error->status == STATUS_NOT_FOUND && f->asks) {
        ask_archive(f);
        return;
    }
    if (error == NULL)
        tied_begun(f->owner, r, f->node, result);
    forwarding_free(f);
    if (error != NULL)
        ipc_request_fail(r, &e);
    else
        ipc_request_reply(r, json_incref(result));
}

// Also what a node can do whose store does not open.
static bool needs_store(const struct ipc_method *m)
{
    return strcmp(m->name, "store.verify") != 0 && strncmp(m->name, "job.", strlen("job.")) != 0;
}

static enum status check_open(const struct supervisor *s, const struct node *n, const struct ipc_method *m,
                              struct error *e)
{
    const char *name = process_name(n->process);
    if (!needs_store(m) && process_state(n->process) == PROCESS_UP)
        return STATUS_OK;
    if (process_state(n->process) == PROCESS_FAILED)
        return error_set(e, STATUS_CLOSED, "NODE-DOWN", "the %s node has failed", name);
    if (s->kek.data == NULL)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED",
                         "the nodes have no keys: nobody has given the secret since the start");
    if (n->blocked != 0 && n->blocked == process_generation(n->process) &&
        strcmp(n->failure.code, "STORE-MISSING") == 0)
        return error_set(e, STATUS_CLOSED, "NODE-DOWN",
                         "the store of the %s node is missing; 'tandem provision --recreate %s' makes it anew", name,
                         name);
    if (n->blocked != 0 && n->blocked == process_generation(n->process))
        return error_set(e, STATUS_CLOSED, "NODE-DOWN", "the %s node does not open: %.200s", name, n->failure.message);
    if (!node_is_open(n))
        return error_set(e, STATUS_CLOSED, "NODE-DOWN", "the %s node is starting", name);
    return STATUS_OK;
}

// One of an own node is for somebody else; between them the invitations are ours.
static enum status check_invitation(const struct supervisor *s, const struct ipc_request *r, struct error *e)
{
    const json_t *invitation = ipc_request_json(r, P_invitation);
    const char *key = json_string_value(json_object_get(invitation, "publicKey"));
    for (size_t i = 0; key != NULL && i < NODES; i++)
        if (strcmp(key, s->installation.nodes[i].instance_key) == 0)
            return error_set(e, STATUS_REFUSED, "OWN-INVITATION",
                             "this invitation is our own; it is for somebody else to accept");
    return STATUS_OK;
}

// Until the other node has said which key it has, somebody with its e-mail could become a contact in its place.
static enum status check_pairing(const struct supervisor *s, const struct ipc_method *m, enum ipc_node which,
                                 struct error *e)
{
    enum ipc_node other = which == IPC_ARCHIVE ? IPC_SPARSE : IPC_ARCHIVE;
    bool pairs = strncmp(m->name, "pairing.", strlen("pairing.")) == 0 && m->effect == IPC_MUTATES;
    if (pairs && s->installation.nodes[other].instance_key[0] == '\0')
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "the other node is not set up yet");
    return STATUS_OK;
}

// Who speaks for the installation is ours to say.
static enum status check_face(const struct ipc_request *r, struct error *e)
{
    static const enum ipc_name ours[] = {P_face, P_alone};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (ipc_request_json(r, ours[i]) != NULL)
            return error_set(e, STATUS_INVALID, "BAD-PARAMS", "%s: there is no parameter '%s'", ipc_request_method(r),
                             IPC_NAME_TEXTS[ours[i]]);
    return STATUS_OK;
}

// Without "node" the sparse node answers for both.
static void add_face(const struct supervisor *s, struct buf *params)
{
    if (params->len != 0)
        buf_add_char(params, ',');
    buf_add_text(params, "\"" IPC_FACE "\":true");
    if (!node_is_open(&s->nodes[IPC_ARCHIVE]))
        buf_add_text(params, ",\"" IPC_ALONE "\":true");
}

// Nothing that is checked here can be wrong with it then, so that it is the node that says what is wrong first.
static bool may_be_outline(void *ctx, const struct ipc_method *m)
{
    const struct supervisor *s = ctx;
    return node_is_open(&s->nodes[IPC_ARCHIVE]) && node_is_open(&s->nodes[IPC_SPARSE]) &&
           strncmp(m->name, "pairing.", strlen("pairing.")) != 0;
}

static void send_on(struct forwarding *f, const struct ipc_method *m, bool is_face)
{
    struct ipc_request *r = f->request;
    struct buf params = {0};
    ipc_request_pass(r, &params);
    if (is_face && either_may_have_it(f->owner, r, m)) {
        f->asks = true;
        buf_add_span(&f->params, buf_span(&params));
    }
    if (is_face)
        add_face(f->owner, &params);
    ipc_channel_call_soon(process_channel(f->process), m->name, buf_span(&params), BEGIN_MS,
                          m->timeout_ms + (uint64_t)ipc_request_int(r, P_waitMs, 0), forwarded, f);
    if (params.data != NULL)
        secret_wipe(params.data, params.len);
    buf_free(&params);
}

static void forward(struct ipc_request *r, void *ctx)
{
    struct supervisor *s = ctx;
    struct error e = {0};
    const struct ipc_method *m = ipc_method_find(ipc_request_method(r));
    enum ipc_node which = m->node;
    const char *wanted = ipc_request_text(r, P_node);
    if (wanted != NULL)
        ipc_node_parse(wanted, &which);
    struct node *n = &s->nodes[which];
    if (check_face(r, &e) != STATUS_OK || check_open(s, n, m, &e) != STATUS_OK ||
        check_pairing(s, m, which, &e) != STATUS_OK || check_invitation(s, r, &e) != STATUS_OK) {
        ipc_request_fail(r, &e);
        return;
    }
    bool is_face = wanted == NULL && which == IPC_SPARSE;
    struct forwarding *f = mem_alloc(sizeof *f);
    *f = (struct forwarding){.owner = s, .node = which, .process = n->process, .request = r};
    if (is_face && strcmp(m->name, "contacts.list") == 0)
        f->join = join_contacts;
    else if (is_face && strcmp(m->name, "health") == 0)
        f->join = join_health;
    if (m->effect == IPC_READS)
        ipc_request_on_abandoned(r, abandoned, f);
    tied_ending(s, r);
    send_on(f, m, is_face);
}

void requests_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "wait", handle_wait, s);
    ipc_service_on(service, "restart", handle_restart, s);
    ipc_service_on(service, "down", handle_down, s);
    ipc_service_on(service, "events.since", handle_events, s);
    ipc_service_otherwise(service, forward, s);
    ipc_service_outlines(service, may_be_outline);
}
