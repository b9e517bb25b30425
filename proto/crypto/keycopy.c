// A line for each file in the order of names, and a sum: the same keys give the same text. Nothing is opened for it, so
// what is sealed stays sealed.
#include "crypto/keycopy.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/keychain.h"
#include "crypto/sha256.h"
#include "io/file.h"
#include "io/folder.h"

enum { FILE_MAX = 1024, NAME_SIZE = 80 }; // as keychain.c takes them

static const char head[] = "tandem keys 1\n";
static const char sum[] = "sum ";

static bool is_key_file(struct span name)
{
    struct hash keys;
    if (span_eq_text(name, "keychain_masterkey") || span_eq_text(name, "keychain_masterkey.next"))
        return true;
    return name.len > HASH_HEX && hash_parse((struct span){name.ptr, HASH_HEX}, &keys) &&
           (span_eq_text(span_from(name, HASH_HEX), ".encrypt") || span_eq_text(span_from(name, HASH_HEX), ".sign"));
}

static char *path_of(const char *dir, struct span name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/" SPAN_FMT, dir, SPAN_ARG(name));
    buf_cstr(&b);
    return b.data;
}

// ---- Making ---------------------------------------------------------------------------------------------------------

struct lines {
    char **items;
    size_t count;
};

static enum status add_file(const struct folder_file *file, void *arg, struct error *e)
{
    struct lines *lines = arg;
    struct buf content = {0};
    if (!is_key_file(span_of(file->name)))
        return STATUS_OK;
    enum status st = file_read(file->path, FILE_MAX, &content, e);
    if (st == STATUS_OK) {
        char hex[2 * FILE_MAX + 1];
        struct buf line = {0};
        hex_encode(content.data, content.len, hex);
        buf_printf(&line, "%s %s\n", file->name, hex);
        buf_cstr(&line);
        lines->items = mem_resize(lines->items, (lines->count + 1) * sizeof *lines->items);
        lines->items[lines->count++] = line.data;
    }
    buf_free(&content);
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Equal folders give equal copies.
enum status keycopy_make(const char *dir, struct buf *out, struct error *e)
{
    struct lines lines = {0};
    if (!keychain_exists(dir))
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there are no keys in %s", dir);
    enum status st = folder_walk(dir, add_file, &lines, e);
    if (lines.count != 0)
        qsort(lines.items, lines.count, sizeof *lines.items, by_name);
    buf_add_text(out, head);
    for (size_t i = 0; i < lines.count; i++) {
        buf_add_text(out, lines.items[i]);
        free(lines.items[i]);
    }
    free(lines.items);
    struct hash all = sha256(buf_span(out));
    buf_printf(out, "%s%s\n", sum, hash_text(&all).s);
    return st;
}

// ---- Restoring ------------------------------------------------------------------------------------------------------

static enum status damaged(struct error *e)
{
    return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "the copy of the keys is damaged");
}

static struct span next_line(struct span *rest)
{
    const char *end = rest->len != 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct span line = {rest->ptr, end != NULL ? (size_t)(end - rest->ptr) : rest->len};
    *rest = span_from(*rest, end != NULL ? line.len + 1 : line.len);
    return line;
}

// The lines of files, if the first and the last one say that everything is there.
bool keycopy_files(struct span copy, struct span *files)
{
    const size_t tail = sizeof sum - 1 + HASH_HEX + 1;
    struct hash said;
    if (!span_starts_with(copy, span_of(head)) || copy.len < sizeof head - 1 + tail)
        return false;
    struct span body = {copy.ptr, copy.len - tail};
    struct span end = span_from(copy, body.len);
    struct hash all = sha256(body);
    *files = span_from(body, sizeof head - 1);
    return span_starts_with(end, span_of(sum)) && end.ptr[tail - 1] == '\n' &&
           hash_parse((struct span){end.ptr + sizeof sum - 1, HASH_HEX}, &said) && hash_eq(&said, &all);
}

static bool read_line(struct span line, struct span *name, char content[FILE_MAX], size_t *size)
{
    const char *blank = line.len != 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    if (blank == NULL)
        return false;
    *name = (struct span){line.ptr, (size_t)(blank - line.ptr)};
    struct span hex = span_from(line, name->len + 1);
    *size = hex.len / 2;
    return is_key_file(*name) && *size <= FILE_MAX && hex.len % 2 == 0 && hex_decode(hex, content, *size);
}

bool keycopy_next_name(struct span *files, struct span *name)
{
    char content[FILE_MAX];
    size_t size;
    return files->len != 0 && read_line(next_line(files), name, content, &size);
}

static enum status write_files(const char *dir, struct span files, struct error *e)
{
    enum status st = folder_create(dir, 0700, e);
    while (st == STATUS_OK && files.len != 0) {
        char content[FILE_MAX];
        struct span name;
        size_t size;
        if (!read_line(next_line(&files), &name, content, &size))
            return damaged(e);
        char *path = path_of(dir, name);
        st = file_write(path, (struct span){content, size}, 0600, e);
        free(path);
    }
    return st;
}

static void remove_files(const char *dir, struct span files)
{
    while (files.len != 0) {
        char content[FILE_MAX];
        struct span name;
        size_t size;
        if (!read_line(next_line(&files), &name, content, &size))
            return;
        char *path = path_of(dir, name);
        file_remove(path, NULL);
        free(path);
    }
}

enum status keycopy_restore(const char *dir, struct span copy, struct error *e)
{
    struct span files;
    if (!keycopy_files(copy, &files))
        return damaged(e);
    enum status st = write_files(dir, files, e);
    if (st != STATUS_OK)
        remove_files(dir, files);
    return st;
}

enum status keycopy_check(struct span copy, struct error *e)
{
    struct span files;
    return keycopy_files(copy, &files) ? STATUS_OK : damaged(e);
}
