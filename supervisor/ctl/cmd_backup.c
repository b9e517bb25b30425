// backup: copies what both nodes were at one moment into a folder, sealed, and of it only what is not there yet.
//
// The nodes and the supervisor cannot write there (docs/security.md, "Backups"), so this reads the state folder: the
// copies of the databases that backup.begin had made, and the files of objects, which never change. The manifest is
// written last; before it nothing of this backup counts, whatever happens.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/kdf.h"
#include "io/lock.h"
#include "supervisor/backup/pack.h"
#include "supervisor/ctl/backing.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/output.h"

// ---- The moment, and where to ---------------------------------------------------------------------------------------

// The kernel drops the lock with whoever held it, so one that another backup left is no obstacle.
static enum status be_alone(struct backing *b, struct error *e)
{
    struct buf path = {0};
    buf_printf(&path, "%s/backup.lock", b->c->state_dir);
    enum status status = lock_acquire(buf_cstr(&path), &b->alone, e);
    if (status == STATUS_CONFLICT)
        status = error_set(e, STATUS_CONFLICT, "BUSY", "another backup is under way");
    buf_free(&path);
    return status;
}

// What lies there goes with what it is to save. The folder need not be there yet: then it is looked where it will lie.
static enum status check_elsewhere(const struct backing *b, struct error *e)
{
    char *state = realpath(b->c->state_dir, NULL);
    char *at = mem_text(span_of(b->dir));
    char *real = realpath(at, NULL);
    while (real == NULL && errno == ENOENT) {
        char *slash = strrchr(at, '/');
        if (slash == NULL || slash == at)
            break;
        *slash = '\0';
        real = realpath(at, NULL);
    }
    if (real == NULL)
        real = realpath(at[0] == '/' ? "/" : ".", NULL);
    size_t len = state != NULL ? strlen(state) : 0;
    bool inside = len != 0 && real != NULL && strncmp(real, state, len) == 0 && (real[len] == '/' || real[len] == '\0');
    free(real);
    free(at);
    free(state);
    return !inside
               ? STATUS_OK
               : error_set(e, STATUS_INVALID, "BAD-INPUT",
                           "%s lies in the folder of the installation and would be lost with it; name one elsewhere,"
                           " best on another disk",
                           b->dir);
}

static enum status begin(struct backing *b, struct error *e)
{
    char *control = NULL;
    if (ctl_find_control(b->c, &control, e) != STATUS_OK || check_elsewhere(b, e) != STATUS_OK) {
        free(control);
        return e->status;
    }
    free(control);
    if (be_alone(b, e) != STATUS_OK)
        return e->status;
    b->c->ends_when_interrupted = true; // what has begun ends with our connection
    b->begun = ctl_call(b->c, "backup.begin", json_pack("{s:b}", "takeOver", 1), e);
    b->c->ends_when_interrupted = false;
    if (b->begun == NULL)
        return e->status;
    b->id = json_string_value(json_object_get(b->begun, "backup"));
    for (size_t i = 0; i < 2; i++) {
        const json_t *node = json_object_get(b->begun, BACKING_NODES[i]);
        b->total += (uint64_t)json_integer_value(json_object_get(node, "bytes")) +
                    (uint64_t)json_integer_value(json_object_get(node, "fileBytes"));
    }
    return STATUS_OK;
}

static enum status new_vault(struct backing *b, struct span keys, struct error *e)
{
    struct secret key = {0};
    struct buf sealed = {0};
    enum status status = backup_ask_key(b->c, NULL, &key, &sealed, e);
    if (status == STATUS_OK)
        status = vault_create(b->dir, keys, buf_span(&sealed), &key, &b->made, e);
    b->vault = &b->made;
    secret_destroy(&key);
    buf_free(&sealed);
    return status;
}

// Numbers go on from the last one of all.
static void choose_number(struct backing *b)
{
    b->now.number = vault_last(b->vault);
    for (size_t i = 0; i < b->vaults.count; i++)
        if (vault_last(&b->vaults.items[i]) > b->now.number)
            b->now.number = vault_last(&b->vaults.items[i]);
    b->now.number++;
}

// The vault whose keys.json is that of now.
static enum status choose_vault(struct backing *b, struct error *e)
{
    const json_t *text = json_object_get(b->begun, "keys");
    struct span keys = {json_string_value(text), json_string_length(text)};
    enum status status = vaults_find(b->dir, &b->vaults, e);
    for (size_t i = 0; status == STATUS_OK && i < b->vaults.count; i++) {
        struct vault *v = &b->vaults.items[i];
        if (b->vault == NULL && span_eq(buf_span(&v->keys), keys))
            b->vault = v;
    }
    b->now.at_ms = json_integer_value(json_object_get(b->begun, "at"));
    if (status == STATUS_OK && b->vault != NULL)
        return backup_ask_key(b->c, buf_cstr(&b->vault->sealed), &b->vault->key, NULL, e);
    return status == STATUS_OK ? new_vault(b, keys, e) : status;
}

static enum status take_lock(struct backing *b, struct error *e)
{
    struct buf path = {0};
    buf_printf(&path, "%s/lock", b->vault->path);
    enum status status = lock_acquire(buf_cstr(&path), &b->lock, e);
    buf_free(&path);
    return status;
}

// A generation that is damaged is no reason to make no other one: it is then as if it were not there.
static void read_before(struct backing *b)
{
    struct error why = {0};
    if (b->vault->count == 0)
        return;
    if (vault_read(b->vault, vault_last(b->vault), &b->before, &why) != STATUS_OK) {
        fprintf(stderr, "tandem: %s; everything is copied again\n", why.message);
        return;
    }
    for (size_t i = 0; i < b->before.file_count; i++)
        for (uint32_t k = 0; k < b->before.files[i].part_count; k++)
            hash_map_set(b->old_parts, &b->before.files[i].parts[k].name, &b->before.files[i].parts[k]);
}

static enum status open_vault(struct backing *b, struct error *e)
{
    enum status status = vaults_prepare(b->dir, e);
    if (status == STATUS_OK)
        status = choose_vault(b, e);
    if (status == STATUS_OK)
        status = take_lock(b, e);
    if (status == STATUS_OK)
        status = vault_look_again(b->vault, e);
    if (status == STATUS_OK)
        status = vault_tidy(b->vault, e);
    if (status != STATUS_OK)
        return status;
    choose_number(b);
    kdf_subkey(&b->vault->key, "names", &b->names);
    read_before(b);
    b->writer = pack_writer_create(b->vault->path, &b->vault->key, (uint32_t)b->now.number);
    return STATUS_OK;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

// Copies that the nodes have given up meanwhile may be of two moments.
static enum status complete(struct backing *b, struct error *e)
{
    enum status status = pack_finish(b->writer, &b->now, e);
    if (status == STATUS_OK)
        status = backing_tell(b, e);
    return status == STATUS_OK ? vault_write(b->vault, &b->now, e) : status;
}

static void end(struct backing *b, const struct error *why)
{
    struct error ignored = {0};
    if (b->id == NULL)
        return;
    json_t *params = json_pack("{s:s}", "backup", b->id);
    if (why->status != STATUS_OK) {
        json_object_set_new(params, "code", json_string(why->code));
    } else {
        json_object_set_new(params, "objects", json_integer((json_int_t)b->now.object_count));
        json_object_set_new(params, "bytes", json_integer((json_int_t)manifest_bytes(&b->now)));
        json_object_set_new(params, "newBytes", json_integer((json_int_t)b->new_bytes));
    }
    json_decref(ctl_call(b->c, "backup.end", params, &ignored));
}

static void backing_free(struct backing *b)
{
    pack_writer_destroy(b->writer);
    lock_release(b->lock);
    lock_release(b->alone);
    secret_destroy(&b->names);
    manifest_free(&b->before);
    manifest_free(&b->now);
    hash_map_free_values(b->parts);
    hash_map_destroy(b->parts);
    hash_map_destroy(b->old_parts);
    hash_map_destroy(b->objects);
    vaults_free(&b->vaults);
    vault_free(&b->made);
    json_decref(b->begun);
    json_decref(b->damaged);
    json_decref(b->missing);
}

static json_t *result_of(const struct backing *b, uint64_t began)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:O}", "generation", (json_int_t)b->now.number, "at",
                     (json_int_t)b->now.at_ms, "objects", (json_int_t)b->now.object_count, "bytes",
                     (json_int_t)manifest_bytes(&b->now), "newBytes", (json_int_t)b->new_bytes, "milliseconds",
                     (json_int_t)(clock_monotonic_ms() - began), "damaged", b->damaged, "missing", b->missing);
}

enum status run_backup(struct ctl *c, struct error *e)
{
    struct backing b = {.c = c, .dir = c->arguments[0]};
    uint64_t began = clock_monotonic_ms();
    json_t *result = NULL;
    b.parts = hash_map_create();
    b.old_parts = hash_map_create();
    b.objects = hash_map_create();
    b.damaged = json_array();
    b.missing = json_array();
    b.progress = progress_begin(c, "copying");
    interrupt_hold();
    enum status status = begin(&b, e);
    if (status == STATUS_OK)
        status = open_vault(&b, e);
    if (status == STATUS_OK)
        status = backing_keep_everything(&b, e);
    if (status == STATUS_OK)
        status = complete(&b, e);
    progress_end(b.progress);
    end(&b, e);
    if (status == STATUS_OK) {
        result = result_of(&b, began);
        if (json_array_size(b.damaged) + json_array_size(b.missing) != 0)
            c->exit = IPC_EXIT_FAILED;
    }
    backing_free(&b);
    interrupt_release();
    return backup_show(c, result, e);
}
