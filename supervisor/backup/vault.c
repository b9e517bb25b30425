// A folder is a vault by its name. One without a generation is what a first backup left that was broken off, and none.
// Numbers come from names of files, which change until the lock is held.
#include "supervisor/backup/vault.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/stream.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/temp.h"
#include "supervisor/backup/pack.h"

#define ENDING ".generation"

enum { DIGITS = 8 };

static const uint64_t MANIFEST_MAX = (uint64_t)4 << 30;

static char *path_in(const char *folder, const char *name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s", folder, name);
    buf_cstr(&b);
    return b.data;
}

void vault_free(struct vault *v)
{
    buf_free(&v->keys);
    buf_free(&v->sealed);
    secret_destroy(&v->key);
    free(v->numbers);
    free(v->path);
    memset(v, 0, sizeof *v);
}

void vaults_free(struct vaults *v)
{
    for (size_t i = 0; i < v->count; i++)
        vault_free(&v->items[i]);
    free(v->items);
    memset(v, 0, sizeof *v);
}

bool vault_is_open(const struct vault *v)
{
    return v->key.data != NULL;
}

uint64_t vault_last(const struct vault *v)
{
    return v->count != 0 ? v->numbers[v->count - 1] : 0;
}

// ---- Finding --------------------------------------------------------------------------------------------------------

static bool is_vault_name(const char *name)
{
    char ignored[VAULT_NAME / 2];
    return strlen(name) == VAULT_NAME && hex_decode(span_of(name), ignored, sizeof ignored);
}

static bool parse_number(const char *name, uint64_t *out)
{
    char *end;
    if (strlen(name) < DIGITS || strspn(name, "0123456789") != DIGITS)
        return false;
    *out = strtoull(name, &end, 10);
    return *out != 0;
}

static enum status note_generation(const struct folder_file *file, void *arg, struct error *e)
{
    struct vault *v = arg;
    uint64_t number;
    (void)e;
    if (!parse_number(file->name, &number) || strcmp(file->name + DIGITS, ENDING) != 0)
        return STATUS_OK;
    v->numbers = mem_resize(v->numbers, (v->count + 1) * sizeof *v->numbers);
    v->numbers[v->count++] = number;
    return STATUS_OK;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum status read_text(const struct vault *v, const char *name, struct buf *out, struct error *e)
{
    char *path = path_in(v->path, name);
    enum status status = file_read(path, VAULT_TEXT_MAX, out, e);
    if (status == STATUS_NOT_FOUND || status == STATUS_TOO_BIG)
        status = error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s is missing or damaged", path);
    free(path);
    return status;
}

enum status vault_look_again(struct vault *v, struct error *e)
{
    v->count = 0;
    enum status status = folder_walk(v->path, note_generation, v, e);
    if (v->count != 0)
        qsort(v->numbers, v->count, sizeof *v->numbers, by_number);
    return status;
}

static enum status look_into(struct vault *v, const char *dir, const char *name, struct error *e)
{
    *v = (struct vault){.path = path_in(dir, name)};
    memcpy(v->name, name, VAULT_NAME);
    enum status status = vault_look_again(v, e);
    if (status == STATUS_OK)
        status = read_text(v, "keys.json", &v->keys, e);
    return status == STATUS_OK ? read_text(v, "key", &v->sealed, e) : status;
}

static int by_last(const void *a, const void *b)
{
    const uint64_t x = vault_last(a);
    const uint64_t y = vault_last(b);
    return x < y ? -1 : x > y;
}

// One without a generation is what a first backup that was broken off left, perhaps before it had its key.
static enum status add_vault(struct vaults *out, const char *dir, const char *name, struct error *e)
{
    struct vault v;
    struct error why = {0};
    enum status status = look_into(&v, dir, name, &why);
    if (status != STATUS_OK && v.count == 0) {
        vault_free(&v);
        return STATUS_OK;
    }
    if (status != STATUS_OK && e != NULL)
        *e = why;
    out->items = mem_resize(out->items, (out->count + 1) * sizeof *out->items);
    out->items[out->count++] = v;
    return status;
}

enum status vaults_find(const char *dir, struct vaults *out, struct error *e)
{
    *out = (struct vaults){0};
    DIR *d = opendir(dir);
    if (d == NULL)
        return errno == ENOENT ? STATUS_OK : error_errno(e, "cannot read the folder %s", dir);
    enum status status = STATUS_OK;
    for (const struct dirent *entry; status == STATUS_OK && (entry = readdir(d)) != NULL;)
        if (is_vault_name(entry->d_name))
            status = add_vault(out, dir, entry->d_name, e);
    closedir(d);
    if (out->count != 0)
        qsort(out->items, out->count, sizeof *out->items, by_last);
    if (status != STATUS_OK)
        vaults_free(out);
    return status;
}

enum status vaults_prepare(const char *dir, struct error *e)
{
    enum status status = folder_create(dir, 0700, e);
    DIR *d = status == STATUS_OK ? opendir(dir) : NULL;
    if (d == NULL)
        return status != STATUS_OK ? status : error_errno(e, "cannot read the folder %s", dir);
    bool strange = false;
    bool backup = false;
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
        backup = backup || is_vault_name(entry->d_name);
        strange = strange || (entry->d_name[0] != '.' && strcmp(entry->d_name, "lost+found") != 0);
    }
    closedir(d);
    if (strange && !backup)
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s holds something else than a backup; give it an empty folder",
                         dir);
    return STATUS_OK;
}

// ---- Making ---------------------------------------------------------------------------------------------------------

static enum status write_text(const struct vault *v, const char *name, struct span text, struct error *e)
{
    char *path = path_in(v->path, name);
    enum status status = file_write(path, text, 0600, e);
    free(path);
    return status;
}

enum status vault_create(const char *dir, struct span keys, struct span sealed, struct secret *key, struct vault *out,
                         struct error *e)
{
    unsigned char random[VAULT_NAME / 2];
    random_bytes(random, sizeof random);
    *out = (struct vault){.key = *key};
    *key = (struct secret){0};
    hex_encode(random, sizeof random, out->name);
    out->path = path_in(dir, out->name);
    buf_add_span(&out->keys, keys);
    buf_add_span(&out->sealed, sealed);
    enum status status = folder_create(out->path, 0700, e);
    if (status == STATUS_OK)
        status = write_text(out, "keys.json", keys, e);
    if (status == STATUS_OK)
        status = write_text(out, "key", sealed, e);
    return status == STATUS_OK ? folder_sync(dir, e) : status;
}

// ---- Manifests ------------------------------------------------------------------------------------------------------

static char *generation_path(const struct vault *v, uint64_t number)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%08llu" ENDING, v->path, (unsigned long long)number);
    buf_cstr(&b);
    return b.data;
}

static enum status open_pieces(const struct vault *v, uint64_t number, const char *path, struct buf *out,
                               struct error *e)
{
    struct buf piece = {0};
    struct stream *stream = NULL;
    struct pack_about about = about_manifest(number);
    struct stat st;
    uint64_t left = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    uint64_t offset = STREAM_HEAD;
    enum status status = left < MANIFEST_MAX ? file_read_at(path, 0, STREAM_HEAD, &piece, e) : STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = stream_open(&v->key, about_span(&about), buf_span(&piece), &stream, e);
    for (bool last = false; status == STATUS_OK && !last; offset += piece.len) {
        buf_clear(&piece);
        status = file_read_at(path, offset, STREAM_PIECE + STREAM_EXTRA, &piece, e);
        last = offset + piece.len >= left;
        if (status == STATUS_OK)
            status = stream_take(stream, buf_span(&piece), last, out, e);
    }
    stream_destroy(stream);
    buf_free(&piece);
    return status;
}

enum status vault_read(const struct vault *v, uint64_t number, struct backup_manifest *m, struct error *e)
{
    char *path = generation_path(v, number);
    struct buf text = {0};
    memset(m, 0, sizeof *m);
    enum status status = open_pieces(v, number, path, &text, e);
    if (status == STATUS_OK)
        status = manifest_parse(buf_span(&text), m, e);
    if (status == STATUS_OK && m->number != number) {
        manifest_free(m);
        status = STATUS_CORRUPT;
    }
    if (status == STATUS_CORRUPT || status == STATUS_NOT_FOUND)
        status = error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s is missing or damaged", path);
    buf_free(&text);
    free(path);
    return status;
}

enum status vault_write(const struct vault *v, const struct backup_manifest *m, struct error *e)
{
    char *path = generation_path(v, m->number);
    struct pack_about about = about_manifest(m->number);
    struct buf text = {0};
    struct buf sealed = {0};
    manifest_print(m, &text);
    struct stream *stream = stream_seal(&v->key, about_span(&about), &sealed);
    struct span rest = buf_span(&text);
    while (rest.len > STREAM_PIECE) {
        stream_add(stream, (struct span){rest.ptr, STREAM_PIECE}, false, &sealed);
        rest = span_from(rest, STREAM_PIECE);
    }
    stream_add(stream, rest, true, &sealed);
    enum status status = file_write(path, buf_span(&sealed), 0600, e);
    stream_destroy(stream);
    buf_free(&sealed);
    buf_free(&text);
    free(path);
    return status;
}

static enum status remove_leftover(const struct folder_file *file, void *arg, struct error *e)
{
    const struct vault *v = arg;
    uint64_t number;
    bool unfinished = strncmp(file->name, TEMP_PREFIX, sizeof TEMP_PREFIX - 1) == 0;
    bool unnamed = parse_number(file->name, &number) && number > vault_last(v);
    return unfinished || unnamed ? file_remove(file->path, e) : STATUS_OK;
}

enum status vault_tidy(const struct vault *v, struct error *e)
{
    return folder_walk(v->path, remove_leftover, (void *)(uintptr_t)v, e);
}
