// node.provision from the request to its answer, and node.peer.
//
// Opening a store may take long (keys, rebuilding an index), so it runs on the worker pool; the loop goes on answering
// heartbeats. What opening brought into being is handed to the loop as a whole, or dropped as a whole.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"
#include "ipc/jsonrpc.h"
#include "models/instance.h"
#include "models/onedb.h"
#include "models/restoring.h"
#include "models/sharing.h"
#include "node/addresses.h"
#include "node/job.h"
#include "node/json.h"
#include "node/keyring.h"
#include "node/opening.h"
#include "node/params.h"
#include "node/peers_internal.h"
#include "node/streams.h"
#include "store/snapshot.h"

// ---- On the worker pool: the store and its keys
// ----------------------------------------------------------------------

static void add_note(struct opening *o, const char *note)
{
    size_t len = strlen(o->note);
    if (note[0] != '\0')
        snprintf(o->note + len, sizeof o->note - len, "%s%s", len != 0 ? "; " : "", note);
}

// What is left of a lost store would be taken for one that has to be repaired.
static enum status put_aside(struct opening *o, struct error *e)
{
    char *to = NULL;
    char note[200];
    enum status st = keyring_put_aside(o->store_dir, "lost", &to, e);
    snprintf(note, sizeof note, "What was left of the store is in %.150s", to);
    if (st == STATUS_OK)
        add_note(o, note);
    free(to);
    return st;
}

static enum status find_store(struct opening *o, bool *anew, struct error *e)
{
    bool lost = store_is_lost(o->store_dir, o->node->kind->store);
    *anew = lost || o->aside;
    if (lost && !o->create)
        return error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "there is no store in %s", o->store_dir);
    return STATUS_OK;
}

// A store that is made anew keeps the keys that lie here, else those of the copy.
static enum status open_keychain(struct opening *o, struct error *e)
{
    struct keyring r = {
        .dir = o->private_dir, .key = &o->key, .copy = o->keys_copy, .create = o->create, .give_up = o->aside};
    enum status st = keyring_open(&r, &o->keychain, e);
    add_note(o, r.note);
    return st;
}

static enum status open_store(struct opening *o, struct error *e)
{
    bool anew;
    enum status st = find_store(o, &anew, e);
    if (st == STATUS_OK)
        st = open_keychain(o, e);
    if (st == STATUS_OK && anew && file_exists(o->store_dir))
        st = put_aside(o, e);
    if (st != STATUS_OK)
        return st;
    o->recipes = recipes_create(true);
    struct store_options options = {
        .dir = o->store_dir, .kind = o->node->kind->store, .recipes = o->recipes, .rebuild = o->repair};
    st = store_open(&options, &o->store, &o->report, e);
    add_note(o, o->report.note);
    return st;
}

// ---- Whose it is ----------------------------------------------------------------------------------------------------

static bool has_own_keys(const struct hash_list *names, const struct identity *self)
{
    return hash_list_has(names, &self->person_keys.keys) && hash_list_has(names, &self->instance_keys.keys);
}

// A database that lost everything opens like a new one.
static enum status check_instance(const struct opening *o, struct error *e)
{
    struct hash_list instances = {0};
    enum status st = store_ids_of_type(o->store, SPAN("Instance"), &instances, e);
    if (st == STATUS_OK && instances.count == 0 && !o->create)
        st = error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "the store in %s has lost what it belongs to",
                       o->store_dir);
    hash_list_free(&instances);
    return st;
}

static enum status is_of_others(const struct opening *o, const char *email, struct error *e)
{
    struct error why = *e;
    return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "%.120s: %.120s, not to %.60s", o->store_dir, why.message,
                     email);
}

static enum status named_instance(struct opening *o, int64_t now, struct error *e)
{
    struct hash_list before = {0};
    const char *email = ipc_request_text(o->request, P_email);
    const char *name = ipc_request_text(o->request, P_instanceName);
    if (email == NULL || name == NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "email and instanceName are missing");
    struct instance_options options = {.email = span_of(email), .instance_name = span_of(name)};
    enum status st = check_instance(o, e);
    if (st == STATUS_OK)
        st = keychain_list(o->keychain, &before, e);
    if (st == STATUS_OK)
        st = instance_open(o->store, o->keychain, &options, now, &o->self, &o->created, e);
    if (st == STATUS_CONFLICT)
        st = is_of_others(o, email, e);
    o->keys_kept = st == STATUS_OK && has_own_keys(&before, o->self);
    hash_list_free(&before);
    return st;
}

// Takes over the storage directory of the reference. Done once: a store that has it already is only opened.
static enum status adopt_instance(struct opening *o, struct error *e)
{
    struct onedb_report report;
    enum status st = instance_reopen(o->store, o->keychain, &o->self, e);
    if (st != STATUS_NOT_FOUND)
        return st;
    error_clear(e);
    st = onedb_import(o->store, o->keychain, o->import_dir, &o->import_secret, &report, e);
    if (st != STATUS_OK)
        return st;
    o->created = true;
    o->imported = json_pack("{s:I, s:I, s:I, s:I, s:I}", "objects", (json_int_t)report.objects, "files",
                            (json_int_t)report.files, "heads", (json_int_t)report.heads, "damaged",
                            (json_int_t)report.damaged, "unknown", (json_int_t)report.unknown);
    return instance_reopen(o->store, o->keychain, &o->self, e);
}

static enum status open_instance(struct opening *o, struct error *e)
{
    struct arena *arena = arena_create();
    int64_t now = clock_wall_ms();
    enum status st = store_begin(o->store, e);
    if (st != STATUS_OK)
        goto done;
    st = o->import_dir != NULL ? adopt_instance(o, e) : named_instance(o, now, e);
    struct model m = {.store = o->store, .self = o->self, .arena = arena, .now_ms = now};
    if (st == STATUS_OK)
        st = opening_complete(o, &m, e);
    if (st == STATUS_OK)
        st = store_commit(o->store, e);
    else
        store_rollback(o->store);
    if (st == STATUS_OK && o->report.restored)
        st = store_forget_restored(o->store, e);
done:
    arena_destroy(arena);
    return st;
}

static void open_work(void *arg)
{
    struct opening *o = arg;
    o->status = open_store(o, &o->error);
    if (o->status == STATUS_OK)
        o->status = open_instance(o, &o->error);
    if (o->status == STATUS_OK && o->import_dir != NULL)
        (void)folder_remove_tree(o->import_dir, NULL); // a copy, with keys, of which nobody may be left to remove it
}

// ---- Back on the loop ----------------------------------------------------------------------------------------------

static void free_opening(struct opening *o)
{
    secret_destroy(&o->key);
    secret_destroy(&o->import_secret);
    json_decref(o->imported);
    free(o->keys_copy);
    for (size_t i = 0; i < o->further_count; i++)
        identity_destroy(o->further[i]);
    free(o->further);
    free(o->import_dir);
    free(o->store_dir);
    free(o->private_dir);
    free(o);
}

static void drop(struct opening *o)
{
    if (o->store != NULL)
        store_close(o->store);
    keychain_close(o->keychain);
    identity_destroy(o->self);
    recipes_destroy(o->recipes);
    if (o->kind_state != NULL)
        o->node->kind->close(o->kind_state);
    json_decref(o->node->config);
    o->node->config = NULL;
    free_opening(o);
}

static void take_over(struct opening *o)
{
    struct node *n = o->node;
    n->recipes = o->recipes;
    n->keychain = o->keychain;
    n->self = o->self;
    n->kind_state = o->kind_state;
    n->shut = o->door.shut;
    n->ailing = o->ailing;
    snprintf(n->url, sizeof n->url, "%s", o->door.url);
    snprintf(n->reachable, sizeof n->reachable, "%s", o->door.told);
    snprintf(n->store_note, sizeof n->store_note, "%s", o->note);
    n->hooks = (struct hooks){.actors = {.main = n->self}, .now_ms = clock_wall_ms};
    hooks_install(o->store, &n->hooks);
    n->uploads = uploads_create();
    n->followers = followers_create(n);
    n->queue = store_queue_create(o->store, loop_mailbox(n->loop));
    n->streams = streams_create(n, IPC_CHILD_FILES_FD, n->child.files, STREAMS_TUNING);
    n->deliveries = deliveries_create(n);
    n->sweeper = sweeper_create(n);
    n->fetches = fetches_create(n);
    n->room = room_create(n);
    n->peers = peers_create(n, &o->own_peer);
    n->peers->own.restoring = o->restoring;
    if (n->kind->start != NULL)
        n->kind->start(n, n->kind_state);
    for (size_t i = 0; i < o->further_count; i++)
        node_add_identity(n, o->further[i]);
    o->further_count = 0;
}

// Every listener is open by now.
static enum status stop_listening(struct opening *o)
{
    return o->node->kind->program == WALL_ARCHIVE ? wall_give_up(WALL_LISTENING, &o->error) : STATUS_OK;
}

static json_t *provisioned(const struct node *n, bool created, bool keys_kept)
{
    struct hash key;
    memcpy(key.b, n->self->instance_keys.public_key.b, HASH_SIZE);
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:s, s:s}", "personId", node_json_hash(&n->self->person),
                     "instanceKey", node_json_hash(&key), "instanceId", node_json_hash(&n->self->instance), "url",
                     n->url[0] != '\0' ? json_string(n->url) : json_null(), "created", (int)created, "keysKept",
                     (int)keys_kept, "email", n->self->email, "instanceName", n->self->instance_name);
}

static void tell_repairs(struct node *n, const struct store_report *r)
{
    if (n->store_note[0] == '\0')
        return;
    LOG(LOG_WARN, "store.repaired", LOG_TEXT("note", n->store_note), LOG_INT("lost", r->lost_objects));
    node_tell(n, "store.repaired",
              json_pack("{s:I, s:b}", "lost", (json_int_t)r->lost_objects, "rebuilt", (int)r->rebuilt));
}

static void open_done(void *arg)
{
    struct opening *o = arg;
    struct node *n = o->node;
    n->opening = false;
    if (n->closing)
        o->status = error_set(&o->error, STATUS_CLOSED, "NOT-RUNNING", "the node is stopping");
    if (o->status == STATUS_OK)
        o->status = stop_listening(o);
    if (o->status == STATUS_OK) {
        take_over(o);
        tell_repairs(n, &o->report);
        LOG(LOG_INFO, "node.provisioned", LOG_HASH("person", &n->self->person), LOG_TEXT("url", n->url));
        json_t *result = provisioned(n, o->created, o->keys_kept);
        if (o->imported != NULL)
            json_object_set(result, "imported", o->imported);
        ipc_request_reply(o->request, result);
        free_opening(o);
    } else {
        LOG(LOG_WARN, "node.refused", LOG_TEXT("code", o->error.code), LOG_TEXT("message", o->error.message));
        ipc_request_fail(o->request, &o->error);
        drop(o);
    }
}

// The storage directory to adopt lies in the node's own directory, as import/NAME.
static enum status read_import(struct opening *o, struct error *e)
{
    const char *name = ipc_request_text(o->request, P_importName);
    json_t *secret = ipc_request_json(o->request, P_importSecret);
    if (name == NULL)
        return STATUS_OK;
    if (secret == NULL || name[0] == '.' || strchr(name, '/') != NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "importName must be a plain folder name, with importSecret");
    struct buf folder = {0};
    buf_printf(&folder, "import/%s", name);
    o->import_dir = node_path(o->node, buf_cstr(&folder));
    buf_free(&folder);
    o->import_secret = secret_copy(json_string_value(secret), json_string_length(secret));
    jsonrpc_wipe(ipc_request_params(o->request), "importSecret");
    return STATUS_OK;
}

static void find_addresses(struct opening *o)
{
    struct buf here = {0};
    struct buf elsewhere = {0};
    addresses_of_listener(o->node->config, o->door.url, &here, NULL);
    addresses_of_listener(o->node->config, o->door.told, NULL, &elsewhere);
    snprintf(o->door.url, sizeof o->door.url, "%s", buf_cstr(&here));
    snprintf(o->door.told, sizeof o->door.told, "%s", buf_cstr(&elsewhere));
    buf_free(&here);
    buf_free(&elsewhere);
}

static enum status begin_opening(struct node *n, struct ipc_request *r, struct error *e)
{
    struct opening *o = mem_alloc(sizeof *o);
    o->node = n;
    o->request = r;
    o->create = ipc_request_bool(r, P_create, false);
    o->aside = o->create && ipc_request_bool(r, P_aside, false);
    o->repair = ipc_request_bool(r, P_repair, false);
    enum status st = node_take_key(r, P_key, &o->key, e);
    if (st == STATUS_OK)
        st = read_import(o, e);
    if (ipc_request_text(r, P_keysCopy) != NULL)
        o->keys_copy = mem_text(span_of(ipc_request_text(r, P_keysCopy)));
    json_t *config = ipc_request_json(r, P_config);
    n->config = config != NULL ? json_incref(config) : json_object();
    if (st == STATUS_OK && n->kind->open != NULL)
        st = n->kind->open(n, r, &o->kind_state, &o->door, e);
    if (st == STATUS_OK) {
        find_addresses(o);
        o->store_dir = node_path(n, "store");
        o->private_dir = node_path(n, "private");
        st = pool_submit(n->pool, open_work, open_done, o);
        if (st != STATUS_OK)
            error_set(e, st, "BUSY", "the node has too much to do");
    }
    n->opening = st == STATUS_OK;
    if (st != STATUS_OK)
        drop(o);
    return st;
}

static void provision(struct ipc_request *r, void *ctx)
{
    struct node *n = ctx;
    struct error e = {0};
    if (n->queue != NULL) {
        ipc_request_reply(r, provisioned(n, false, true));
        return;
    }
    enum status st = STATUS_OK;
    if (n->opening)
        st = error_set(&e, STATUS_CONFLICT, "BUSY", "the node is being provisioned already");
    if (st == STATUS_OK)
        st = begin_opening(n, r, &e);
    if (st != STATUS_OK)
        ipc_request_fail(r, &e);
}

// ---- The other own node --------------------------------------------------------------------------------------------

static enum status read_own_peer(struct node_job *job, struct own_peer *out, struct error *e)
{
    out->pinned = hash_parse(node_job_text(job, P_personId), &out->person) &&
                  hex_decode(node_job_text(job, P_instanceKey), out->instance_key.b, BOX_KEY);
    return out->pinned ? STATUS_OK : error_set(e, STATUS_INVALID, "BAD-PARAMS", "ids and keys are 64 hex digits");
}

static enum status peer_work(struct node_job *job, struct model *m, struct error *e)
{
    struct own_peer own;
    enum status st = read_own_peer(job, &own, e);
    if (st == STATUS_OK)
        st = sharing_set_own_node(m, &own.person, &own.instance_key, e);
    return st == STATUS_OK ? restoring_give(m, ipc_request_bool(job->request, P_restoring, false), e) : st;
}

static void peer_after(struct node_job *job)
{
    struct own_peer own;
    struct hash instance;
    node_peers(job->node)->own.giving = ipc_request_bool(job->request, P_restoring, false);
    if (read_own_peer(job, &own, NULL) == STATUS_OK && hash_parse(node_job_text(job, P_instanceId), &instance))
        peers_set_own(node_peers(job->node), &own, &instance, ipc_request_text(job->request, P_url));
}

static const struct node_method peer_methods[] = {{"node.peer", peer_work, peer_after}, {NULL, NULL, NULL}};

void node_provision_register(struct node *n)
{
    ipc_service_on(n->service, "node.provision", provision, n);
    node_methods_add(n, peer_methods);
}
