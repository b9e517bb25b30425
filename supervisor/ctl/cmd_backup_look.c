// backup verify, backup list: what lies in the folder of a backup.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/sha256.h"
#include "crypto/stream.h"
#include "io/file.h"
#include "supervisor/backup/pack.h"
#include "supervisor/ctl/backup.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/progress.h"

struct verifying {
    const struct vault *vault;
    const struct backup_manifest *m;
    struct secret names;
    struct hash_map *seen; // records that were read, by their place → how they are
    struct progress *progress;
    uint64_t total;
    uint64_t generations;
    uint64_t objects;
    uint64_t bytes;
    uint64_t unopened;
    json_t *damaged;
    json_t *missing;
};

// ---- Verifying ------------------------------------------------------------------------------------------------------

static char whole_record, damaged_record;

// The same record is read once, however many generations have it.
static struct hash key_of(const struct verifying *v, const struct backup_place *at)
{
    struct hash key = {{0}};
    const struct backup_pack *p = &v->m->packs[at->pack];
    memcpy(key.b, &p->generation, sizeof p->generation);
    memcpy(key.b + 4, &p->index, sizeof p->index);
    memcpy(key.b + 8, &at->offset, sizeof at->offset);
    return key;
}

static void note_damage(struct verifying *v, const char *what)
{
    json_array_append_new(v->damaged, json_pack("{s:I, s:s}", "generation", (json_int_t)v->m->number, "what", what));
}

static enum status take_piece(struct span bytes, void *arg, struct error *e)
{
    (void)e;
    sha256_update(arg, bytes);
    return STATUS_OK;
}

static enum status gather_piece(struct span bytes, void *arg, struct error *e)
{
    (void)e;
    buf_add_span(arg, bytes);
    return STATUS_OK;
}

static enum status went_on(struct verifying *v, uint64_t bytes, struct error *e)
{
    v->bytes += bytes;
    progress_at(v->progress, v->bytes, v->total);
    return interrupt_check(e);
}

static enum status read_object(struct verifying *v, const struct backup_object *o, bool *whole, struct error *e)
{
    struct pack_about about = about_object(&o->hash);
    struct sha256 *sha = sha256_create();
    enum status status =
        pack_read(v->vault->path, &v->vault->key, v->m, &o->at, o->size, about_span(&about), take_piece, sha, e);
    struct hash actual = sha256_finish(sha);
    *whole = hash_eq(&actual, &o->hash);
    sha256_destroy(sha);
    return status;
}

static enum status read_part(struct verifying *v, const struct backup_part *part, bool *whole, struct error *e)
{
    struct pack_about about = about_part(&part->name);
    struct buf bytes = {0};
    enum status status = pack_read(v->vault->path, &v->vault->key, v->m, &part->at, part->size, about_span(&about),
                                   gather_piece, &bytes, e);
    struct hash name = stream_name(&v->names, buf_span(&bytes));
    *whole = hash_eq(&name, &part->name);
    buf_free(&bytes);
    return status;
}

// Only what lies there can be damaged; that it cannot be read is another matter.
static enum status judge(struct verifying *v, const struct hash *key, uint64_t size, enum status status, bool *whole,
                         struct error *e)
{
    *whole = *whole && status == STATUS_OK;
    if (status == STATUS_CORRUPT) {
        error_clear(e);
        status = STATUS_OK;
    }
    hash_map_set(v->seen, key, *whole ? &whole_record : &damaged_record);
    return status == STATUS_OK ? went_on(v, size, e) : status;
}

static enum status verify_object(struct verifying *v, const struct backup_object *o, struct error *e)
{
    struct hash key = key_of(v, &o->at);
    const char *known = hash_map_get(v->seen, &key);
    bool whole = known != &damaged_record;
    enum status status = STATUS_OK;
    if (known == NULL) {
        status = judge(v, &key, o->size, read_object(v, o, &whole, e), &whole, e);
        v->objects++;
    }
    if (!whole)
        note_damage(v, hash_text(&o->hash).s);
    return status;
}

static enum status verify_file(struct verifying *v, const struct backup_file *f, struct error *e)
{
    enum status status = STATUS_OK;
    bool good = true;
    for (uint32_t i = 0; status == STATUS_OK && i < f->part_count; i++) {
        struct hash key = key_of(v, &f->parts[i].at);
        const char *known = hash_map_get(v->seen, &key);
        bool whole = known != &damaged_record;
        if (known == NULL)
            status = judge(v, &key, f->parts[i].size, read_part(v, &f->parts[i], &whole, e), &whole, e);
        good = good && whole;
    }
    if (status == STATUS_OK && !good)
        note_damage(v, f->path);
    return status;
}

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

static void look_for_packs(struct verifying *v)
{
    for (size_t i = 0; i < v->m->pack_count; i++) {
        char *path = pack_path(v->vault->path, &v->m->packs[i]);
        if (!file_exists(path) && !has_text(v->missing, path))
            json_array_append_new(v->missing, json_string(path));
        free(path);
    }
}

// What the secret is tried against lies there in clear, and in every generation as well.
static enum status verify_keys(struct verifying *v, struct error *e)
{
    const struct backup_file *f = manifest_file(v->m, "keys.json");
    struct pack_about about;
    struct buf kept = {0};
    struct error unread = {0}; // told of already
    if (f == NULL || f->part_count != 1)
        return STATUS_OK;
    about = about_part(&f->parts[0].name);
    if (pack_read(v->vault->path, &v->vault->key, v->m, &f->parts[0].at, f->parts[0].size, about_span(&about),
                  gather_piece, &kept, &unread) == STATUS_OK &&
        !span_eq(buf_span(&kept), buf_span(&v->vault->keys)))
        note_damage(v, "keys.json");
    buf_free(&kept);
    return interrupt_check(e);
}

static enum status verify_generation(struct verifying *v, uint64_t number, struct error *e)
{
    struct backup_manifest m;
    v->m = &m;
    v->generations++;
    enum status status = vault_read(v->vault, number, &m, e);
    m.number = number;
    if (status == STATUS_CORRUPT) {
        note_damage(v, "generation");
        error_clear(e);
        v->m = NULL;
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        look_for_packs(v);
    v->total += manifest_bytes(&m);
    for (size_t i = 0; status == STATUS_OK && i < m.file_count; i++)
        status = verify_file(v, &m.files[i], e);
    if (status == STATUS_OK)
        status = verify_keys(v, e);
    for (size_t i = 0; status == STATUS_OK && i < m.object_count; i++)
        status = verify_object(v, &m.objects[i], e);
    manifest_free(&m);
    v->m = NULL;
    return status;
}

static enum status verify_vault(struct verifying *v, const struct vault *vault, struct error *e)
{
    enum status status = STATUS_OK;
    if (!vault_is_open(vault)) {
        v->unopened += vault->count;
        return STATUS_OK;
    }
    v->vault = vault;
    kdf_subkey(&vault->key, "names", &v->names);
    hash_map_clear(v->seen);
    for (size_t i = vault->count; status == STATUS_OK && i > 0; i--)
        status = verify_generation(v, vault->numbers[i - 1], e);
    secret_destroy(&v->names);
    return status;
}

enum status run_backup_verify(struct ctl *c, struct error *e)
{
    struct vaults vaults;
    struct verifying v = {.progress = NULL};
    enum status status = backup_open(c, c->arguments[0], false, &vaults, e);
    if (status != STATUS_OK)
        return status;
    v.seen = hash_map_create();
    v.damaged = json_array();
    v.missing = json_array();
    v.progress = progress_begin(c, "verifying");
    interrupt_hold();
    for (size_t i = vaults.count; status == STATUS_OK && i > 0; i--)
        status = verify_vault(&v, &vaults.items[i - 1], e);
    progress_end(v.progress);
    interrupt_release();
    if (json_array_size(v.damaged) + json_array_size(v.missing) != 0)
        c->exit = IPC_EXIT_FAILED;
    json_t *result = json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "generations", (json_int_t)v.generations, "objects",
                               (json_int_t)v.objects, "bytes", (json_int_t)v.bytes, "unopened", (json_int_t)v.unopened,
                               "damaged", v.damaged, "missing", v.missing);
    hash_map_destroy(v.seen);
    vaults_free(&vaults);
    if (status == STATUS_OK)
        return backup_show(c, result, e);
    json_decref(result);
    return status;
}

// ---- Listing --------------------------------------------------------------------------------------------------------

static uint64_t added(const struct backup_manifest *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->pack_count; i++)
        sum += m->packs[i].generation == m->number ? m->packs[i].bytes : 0;
    return sum;
}

static json_t *show(const struct vault *v, uint64_t number)
{
    struct backup_manifest m;
    struct error why = {0};
    if (!vault_is_open(v))
        return json_pack("{s:I, s:s}", "generation", (json_int_t)number, "state", "sealed with another secret");
    if (vault_read(v, number, &m, &why) != STATUS_OK)
        return json_pack("{s:I, s:s}", "generation", (json_int_t)number, "state", "damaged");
    json_t *item =
        json_pack("{s:I, s:I, s:I, s:I, s:s}", "generation", (json_int_t)number, "at", (json_int_t)m.at_ms, "bytes",
                  (json_int_t)manifest_bytes(&m), "newBytes", (json_int_t)added(&m), "state", "complete");
    manifest_free(&m);
    return item;
}

enum status run_backup_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"GENERATION", "generation", OUTPUT_NUMBER},
                                                   {"TIME", "at", OUTPUT_TIME},
                                                   {"BYTES", "bytes", OUTPUT_BYTES},
                                                   {"ADDED", "newBytes", OUTPUT_BYTES},
                                                   {"STATE", "state", OUTPUT_STATE}};
    struct vaults vaults;
    enum status status = backup_open(c, c->arguments[0], false, &vaults, e);
    if (status != STATUS_OK)
        return status;
    json_t *items = json_array();
    for (size_t i = 0; i < vaults.count; i++)
        for (size_t k = 0; k < vaults.items[i].count; k++)
            json_array_append_new(items, show(&vaults.items[i], vaults.items[i].numbers[k]));
    vaults_free(&vaults);
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "There is none.", e);
}
