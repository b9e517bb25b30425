// provision and deprovision: the keys and the record of an installation. The steps of the nodes are drive.c's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/core.h"
#include "supervisor/keyfile.h"
#include "supervisor/twice.h"
#include "supervisor/wipe.h"

enum { PROVISION_MS = 60000, DEPROVISION_MS = 30000 };

// Travels to a worker thread and back.
struct derivation {
    uv_work_t work;
    struct supervisor *owner;
    struct installation candidate; // what installation.json will say
    struct keyfile keys;
    bool fresh; // there is no keys.json yet
    struct secret secret;
    struct secret kek;
    struct error error;
};

// --- the record ------------------------------------------------------------------------------------------------------

// --- checks before anything is derived -------------------------------------------------------------------------------

static bool differs(const char *given, const char *recorded)
{
    return given != NULL && strcmp(given, recorded) != 0;
}

static enum status match_record(const struct installation *in, struct ipc_request *r, struct error *e)
{
    if (differs(ipc_request_text(r, P_user), in->user))
        return error_set(e, STATUS_CONFLICT, "ALREADY-PROVISIONED", "this installation belongs to user '%s'", in->user);
    if (differs(ipc_request_text(r, P_archiveEmail), in->nodes[IPC_ARCHIVE].email) ||
        differs(ipc_request_text(r, P_sparseEmail), in->nodes[IPC_SPARSE].email))
        return error_set(e, STATUS_CONFLICT, "ALREADY-PROVISIONED", "this installation has the e-mails '%s' and '%s'",
                         in->nodes[IPC_ARCHIVE].email, in->nodes[IPC_SPARSE].email);
    return STATUS_OK;
}

static enum status load_keys(struct supervisor *s, struct derivation *d, struct error *e)
{
    enum status status = keys_load(s, &d->keys, e);
    d->fresh = status == STATUS_NOT_FOUND;
    if (d->fresh)
        error_clear(e);
    return d->fresh ? STATUS_OK : status;
}

static enum status prepare_again(struct derivation *d, const struct installation *in, struct ipc_request *r,
                                 struct error *e)
{
    d->candidate = *in;
    if (ipc_request_text(r, P_importName) != NULL)
        return error_set(e, STATUS_CONFLICT, "ALREADY-PROVISIONED",
                         "a storage directory can be adopted only by an installation that does not exist yet");
    return match_record(in, r, e);
}

static enum status prepare_adoption(struct derivation *d, struct ipc_request *r, struct error *e)
{
    enum ipc_node node = IPC_ARCHIVE;
    const char *wanted = ipc_request_text(r, P_importNode);
    if (wanted != NULL)
        ipc_node_parse(wanted, &node);
    if (ipc_request_text(r, P_importSecret) == NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "provision: parameter 'importSecret' is missing");
    return installation_adopt(&d->candidate, node, ipc_request_text(r, P_user),
                              ipc_request_text(r, node == IPC_ARCHIVE ? P_sparseEmail : P_archiveEmail), e);
}

static enum status prepare_first(struct derivation *d, struct ipc_request *r, struct error *e)
{
    const char *user = ipc_request_text(r, P_user);
    if (ipc_request_text(r, P_importName) != NULL)
        return prepare_adoption(d, r, e);
    if (user == NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS",
                         "provision: parameter 'user' is missing; the first time it is needed (--user NAME)");
    return installation_make(&d->candidate, user, ipc_request_text(r, P_archiveEmail),
                             ipc_request_text(r, P_sparseEmail), e);
}

static bool has_store(struct supervisor *s)
{
    return file_exists(statedir_file(s->dir, "archive/private/keychain_masterkey")) ||
           file_exists(statedir_file(s->dir, "sparse/private/keychain_masterkey"));
}

// An installation begins when both files are there; a crash between them left nothing that needs a key. Keys whose
// record was lost must not be written over: they open the stores.
static enum status find_installation(struct supervisor *s, struct derivation *d, struct error *e)
{
    const struct installation *in = &s->installation;
    bool made = in->nodes[0].person_id[0] != '\0' || in->nodes[1].person_id[0] != '\0';
    if (load_keys(s, d, e) != STATUS_OK)
        return e->status;
    if (d->fresh && made)
        return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "keys.json is missing; the stores cannot be opened");
    bool recorded = in->user[0] != '\0' || in->adopting >= 0;
    if (!recorded && has_store(s))
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT",
                         "installation.json is missing, but there are stores; put it back from a backup");
    d->candidate = *in;
    if (!d->fresh && in->user[0] != '\0')
        return STATUS_OK;
    d->fresh = true;
    keyfile_fresh(&d->keys);
    return STATUS_OK;
}

static enum status prepare(struct supervisor *s, struct derivation *d, struct ipc_request *r, struct error *e)
{
    if (find_installation(s, d, e) != STATUS_OK)
        return e->status;
    return d->fresh ? prepare_first(d, r, e) : prepare_again(d, &s->installation, r, e);
}

// --- deriving --------------------------------------------------------------------------------------------------------

static void derive(uv_work_t *work) // on a worker thread
{
    struct derivation *d = work->data;
    keyfile_derive(&d->keys, &d->secret, &d->kek, &d->error);
    secret_destroy(&d->secret);
}

static enum status accept_key(struct supervisor *s, struct derivation *d, struct error *e)
{
    if (d->error.status != STATUS_OK) {
        *e = d->error;
        return e->status;
    }
    if (!d->fresh && !keyfile_fits(&d->keys, &d->kek))
        return error_set(e, STATUS_REFUSED, "BAD-SECRET", "this is not the secret of this installation");
    s->installation = d->candidate;
    if (!d->fresh)
        return STATUS_OK;
    keyfile_seal(&d->keys, &d->kek);
    return record_save(s, e) == STATUS_OK ? keys_save(s, &d->keys, e) : e->status;
}

static void begin_drive(struct supervisor *s, struct derivation *d)
{
    secret_destroy(&s->kek);
    s->kek = d->kek;
    d->kek = (struct secret){0};
    s->fresh = d->fresh;
    s->paired_at = 0;
    for (size_t i = 0; i < NODES; i++) {
        s->nodes[i].blocked = 0;
        s->nodes[i].created = false;
        if (process_state(s->nodes[i].process) == PROCESS_FAILED)
            process_start(s->nodes[i].process);
    }
    drive(s);
}

static void derived(uv_work_t *work, int status)
{
    struct derivation *d = work->data;
    struct supervisor *s = d->owner;
    struct error e = {0};
    (void)status;
    s->deriving = false;
    if (s->stopping)
        LOG(LOG_INFO, "provision.dropped");
    else if (accept_key(s, d, &e) == STATUS_OK)
        begin_drive(s, d);
    else if (s->provision != NULL)
        tasks_fail(s, s->provision, &e);
    else if (s->autostart.state == AUTOSTART_OPENING)
        autostart_failed(s, &e);
    secret_destroy(&d->kek);
    free(d);
}

static void begin_deriving(struct supervisor *s, struct derivation *d, uint64_t began)
{
    d->owner = s;
    d->work.data = d;
    s->provision_began = began;
    s->deriving = true;
    uv_queue_work(&s->loop, &d->work, derive, derived);
}

enum status provision_by_itself(struct supervisor *s, struct secret *secret, const char *user, struct error *e)
{
    if (s->kek.data != NULL) { // somebody was quicker
        s->autostart.state = AUTOSTART_DONE;
        return STATUS_OK;
    }
    struct derivation *d = mem_alloc(sizeof *d);
    enum status st = nodes_check_idle(s, e);
    if (st == STATUS_OK)
        st = find_installation(s, d, e);
    if (st == STATUS_OK && d->fresh && user[0] == '\0')
        st = error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "there is no installation yet that a secret could open");
    else if (st == STATUS_OK && d->fresh)
        st = installation_make(&d->candidate, user, NULL, NULL, e);
    if (st != STATUS_OK) {
        free(d);
        return st;
    }
    d->secret = *secret;
    *secret = (struct secret){0};
    begin_deriving(s, d, clock_monotonic_ms());
    return STATUS_OK;
}

// --- provision -------------------------------------------------------------------------------------------------------

static bool provision_ready(const struct supervisor *s, const struct task *t)
{
    const struct node *a = &s->nodes[IPC_ARCHIVE];
    const struct node *b = &s->nodes[IPC_SPARSE];
    (void)t;
    if (s->deriving || s->kek.data == NULL || !node_is_open(a) || !node_is_open(b) || !nodes_are_paired(s))
        return false;
    return s->federated || !s->waits;
}

static json_t *node_result(const struct supervisor *s, enum ipc_node which)
{
    const struct node *n = &s->nodes[which];
    struct listen_address where;
    json_t *object = json_pack("{s:s, s:s, s:i}", "personId", s->installation.nodes[which].person_id, "instanceId",
                               s->installation.nodes[which].instance_id, "pid", (int)process_pid(n->process));
    if (which != IPC_ARCHIVE)
        return object;
    port_address(s, &where);
    bool listens = strcmp(where.host, "none") != 0 && !s->installation.listener_stopped;
    json_object_set_new(object, "url", json_string(n->url));
    json_object_set_new(object, "listening", json_boolean(listens));
    return object;
}

static json_t *provision_result(const struct supervisor *s, const struct task *t)
{
    bool created = s->nodes[0].created || s->nodes[1].created;
    json_t *result =
        json_pack("{s:o, s:o, s:b, s:b, s:b, s:I}", "archive", node_result(s, IPC_ARCHIVE), "sparse",
                  node_result(s, IPC_SPARSE), "created", created, "paired", nodes_are_paired(s), "federated",
                  s->federated, "milliseconds", (json_int_t)(clock_monotonic_ms() - t->began));
    if (s->imported != NULL)
        json_object_set(result, "imported", s->imported);
    if (s->lost != NULL)
        json_object_set(result, "pairAnew", s->lost);
    return result;
}

static void handle_provision(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {provision_ready, provision_result, false};
    struct supervisor *s = ctx;
    struct error e = {0};
    enum ipc_node recreate;
    struct task *t = tasks_begin(s, r, kind, (uint64_t)ipc_request_int(r, P_timeoutMs, PROVISION_MS));
    if (t == NULL)
        return;
    struct derivation *d = mem_alloc(sizeof *d);
    if (nodes_check_idle(s, &e) != STATUS_OK || prepare(s, d, r, &e) != STATUS_OK) {
        free(d);
        tasks_fail(s, t, &e);
        return;
    }
    opening_take_secret(r, P_secret, &d->secret);
    opening_take_secret(r, P_importSecret, &s->import_secret);
    const char *import_name = ipc_request_text(r, P_importName);
    snprintf(s->import_name, sizeof s->import_name, "%s", import_name != NULL ? import_name : "");
    json_decref(s->imported);
    json_decref(s->lost);
    s->imported = s->lost = NULL;
    const char *wanted = ipc_request_text(r, P_recreate);
    s->recreate = wanted != NULL && ipc_node_parse(wanted, &recreate) ? (int)recreate : -1;
    s->waits = ipc_request_bool(r, P_wait, true);
    s->provision = t;
    begin_deriving(s, d, t->began);
}

static void begin_reset(struct supervisor *s, bool wipe);

// A listener that cannot be opened is found before the archive makes anything: then nothing stays of a first attempt.
static bool left_nothing(const struct supervisor *s, const struct error *error)
{
    bool listener = strcmp(error->code, "PORT-TAKEN") == 0 || strcmp(error->code, "BAD-CONFIG") == 0;
    return listener && s->fresh && s->installation.nodes[0].person_id[0] == '\0';
}

void provision_failed(struct supervisor *s, const struct error *error)
{
    struct error ignored = {0};
    json_t *data = json_pack("{s:s, s:s, s:s}", "kind", "provision", "code", error->code, "severity", "error");
    if (left_nothing(s, error)) {
        twice_remove(statedir_file(s->dir, "keys.json"), &ignored);
        twice_remove(statedir_file(s->dir, "installation.json"), &ignored);
        secret_destroy(&s->kek);
        s->installation = INSTALLATION_NONE;
    }
    s->fresh = false;
    secret_destroy(&s->import_secret);
    notify_event(s, "supervisor", "error.reported", data);
    json_decref(data);
    if (s->provision != NULL)
        tasks_fail(s, s->provision, error);
    if (s->repair != NULL)
        tasks_fail(s, s->repair, error);
    if (s->installation.adopting >= 0)
        begin_reset(s, true); // half an adoption is nothing; its source was only read
}

// --- deprovision -----------------------------------------------------------------------------------------------------

struct wiping {
    uv_work_t work;
    struct supervisor *owner;
    struct error error;
};

static bool deprovision_ready(const struct supervisor *s, const struct task *t)
{
    (void)t;
    return s->reset == RESET_NONE;
}

static json_t *deprovision_result(const struct supervisor *s, const struct task *t)
{
    (void)t;
    return json_pack("{s:b}", "wiped", s->wipe);
}

static void start_nodes(struct supervisor *s)
{
    s->reset = RESET_STARTING;
    process_start(s->nodes[IPC_ARCHIVE].process);
    process_start(s->nodes[IPC_SPARSE].process);
}

static void wipe_stores(uv_work_t *work) // on a worker thread
{
    struct wiping *w = work->data;
    wipe_run(statedir_path(w->owner->dir), &w->error);
}

static void stores_wiped(uv_work_t *work, int status)
{
    struct wiping *w = work->data;
    struct supervisor *s = w->owner;
    (void)status;
    if (w->error.status == STATUS_OK) {
        s->installation = INSTALLATION_NONE;
        ipc_ring_forget(s->ring); // events name persons
    } else if (s->deprovision != NULL) {
        tasks_fail(s, s->deprovision, &w->error);
    }
    free(w);
    if (!s->stopping)
        start_nodes(s);
}

void provision_nodes_changed(struct supervisor *s)
{
    if (s->reset == RESET_STOPPING && nodes_are_both(s, PROCESS_STOPPED)) {
        if (!s->wipe) {
            start_nodes(s);
            return;
        }
        struct wiping *w = mem_alloc(sizeof *w);
        *w = (struct wiping){.owner = s, .work.data = w};
        s->reset = RESET_WIPING;
        uv_queue_work(&s->loop, &w->work, wipe_stores, stores_wiped);
    } else if (s->reset == RESET_STARTING && nodes_are_both(s, PROCESS_UP)) {
        s->reset = RESET_NONE;
        tasks_check(s);
    }
}

static void begin_reset(struct supervisor *s, bool wipe)
{
    s->wipe = wipe;
    s->reset = RESET_STOPPING;
    secret_destroy(&s->kek);
    s->federated = false;
    process_stop(s->nodes[IPC_SPARSE].process, STOP_GRACE_MS);
    process_stop(s->nodes[IPC_ARCHIVE].process, STOP_GRACE_MS);
    provision_nodes_changed(s);
}

static void handle_deprovision(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {deprovision_ready, deprovision_result, false};
    struct supervisor *s = ctx;
    struct error e = {0};
    struct task *t = tasks_begin(s, r, kind, DEPROVISION_MS);
    if (t == NULL)
        return;
    if (nodes_check_idle(s, &e) != STATUS_OK) {
        tasks_fail(s, t, &e);
        return;
    }
    s->deprovision = t;
    begin_reset(s, ipc_request_bool(r, P_wipe, false));
}

// Copies of storage directories, with their keys, whose import or export did not come to its end.
static enum status remove_copies(const struct supervisor *s, struct error *e)
{
    static const char *const names[] = {"archive/import", "archive/export", "sparse/import", "sparse/export"};
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < sizeof names / sizeof *names; i++)
        st = folder_remove_tree(statedir_file(s->dir, names[i]), e);
    return st;
}

// A wipe that was interrupted is finished; an adoption that was is undone.
enum status provision_clean_up(struct supervisor *s, struct error *e)
{
    const char *path = statedir_path(s->dir);
    if (file_exists(statedir_file(s->dir, STATEDIR_RESTORING)))
        return error_set(e, STATUS_CONFLICT, "RESTORE-UNFINISHED", "a backup is being restored into %s", path);
    if (wipe_is_unfinished(path)) {
        if (wipe_run(path, e) != STATUS_OK)
            return e->status;
        ipc_ring_forget(s->ring);
    }
    if (backup_clean_up(s, e) != STATUS_OK || remove_copies(s, e) != STATUS_OK)
        return e->status;
    if (record_load(s, e) != STATUS_OK || s->installation.adopting < 0)
        return e->status;
    LOG(LOG_WARN, "adoption.undone");
    s->installation = INSTALLATION_NONE;
    return wipe_run(path, e);
}

void provision_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "provision", handle_provision, s);
    ipc_service_on(service, "deprovision", handle_deprovision, s);
}
