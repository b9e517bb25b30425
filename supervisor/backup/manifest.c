// Numbers are written byte by byte, so that any machine can read them. A reader that met a fault is bad and reads
// nothing any more: one look at its end is enough. Counts are held against what is left of the text before anything is
// made of them.
#include "supervisor/backup/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/stream.h"

static const char magic[] = "TNDMBAK1";

enum {
    MAGIC = sizeof magic - 1,
    PACK_BYTES = 16,
    PART_BYTES = HASH_SIZE + 4 + 12,
    OBJECT_BYTES = HASH_SIZE + 1 + 8 + 12
};

void manifest_free(struct backup_manifest *m)
{
    for (size_t i = 0; i < m->file_count; i++)
        free(m->files[i].parts);
    free(m->files);
    free(m->packs);
    free(m->objects);
    memset(m, 0, sizeof *m);
}

// ---- Making ---------------------------------------------------------------------------------------------------------

uint32_t manifest_add_pack(struct backup_manifest *m, const struct backup_pack *pack)
{
    for (size_t i = 0; i < m->pack_count; i++)
        if (m->packs[i].generation == pack->generation && m->packs[i].index == pack->index) {
            m->packs[i].bytes = pack->bytes > m->packs[i].bytes ? pack->bytes : m->packs[i].bytes;
            return (uint32_t)i;
        }
    m->packs = mem_resize(m->packs, (m->pack_count + 1) * sizeof *m->packs);
    m->packs[m->pack_count] = *pack;
    return (uint32_t)m->pack_count++;
}

struct backup_file *manifest_add_file(struct backup_manifest *m, const char *path)
{
    m->files = mem_resize(m->files, (m->file_count + 1) * sizeof *m->files);
    struct backup_file *f = &m->files[m->file_count++];
    memset(f, 0, sizeof *f);
    memcpy(f->path, path, strnlen(path, BACKUP_PATH));
    return f;
}

void manifest_add_part(struct backup_file *f, const struct backup_part *part)
{
    if ((f->part_count & (f->part_count + 1)) == 0) // room for the next power of two
        f->parts = mem_resize(f->parts, ((size_t)f->part_count + 1) * 2 * sizeof *f->parts);
    f->parts[f->part_count++] = *part;
    f->size += part->size;
}

void manifest_add_object(struct backup_manifest *m, const struct backup_object *object)
{
    if (m->object_count == m->object_cap) {
        m->object_cap = m->object_cap != 0 ? m->object_cap * 2 : 1024;
        m->objects = mem_resize(m->objects, m->object_cap * sizeof *m->objects);
    }
    m->objects[m->object_count++] = *object;
}

static int by_hash(const void *a, const void *b)
{
    return hash_compare(&((const struct backup_object *)a)->hash, &((const struct backup_object *)b)->hash);
}

void manifest_sort(struct backup_manifest *m)
{
    size_t kept = 0;
    if (m->object_count != 0)
        qsort(m->objects, m->object_count, sizeof *m->objects, by_hash);
    for (size_t i = 0; i < m->object_count; i++) {
        if (kept != 0 && hash_eq(&m->objects[kept - 1].hash, &m->objects[i].hash))
            m->objects[kept - 1].nodes |= m->objects[i].nodes;
        else
            m->objects[kept++] = m->objects[i];
    }
    m->object_count = kept;
}

// ---- Asking ---------------------------------------------------------------------------------------------------------

const struct backup_file *manifest_file(const struct backup_manifest *m, const char *path)
{
    for (size_t i = 0; i < m->file_count; i++)
        if (strcmp(m->files[i].path, path) == 0)
            return &m->files[i];
    return NULL;
}

const struct backup_object *manifest_object(const struct backup_manifest *m, const struct hash *hash)
{
    struct backup_object key = {.hash = *hash};
    return m->object_count != 0 ? bsearch(&key, m->objects, m->object_count, sizeof key, by_hash) : NULL;
}

uint64_t manifest_bytes(const struct backup_manifest *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->file_count; i++)
        sum += m->files[i].size;
    for (size_t i = 0; i < m->object_count; i++)
        sum += m->objects[i].size;
    return sum;
}

// ---- Printing -------------------------------------------------------------------------------------------------------

static void put(struct buf *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_add_char(out, (char)(number >> (8 * i) & 0xff));
}

static void put_place(struct buf *out, const struct backup_place *at)
{
    put(out, at->pack, 4);
    put(out, at->offset, 8);
}

static void put_file(struct buf *out, const struct backup_file *f)
{
    put(out, strlen(f->path), 2);
    buf_add_text(out, f->path);
    put(out, f->size, 8);
    put(out, f->part_count, 4);
    for (uint32_t i = 0; i < f->part_count; i++) {
        buf_add(out, f->parts[i].name.b, HASH_SIZE);
        put(out, f->parts[i].size, 4);
        put_place(out, &f->parts[i].at);
    }
}

void manifest_print(const struct backup_manifest *m, struct buf *out)
{
    buf_add_text(out, magic);
    put(out, m->number, 8);
    put(out, (uint64_t)m->at_ms, 8);
    put(out, m->pack_count, 4);
    for (size_t i = 0; i < m->pack_count; i++) {
        put(out, m->packs[i].generation, 4);
        put(out, m->packs[i].index, 4);
        put(out, m->packs[i].bytes, 8);
    }
    put(out, m->file_count, 4);
    for (size_t i = 0; i < m->file_count; i++)
        put_file(out, &m->files[i]);
    put(out, m->object_count, 8);
    for (size_t i = 0; i < m->object_count; i++) {
        buf_add(out, m->objects[i].hash.b, HASH_SIZE);
        put(out, m->objects[i].nodes, 1);
        put(out, m->objects[i].size, 8);
        put_place(out, &m->objects[i].at);
    }
}

// ---- Parsing --------------------------------------------------------------------------------------------------------

struct reading {
    struct span rest;
    bool bad;
};

static struct span take(struct reading *r, size_t len)
{
    if (r->bad || r->rest.len < len) {
        r->bad = true;
        return SPAN("");
    }
    struct span part = {r->rest.ptr, len};
    r->rest = span_from(r->rest, len);
    return part;
}

static uint64_t number(struct reading *r, size_t bytes)
{
    struct span part = take(r, bytes);
    uint64_t n = 0;
    for (size_t i = 0; i < part.len; i++)
        n |= (uint64_t)(unsigned char)part.ptr[i] << (8 * i);
    return n;
}

// How many follow: so many bytes each at least, so no more than the rest can hold.
static size_t count(struct reading *r, size_t bytes, size_t each)
{
    uint64_t n = number(r, bytes);
    if (n > r->rest.len / each)
        r->bad = true;
    return r->bad ? 0 : (size_t)n;
}

static void take_hash(struct reading *r, struct hash *out)
{
    struct span bytes = take(r, HASH_SIZE);
    if (bytes.len == HASH_SIZE)
        memcpy(out->b, bytes.ptr, HASH_SIZE);
}

// A record of so much content has to lie within its pack.
static struct backup_place place(struct reading *r, const struct backup_manifest *m, uint64_t size)
{
    struct backup_place at = {.pack = (uint32_t)number(r, 4)};
    at.offset = number(r, 8);
    uint64_t bytes = !r->bad && at.pack < m->pack_count ? m->packs[at.pack].bytes : 0;
    if (at.offset > bytes || size > bytes || stream_size(size) > bytes - at.offset)
        r->bad = true;
    return at;
}

static bool is_path(struct span path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (path.len == 0 || path.len > BACKUP_PATH)
        return false;
    for (size_t i = 0; i < path.len; i++) {
        bool between = i != 0 && i + 1 < path.len && strchr("./", path.ptr[i - 1]) == NULL;
        if (path.ptr[i] == '\0' ||
            (strchr(letters, path.ptr[i]) == NULL && (strchr("./", path.ptr[i]) == NULL || !between)))
            return false;
    }
    return true;
}

static void read_packs(struct reading *r, struct backup_manifest *m)
{
    size_t n = count(r, 4, PACK_BYTES);
    m->packs = mem_array(n, sizeof *m->packs);
    for (m->pack_count = 0; m->pack_count < n; m->pack_count++) {
        struct backup_pack *p = &m->packs[m->pack_count];
        p->generation = (uint32_t)number(r, 4);
        p->index = (uint32_t)number(r, 4);
        p->bytes = number(r, 8);
    }
}

static void read_parts(struct reading *r, const struct backup_manifest *m, struct backup_file *f)
{
    uint64_t size = number(r, 8);
    uint64_t sum = 0;
    size_t n = count(r, 4, PART_BYTES);
    f->parts = mem_array(n, sizeof *f->parts);
    for (f->part_count = 0; f->part_count < n && !r->bad; f->part_count++) {
        struct backup_part *part = &f->parts[f->part_count];
        take_hash(r, &part->name);
        part->size = (uint32_t)number(r, 4);
        part->at = place(r, m, part->size);
        sum += part->size;
        r->bad = r->bad || part->size > BACKUP_PART;
    }
    f->size = size;
    r->bad = r->bad || sum != size;
}

static void read_files(struct reading *r, struct backup_manifest *m)
{
    size_t n = count(r, 4, 2 + 8 + 4);
    m->files = mem_array(n, sizeof *m->files);
    for (size_t i = 0; i < n && !r->bad; i++) {
        struct backup_file *f = &m->files[m->file_count++];
        struct span path = take(r, (size_t)number(r, 2));
        r->bad = r->bad || !is_path(path);
        if (!r->bad)
            memcpy(f->path, path.ptr, path.len);
        read_parts(r, m, f);
    }
}

static void read_objects(struct reading *r, struct backup_manifest *m)
{
    size_t n = count(r, 8, OBJECT_BYTES);
    m->objects = mem_array(n, sizeof *m->objects);
    m->object_cap = n;
    for (size_t i = 0; i < n && !r->bad; i++) {
        struct backup_object *o = &m->objects[m->object_count++];
        take_hash(r, &o->hash);
        o->nodes = (uint8_t)number(r, 1);
        o->size = number(r, 8);
        o->at = place(r, m, o->size);
        bool in_order = i == 0 || hash_compare(&o[-1].hash, &o->hash) < 0;
        r->bad = r->bad || !in_order || o->nodes == 0 || (o->nodes & ~BACKUP_NODE_BITS) != 0;
    }
}

enum status manifest_parse(struct span text, struct backup_manifest *m, struct error *e)
{
    struct reading r = {.rest = text};
    memset(m, 0, sizeof *m);
    r.bad = !span_eq_text(take(&r, MAGIC), magic);
    m->number = number(&r, 8);
    m->at_ms = (int64_t)number(&r, 8);
    read_packs(&r, m);
    read_files(&r, m);
    read_objects(&r, m);
    if (!r.bad && r.rest.len == 0)
        return STATUS_OK;
    manifest_free(m);
    return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "the list of what a backup holds is damaged");
}
