// backup.begin, backup.key, backup.progress, backup.end: the supervisor's part in a backup.
//
//   node.snapshot at the sparse node ─► at the archive ─► the command line copies ─► node.snapshot.drop at both
//
// The sparse node comes first: what it counts as carried to the archive is then in the archive's copy as well, and what
// the archive has of it beyond its own copy comes back from there. The keys cannot change meanwhile, so that all parts
// open with one secret.
//
// The walls let neither the supervisor nor a node write where a backup lies. So the command line reads the state folder
// and writes there, sealed with a key of the backup's own, which is what it gets from here: it opens content, and none
// of the keys that an identity is made of, which are sealed with the keys of the nodes besides.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "crypto/box.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/core.h"

enum { BEGIN_MS = 600000, DROP_MS = 60000, SILENCE_MS = 120000, RECORD_MAX = 64 * 1024 };
enum { KEY_HEX = 2 * BOX_KEY, SEALED_HEX = 2 * (BOX_EMBEDDED + BOX_KEY) };

static const char snapshot_method[] = "node.snapshot";

// --- ends ------------------------------------------------------------------------------------------------------------

static void dropped(void *ctx, json_t *result, const struct error *error)
{
    const struct node *n = ctx;
    (void)result;
    if (error != NULL)
        LOG(LOG_WARN, "snapshot.left", LOG_TEXT("node", process_name(n->process)), LOG_TEXT("code", error->code));
}

static void drop_copies(struct supervisor *s)
{
    for (int i = 0; i < NODES; i++)
        ipc_channel_call(process_channel(s->nodes[i].process), "node.snapshot.drop", NULL, DROP_MS, dropped,
                         &s->nodes[i]);
}

static void drop(struct supervisor *s)
{
    drop_copies(s);
    backup_close(s);
}

void backup_close(struct supervisor *s)
{
    json_decref(s->backup.answer);
    s->backup.answer = NULL;
    s->backup.id[0] = '\0';
}

static void tell_failure(struct supervisor *s, const char *code)
{
    json_t *data = json_pack("{s:s, s:s}", "backup", s->backup.id, "code", code);
    notify_event(s, "supervisor", "backup.failed", data);
    json_decref(data);
}

// A copy that is being made ends when it is dropped; then it is told of.
static void give_up_beginning(struct supervisor *s)
{
    if (s->backup.given_up || s->backup.task == NULL || !tasks_is_abandoned(s, s->backup.task))
        return;
    s->backup.given_up = true;
    drop_copies(s);
}

void backup_tick(struct supervisor *s)
{
    if (s->backup.taking)
        give_up_beginning(s);
    if (s->backup.id[0] == '\0' || s->backup.taking || clock_monotonic_ms() - s->backup.heard < SILENCE_MS)
        return;
    tell_failure(s, "TIMEOUT"); // whoever copied has gone
    drop(s);
}

enum status backup_clean_up(struct supervisor *s, struct error *e)
{
    enum status status = folder_remove_tree(statedir_file(s->dir, "archive/backup"), e);
    return status == STATUS_OK ? folder_remove_tree(statedir_file(s->dir, "sparse/backup"), e) : status;
}

// --- the moment ------------------------------------------------------------------------------------------------------

static void taken(void *ctx, json_t *result, const struct error *error)
{
    struct node *n = ctx;
    struct supervisor *s = n->owner;
    s->backup.heard = clock_monotonic_ms();
    struct error e = {0};
    if (s->backup.given_up || (s->backup.task != NULL && tasks_is_abandoned(s, s->backup.task)))
        error_set(&e, STATUS_CLOSED, "CLOSED", "whoever wanted the backup has gone");
    else if (error != NULL)
        e = *error;
    if (e.status == STATUS_OK)
        json_object_set(s->backup.answer, process_name(n->process), result);
    if (e.status == STATUS_OK && n->which == IPC_SPARSE) {
        ipc_channel_call(process_channel(s->nodes[IPC_ARCHIVE].process), snapshot_method, NULL, BEGIN_MS, taken,
                         &s->nodes[IPC_ARCHIVE]);
        return;
    }
    s->backup.taking = false;
    if (e.status != STATUS_OK) {
        error_prefix(&e, "%s node", process_name(n->process));
        if (s->backup.task != NULL)
            tasks_fail(s, s->backup.task, &e);
        tell_failure(s, e.code);
        drop(s);
    }
    tasks_check(s);
}

static bool begin_ready(const struct supervisor *s, const struct task *t)
{
    return s->backup.task == t && !s->backup.taking;
}

static json_t *begin_result(const struct supervisor *s, const struct task *t)
{
    (void)t;
    return json_deep_copy(s->backup.answer);
}

static enum status add_file(struct supervisor *s, const char *member, const char *file, struct error *e)
{
    struct buf text = {0};
    enum status status = file_read(statedir_file(s->dir, file), RECORD_MAX, &text, e);
    if (status == STATUS_OK)
        json_object_set_new(s->backup.answer, member, json_stringn(text.len != 0 ? text.data : "", text.len));
    buf_free(&text);
    return status;
}

static enum status check_nodes(const struct supervisor *s, bool takes_over, struct error *e)
{
    if (s->kek.data == NULL)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "the nodes have no keys yet");
    if (s->backup.id[0] != '\0' && (s->backup.taking || !takes_over))
        return error_set(e, STATUS_CONFLICT, "BUSY", "another backup is under way");
    for (int i = 0; i < NODES; i++)
        if (!node_is_open(&s->nodes[i]))
            return error_set(e, STATUS_CLOSED, "NODE-DOWN", "the %s node is not running",
                             process_name(s->nodes[i].process));
    return nodes_check_idle(s, e);
}

static enum status prepare(struct supervisor *s, bool takes_over, struct error *e)
{
    if (check_nodes(s, takes_over, e) != STATUS_OK)
        return e->status;
    if (s->backup.id[0] != '\0')
        tell_failure(s, "CLOSED");
    backup_close(s); // the nodes' copies make room for the new ones
    random_text(s->backup.id, BACKUP_ID_LENGTH);
    s->backup.answer = json_pack("{s:s, s:I}", "backup", s->backup.id, "at", (json_int_t)clock_wall_ms());
    enum status status = add_file(s, "keys", "keys.json", e);
    if (status == STATUS_OK)
        status = add_file(s, "installation", "installation.json", e);
    if (status != STATUS_OK)
        backup_close(s);
    return status;
}

static void handle_begin(struct ipc_request *r, void *ctx)
{
    static const struct task_kind kind = {begin_ready, begin_result, false};
    struct supervisor *s = ctx;
    struct error e = {0};
    struct task *t = tasks_begin(s, r, kind, BEGIN_MS);
    if (t == NULL)
        return;
    if (prepare(s, ipc_request_bool(r, P_takeOver, false), &e) != STATUS_OK) {
        tasks_fail(s, t, &e);
        return;
    }
    s->backup.task = t;
    s->backup.taking = true;
    s->backup.given_up = false;
    json_t *data = json_pack("{s:s}", "backup", s->backup.id);
    notify_event(s, "supervisor", "backup.started", data);
    json_decref(data);
    ipc_channel_call(process_channel(s->nodes[IPC_SPARSE].process), snapshot_method, NULL, BEGIN_MS, taken,
                     &s->nodes[IPC_SPARSE]);
}

// --- its key ---------------------------------------------------------------------------------------------------------

static json_t *hex_text(const void *bytes, size_t len)
{
    char hex[SEALED_HEX + 1];
    hex_encode(bytes, len, hex);
    json_t *text = json_string(hex);
    secret_wipe(hex, sizeof hex);
    return text;
}

static json_t *new_key(const struct secret *sealing)
{
    struct buf sealed = {0};
    struct secret key = secret_random(BOX_KEY);
    box_seal(sealing, (struct span){(const char *)key.data, key.len}, &sealed);
    json_t *result =
        json_pack("{s:o, s:o}", "key", hex_text(key.data, key.len), "sealed", hex_text(sealed.data, sealed.len));
    secret_destroy(&key);
    buf_free(&sealed);
    return result;
}

static json_t *open_key(const struct secret *sealing, const char *hex, struct error *e)
{
    char sealed[SEALED_HEX / 2];
    struct buf key = {0};
    json_t *result = NULL;
    buf_reserve(&key, sizeof sealed); // so that it is never moved
    if (!hex_decode(span_of(hex), sealed, sizeof sealed) ||
        box_open(sealing, (struct span){sealed, sizeof sealed}, &key, NULL) != STATUS_OK)
        error_set(e, STATUS_REFUSED, "BAD-SECRET",
                  "the backup was sealed with another secret than this installation's, or its key is damaged");
    else
        result = json_pack("{s:o}", "key", hex_text(key.data, key.len));
    secret_wipe(key.data, key.cap);
    buf_free(&key);
    return result;
}

// A new key belongs to keys.json as it is now. If the secret was changed since the backup began, it would be sealed for
// another one than what it opens.
static enum status check_key(struct supervisor *s, bool is_new, struct error *e)
{
    const json_t *then = json_object_get(s->backup.answer, "keys");
    struct buf now = {0};
    if (s->kek.data == NULL)
        return error_set(e, STATUS_CONFLICT, "NOT-PROVISIONED", "the nodes have no keys yet");
    if (!is_new || then == NULL)
        return STATUS_OK;
    enum status status = file_read(statedir_file(s->dir, "keys.json"), RECORD_MAX, &now, e);
    if (status == STATUS_OK && !span_eq_text(buf_span(&now), json_string_value(then)))
        status = error_set(e, STATUS_CONFLICT, "BUSY", "the secret was changed meanwhile");
    buf_free(&now);
    return status;
}

static void handle_key(struct ipc_request *r, void *ctx)
{
    struct supervisor *s = ctx;
    struct secret sealing = {0};
    struct error e = {0};
    const char *sealed = ipc_request_text(r, P_sealed);
    if (check_key(s, sealed == NULL, &e) != STATUS_OK) {
        ipc_request_fail(r, &e);
        return;
    }
    kdf_subkey(&s->kek, "backup", &sealing);
    json_t *result = sealed != NULL ? open_key(&sealing, sealed, &e) : new_key(&sealing);
    secret_destroy(&sealing);
    if (result != NULL)
        ipc_request_reply(r, result);
    else
        ipc_request_fail(r, &e);
}

// --- how far it is ---------------------------------------------------------------------------------------------------

static bool is_under_way(struct supervisor *s, struct ipc_request *r)
{
    struct error e;
    if (s->backup.id[0] != '\0' && !s->backup.taking && strcmp(ipc_request_text(r, P_backup), s->backup.id) == 0)
        return true;
    error_set(&e, STATUS_NOT_FOUND, "NOT-FOUND", "this backup is not under way any more");
    ipc_request_fail(r, &e);
    return false;
}

static void handle_progress(struct ipc_request *r, void *ctx)
{
    struct supervisor *s = ctx;
    if (!is_under_way(s, r))
        return;
    s->backup.heard = clock_monotonic_ms();
    notify_event(s, "supervisor", "backup.progress", ipc_request_params(r));
    ipc_request_reply(r, NULL);
}

static void handle_end(struct ipc_request *r, void *ctx)
{
    struct supervisor *s = ctx;
    const char *code = ipc_request_text(r, P_code);
    if (!is_under_way(s, r))
        return;
    if (code != NULL)
        tell_failure(s, code);
    else
        notify_event(s, "supervisor", "backup.done", ipc_request_params(r));
    drop(s);
    ipc_request_reply(r, NULL);
}

void backup_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on(service, "backup.begin", handle_begin, s);
    ipc_service_on(service, "backup.key", handle_key, s);
    ipc_service_on(service, "backup.progress", handle_progress, s);
    ipc_service_on(service, "backup.end", handle_end, s);
}
