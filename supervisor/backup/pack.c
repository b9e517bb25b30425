// Which piece of a record is the last is known at its end, so a whole piece waits until more comes. A pack has a
// temporary name until it is durable; what a backup that is broken off wrote goes with its writer.
#include "supervisor/backup/pack.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/stream.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/temp.h"

enum { PACK_LIMIT = 256 << 20, WRITE_AT_ONCE = 1 << 20 };

struct pack_writer {
    char *folder;
    const struct secret *key;
    uint32_t generation;
    uint32_t index;
    struct temp *file;     // the pack being written; NULL = none
    uint64_t length;       // of it, with what waits in out
    struct buf out;        // sealed, not yet written
    struct buf piece;      // content that makes no whole piece yet
    struct stream *stream; // the record being written
    uint64_t began;        // where it begins
};

struct pack_writer *pack_writer_create(const char *folder, const struct secret *key, uint32_t generation)
{
    struct pack_writer *w = mem_alloc(sizeof *w);
    w->folder = mem_text(span_of(folder));
    w->key = key;
    w->generation = generation;
    return w;
}

void pack_writer_destroy(struct pack_writer *w)
{
    if (w == NULL)
        return;
    temp_destroy(w->file);
    stream_destroy(w->stream);
    buf_free(&w->out);
    buf_free(&w->piece);
    free(w->folder);
    free(w);
}

char *pack_path(const char *folder, const struct backup_pack *p)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%08u-%04u.pack", folder, p->generation, p->index);
    buf_cstr(&b);
    return b.data;
}

static enum status flush(struct pack_writer *w, size_t above, struct error *e)
{
    if (w->out.len <= above)
        return STATUS_OK;
    enum status status = temp_add(w->file, buf_span(&w->out), e);
    buf_clear(&w->out);
    return status;
}

static enum status seal_piece(struct pack_writer *w, struct span piece, bool last, struct error *e)
{
    size_t before = w->out.len;
    stream_add(w->stream, piece, last, &w->out);
    w->length += w->out.len - before;
    return flush(w, WRITE_AT_ONCE, e);
}

static enum status close_pack(struct pack_writer *w, struct backup_manifest *m, struct error *e)
{
    struct backup_pack p = {.generation = w->generation, .index = w->index, .bytes = w->length};
    char *path = pack_path(w->folder, &p);
    enum status status = flush(w, 0, e);
    if (status == STATUS_OK)
        status = temp_sync(w->file, e);
    if (status == STATUS_OK)
        status = temp_publish(w->file, path, e);
    if (status == STATUS_OK) {
        (void)manifest_add_pack(m, &p);
        temp_destroy(w->file);
        w->file = NULL;
        w->length = 0;
        w->index++;
    }
    free(path);
    return status;
}

enum status pack_begin(struct pack_writer *w, struct span about, struct error *e)
{
    enum status status = w->file == NULL ? temp_create(w->folder, 0600, &w->file, e) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    stream_destroy(w->stream); // of a record that was given up
    buf_clear(&w->piece);
    w->began = w->length;
    w->stream = stream_seal(w->key, about, &w->out);
    w->length += STREAM_HEAD;
    return STATUS_OK;
}

// The last piece is only known at the end, so a whole one waits until more comes.
enum status pack_add(struct pack_writer *w, struct span bytes, struct error *e)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && bytes.len != 0) {
        if (w->piece.len == STREAM_PIECE) {
            status = seal_piece(w, buf_span(&w->piece), false, e);
            buf_clear(&w->piece);
        }
        size_t room = STREAM_PIECE - w->piece.len;
        size_t n = bytes.len < room ? bytes.len : room;
        buf_add(&w->piece, bytes.ptr, n);
        bytes = span_from(bytes, n);
    }
    return status;
}

enum status pack_end(struct pack_writer *w, struct backup_manifest *m, struct backup_place *at, struct error *e)
{
    enum status status = seal_piece(w, buf_span(&w->piece), true, e);
    struct backup_pack p = {.generation = w->generation, .index = w->index, .bytes = w->length};
    stream_destroy(w->stream);
    w->stream = NULL;
    *at = (struct backup_place){.pack = manifest_add_pack(m, &p), .offset = w->began};
    return status == STATUS_OK && w->length >= PACK_LIMIT ? close_pack(w, m, e) : status;
}

enum status pack_finish(struct pack_writer *w, struct backup_manifest *m, struct error *e)
{
    enum status status = w->file != NULL ? close_pack(w, m, e) : STATUS_OK;
    return status == STATUS_OK ? folder_sync(w->folder, e) : status;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

struct reading {
    const char *path;
    uint64_t offset;
    uint64_t left; // of the content
    struct stream *stream;
    struct buf sealed;
    struct buf piece;
};

static enum status fetch(struct reading *r, size_t len, struct error *e)
{
    buf_clear(&r->sealed);
    enum status status = file_read_at(r->path, r->offset, len, &r->sealed, e);
    if (status == STATUS_NOT_FOUND)
        return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s is missing", r->path);
    if (status == STATUS_OK && r->sealed.len != len)
        return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "the end of %s is missing", r->path);
    r->offset += len;
    return status;
}

static enum status read_pieces(struct reading *r, pack_sink sink, void *arg, struct error *e)
{
    enum status status = STATUS_OK;
    for (bool last = false; status == STATUS_OK && !last;) {
        size_t size = r->left < STREAM_PIECE ? (size_t)r->left : STREAM_PIECE;
        r->left -= size;
        last = r->left == 0;
        buf_clear(&r->piece);
        status = fetch(r, size + STREAM_EXTRA, e);
        if (status == STATUS_OK && stream_take(r->stream, buf_span(&r->sealed), last, &r->piece, NULL) != STATUS_OK)
            status = error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s is damaged before byte %llu", r->path,
                               (unsigned long long)r->offset);
        if (status == STATUS_OK)
            status = sink(buf_span(&r->piece), arg, e);
    }
    return status;
}

enum status pack_read(const char *folder, const struct secret *key, const struct backup_manifest *m,
                      const struct backup_place *at, uint64_t size, struct span about, pack_sink sink, void *arg,
                      struct error *e)
{
    char *path = pack_path(folder, &m->packs[at->pack]);
    struct reading r = {.path = path, .offset = at->offset, .left = size};
    enum status status = fetch(&r, STREAM_HEAD, e);
    if (status == STATUS_OK)
        status = stream_open(key, about, buf_span(&r.sealed), &r.stream, e);
    if (status == STATUS_OK)
        status = read_pieces(&r, sink, arg, e);
    stream_destroy(r.stream);
    buf_free(&r.sealed);
    buf_free(&r.piece);
    free(path);
    return status;
}

// ---- Abouts ---------------------------------------------------------------------------------------------------------

static struct pack_about about(char kind, const void *bytes, size_t len)
{
    struct pack_about a = {{kind}};
    memcpy(a.s + 1, bytes, len);
    return a;
}

struct pack_about about_object(const struct hash *hash)
{
    return about('o', hash->b, HASH_SIZE);
}

struct pack_about about_part(const struct hash *name)
{
    return about('p', name->b, HASH_SIZE);
}

struct pack_about about_manifest(uint64_t number)
{
    char digits[HASH_SIZE] = "";
    for (size_t i = 0; i < sizeof number; i++)
        digits[i] = (char)(number >> (8 * i) & 0xff);
    return about('g', digits, sizeof digits);
}

struct span about_span(const struct pack_about *a)
{
    return (struct span){a->s, sizeof a->s};
}
