// Everything that goes into a backup: objects by their hashes, files in parts by theirs, each only if it is not there
// yet.
#include "supervisor/ctl/backing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "crypto/stream.h"
#include "io/file.h"

enum { LIST_PIECE = 64 << 10 };

const char *const BACKING_NODES[2] = {"archive", "sparse"};

static struct backup_place known_place(struct backing *b, const struct backup_place *at)
{
    return (struct backup_place){.pack = manifest_add_pack(&b->now, &b->before.packs[at->pack]), .offset = at->offset};
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
            status = backing_went_on(b, piece.len, e);
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
    char *path = object_path(b, BACKING_NODES[node], &o->hash);
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
        return backing_went_on(b, size, e);
    }
    if (known == NULL || known->size != size)
        return copy_object(b, node, &o, e);
    o.at = known_place(b, &known->at);
    hash_map_add(b->objects, hash);
    manifest_add_object(&b->now, &o);
    return backing_went_on(b, size, e);
}

static enum status keep_line(struct backing *b, size_t node, struct span line, struct error *e)
{
    struct hash hash;
    char number[24];
    if (line.len <= HASH_HEX + 1 || line.len - HASH_HEX - 1 >= sizeof number ||
        !hash_parse((struct span){line.ptr, HASH_HEX}, &hash))
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "the %s node's list of files is damaged", BACKING_NODES[node]);
    snprintf(number, sizeof number, SPAN_FMT, SPAN_ARG(span_from(line, HASH_HEX + 1)));
    return keep_object(b, node, &hash, strtoull(number, NULL, 10), e);
}

static char *snapshot_path(const struct backing *b, size_t node, const char *file)
{
    struct buf path = {0};
    buf_printf(&path, "%s/%s/backup/%s", b->c->state_dir, BACKING_NODES[node], file);
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
    return backing_went_on(b, bytes.len, e);
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
        snprintf(name, sizeof name, "%s/%s", BACKING_NODES[node], files[i]);
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

enum status backing_keep_everything(struct backing *b, struct error *e)
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
