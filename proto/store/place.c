// Files of a store's folder:
//
//   lock, format          one process at a time; "tandem store 1"
//   store.db, -wal, -shm  the database
//   objects/ab/<hash>     settled bodies, and everything above STORE_INLINE bytes; bytes equal to the reference's files
//   incoming/<hash>       complete and durable, waiting for the commit that makes them known; moved on after it
//   vheads/ab/<id hash>   settled heads of the archive: 64 digits (DATA-MODEL.md 8.2)
//   tmp/tmp-*             being written
//   damaged/              what recovery put aside
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/temp.h"
#include "store/dir.h"
#include "store/heads.h"
#include "store/place.h"
#include "store/rows.h"
#include "store/state.h"

static const char *const folders[] = {"objects", "incoming", "vheads", "tmp"};

char *place_settled(const struct store *s, const struct hash *hash)
{
    struct hash_text t = hash_text(hash);
    return store_path(s, "objects/%.2s/%s", t.s, t.s);
}

static char *place_incoming(const struct store *s, const struct hash *hash)
{
    return store_path(s, "incoming/%s", hash_text(hash).s);
}

char *place_head(const struct store *s, const struct hash *id_hash)
{
    struct hash_text t = hash_text(id_hash);
    return store_path(s, "vheads/%.2s/%s", t.s, t.s);
}

enum status place_folders(struct store *s, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && status == STATUS_OK; i++) {
        char *path = store_path(s, "%s", folders[i]);
        status = folder_create(path, 0700, e);
        free(path);
    }
    return status == STATUS_OK ? folder_sync(s->dir, e) : status;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

// Nobody of us makes a folder there, so nothing of the store is in it.
static enum status put_folder_aside(const char *path, struct error *e)
{
    struct buf to = {0};
    unsigned number = 0;
    do {
        buf_clear(&to);
        buf_printf(&to, "%s.folder-%u", path, ++number);
    } while (file_exists(buf_cstr(&to)));
    enum status status = file_rename(path, buf_cstr(&to), e);
    LOG(LOG_WARN, "store.putAside", LOG_TEXT("folder", buf_cstr(&to)));
    buf_free(&to);
    return status;
}

enum status place_clear(struct store *s, struct store_report *report, struct error *e)
{
    static const char *const files[] = {"lock", "format", "store.db", "store.db-wal", "store.db-shm"};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == STATUS_OK; i++) {
        char *path = store_path(s, "%s", files[i]);
        if (is_folder(path)) {
            status = put_folder_aside(path, e);
            snprintf(report->note, sizeof report->note, "A folder stood where the file '%s' of the store belongs",
                     files[i]);
        }
        free(path);
    }
    return status;
}

static char *parent_of(const char *path)
{
    return mem_text((struct span){path, (size_t)(strrchr(path, '/') - path)});
}

char *place_above(const char *path)
{
    char *folder = parent_of(path);
    char *above = parent_of(folder);
    free(folder);
    return above;
}

enum status place_prepare(const char *path, bool *made, struct error *e)
{
    char *folder = parent_of(path);
    bool absent = !file_exists(folder);
    enum status status = absent ? folder_create(folder, 0700, e) : STATUS_OK;
    if (status == STATUS_OK && is_folder(path))
        status = put_folder_aside(path, e);
    if (made != NULL && absent)
        *made = true;
    free(folder);
    return status;
}

enum status place_read(struct store *s, const struct hash *hash, uint64_t offset, size_t len, struct buf *out,
                       struct error *e)
{
    char *path = place_settled(s, hash);
    enum status status = file_read_at(path, offset, len, out, NULL);
    if (status == STATUS_NOT_FOUND || (status != STATUS_OK && is_folder(path))) {
        free(path);
        path = place_incoming(s, hash);
    }
    if (status != STATUS_OK)
        status = file_read_at(path, offset, len, out, e);
    free(path);
    return status;
}

enum status place_open(struct store *s, const struct hash *hash, int *fd, struct error *e)
{
    char *const paths[] = {place_settled(s, hash), place_incoming(s, hash)};
    enum status status = file_open(paths[0], fd, NULL);
    if (status == STATUS_NOT_FOUND)
        status = file_open(paths[1], fd, NULL);
    if (status != STATUS_OK)
        status = file_open(paths[0], fd, e);
    free(paths[0]);
    free(paths[1]);
    return status;
}

enum status place_write(struct store *s, const struct hash *hash, struct span bytes, struct error *e)
{
    char *folder = store_path(s, "tmp");
    struct temp *t = NULL;
    enum status status = temp_create(folder, 0600, &t, e);
    if (status == STATUS_OK)
        status = temp_add(t, bytes, e);
    if (status == STATUS_OK)
        status = place_arrive(s, t, hash, e);
    temp_destroy(t);
    free(folder);
    return status;
}

enum status place_arrive(struct store *s, struct temp *t, const struct hash *hash, struct error *e)
{
    char *path = place_incoming(s, hash);
    char *folder = parent_of(path);
    enum status status = temp_sync(t, e);
    if (status == STATUS_OK)
        status = temp_publish(t, path, e);
    if (status == STATUS_OK) {
        hash_list_add(&s->arrivals, hash);
        status = folder_sync(folder, e);
    }
    free(folder);
    free(path);
    return status;
}

static enum status move_on(struct store *s, const struct hash *hash, struct error *e)
{
    char *from = place_incoming(s, hash);
    char *to = place_settled(s, hash);
    enum status status = place_prepare(to, NULL, e);
    if (status == STATUS_OK)
        status = file_rename(from, to, e);
    free(from);
    free(to);
    return status;
}

enum status place_remove(struct store *s, const struct hash *hash, struct error *e)
{
    struct head_row current;
    char *const paths[] = {place_settled(s, hash), place_incoming(s, hash), place_head(s, hash)};
    size_t count = sizeof paths / sizeof *paths;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        bool is_in_use = i + 1 == count && heads_get(s, hash, &current, NULL) != STATUS_NOT_FOUND;
        if (status == STATUS_OK && !is_in_use)
            status = file_remove(paths[i], e);
        free(paths[i]);
    }
    return status;
}

// A file that cannot be moved now is read where it is and moved at the next opening.
void place_commit(struct store *s)
{
    for (size_t i = 0; i < s->arrivals.count; i++) {
        struct error e = {0};
        if (move_on(s, &s->arrivals.items[i], &e) != STATUS_OK)
            LOG(LOG_WARN, "store.unmoved", LOG_HASH("hash", &s->arrivals.items[i]), LOG_TEXT("why", e.message));
    }
    s->arrivals.count = 0;
}

void place_rollback(struct store *s, size_t keep)
{
    while (s->arrivals.count > keep) {
        char *path = place_incoming(s, &s->arrivals.items[--s->arrivals.count]);
        (void)file_remove(path, NULL);
        free(path);
    }
}

// ---- Does the database belong here? ---------------------------------------------------------------------------------

// A settled head is in vheads/ and its node in objects/; if both lack the store's own instance, but not everything,
// then the database came from elsewhere.
static bool has_files_of(struct store *s, const struct hash *id_hash)
{
    struct head_row head;
    char *settled = place_head(s, id_hash);
    bool there = file_exists(settled) || heads_get(s, id_hash, &head, NULL) != STATUS_OK;
    free(settled);
    if (there)
        return true;
    char *node = place_settled(s, &head.node);
    there = file_exists(node);
    free(node);
    return there;
}

static enum status stop_at_first(const struct folder_file *file, void *arg, struct error *e)
{
    (void)file;
    (void)arg;
    (void)e;
    return STATUS_EXISTS;
}

bool place_is_foreign(struct store *s)
{
    struct hash_list instances = {0};
    bool own = s->kind != STORE_ARCHIVE || store_ids_of_type(s, SPAN("Instance"), &instances, NULL) != STATUS_OK ||
               instances.count == 0;
    for (size_t i = 0; i < instances.count && !own; i++)
        own = has_files_of(s, &instances.items[i]);
    char *vheads = store_path(s, "vheads");
    own = own || folder_walk(vheads, stop_at_first, NULL, NULL) != STATUS_EXISTS;
    free(vheads);
    hash_list_free(&instances);
    return !own;
}

// ---- What a crash left behind ---------------------------------------------------------------------------------------

struct leftovers {
    struct store *s;
    uint64_t count;
};

static enum status remove_leftover(const struct folder_file *file, void *arg, struct error *e)
{
    struct leftovers *l = arg;
    l->count++;
    return file_remove(file->path, e);
}

static enum status finish_leftover(const struct folder_file *file, void *arg, struct error *e)
{
    struct leftovers *l = arg;
    struct hash hash;
    struct object_row row;
    bool found = false;
    enum status status = STATUS_OK;
    if (hash_parse(span_of(file->name), &hash))
        status = object_row_find(l->s, &hash, &found, &row, e);
    if (status != STATUS_OK)
        return status;
    if (!found || row.state != STATE_PRESENT)
        return remove_leftover(file, arg, e);
    l->count++;
    return move_on(l->s, &hash, e);
}

enum status place_recover(struct store *s, uint64_t *repaired, struct error *e)
{
    struct leftovers l = {.s = s};
    char *tmp = store_path(s, "tmp");
    char *incoming = store_path(s, "incoming");
    enum status status = folder_walk(tmp, remove_leftover, &l, e);
    if (status == STATUS_OK)
        status = folder_walk(incoming, finish_leftover, &l, e);
    *repaired += l.count;
    free(tmp);
    free(incoming);
    return status;
}
