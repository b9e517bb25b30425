// What opening a node does on the worker pool: its store, its keys, and all that has to be in the store.
#include "node/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"
#include "models/apart.h"
#include "models/contact.h"
#include "models/deletion.h"
#include "models/instance.h"
#include "models/keeping.h"
#include "models/leute.h"
#include "models/onedb.h"
#include "models/profile.h"
#include "models/restoring.h"
#include "models/returning.h"
#include "models/selves.h"
#include "models/sharing.h"
#include "models/topic.h"
#include "node/addresses.h"
#include "node/kept.h"
#include "node/keyring.h"
#include "store/snapshot.h"

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

// ---- Step by step ---------------------------------------------------------------------------------------------------

// Of a store that is new: what the user calls itself later must not be undone.
static enum status set_first_name(struct opening *o, struct model *m, struct error *e)
{
    const char *name = ipc_request_text(o->request, P_name);
    return name != NULL && o->created ? profile_set_name(m, span_of(name), e) : STATUS_OK;
}

static enum status open_further(struct opening *o, struct model *main, struct error *e)
{
    struct model m = *main;
    enum status st = instance_identities(&m, o->keychain, &o->further, &o->further_count, e);
    if (st == STATUS_OK && o->further_count != 0)
        st = apart_catch_up(main, e);
    for (size_t i = 0; st == STATUS_OK && i < o->further_count; i++) {
        m.self = o->further[i];
        st = selves_note(main, &o->further[i]->person, e);
        if (st == STATUS_OK)
            st = apart_begin(&m, e);
        if (st == STATUS_OK)
            st = addresses_open(&m, o->door.told, node_config(o->node), e);
    }
    return st;
}

// A copy of an earlier time: an invitation that was out then may have been used since, and the sparse node's copy is a
// moment older than the archive's, which gives it back what it lacks.
static enum status take_up_again(struct opening *o, struct model *m, struct error *e)
{
    if (!o->report.restored)
        return STATUS_OK;
    enum status st = kept_write(m->store, "[]", e);
    if (st == STATUS_OK)
        st = returning_expect(m, o->report.restored_at, e);
    return st == STATUS_OK && store_kind(m->store) == STORE_SPARSE ? restoring_begin(m, e) : st;
}

static enum status begin_leute(struct opening *o, struct model *m, struct error *e)
{
    return leute_init(m, span_of(o->door.told), e);
}

static enum status replace_lost(struct opening *o, struct model *m, struct error *e)
{
    (void)o;
    return contact_replace_lost(m, e);
}

static enum status catch_up(struct opening *o, struct model *m, struct error *e)
{
    (void)o;
    enum status st = channel_catch_up(m, e);
    return st == STATUS_OK ? topic_catch_up(m, e) : st;
}

static enum status delete_again(struct opening *o, struct model *m, struct error *e)
{
    return o->report.rebuilt ? deletion_again(m, e) : STATUS_OK;
}

static enum status open_addresses(struct opening *o, struct model *m, struct error *e)
{
    return addresses_open(m, o->door.told, node_config(o->node), e);
}

static enum status begin_restoring(struct opening *o, struct model *m, struct error *e)
{
    return o->created && o->keys_kept ? restoring_begin(m, e) : STATUS_OK;
}

static enum status keep_rebuilt(struct opening *o, struct model *m, struct error *e)
{
    return o->report.rebuilt ? keeping_all(m, e) : STATUS_OK;
}

typedef enum status (*opening_step)(struct opening *o, struct model *m, struct error *e);

// To be repaired a node opens without what is lost: the next time it does all of it.
static enum status take_step(struct opening *o, opening_step step, struct model *m, struct error *e)
{
    struct error why = {0};
    enum status st = store_savepoint(o->store, e);
    if (st != STATUS_OK)
        return st;
    st = step(o, m, &why);
    bool lost = o->repair && (st == STATUS_CORRUPT || st == STATUS_NOT_FOUND);
    if (st == STATUS_OK)
        return store_release(o->store, e);
    store_undo(o->store);
    o->ailing = o->ailing || lost;
    LOG(LOG_WARN, "node.incomplete", LOG_TEXT("code", why.code), LOG_TEXT("why", why.message));
    return lost ? STATUS_OK : error_set(e, st, why.code, "%s", why.message);
}

static enum status open_instance(struct opening *o, struct error *e)
{
    static const opening_step steps[] = {begin_leute,    replace_lost,    set_first_name, catch_up,    delete_again,
                                         open_addresses, begin_restoring, take_up_again,  keep_rebuilt};
    struct arena *arena = arena_create();
    int64_t now = clock_wall_ms();
    enum status st = store_begin(o->store, e);
    if (st != STATUS_OK)
        goto done;
    st = o->import_dir != NULL ? adopt_instance(o, e) : named_instance(o, now, e);
    struct model m = {.store = o->store, .self = o->self, .arena = arena, .now_ms = now};
    for (size_t i = 0; st == STATUS_OK && i < sizeof steps / sizeof *steps; i++)
        st = take_step(o, steps[i], &m, e);
    if (st == STATUS_OK)
        o->restoring = restoring_is(&m);
    if (st == STATUS_OK)
        o->own_peer.pinned = sharing_own_node(&m, &o->own_peer.person, NULL) == STATUS_OK &&
                             sharing_own_key(&m, &o->own_peer.instance_key);
    if (st == STATUS_OK)
        st = take_step(o, open_further, &m, e);
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

// ---- The store ------------------------------------------------------------------------------------------------------

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

void opening_work(void *arg)
{
    struct opening *o = arg;
    o->status = open_store(o, &o->error);
    if (o->status == STATUS_OK)
        o->status = open_instance(o, &o->error);
    if (o->status == STATUS_OK && o->import_dir != NULL)
        (void)folder_remove_tree(o->import_dir, NULL); // a copy, with keys, of which nobody may be left to remove it
}
