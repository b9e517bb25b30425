// Makes the database anew: from what the damaged one still gives, the settled files and the settled heads. Every byte
// is checked against its hash; what is known by name but nowhere to be found becomes wanted.
//
// Current is what the damaged database or the settled heads name as current, nothing else: a version that merely lies
// here may have been planted by a peer, however long a history it claims. Where an object came from is lost with the
// database; it then lies here as a part, without effect, until somebody who may send it does so again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"
#include "store/current.h"
#include "store/database.h"
#include "store/dir.h"
#include "store/place.h"
#include "store/provenance.h"
#include "store/put.h"
#include "store/recipes.h"
#include "store/recover.h"
#include "store/salvage.h"
#include "store/state.h"

enum { TRANSACTION_OBJECTS = 1000, HEAD_BYTES = 300, HASH_STEP = 256 << 10 };

struct found_file {
    struct hash hash;
    int64_t mtime_ns;
    uint64_t size;
};

struct recovery {
    struct store *s;
    struct store_report *report;
    struct found_file *files;
    size_t file_count;
    size_t file_cap;
    struct hash_map *heads;  // id hash → struct hash of the best node so far
    struct hash_list names;  // everything the old database knew
    struct hash_list unread; // objects of types not known yet
    uint64_t lost_heads;
    uint64_t unknown_versions; // lie here, and nobody knows whose they are
};

// ---- Putting objects back -------------------------------------------------------------------------------------------

static enum status next_transaction(struct store *s, struct error *e)
{
    if (s->transaction_load.objects < TRANSACTION_OBJECTS)
        return STATUS_OK;
    enum status status = store_commit(s, e);
    return status == STATUS_OK ? store_begin(s, e) : status;
}

static bool is_about_content(enum status status)
{
    return status == STATUS_INVALID || status == STATUS_NOT_FOUND || status == STATUS_TOO_BIG;
}

// An object whose type is not known (yet) is kept as the file it is.
static enum status put_bytes(struct recovery *r, const struct hash *hash, struct span bytes, bool settled,
                             struct error *e)
{
    struct span type;
    enum microdata_form form;
    struct object o;
    struct arena *a = arena_create();
    enum status status = STATUS_INVALID;
    bool ignored;
    if (microdata_sniff(bytes, &type, &form)) {
        status = object_read(r->s->recipes, a, bytes, form, NULL, &o, e);
        if (status == STATUS_OK)
            status = settled ? object_put_settled(r->s, &o, e) : store_put(r->s, &o, NULL, e);
        else if (is_about_content(status))
            hash_list_add(&r->unread, hash);
    }
    if (is_about_content(status))
        status = object_put_file(r->s, hash, file_kind(bytes), bytes.len, settled ? NULL : &bytes, &ignored, e);
    arena_destroy(a);
    return status == STATUS_OK ? next_transaction(r->s, e) : status;
}

static enum status take_body(const struct hash *hash, struct span body, void *arg, struct error *e)
{
    return put_bytes(arg, hash, body, false, e);
}

// ---- Files ----------------------------------------------------------------------------------------------------------

static enum status note_file(const struct folder_file *file, void *arg, struct error *e)
{
    (void)e;
    struct recovery *r = arg;
    struct found_file found = {.mtime_ns = file->mtime_ns, .size = file->size};
    if (!hash_parse(span_of(file->name), &found.hash))
        return STATUS_OK;
    if (r->file_count == r->file_cap) {
        r->file_cap = r->file_cap != 0 ? r->file_cap * 2 : 1024;
        r->files = mem_resize(r->files, r->file_cap * sizeof *r->files);
    }
    r->files[r->file_count++] = found;
    return STATUS_OK;
}

static int by_age(const void *a, const void *b)
{
    const struct found_file *x = a;
    const struct found_file *y = b;
    if (x->mtime_ns != y->mtime_ns)
        return x->mtime_ns < y->mtime_ns ? -1 : 1;
    return hash_compare(&x->hash, &y->hash);
}

static enum status hash_file(struct recovery *r, const struct found_file *f, struct hash *out, struct error *e)
{
    struct sha256 *sha = sha256_create();
    struct buf piece = {0};
    enum status status = STATUS_OK;
    for (uint64_t at = 0; at < f->size && status == STATUS_OK; at += piece.len) {
        buf_clear(&piece);
        status = place_read(r->s, &f->hash, at, HASH_STEP, &piece, e);
        if (status == STATUS_OK && piece.len == 0)
            break;
        sha256_update(sha, buf_span(&piece));
    }
    *out = sha256_finish(sha);
    sha256_destroy(sha);
    buf_free(&piece);
    return status;
}

static enum status put_aside(struct recovery *r, const struct found_file *f, struct error *e)
{
    char *from = place_settled(r->s, &f->hash);
    char *to = store_path(r->s, "damaged/%s", hash_text(&f->hash).s);
    LOG(LOG_ERROR, "store.damaged", LOG_HASH("hash", &f->hash));
    enum status status = file_exists(from) ? file_rename(from, to, e) : STATUS_OK;
    hash_list_add(&r->names, &f->hash);
    free(from);
    free(to);
    return status;
}

static enum status take_big_file(struct recovery *r, const struct found_file *f, struct span beginning, struct error *e)
{
    struct hash actual;
    bool ignored;
    enum status status = hash_file(r, f, &actual, e);
    if (status != STATUS_OK)
        return status;
    if (!hash_eq(&actual, &f->hash))
        return put_aside(r, f, e);
    return object_put_file(r->s, &f->hash, file_kind(beginning), f->size, NULL, &ignored, e);
}

static enum status take_file(struct recovery *r, const struct found_file *f, struct error *e)
{
    struct buf bytes = {0};
    struct span type;
    enum microdata_form form;
    enum status status = place_read(r->s, &f->hash, 0, HEAD_BYTES, &bytes, e);
    bool small =
        f->size <= STORE_INLINE || (microdata_sniff(buf_span(&bytes), &type, &form) && f->size <= STORE_BODY_LIMIT);
    if (status == STATUS_OK && !small) {
        status = take_big_file(r, f, buf_span(&bytes), e);
    } else if (status == STATUS_OK) {
        buf_clear(&bytes);
        status = place_read(r->s, &f->hash, 0, (size_t)f->size + 1, &bytes, e);
        struct hash actual = sha256(buf_span(&bytes));
        if (status == STATUS_OK)
            status =
                hash_eq(&actual, &f->hash) ? put_bytes(r, &f->hash, buf_span(&bytes), true, e) : put_aside(r, f, e);
    }
    buf_free(&bytes);
    return status;
}

static enum status take_files(struct recovery *r, struct error *e)
{
    char *objects = store_path(r->s, "objects");
    char *incoming = store_path(r->s, "incoming");
    enum status status = folder_walk(objects, note_file, r, e);
    if (status == STATUS_OK)
        status = folder_walk(incoming, note_file, r, e);
    if (r->file_count != 0)
        qsort(r->files, r->file_count, sizeof *r->files, by_age);
    for (size_t i = 0; i < r->file_count && status == STATUS_OK; i++)
        status = take_file(r, &r->files[i], e);
    free(objects);
    free(incoming);
    return status;
}

// ---- Heads ----------------------------------------------------------------------------------------------------------

static double depth_of(struct store *s, const struct hash *node)
{
    struct arena *a = arena_create();
    struct object o;
    double depth = -1;
    if (store_get_object(s, node, a, &o, NULL) == STATUS_OK)
        (void)value_get_number(o.value, "depth", &depth);
    arena_destroy(a);
    return depth;
}

// Both were current once. Histories only grow: of two heads of an id the deeper is the later.
static enum status consider_head(const struct hash *id_hash, const struct hash *node, void *arg, struct error *e)
{
    (void)e;
    struct recovery *r = arg;
    struct hash *best = hash_map_get(r->heads, id_hash);
    if (best == NULL) {
        best = mem_alloc(sizeof *best);
        *best = *node;
        hash_map_set(r->heads, id_hash, best);
    } else if (!hash_eq(best, node) && depth_of(r->s, node) >= depth_of(r->s, best)) {
        *best = *node;
    }
    return STATUS_OK;
}

static enum status consider_head_file(const struct folder_file *file, void *arg, struct error *e)
{
    struct hash id_hash;
    struct hash node;
    struct buf text = {0};
    enum status status = file_read(file->path, HEAD_BYTES, &text, e);
    if (status == STATUS_OK && hash_parse(span_of(file->name), &id_hash) && hash_parse(buf_span(&text), &node))
        status = consider_head(&id_hash, &node, arg, e);
    buf_free(&text);
    return status == STATUS_TOO_BIG ? STATUS_OK : status;
}

static enum status set_heads(struct recovery *r, struct error *e)
{
    size_t cursor = 0;
    struct hash id_hash;
    void *node;
    enum status status = STATUS_OK;
    r->lost_heads = 0;
    while (status == STATUS_OK && hash_map_next(r->heads, &cursor, &id_hash, &node)) {
        status = current_set(r->s, &id_hash, node, e);
        if (status == STATUS_OK)
            status = store_admit_history(r->s, node, e);
        if (is_about_content(status)) {
            r->lost_heads++;
            LOG(LOG_ERROR, "store.headLost", LOG_HASH("idHash", &id_hash));
            status = STATUS_OK;
        }
    }
    return status;
}

// ---- Recipes --------------------------------------------------------------------------------------------------------

// Objects of types that only the recovered recipes describe.
static enum status retry_unread(struct recovery *r, struct error *e)
{
    if (r->unread.count == 0)
        return STATUS_OK;
    struct hash_list again = r->unread;
    memset(&r->unread, 0, sizeof r->unread);
    enum status status = recover_recipes(r->s, e);
    for (size_t i = 0; i < again.count && status == STATUS_OK; i++) {
        struct arena *a = arena_create();
        struct object o;
        struct error ignored = {0};
        if (store_get_object(r->s, &again.items[i], a, &o, &ignored) == STATUS_OK)
            status = store_put(r->s, &o, NULL, e);
        arena_destroy(a);
    }
    hash_list_free(&again);
    return status == STATUS_OK ? set_heads(r, e) : status;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

static enum status note_name(const struct hash *hash, const struct hash *same, void *arg, struct error *e)
{
    (void)same;
    (void)e;
    struct recovery *r = arg;
    hash_list_add(&r->names, hash);
    return STATUS_OK;
}

static enum status take_deleted(const struct hash *hash, const struct hash *same, void *arg, struct error *e)
{
    const struct recovery *r = arg;
    (void)same;
    return store_delete(r->s, hash, e);
}

static enum status take_hidden(const struct hash *hash, const struct hash *same, void *arg, struct error *e)
{
    const struct recovery *r = arg;
    (void)same;
    return store_hide(r->s, hash, NULL, e);
}

static enum status want_missing(struct recovery *r, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < r->names.count && status == STATUS_OK; i++) {
        if (store_presence(r->s, &r->names.items[i]) != STORE_ABSENT || store_is_deleted(r->s, &r->names.items[i]))
            continue;
        r->report->lost_objects++;
        status = object_want(r->s, &r->names.items[i], e);
    }
    return status;
}

static enum status note_origin(const struct hash *hash, int64_t source, bool part, void *arg, struct error *e)
{
    const struct recovery *r = arg;
    return provenance_set(r->s, hash, source, part, e);
}

static enum status move_part(struct store *s, const char *suffix, unsigned number, struct error *e)
{
    char *from = store_path(s, "store.db%s", suffix);
    char *to = store_path(s, "damaged/store-%u.db%s", number, suffix);
    enum status status = file_exists(from) ? file_rename(from, to, e) : STATUS_OK;
    free(from);
    free(to);
    return status;
}

static enum status move_database(struct store *s, struct error *e)
{
    char *folder = store_path(s, "damaged");
    enum status status = folder_create(folder, 0700, e);
    free(folder);
    unsigned number = 0;
    for (bool taken = true; taken;) {
        char *path = store_path(s, "damaged/store-%u.db", ++number);
        char *done = store_path(s, "damaged/store-%u.db.kept", number);
        taken = file_exists(path) || file_exists(done);
        free(path);
        free(done);
    }
    if (status == STATUS_OK)
        status = move_part(s, "-wal", number, e);
    if (status == STATUS_OK)
        status = move_part(s, "", number, e);
    char *shm = store_path(s, "store.db-shm");
    if (status == STATUS_OK)
        status = file_remove(shm, e);
    free(shm);
    return status;
}

static bool is_database(const char *name)
{
    size_t len = strlen(name);
    return len > 3 && strcmp(name + len - 3, ".db") == 0;
}

static enum status take_database(const struct folder_file *file, void *arg, struct error *e)
{
    struct recovery *r = arg;
    struct salvage *old = is_database(file->name) ? salvage_open(file->path) : NULL;
    if (old == NULL)
        return STATUS_OK;
    enum status status = salvage_settings(old, r->s, e);
    if (status == STATUS_OK)
        status = salvage_outbox(old, r->s, e);
    if (status == STATUS_OK)
        status = salvage_deliveries(old, r->s, e);
    if (status == STATUS_OK)
        status = salvage_bodies(old, take_body, r, e);
    if (status == STATUS_OK)
        status = salvage_deleted(old, take_deleted, r, e);
    if (status == STATUS_OK)
        status = salvage_hidden(old, take_hidden, r, e);
    if (status == STATUS_OK)
        status = salvage_names(old, note_name, r, e);
    if (status == STATUS_OK)
        status = salvage_origins(old, note_origin, r, e);
    if (status == STATUS_OK)
        status = salvage_heads(old, consider_head, r, e);
    salvage_close(old);
    return status;
}

static enum status keep_database(const struct folder_file *file, void *arg, struct error *e)
{
    (void)arg;
    if (!is_database(file->name))
        return STATUS_OK;
    struct buf kept = {0};
    buf_printf(&kept, "%s.kept", file->path);
    enum status status = file_rename(file->path, buf_cstr(&kept), e);
    buf_free(&kept);
    return status;
}

static enum status set_databases_aside(struct store *s, struct error *e)
{
    char *damaged = store_path(s, "damaged");
    enum status status = folder_walk(damaged, keep_database, NULL, e);
    free(damaged);
    return status;
}

static enum status rebuild(struct recovery *r, struct error *e)
{
    char *damaged = store_path(r->s, "damaged");
    char *vheads = store_path(r->s, "vheads");
    enum status status = store_begin(r->s, e);
    if (status == STATUS_OK)
        status = take_files(r, e);
    if (status == STATUS_OK)
        status = folder_walk(damaged, take_database, r, e);
    if (status == STATUS_OK)
        status = folder_walk(vheads, consider_head_file, r, e);
    if (status == STATUS_OK)
        status = set_heads(r, e);
    if (status == STATUS_OK)
        status = retry_unread(r, e);
    if (status == STATUS_OK)
        status = want_missing(r, e);
    if (status == STATUS_OK)
        status = provenance_unknown_versions(r->s, &r->unknown_versions, e);
    if (status == STATUS_OK)
        status = store_commit(r->s, e);
    if (status == STATUS_OK)
        status = set_databases_aside(r->s, e);
    free(damaged);
    free(vheads);
    return status;
}

static void recovery_free(struct recovery *r)
{
    hash_map_free_values(r->heads);
    hash_map_destroy(r->heads);
    hash_list_free(&r->names);
    hash_list_free(&r->unread);
    free(r->files);
}

static void describe(const struct recovery *r)
{
    snprintf(r->report->note, sizeof r->report->note,
             "The database was damaged or missing and was made anew: %llu objects found, %llu lost, %llu current "
             "versions lost, %llu versions of unknown origin left aside",
             (unsigned long long)r->s->totals.objects, (unsigned long long)r->report->lost_objects,
             (unsigned long long)r->lost_heads, (unsigned long long)r->unknown_versions);
    LOG(LOG_WARN, "store.rebuilt", LOG_INT("objects", r->s->totals.objects), LOG_INT("lost", r->report->lost_objects),
        LOG_INT("lostHeads", r->lost_heads), LOG_INT("unknownVersions", r->unknown_versions));
}

enum status recover_database(struct store *s, bool foreign, struct store_report *report, struct error *e)
{
    struct recovery r = {.s = s, .report = report, .heads = hash_map_create()};
    char *mark = store_path(s, "rebuild");
    database_close(s);
    dir_mark_rebuild(s);
    enum status status = move_database(s, e);
    if (status == STATUS_OK && foreign)
        status = set_databases_aside(s, e);
    if (status == STATUS_OK)
        status = database_open(s, true, e);
    s->recovering = true;
    if (status == STATUS_OK)
        status = rebuild(&r, e);
    s->recovering = false;
    if (status == STATUS_OK)
        status = file_remove(mark, e);
    if (status == STATUS_OK)
        describe(&r);
    free(mark);
    recovery_free(&r);
    return status;
}
