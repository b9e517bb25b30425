// Brings both nodes from where they are to "provisioned, paired and federated", one call to a node at a time.
//
// Nothing here remembers a step: each pass looks at what is known and takes the next step that is missing. So a first
// creation, an interrupted one, a restart and a node that died on the way are all the same code:
//
//   node.provision ─► node.peer ─► node.keys ─► node.status ─► (forget a recreated peer) ─► pairing.invite ─►
//   pairing.accept ─► watch
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/jsonrpc.h"
#include "supervisor/core.h"

enum { POLL_FAST_MS = 25, POLL_SLOW_MS = 1000, POLL_QUIET_MS = 5000 };
enum { CALL_MS = 60000, ADOPT_MS = 3600000, STATUS_MS = 5000 };
enum { PAIRING_TTL_S = 60, PAIRING_AGAIN_MS = 5000, FULL_PAUSE_MS = 2000 };
enum { LISTED = 1000 };

static struct node *other_of(struct node *n)
{
    return &n->owner->nodes[n->which == IPC_ARCHIVE ? IPC_SPARSE : IPC_ARCHIVE];
}

bool drive_is_idle(const struct supervisor *s)
{
    return s->federated && courier_is_idle(s) && s->installation.restoring < 0 &&
           json_is_true(json_object_get(s->nodes[0].status, "idle")) &&
           json_is_true(json_object_get(s->nodes[1].status, "idle"));
}

uint64_t drive_poll_ms(const struct supervisor *s)
{
    if (s->provision != NULL || tasks_waiting(s))
        return POLL_FAST_MS;
    return s->federated ? POLL_QUIET_MS : POLL_SLOW_MS; // federated nodes tell when they no longer are
}

static bool is_full(const struct error *e)
{
    return strcmp(e->code, "DISK-FULL") == 0;
}

// A node that went down is driven again when it is back, and one that had no room after a while; any other refusal ends
// the drive for this process.
static void refused(struct node *n, const char *step, const struct error *error)
{
    struct supervisor *s = n->owner;
    struct error e = *error;
    if (strcmp(e.code, "NODE-DOWN") == 0)
        return;
    LOG(LOG_WARN, "provision.refused", LOG_TEXT("node", process_name(n->process)), LOG_TEXT("step", step),
        LOG_TEXT("code", e.code), LOG_TEXT("reason", e.message));
    n->blocked = process_generation(n->process);
    if (is_full(error))
        n->not_before = clock_monotonic_ms() + FULL_PAUSE_MS;
    node_note_failure(n, error);
    n->repair = false;
    error_prefix(&e, "%s node", process_name(n->process));
    s->refused(n, &e);
}

static void call(struct node *n, const char *method, json_t *params, uint64_t timeout_ms, ipc_answer answer)
{
    n->pending = true;
    ipc_channel_call(process_channel(n->process), method, params, timeout_ms, answer, n);
}

// --- node.provision --------------------------------------------------------------------------------------------------

static void copy_text(const json_t *result, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(result, name));
    snprintf(out, size, "%s", text != NULL ? text : "");
}

// A free port taken once is tried first the next time, so that contacts find the archive again.
static void keep_port(struct supervisor *s, const char *url)
{
    struct listen_address configured;
    struct ws_url used;
    port_address(s, &configured);
    if (configured.port == 0 && strcmp(configured.host, "none") != 0 && !s->installation.listener_stopped &&
        ws_url_parse(url, &used, NULL) == STATUS_OK)
        port_keep(s, used.port);
}

static enum status take_adopted(struct node *n, const json_t *result, struct error *e)
{
    struct supervisor *s = n->owner;
    if (s->installation.adopting != (int)n->which)
        return STATUS_OK;
    s->imported = json_incref(json_object_get(result, "imported"));
    s->installation.recreating = (int)other_of(n)->which; // it may know that person with keys of another time
    return installation_adopted(&s->installation, json_string_value(json_object_get(result, "email")),
                                json_string_value(json_object_get(result, "instanceName")), e);
}

// With the keys that the other node and the contacts know nobody has to forget anything, and what was lost comes back.
static void take_kept_keys(struct node *n, const json_t *result)
{
    struct installation *in = &n->owner->installation;
    if (in->recreating != (int)n->which || !json_is_true(json_object_get(result, "keysKept")))
        return;
    in->restoring = in->recreating;
    in->recreating = -1;
    in->paired = false;
}

static void take_opened(struct node *n, const json_t *result)
{
    struct supervisor *s = n->owner;
    struct error e = {0};
    if (take_adopted(n, result, &e) != STATUS_OK) {
        refused(n, "node.provision", &e);
        return;
    }
    copy_text(result, "personId", s->installation.nodes[n->which].person_id, ID_LENGTH + 1);
    copy_text(result, "instanceId", s->installation.nodes[n->which].instance_id, ID_LENGTH + 1);
    copy_text(result, "instanceKey", s->installation.nodes[n->which].instance_key, ID_LENGTH + 1);
    copy_text(result, "url", n->url, sizeof n->url);
    take_kept_keys(n, result);
    n->opened = process_generation(n->process);
    n->aside = n->repair = false;
    error_clear(&n->failure);
    n->created = n->created || json_is_true(json_object_get(result, "created"));
    if (n->which == IPC_ARCHIVE) {
        keep_port(s, n->url);
        s->opens_listener = false;
    }
    if (record_save(s, &e) != STATUS_OK)
        refused(n, "installation.json", &e);
    notify_event(s, process_name(n->process), "node.provisioned", result);
    courier_attend(s);
}

static void take_recreation(struct node *n)
{
    struct error e = {0};
    if (record_save(n->owner, &e) != STATUS_OK)
        refused(n, "installation.json", &e);
}

// A store that is of no use can be made anew, but not one that only cannot be read now.
static bool may_recreate(const struct node *n, const struct error *error)
{
    static const char *const others[] = {"IO", "NO-PERMISSION", "STORE-FAILED", "DISK-READ-ONLY"};
    bool fits = error->status == STATUS_NOT_FOUND || error->status == STATUS_CORRUPT;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        fits = fits || strcmp(error->code, others[i]) == 0;
    return fits && n->owner->recreate == (int)n->which;
}

static void recreate(struct node *n, const struct error *error)
{
    struct supervisor *s = n->owner;
    n->aside = strcmp(error->code, "STORE-MISSING") != 0;
    s->installation.recreating = s->recreate; // saved before the store is made
    s->recreate = -1;
    take_recreation(n);
}

// The secret opens keys.json: what it does not open is not what belongs to it.
static void judge_refusal(struct node *n, struct error *e)
{
    struct supervisor *s = n->owner;
    struct error why = *e;
    if (strcmp(e->code, "BAD-SECRET") == 0 && s->installation.adopting < 0)
        error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%.250s; either it or keys.json is not of this installation",
                  why.message);
    else if (strcmp(e->code, "BAD-KEY-FILE") == 0 && s->installation.recreating == (int)n->which)
        error_set(e, why.status, why.code, "%.200s (%s)", why.message, keys_copy_file(s, n->which));
}

static void opened(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    struct error e = {0};
    n->pending = false;
    if (error != NULL)
        e = *error;
    judge_refusal(n, &e);
    if (error == NULL)
        take_opened(n, result);
    else if (may_recreate(n, &e))
        recreate(n, &e);
    else if (e.status == STATUS_TIMEOUT || strcmp(e.code, "BUSY") == 0)
        n->not_before = clock_monotonic_ms() + POLL_SLOW_MS; // it still opens its store, which may have to be rebuilt
    else
        refused(n, "node.provision", &e);
    drive(n->owner);
}

static void open_node(struct node *n)
{
    struct error e = {0};
    const struct installation *in = &n->owner->installation;
    bool adopts = in->adopting == (int)n->which;
    bool create = in->nodes[n->which].person_id[0] == '\0' || in->recreating == (int)n->which;
    json_t *params = opening_params(n, create, &e);
    if (e.status != STATUS_OK)
        refused(n, "keys", &e);
    if (e.status == STATUS_OK)
        call(n, "node.provision", json_incref(params), adopts ? ADOPT_MS : CALL_MS, opened);
    jsonrpc_wipe(params, "key"); // the message is made
    jsonrpc_wipe(params, "importSecret");
    json_decref(params);
}

// --- node.keys -------------------------------------------------------------------------------------------------------

// Without a copy everything goes on; what is lost then is only a remedy.
static void keys_told(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    struct error e = {0};
    n->pending = false;
    if (error != NULL)
        e = *error;
    else
        keys_keep_copy(n->owner, n->which, result, &e);
    if (e.status != STATUS_OK)
        LOG(LOG_WARN, "keys.not-kept", LOG_TEXT("node", process_name(n->process)), LOG_TEXT("code", e.code),
            LOG_TEXT("reason", e.message));
    drive(n->owner);
}

static void ask_keys(struct node *n)
{
    n->copied = process_generation(n->process); // news that come meanwhile ask again
    call(n, "node.keys", NULL, CALL_MS, keys_told);
}

// --- node.peer and node.status ---------------------------------------------------------------------------------------

static void told(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    (void)result;
    n->pending = false;
    if (error == NULL)
        n->told = process_generation(n->process);
    else
        refused(n, "node.peer", error);
    drive(n->owner);
}

static bool is_restoring(const struct node *n)
{
    return n->owner->installation.restoring == (int)n->which;
}

static bool needs_peer(struct node *n)
{
    struct node *peer = other_of(n);
    const char *key = n->owner->installation.nodes[peer->which].instance_key;
    if (key[0] == '\0')
        return false;
    return n->told != process_generation(n->process) || strcmp(n->told_url, peer->url) != 0 ||
           strcmp(n->told_key, key) != 0 || n->told_restoring != is_restoring(peer);
}

static void tell_peer(struct node *n)
{
    struct node *peer = other_of(n);
    const struct installation *in = &n->owner->installation;
    const char *key = in->nodes[peer->which].instance_key;
    json_t *params =
        json_pack("{s:s, s:s, s:s, s:b}", "personId", in->nodes[peer->which].person_id, "instanceId",
                  in->nodes[peer->which].instance_id, "instanceKey", key, "restoring", (int)is_restoring(peer));
    if (peer->url[0] != '\0')
        json_object_set_new(params, "url", json_string(peer->url));
    snprintf(n->told_key, sizeof n->told_key, "%s", key);
    snprintf(n->told_url, sizeof n->told_url, "%s", peer->url);
    n->told_restoring = is_restoring(peer);
    call(n, "node.peer", params, CALL_MS, told);
}

static void note_federation(struct supervisor *s)
{
    bool now = nodes_are_federated(s);
    if (now == s->federated)
        return;
    s->federated = now;
    json_t *data = json_object();
    if (now && s->provision_began != 0)
        json_object_set_new(data, "milliseconds",
                            json_integer((json_int_t)(clock_monotonic_ms() - s->provision_began)));
    s->provision_began = 0;
    if (now && autostart_is_under_way(s))
        s->autostart.state = AUTOSTART_DONE;
    readiness_update(s);
    notify_event(s, "supervisor", now ? "nodes.federated" : "nodes.separated", data);
    json_decref(data);
}

static void take_restored(struct node *n)
{
    struct error e = {0};
    const json_t *restoring = json_object_get(json_object_get(n->status, "peer"), "restoring");
    if (!is_restoring(n) || !json_is_false(restoring))
        return;
    n->owner->installation.restoring = -1;
    if (record_save(n->owner, &e) != STATUS_OK)
        refused(n, "installation.json", &e);
    notify_event(n->owner, process_name(n->process), "node.restored", NULL);
    courier_attend(n->owner);
}

static void reported(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    n->pending = false;
    if (error == NULL) {
        n->unheard = 0;
        json_decref(n->status);
        n->status = json_incref(result);
        take_restored(n);
    }
    drive(n->owner);
}

static void ask_status(struct node *n)
{
    n->asked_at = clock_monotonic_ms();
    if (n->unheard == 0)
        n->unheard = n->asked_at;
    call(n, "node.status", NULL, STATUS_MS, reported);
}

// --- pairing ---------------------------------------------------------------------------------------------------------

static void accepted(void *ctx, json_t *result, const struct error *error)
{
    struct node *sparse = ctx;
    struct supervisor *s = sparse->owner;
    struct error e = {0};
    (void)result;
    sparse->pending = false;
    s->pairing = false;
    if (error != NULL) {
        refused(sparse, "pairing.accept", error);
    } else {
        s->installation.paired = true;
        s->paired_at = clock_monotonic_ms();
        if (record_save(s, &e) != STATUS_OK)
            refused(sparse, "installation.json", &e);
        s->nodes[0].asked_at = s->nodes[1].asked_at = 0; // ask both again at once
    }
    drive(s);
}

// The archive may be known to others by a name that leads nowhere from here.
static json_t *local_invitation(const struct node *archive, const json_t *result)
{
    json_t *invitation = json_copy((json_t *)result);
    json_object_set_new(invitation, "url", json_string(archive->url));
    return invitation;
}

static void invited(void *ctx, json_t *result, const struct error *error)
{
    struct node *archive = ctx;
    struct supervisor *s = archive->owner;
    archive->pending = false;
    s->pairing = error == NULL;
    if (error == NULL)
        call(&s->nodes[IPC_SPARSE], "pairing.accept",
             json_pack("{s:o}", "invitation", local_invitation(archive, result)), CALL_MS, accepted);
    else
        refused(archive, "pairing.invite", error);
    drive(s);
}

static void forgotten(void *ctx, json_t *result, const struct error *error)
{
    struct node *survivor = ctx;
    struct supervisor *s = survivor->owner;
    struct error e = {0};
    (void)result;
    survivor->pending = false;
    s->pairing = false;
    s->installation.recreating = -1;
    s->installation.paired = false;
    s->paired_at = 0;
    if (error != NULL && error->status != STATUS_NOT_FOUND)
        refused(survivor, "contact.forget", error);
    else if (record_save(s, &e) != STATUS_OK)
        refused(survivor, "installation.json", &e);
    s->nodes[0].told = s->nodes[1].told = 0;
    s->nodes[0].asked_at = s->nodes[1].asked_at = 0;
    drive(s);
}

// Contacts that the surviving node did not pair with itself: what they knew of the lost one is over.
static void listed(void *ctx, json_t *result, const struct error *error)
{
    struct node *survivor = ctx;
    struct supervisor *s = survivor->owner;
    const char *lost = s->installation.nodes[other_of(survivor)->which].person_id;
    size_t i;
    json_t *item;
    json_decref(s->lost);
    s->lost = json_array();
    if (error == NULL)
        json_array_foreach(json_object_get(result, "items"), i, item)
        {
            const char *person = json_string_value(json_object_get(item, "personId"));
            if (person != NULL && strcmp(person, lost) != 0 && !json_is_string(json_object_get(item, "safety")))
                json_array_append_new(
                    s->lost, json_pack("{s:s, s:O}", "personId", person, "name", json_object_get(item, "name")));
        }
    call(survivor, "contact.forget", json_pack("{s:s}", "person", lost), CALL_MS, forgotten);
}

static void pair_nodes(struct supervisor *s)
{
    struct node *archive = &s->nodes[IPC_ARCHIVE];
    s->pairing = true;
    if (s->installation.recreating >= 0) {
        call(other_of(&s->nodes[s->installation.recreating]), "contacts.list", json_pack("{s:i}", "limit", LISTED),
             CALL_MS, listed);
        return;
    }
    call(archive, "pairing.invite",
         json_pack("{s:s, s:i}", "for", s->installation.nodes[IPC_SPARSE].person_id, "ttl", PAIRING_TTL_S), CALL_MS,
         invited);
}

// --- the next step ---------------------------------------------------------------------------------------------------

static bool may_open(struct node *n)
{
    const struct supervisor *s = n->owner;
    bool archive_first = n->which == IPC_ARCHIVE || s->installation.nodes[IPC_SPARSE].person_id[0] != '\0';
    return archive_first || node_is_open(&s->nodes[IPC_ARCHIVE]);
}

static void drive_node(struct node *n)
{
    bool early = clock_monotonic_ms() < n->not_before;
    if (!early && node_is_blocked(n) && is_full(&n->failure))
        n->blocked = n->opened = 0;
    if (n->pending || early || process_state(n->process) != PROCESS_UP || node_is_blocked(n))
        return;
    if (n->opened != process_generation(n->process)) {
        if (may_open(n))
            open_node(n);
    } else if (needs_peer(n)) {
        tell_peer(n);
    } else if (n->copied != process_generation(n->process)) {
        ask_keys(n);
    } else if (clock_monotonic_ms() - n->asked_at >= drive_poll_ms(n->owner)) {
        ask_status(n);
    }
}

static bool is_settled(struct node *n)
{
    return !n->pending && node_is_open(n) && n->told == n->opened && !needs_peer(n) && n->status != NULL &&
           n->asked_at != 0 && !node_is_blocked(n);
}

// The archive stores its side of a pairing a moment after the sparse node has; it gets time before another try.
static bool needs_pairing(struct supervisor *s)
{
    bool lately = s->paired_at != 0 && clock_monotonic_ms() - s->paired_at < PAIRING_AGAIN_MS;
    return !s->pairing && !lately && is_settled(&s->nodes[0]) && is_settled(&s->nodes[1]) && !nodes_are_paired(s);
}

void drive(struct supervisor *s)
{
    if (s->kek.data == NULL || s->stopping || s->reset != RESET_NONE || s->change != NULL)
        return;
    if (needs_pairing(s))
        pair_nodes(s);
    drive_node(&s->nodes[IPC_ARCHIVE]);
    drive_node(&s->nodes[IPC_SPARSE]);
    note_federation(s);
    tasks_check(s);
}
