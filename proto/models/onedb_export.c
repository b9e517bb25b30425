// The reverse maps and heads beside the objects are written line by line as the reference would have grown them, of
// several links to one target only the last. Nothing is synced until the end, when the whole file system is
// (make_durable), and a folder that did not become whole is removed: half a store would open, and be taken for all of
// it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/folder.h"
#include "models/onedb.h"
#include "models/topic.h"

enum { PATH_SIZE = 4096 };

struct exporting {
    struct model *m;
    struct keychain *keys;
    struct keychain *reference;
    struct onedb_report *report;
    struct arena *arena; // of one object
    struct value *maps;  // of the Instance: type → properties, for objects and for id objects
    struct value *id_maps;
    char dir[PATH_SIZE]; // the folder of the instance
    const struct onedb_watcher *watcher;
    uint64_t done, total; // bytes of the store
};

static enum status go_on(struct exporting *x, uint64_t bytes, struct error *e)
{
    x->done += bytes;
    if (x->watcher == NULL || x->watcher->at(x->watcher->ctx, x->done, x->total))
        return STATUS_OK;
    return error_set(e, STATUS_CLOSED, "CLOSED", "the export was given up");
}

// ---- Files ----------------------------------------------------------------------------------------------------------

static enum status write_at(struct exporting *x, const char *folder, const char *name, struct span bytes, int flags,
                            struct error *e)
{
    char path[PATH_SIZE + 256];
    snprintf(path, sizeof path, "%s/%s/%s", x->dir, folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return error_errno(e, "cannot create %s", path);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && bytes.len != 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0)
            status = error_errno(e, "cannot write %s", path);
        else
            bytes = span_from(bytes, (size_t)n);
    }
    close(fd);
    return status;
}

static enum status write_file(struct exporting *x, const struct hash *hash, struct error *e)
{
    struct buf chunk = {0};
    uint64_t offset = 0;
    int flags = O_EXCL;
    enum status status;
    do {
        buf_clear(&chunk);
        status = store_read_chunk(x->m->store, hash, offset, &chunk, e);
        if (status == STATUS_OK)
            status = write_at(x, "objects", hash_text(hash).s, buf_span(&chunk), flags, e);
        if (status == STATUS_OK)
            status = go_on(x, chunk.len, e);
        offset += chunk.len;
        flags = O_APPEND;
    } while (status == STATUS_OK && chunk.len == STORE_CHUNK);
    x->report->files += status == STATUS_OK;
    buf_free(&chunk);
    return status;
}

// ---- Reverse maps (DATA-MODEL.md 9) ---------------------------------------------------------------------------------

static bool is_core(const char *type, bool id)
{
    static const char *const objects[] = {"Access", "Group", "IdAccess", "Keys", NULL};
    static const char *const ids[] = {"Access", "IdAccess", "Instance", NULL};
    for (const char *const *t = id ? ids : objects; *t != NULL; t++)
        if (strcmp(*t, type) == 0)
            return true;
    return false;
}

// Is one of the dotted parts of the path the name?
static bool has_part(struct span path, struct span name)
{
    while (path.len >= name.len) {
        const char *dot = memchr(path.ptr, '.', path.len);
        size_t len = dot != NULL ? (size_t)(dot - path.ptr) : path.len;
        if (span_eq((struct span){path.ptr, len}, name))
            return true;
        if (dot == NULL)
            break;
        path = span_from(path, len + 1);
    }
    return false;
}

static bool is_mapped(const struct exporting *x, const char *type, bool id, struct span path)
{
    if (is_core(type, id))
        return true;
    const struct value *names = value_map_get(id ? x->id_maps : x->maps, span_of(type));
    for (size_t i = 0; names != NULL && i < names->list.count; i++) {
        const struct value *name = names->list.items[i];
        if (name->kind == VALUE_STRING && (span_eq_text(name->string, "*") || has_part(path, name->string)))
            return true;
    }
    return false;
}

// Of several links to one target only the last counts, as in the reference.
static bool is_last(const struct object *o, size_t at)
{
    for (size_t i = at + 1; i < o->link_count; i++)
        if (hash_eq(&o->links[i].target, &o->links[at].target))
            return false;
    return true;
}

static enum status write_maps(struct exporting *x, const struct object *o, const char *type, struct error *e)
{
    bool id = o->form == MICRODATA_ID_OBJECT;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < o->link_count; i++) {
        char name[HASH_HEX + 128];
        char line[HASH_HEX + 2];
        if (!is_last(o, i) || !is_mapped(x, type, id, o->links[i].path))
            continue;
        snprintf(name, sizeof name, "%s.%s.%s", hash_text(&o->links[i].target).s, id ? "IdObject" : "Object", type);
        snprintf(line, sizeof line, "%s\n", hash_text(&o->hash).s);
        status = write_at(x, "rmaps", name, span_of(line), O_APPEND, e);
    }
    return status;
}

// ---- Objects --------------------------------------------------------------------------------------------------------

static enum status write_head(struct exporting *x, const struct hash *id_hash, struct error *e)
{
    struct hash node;
    if (store_head(x->m->store, id_hash, &node, NULL) != STATUS_OK)
        return STATUS_OK;
    x->report->heads++;
    return write_at(x, "vheads", hash_text(id_hash).s, span_of(hash_text(&node).s), O_EXCL, e);
}

static enum status write_secrets(struct exporting *x, const struct hash *keys, struct error *e)
{
    struct secret encrypt = {0};
    struct secret sign = {0};
    if (!keychain_has(x->keys, keys))
        return STATUS_OK;
    enum status status = keychain_get(x->keys, keys, &encrypt, &sign, e);
    if (status == STATUS_OK)
        status = keychain_put(x->reference, keys, &encrypt, &sign, e);
    secret_destroy(&encrypt);
    secret_destroy(&sign);
    x->report->keys++;
    return status;
}

static enum status write_object(struct exporting *x, const struct hash *hash, const struct store_info *info,
                                struct error *e)
{
    struct object o;
    enum status status = store_get_object(x->m->store, hash, x->arena, &o, e);
    if (status != STATUS_OK)
        return status;
    x->report->objects++;
    status = write_at(x, "objects", hash_text(hash).s, o.microdata, O_EXCL, e);
    if (status == STATUS_OK)
        status = write_maps(x, &o, info->type, e);
    if (status == STATUS_OK && info->kind == STORE_ID_OBJECT)
        status = write_head(x, hash, e);
    if (status == STATUS_OK && strcmp(info->type, "Keys") == 0)
        status = write_secrets(x, hash, e);
    return status == STATUS_OK ? go_on(x, info->size, e) : status;
}

static enum status write_one(const struct hash *hash, const struct store_info *info, void *arg, struct error *e)
{
    struct exporting *x = arg;
    arena_reset(x->arena);
    if (store_presence(x->m->store, hash) == STORE_REMOTE)
        return error_set(e, STATUS_CONFLICT, "REMOTE", "%s lies in the archive only; export there", hash_text(hash).s);
    bool is_file = info->kind == STORE_CLOB || info->kind == STORE_BLOB;
    return is_file ? write_file(x, hash, e) : write_object(x, hash, info, e);
}

// ---- All of it ------------------------------------------------------------------------------------------------------

static enum status refuse_file(const struct folder_file *file, void *arg, struct error *e)
{
    (void)arg;
    return error_set(e, STATUS_EXISTS, "EXISTS", "%s is there already; export into an empty folder", file->path);
}

static enum status make_folders(struct exporting *x, const char *dir, struct error *e)
{
    static const char *const folders[] = {"objects", "vheads", "rmaps", "acache", "tmp"};
    char path[PATH_SIZE + 16];
    snprintf(x->dir, sizeof x->dir, "%s/%s", dir, hash_text(&x->m->self->instance).s);
    enum status status = folder_walk(dir, refuse_file, NULL, e);
    for (size_t i = 0; status == STATUS_OK && i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", x->dir, folders[i]);
        status = folder_create(path, 0755, e);
    }
    return status;
}

static enum status load_maps(struct exporting *x, struct error *e)
{
    struct value *instance;
    enum status status = model_current(x->m, &x->m->self->instance, "Instance", &instance, NULL, e);
    if (status != STATUS_OK)
        return status;
    x->maps = value_get(instance, SPAN("enabledReverseMapTypes"));
    x->id_maps = value_get(instance, SPAN("enabledReverseMapTypesForIdObjects"));
    if (x->maps == NULL || x->id_maps == NULL)
        status = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "the Instance object has no reverse maps");
    return status;
}

// Everything at once: syncing file by file would take long.
static enum status make_durable(const char *dir, struct error *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(e, "cannot open %s", dir);
    enum status status = syncfs(fd) == 0 ? STATUS_OK : error_errno(e, "cannot sync %s", dir);
    close(fd);
    return status;
}

enum status onedb_export(struct model *m, struct keychain *k, const char *dir, const struct secret *secret,
                         const struct onedb_watcher *watcher, struct onedb_report *out, struct error *e)
{
    struct exporting *x = mem_alloc(sizeof *x);
    char path[PATH_SIZE + 16];
    struct error ignored;
    bool made = false;
    *out = (struct onedb_report){0};
    *x = (struct exporting){.m = m, .keys = k, .report = out, .arena = arena_create(), .watcher = watcher};
    snprintf(out->email, sizeof out->email, "%s", m->self->email);
    snprintf(out->instance_name, sizeof out->instance_name, "%s", m->self->instance_name);
    struct store_totals totals = {0};
    enum status status = store_totals(m->store, &totals, e);
    x->total = totals.bytes;
    if (status == STATUS_OK)
        status = channel_catch_up(m, e); // the reference knows the registries only
    if (status == STATUS_OK)
        status = topic_catch_up(m, e);
    if (status == STATUS_OK)
        status = make_folders(x, dir, e);
    made = status == STATUS_OK;
    if (status == STATUS_OK)
        status = load_maps(x, e);
    if (status == STATUS_OK) {
        snprintf(path, sizeof path, "%s/private", x->dir);
        status = keychain_open_reference(path, secret, true, &x->reference, e);
    }
    if (status == STATUS_OK)
        status = store_each(m->store, write_one, x, e);
    if (status == STATUS_OK)
        status = make_durable(x->dir, e);
    keychain_close(x->reference);
    if (made && status != STATUS_OK)
        (void)folder_remove_tree(dir, &ignored);
    arena_destroy(x->arena);
    free(x);
    return status;
}
