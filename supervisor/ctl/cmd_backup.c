// backup: copies what both nodes were at one moment into a folder, sealed, and of it only what is not there yet.
//
// The nodes and the supervisor cannot write there (docs/security.md, "Backups"), so this reads the state folder: the
// copies of the databases that backup.begin had made, and the files of objects, which never change. The manifest is
// written last; before it nothing of this backup counts, whatever happens.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/kdf.h"
#include "crypto/sha256.h"
#include "crypto/stream.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/lock.h"
#include "supervisor/backup/pack.h"
#include "supervisor/ctl/backup.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

enum { TELL_MS = 1000, LIST_LINE = 128, LIST_PIECE = 64 << 10 };

static const char *const NODES[] = {"archive", "sparse"};

struct backing {
    struct ctl *c;
    const char *dir;
    json_t *begun; // backup.begin
    const char *id;
    struct vaults vaults;
    struct vault made;   // if none of them fits
    struct vault *vault; // to be written to
    struct lock *alone;  // in the state folder
    struct lock *lock;   // in the vault
    struct secret names; // for the names of parts
    struct backup_manifest before;
    struct backup_manifest now;
    struct hash_map *old_parts; // name → struct backup_part of before
    struct hash_map *parts;     // the same of now
    struct hash_map *objects;   // those of now
    struct pack_writer *writer;
    struct backup_meter meter;
    uint64_t told_at;
    uint64_t new_bytes;
    json_t *damaged; // object files that cannot be copied
    json_t *missing;
};

// ---- The moment, and where to
// -----------------------------------------------------------------------------------------

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

static enum status begin(struct backing *b, struct error *e)
{
    char *control = NULL;
    if (ctl_find_control(b->c, &control, e) != STATUS_OK)
        return e->status;
    free(control);
    if (be_alone(b, e) != STATUS_OK)
        return e->status;
    b->begun = ctl_call(b->c, "backup.begin", json_pack("{s:b}", "takeOver", 1), e);
    if (b->begun == NULL)
        return e->status;
    b->id = json_string_value(json_object_get(b->begun, "backup"));
    for (size_t i = 0; i < 2; i++) {
        const json_t *node = json_object_get(b->begun, NODES[i]);
        b->meter.total += (uint64_t)json_integer_value(json_object_get(node, "bytes")) +
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

// The vault whose keys.json is that of now; numbers go on from the last one of all.
static enum status choose_vault(struct backing *b, struct error *e)
{
    const json_t *text = json_object_get(b->begun, "keys");
    struct span keys = {json_string_value(text), json_string_length(text)};
    enum status status = vaults_find(b->dir, &b->vaults, e);
    for (size_t i = 0; status == STATUS_OK && i < b->vaults.count; i++) {
        struct vault *v = &b->vaults.items[i];
        b->now.number = vault_last(v) > b->now.number ? vault_last(v) : b->now.number;
        if (b->vault == NULL && span_eq(buf_span(&v->keys), keys))
            b->vault = v;
    }
    b->now.number++;
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

static struct backup_place known_place(struct backing *b, const struct backup_place *at)
{
    return (struct backup_place){.pack = manifest_add_pack(&b->now, &b->before.packs[at->pack]), .offset = at->offset};
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
        status = vault_tidy(b->vault, e);
    if (status != STATUS_OK)
        return status;
    kdf_subkey(&b->vault->key, "names", &b->names);
    read_before(b);
    b->writer = pack_writer_create(b->vault->path, &b->vault->key, (uint32_t)b->now.number);
    return STATUS_OK;
}

// ---- Telling --------------------------------------------------------------------------------------------------------

static enum status tell(struct backing *b, struct error *e)
{
    json_t *params = json_pack("{s:s, s:I, s:I}", "backup", b->id, "done", (json_int_t)b->meter.done, "total",
                               (json_int_t)b->meter.total);
    json_t *result = ctl_call(b->c, "backup.progress", params, e);
    b->told_at = clock_monotonic_ms();
    json_decref(result);
    if (result == NULL && e->status == STATUS_NOT_FOUND)
        error_set(e, STATUS_CLOSED, "CLOSED", "the nodes have dropped their copies meanwhile");
    return result != NULL ? STATUS_OK : e->status;
}

static enum status went_on(struct backing *b, uint64_t bytes, struct error *e)
{
    meter_add(&b->meter, bytes);
    if (backup_check_signals(e) != STATUS_OK)
        return e->status;
    return clock_monotonic_ms() - b->told_at >= TELL_MS ? tell(b, e) : STATUS_OK;
}

// ---- Objects --------------------------------------------------------------------------------------------------------

// A file that has just come lies elsewhere for a moment.
static char *object_path(const struct backing *b, const char *node, const struct hash *hash)
{
    struct buf path = {0};
    struct hash_text name = hash_text(hash);
    buf_printf(&path, "%s/%s/store/incoming/%s", b->c->state_dir, node, name.s);
    if (!file_exists(buf_cstr(&path))) {
        buf_clear(&path);
        buf_printf(&path, "%s/%s/store/objects/%.2s/%s", b->c->state_dir, node, name.s, name.s);
    }
    buf_cstr(&path);
    return path.data;
}

static enum status copy_content(struct backing *b, const char *path, const struct hash *hash, uint64_t size,
                                bool *whole, struct error *e)
{
    struct sha256 *sha = sha256_create();
    struct buf piece = {0};
    uint64_t offset = 0;
    enum status status;
    do {
        buf_clear(&piece);
        status = file_read_at(path, offset, BACKUP_PART, &piece, e);
        sha256_update(sha, buf_span(&piece));
        offset += piece.len;
        if (status == STATUS_OK)
            status = pack_add(b->writer, buf_span(&piece), e);
        if (status == STATUS_OK)
            status = went_on(b, piece.len, e);
    } while (status == STATUS_OK && piece.len == BACKUP_PART && offset <= size);
    struct hash actual = sha256_finish(sha);
    *whole = offset == size && hash_eq(&actual, hash);
    sha256_destroy(sha);
    buf_free(&piece);
    return status;
}

static enum status copy_record(struct backing *b, size_t node, struct backup_object *o, bool *whole, struct error *e)
{
    struct pack_about about = about_object(&o->hash);
    char *path = object_path(b, NODES[node], &o->hash);
    enum status status = pack_begin(b->writer, about_span(&about), e);
    if (status == STATUS_OK)
        status = copy_content(b, path, &o->hash, o->size, whole, e);
    if (status == STATUS_OK)
        status = pack_end(b->writer, &b->now, &o->at, e);
    free(path);
    return status;
}

// What is damaged here is not kept as if it were good. One that is not found may have been moved just then.
static enum status copy_object(struct backing *b, size_t node, struct backup_object *o, struct error *e)
{
    struct error why = {0};
    bool whole = false;
    enum status status = copy_record(b, node, o, &whole, &why);
    if (status == STATUS_NOT_FOUND)
        status = copy_record(b, node, o, &whole, &why);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !whole)) {
        json_array_append_new(status == STATUS_OK ? b->damaged : b->missing, json_string(hash_text(&o->hash).s));
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        *e = why;
        return status;
    }
    b->new_bytes += o->size;
    hash_map_add(b->objects, &o->hash);
    manifest_add_object(&b->now, o);
    return STATUS_OK;
}

static enum status keep_object(struct backing *b, size_t node, const struct hash *hash, uint64_t size, struct error *e)
{
    struct backup_object o = {.hash = *hash, .size = size, .nodes = (uint8_t)(1U << node)};
    const struct backup_object *known = manifest_object(&b->before, hash);
    if (hash_map_has(b->objects, hash)) { // of the other node
        manifest_add_object(&b->now, &o); // joins it when sorted
        return went_on(b, size, e);
    }
    if (known == NULL || known->size != size)
        return copy_object(b, node, &o, e);
    o.at = known_place(b, &known->at);
    hash_map_add(b->objects, hash);
    manifest_add_object(&b->now, &o);
    return went_on(b, size, e);
}

static enum status keep_line(struct backing *b, size_t node, struct span line, struct error *e)
{
    struct hash hash;
    char number[24];
    if (line.len <= HASH_HEX + 1 || line.len - HASH_HEX - 1 >= sizeof number ||
        !hash_parse((struct span){line.ptr, HASH_HEX}, &hash))
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "the %s node's list of files is damaged", NODES[node]);
    snprintf(number, sizeof number, SPAN_FMT, SPAN_ARG(span_from(line, HASH_HEX + 1)));
    return keep_object(b, node, &hash, strtoull(number, NULL, 10), e);
}

static char *snapshot_path(const struct backing *b, size_t node, const char *file)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s/backup/%s", b->c->state_dir, NODES[node], file);
    buf_cstr(&path);
    return path.data;
}

static enum status keep_objects(struct backing *b, size_t node, struct error *e)
{
    char *path = snapshot_path(b, node, "files");
    struct buf text = {0};
    uint64_t offset = 0;
    bool end = false;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !end) {
        size_t before = text.len;
        status = file_read_at(path, offset, LIST_PIECE, &text, e);
        end = text.len == before;
        offset += text.len - before;
        size_t at = 0;
        for (const char *line_end; status == STATUS_OK && text.len > at &&
                                   (line_end = memchr(text.data + at, '\n', text.len - at)) != NULL;) {
            status = keep_line(b, node, (struct span){text.data + at, (size_t)(line_end - text.data) - at}, e);
            at = (size_t)(line_end - text.data) + 1;
        }
        buf_drop_front(&text, at);
    }
    buf_free(&text);
    free(path);
    return status;
}

// ---- Files ----------------------------------------------------------------------------------------------------------

static enum status copy_part(struct backing *b, struct backup_part *part, struct span bytes, struct error *e)
{
    struct pack_about about = about_part(&part->name);
    enum status status = pack_begin(b->writer, about_span(&about), e);
    if (status == STATUS_OK)
        status = pack_add(b->writer, bytes, e);
    if (status == STATUS_OK)
        status = pack_end(b->writer, &b->now, &part->at, e);
    b->new_bytes += bytes.len;
    return status;
}

// Equal bytes lie there once, whichever generation brought them.
static enum status keep_part(struct backing *b, struct backup_file *f, struct span bytes, struct error *e)
{
    struct backup_part part = {.name = stream_name(&b->names, bytes), .size = (uint32_t)bytes.len};
    const struct backup_part *known = hash_map_get(b->parts, &part.name);
    const struct backup_part *old = hash_map_get(b->old_parts, &part.name);
    enum status status = STATUS_OK;
    if (known != NULL)
        part.at = known->at;
    else if (old != NULL)
        part.at = known_place(b, &old->at);
    else
        status = copy_part(b, &part, bytes, e);
    if (status != STATUS_OK)
        return status;
    if (known == NULL) {
        struct backup_part *copy = mem_alloc(sizeof *copy);
        *copy = part;
        hash_map_set(b->parts, &part.name, copy);
    }
    manifest_add_part(f, &part);
    return went_on(b, bytes.len, e);
}

static enum status keep_text(struct backing *b, const char *name, struct span text, struct error *e)
{
    struct backup_file *f = manifest_add_file(&b->now, name);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && text.len != 0) {
        size_t n = text.len < BACKUP_PART ? text.len : BACKUP_PART;
        status = keep_part(b, f, (struct span){text.ptr, n}, e);
        text = span_from(text, n);
    }
    return status;
}

static enum status keep_file(struct backing *b, const char *name, const char *path, struct error *e)
{
    struct backup_file *f = manifest_add_file(&b->now, name);
    struct buf piece = {0};
    uint64_t offset = 0;
    enum status status;
    do {
        buf_clear(&piece);
        status = file_read_at(path, offset, BACKUP_PART, &piece, e);
        offset += piece.len;
        if (status == STATUS_OK && piece.len != 0)
            status = keep_part(b, f, buf_span(&piece), e);
    } while (status == STATUS_OK && piece.len == BACKUP_PART);
    buf_free(&piece);
    return status;
}

static enum status keep_node(struct backing *b, size_t node, struct error *e)
{
    static const char *const files[] = {"store.db", "keys"};
    enum status status = keep_objects(b, node, e);
    for (size_t i = 0; status == STATUS_OK && i < 2; i++) {
        char name[BACKUP_PATH + 1];
        char *path = snapshot_path(b, node, files[i]);
        snprintf(name, sizeof name, "%s/%s", NODES[node], files[i]);
        status = keep_file(b, name, path, e);
        free(path);
    }
    return status;
}

// Settings, and the port that contacts know; either may be missing.
static enum status keep_if_there(struct backing *b, const char *name, struct error *e)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s", b->c->state_dir, name);
    enum status status = file_exists(buf_cstr(&path)) ? keep_file(b, name, buf_cstr(&path), e) : STATUS_OK;
    buf_free(&path);
    return status;
}

static enum status keep_everything(struct backing *b, struct error *e)
{
    const json_t *text = json_object_get(b->begun, "installation");
    struct span installation = {json_string_value(text), json_string_length(text)};
    enum status status = keep_text(b, "installation.json", installation, e);
    if (status == STATUS_OK)
        status = keep_text(b, "keys.json", buf_span(&b->vault->keys), e);
    if (status == STATUS_OK)
        status = keep_if_there(b, "tandem.conf", e);
    if (status == STATUS_OK)
        status = keep_if_there(b, "port", e);
    for (size_t node = 0; status == STATUS_OK && node < 2; node++)
        status = keep_node(b, node, e);
    manifest_sort(&b->now);
    return status;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

// Copies that the nodes have given up meanwhile may be of two moments.
static enum status complete(struct backing *b, struct error *e)
{
    enum status status = pack_finish(b->writer, &b->now, e);
    if (status == STATUS_OK)
        status = tell(b, e);
    return status == STATUS_OK ? vault_write(b->vault, &b->now, e) : status;
}

static uint64_t count_objects(const struct backing *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < 2; i++)
        sum += (uint64_t)json_integer_value(json_object_get(json_object_get(b->begun, NODES[i]), "objects"));
    return sum;
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
        json_object_set_new(params, "objects", json_integer((json_int_t)count_objects(b)));
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
                     (json_int_t)b->now.at_ms, "objects", (json_int_t)count_objects(b), "bytes",
                     (json_int_t)manifest_bytes(&b->now), "newBytes", (json_int_t)b->new_bytes, "milliseconds",
                     (json_int_t)(clock_monotonic_ms() - began), "damaged", b->damaged, "missing", b->missing);
}

enum status run_backup(struct ctl *c, struct error *e)
{
    struct backing b = {.c = c, .dir = c->arguments[0], .meter = {.c = c, .doing = "Copying"}};
    uint64_t began = clock_monotonic_ms();
    json_t *result = NULL;
    b.parts = hash_map_create();
    b.old_parts = hash_map_create();
    b.objects = hash_map_create();
    b.damaged = json_array();
    b.missing = json_array();
    backup_catch_signals();
    enum status status = begin(&b, e);
    if (status == STATUS_OK)
        status = open_vault(&b, e);
    if (status == STATUS_OK)
        status = keep_everything(&b, e);
    if (status == STATUS_OK)
        status = complete(&b, e);
    meter_end(&b.meter);
    end(&b, e);
    if (status == STATUS_OK) {
        result = result_of(&b, began);
        if (json_array_size(b.damaged) + json_array_size(b.missing) != 0)
            c->exit = IPC_EXIT_FAILED;
    }
    backing_free(&b);
    return output_result(c, result, e);
}
