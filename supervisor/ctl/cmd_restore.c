// restore: puts a generation of a backup where an installation lies.
//
// DIR/restoring says so from before the first file to after the last one, so that nothing runs on half of it; whoever
// gives the same command again goes on, and copies no object twice. In the stores a mark has the nodes begin a new
// epoch when they open them (store/snapshot.h).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/kdf.h"
#include "crypto/keycopy.h"
#include "crypto/sha256.h"
#include "crypto/stream.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/temp.h"
#include "supervisor/backup/pack.h"
#include "supervisor/ctl/backup.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/progress.h"
#include "supervisor/installation.h"
#include "supervisor/statedir.h"
#include "supervisor/wipe.h"

enum { NODE_COUNT = 2, SMALL = 256, TEXT_MAX = 1 << 20 };

static const char *const NODES[NODE_COUNT] = {"archive", "sparse"};

struct restoring {
    struct ctl *c;
    struct vaults vaults;
    const struct vault *vault;
    struct backup_manifest m;
    struct secret names;
    struct statedir *dir;
    struct progress *progress;
    uint64_t done;
    uint64_t total;
};

static const char *file_in(struct restoring *r, const char *name)
{
    return statedir_file(r->dir, name);
}

// ---- What lies there ------------------------------------------------------------------------------------------------

// What an installation is; settings, logs and the port it would like are not.
static const char *const parts[] = {"installation.json.copy", // first, or they would come back
                                    "keys.json.copy",
                                    "installation.json",
                                    "keys.json",
                                    "archive.keys",
                                    "sparse.keys",
                                    "archive",
                                    "sparse",
                                    "port"};

enum { PARTS = sizeof parts / sizeof *parts };

static bool holds_installation(struct restoring *r)
{
    static const char *const signs[] = {"installation.json", "keys.json",       "archive/store",
                                        "sparse/store",      "archive/private", "sparse/private"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (file_exists(file_in(r, signs[i])))
            return true;
    return false;
}

static enum status set_aside(struct restoring *r, const char *name, bool really, struct error *e)
{
    char aside[SMALL];
    snprintf(aside, sizeof aside, STATEDIR_REPLACED "%s", name);
    const char *to = file_in(r, aside);
    const char *from = file_in(r, name);
    enum status status = STATUS_OK;
    if (file_exists(from) && file_exists(to))
        status =
            error_set(e, STATUS_EXISTS, "EXISTS", "%s is there from an earlier restore; move or remove it first", to);
    else if (file_exists(from) && really)
        status = file_rename(from, to, e);
    return status;
}

// Nothing is deleted: it is the user's to throw away. All names are looked at before the first one is changed.
static enum status replace(struct restoring *r, struct error *e)
{
    enum status status = STATUS_OK;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; status == STATUS_OK && i < PARTS; i++)
            status = set_aside(r, parts[i], round == 1, e);
    return status == STATUS_OK ? folder_sync(statedir_path(r->dir), e) : status;
}

static void describe(const struct restoring *r, char out[SMALL])
{
    snprintf(out, SMALL, "%s %llu\n", r->vault->name, (unsigned long long)r->m.number);
}

// What an unfinished restore put here is in the backup it came from.
static enum status take_away(struct restoring *r, struct error *e)
{
    enum status status = STATUS_OK;
    enum ipc_node node;
    for (size_t i = 0; status == STATUS_OK && i < PARTS; i++) {
        const char *path = file_in(r, parts[i]);
        status = ipc_node_parse(parts[i], &node) ? folder_remove_tree(path, e) : file_remove(path, e);
    }
    return status == STATUS_OK ? folder_sync(statedir_path(r->dir), e) : status;
}

// The same again goes on; an earlier generation instead, because this one is damaged, begins anew.
static enum status check_unfinished(struct restoring *r, struct error *e)
{
    char wanted[SMALL];
    struct buf found = {0};
    describe(r, wanted);
    enum status status = file_read(file_in(r, STATEDIR_RESTORING), SMALL, &found, e);
    bool is_same = span_eq_text(buf_span(&found), wanted);
    if (status == STATUS_OK && !span_starts_with(buf_span(&found), span_of(r->vault->name)))
        status = error_set(e, STATUS_CONFLICT, "RESTORE-UNFINISHED",
                           "another backup is being restored here; finish that one, or move %s aside",
                           statedir_path(r->dir));
    else if (status == STATUS_OK && !is_same)
        status = take_away(r, e);
    if (status == STATUS_OK && !is_same)
        status = file_write(file_in(r, STATEDIR_RESTORING), span_of(wanted), 0600, e);
    buf_free(&found);
    return status;
}

static enum status make_room(struct restoring *r, struct error *e)
{
    char text[SMALL];
    const char *path = statedir_path(r->dir);
    if (wipe_is_unfinished(path) && wipe_run(path, e) != STATUS_OK) // or the next start would wipe what comes now
        return e->status;
    if (file_exists(file_in(r, STATEDIR_RESTORING)))
        return check_unfinished(r, e);
    if (holds_installation(r) && !ctl_has(r->c, "replace"))
        return error_set(e, STATUS_EXISTS, "EXISTS",
                         "%s holds an installation; choose another --state-dir, or move it aside with --replace", path);
    enum status status = holds_installation(r) ? replace(r, e) : STATUS_OK;
    describe(r, text);
    return status == STATUS_OK ? file_write(file_in(r, STATEDIR_RESTORING), span_of(text), 0600, e) : status;
}

static void went_on(struct restoring *r, uint64_t bytes)
{
    r->done += bytes;
    progress_at(r->progress, r->done, r->total);
}

// ---- Objects --------------------------------------------------------------------------------------------------------

struct writing {
    struct temp *file;
    struct sha256 *sha;
};

static enum status write_piece(struct span bytes, void *arg, struct error *e)
{
    struct writing *w = arg;
    sha256_update(w->sha, bytes);
    return temp_add(w->file, bytes, e);
}

static bool is_there(const char *path, const struct backup_object *o)
{
    struct stat st;
    struct buf piece = {0};
    if (stat(path, &st) != 0 || (uint64_t)st.st_size != o->size)
        return false;
    struct sha256 *sha = sha256_create();
    for (uint64_t at = 0; at < o->size; at += piece.len) {
        buf_clear(&piece);
        if (file_read_at(path, at, BACKUP_PART, &piece, NULL) != STATUS_OK || piece.len == 0)
            break;
        sha256_update(sha, buf_span(&piece));
    }
    struct hash actual = sha256_finish(sha);
    sha256_destroy(sha);
    buf_free(&piece);
    return hash_eq(&actual, &o->hash);
}

static enum status write_object(struct restoring *r, const char *folder, const char *path,
                                const struct backup_object *o, struct error *e)
{
    struct pack_about about = about_object(&o->hash);
    struct writing w = {.sha = sha256_create()};
    enum status status = temp_create(folder, 0600, &w.file, e);
    if (status == STATUS_OK)
        status =
            pack_read(r->vault->path, &r->vault->key, &r->m, &o->at, o->size, about_span(&about), write_piece, &w, e);
    struct hash actual = sha256_finish(w.sha);
    if (status == STATUS_OK && !hash_eq(&actual, &o->hash))
        status = error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s is damaged in the backup", hash_text(&o->hash).s);
    if (status == STATUS_OK)
        status = temp_publish(w.file, path, e);
    temp_destroy(w.file);
    sha256_destroy(w.sha);
    return status;
}

static enum status restore_object(struct restoring *r, size_t node, const struct backup_object *o, struct error *e)
{
    struct buf folder = {0};
    struct buf path = {0};
    struct hash_text name = hash_text(&o->hash);
    buf_printf(&folder, "%s/%s/store/objects/%.2s", statedir_path(r->dir), NODES[node], name.s);
    buf_printf(&path, "%s/%s", buf_cstr(&folder), name.s);
    enum status status = STATUS_OK;
    if (!is_there(buf_cstr(&path), o)) {
        status = folder_create(buf_cstr(&folder), 0700, e);
        if (status == STATUS_OK)
            status = write_object(r, buf_cstr(&folder), buf_cstr(&path), o, e);
    }
    went_on(r, o->size);
    buf_free(&folder);
    buf_free(&path);
    return status == STATUS_OK ? interrupt_check(e) : status;
}

static enum status restore_objects(struct restoring *r, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < r->m.object_count; i++)
        for (size_t node = 0; status == STATUS_OK && node < NODE_COUNT; node++)
            if ((r->m.objects[i].nodes & 1U << node) != 0)
                status = restore_object(r, node, &r->m.objects[i], e);
    return status;
}

// ---- Files ----------------------------------------------------------------------------------------------------------

static enum status gather_piece(struct span bytes, void *arg, struct error *e)
{
    (void)e;
    buf_add_span(arg, bytes);
    return STATUS_OK;
}

static enum status read_part(struct restoring *r, const struct backup_part *part, struct buf *out, struct error *e)
{
    struct pack_about about = about_part(&part->name);
    buf_clear(out);
    enum status status = pack_read(r->vault->path, &r->vault->key, &r->m, &part->at, part->size, about_span(&about),
                                   gather_piece, out, e);
    struct hash name = stream_name(&r->names, buf_span(out));
    if (status == STATUS_OK && !hash_eq(&name, &part->name))
        status = error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "a part of a file is damaged in the backup");
    return status;
}

static enum status restore_file(struct restoring *r, const struct backup_file *f, const char *folder, const char *path,
                                struct error *e)
{
    struct temp *t = NULL;
    struct buf bytes = {0};
    enum status status = temp_create(folder, 0600, &t, e);
    for (uint32_t i = 0; status == STATUS_OK && i < f->part_count; i++) {
        status = read_part(r, &f->parts[i], &bytes, e);
        if (status == STATUS_OK)
            status = temp_add(t, buf_span(&bytes), e);
        went_on(r, bytes.len);
        if (status == STATUS_OK)
            status = interrupt_check(e);
    }
    if (status == STATUS_OK)
        status = temp_publish(t, path, e);
    temp_destroy(t);
    buf_free(&bytes);
    return status;
}

static enum status read_text(struct restoring *r, const char *name, struct buf *out, struct error *e)
{
    const struct backup_file *f = manifest_file(&r->m, name);
    struct buf bytes = {0};
    if (f == NULL || f->size > TEXT_MAX)
        return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "the backup has no usable %s", name);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < f->part_count; i++) {
        status = read_part(r, &f->parts[i], &bytes, e);
        buf_add_span(out, buf_span(&bytes));
    }
    buf_free(&bytes);
    return status;
}

static const char *node_file(struct restoring *r, size_t node, const char *name)
{
    char path[SMALL];
    snprintf(path, sizeof path, "%s/%s", NODES[node], name);
    return file_in(r, path);
}

static enum status restore_keys(struct restoring *r, size_t node, struct error *e)
{
    char name[BACKUP_PATH];
    struct buf text = {0};
    snprintf(name, sizeof name, "%s/keys", NODES[node]);
    enum status status = read_text(r, name, &text, e);
    if (status == STATUS_OK)
        status = keycopy_restore(node_file(r, node, "private"), buf_span(&text), e);
    snprintf(name, sizeof name, "%s.keys", NODES[node]);
    if (status == STATUS_OK)
        status = file_write(file_in(r, name), buf_span(&text), 0600, e);
    buf_free(&text);
    return status;
}

static enum status mark_restored(struct restoring *r, size_t node, struct error *e)
{
    char at[SMALL];
    snprintf(at, sizeof at, "%lld\n", (long long)r->m.at_ms);
    return file_write(node_file(r, node, "store/restored"), span_of(at), 0600, e);
}

// The log of a database of an attempt before this one would be taken for this one's.
static enum status restore_database(struct restoring *r, size_t node, struct error *e)
{
    static const char *const logs[] = {"store/store.db-wal", "store/store.db-shm"};
    char name[BACKUP_PATH];
    snprintf(name, sizeof name, "%s/store.db", NODES[node]);
    const struct backup_file *f = manifest_file(&r->m, name);
    if (f == NULL)
        return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "the backup has no %s", name);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < 2; i++)
        status = file_remove(node_file(r, node, logs[i]), e);
    if (status == STATUS_OK)
        status = restore_file(r, f, node_file(r, node, "store"), node_file(r, node, "store/store.db"), e);
    if (status == STATUS_OK)
        status = file_write(node_file(r, node, "store/format"), SPAN("tandem store 1\n"), 0600, e);
    return status == STATUS_OK ? mark_restored(r, node, e) : status;
}

static enum status restore_node(struct restoring *r, size_t node, struct error *e)
{
    enum status status = folder_create(node_file(r, node, "store"), 0700, e);
    if (status == STATUS_OK)
        status = restore_database(r, node, e);
    return status == STATUS_OK ? restore_keys(r, node, e) : status;
}

// The sparse node's copy is a moment older than the archive's, which gives it back what it lacks.
static enum status restore_installation(struct restoring *r, struct error *e)
{
    struct installation in;
    struct buf text = {0};
    struct buf changed = {0};
    enum status status = read_text(r, "installation.json", &text, e);
    if (status == STATUS_OK)
        status = installation_parse(buf_span(&text), &in, e);
    if (status == STATUS_OK) {
        in.restoring = IPC_SPARSE;
        installation_print(&in, &changed);
        status = file_write(file_in(r, "installation.json"), buf_span(&changed), 0600, e);
    }
    buf_free(&text);
    buf_free(&changed);
    return status;
}

// Settings that are there already are those of this machine.
static enum status restore_if_absent(struct restoring *r, const char *name, struct error *e)
{
    struct buf text = {0};
    if (manifest_file(&r->m, name) == NULL || file_exists(file_in(r, name)))
        return STATUS_OK;
    enum status status = read_text(r, name, &text, e);
    if (status == STATUS_OK)
        status = file_write(file_in(r, name), buf_span(&text), 0600, e);
    buf_free(&text);
    return status;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

// Everything at once: syncing file by file would take long.
static enum status make_durable(struct restoring *r, struct error *e)
{
    int fd = open(statedir_path(r->dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(e, "cannot open %s", statedir_path(r->dir));
    enum status status = syncfs(fd) == 0 ? STATUS_OK : error_errno(e, "cannot make %s durable", statedir_path(r->dir));
    close(fd);
    return status;
}

static enum status restore_everything(struct restoring *r, struct error *e)
{
    enum status status = make_room(r, e);
    if (status == STATUS_OK)
        status = restore_objects(r, e);
    for (size_t node = 0; status == STATUS_OK && node < NODE_COUNT; node++)
        status = restore_node(r, node, e);
    if (status == STATUS_OK)
        status = restore_installation(r, e);
    if (status == STATUS_OK)
        status = restore_if_absent(r, "tandem.conf", e);
    if (status == STATUS_OK)
        status = restore_if_absent(r, "port", e);
    if (status == STATUS_OK)
        status = file_write(file_in(r, "keys.json"), buf_span(&r->vault->keys), 0600, e);
    if (status == STATUS_OK)
        status = make_durable(r, e);
    if (status == STATUS_OK)
        status = file_remove(file_in(r, STATEDIR_RESTORING), e);
    return status == STATUS_OK ? folder_sync(statedir_path(r->dir), e) : status;
}

static json_t *result_of(const struct restoring *r, uint64_t began)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "generation", (json_int_t)r->m.number, "at", (json_int_t)r->m.at_ms,
                     "objects", (json_int_t)r->m.object_count, "bytes", (json_int_t)manifest_bytes(&r->m),
                     "milliseconds", (json_int_t)(clock_monotonic_ms() - began));
}

static enum status restore_into(struct restoring *r, struct error *e)
{
    enum status status = statedir_open(r->c->state_dir, &r->dir, e);
    if (status != STATUS_OK)
        return status;
    kdf_subkey(&r->vault->key, "names", &r->names);
    r->total = manifest_bytes(&r->m);
    r->progress = progress_begin(r->c, "restoring");
    interrupt_hold();
    status = restore_everything(r, e);
    progress_end(r->progress);
    interrupt_release();
    secret_destroy(&r->names);
    statedir_close(r->dir);
    return status;
}

enum status run_restore(struct ctl *c, struct error *e)
{
    struct restoring r = {.c = c};
    uint64_t began = clock_monotonic_ms();
    int64_t number;
    json_t *result = NULL;
    if (ctl_number(c, "generation", 0, BACKUP_GENERATION_MAX, &number, e) != STATUS_OK)
        return e->status;
    enum status status = backup_open(c, c->arguments[0], true, &r.vaults, e);
    if (status == STATUS_OK)
        status = backup_choose(&r.vaults, (uint64_t)number, &r.vault, &r.m, e);
    if (status == STATUS_OK)
        status = restore_into(&r, e);
    if (status == STATUS_OK)
        result = result_of(&r, began);
    if (status == STATUS_OK && !c->json)
        puts("Restored. Start it with 'tandem up' and open it with 'tandem provision' and the secret of that time.");
    manifest_free(&r.m);
    vaults_free(&r.vaults);
    return backup_show(c, result, e);
}
