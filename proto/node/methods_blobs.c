// Control methods on files: blob.*. The uploads are the store thread's, for their writers are: no job may be under way
// when they are destroyed. A piece that comes again, because its answer was lost, is known by its end. A table of 64
// bounds what clients leave unfinished; an upload that nobody touched for ten minutes makes room.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "models/keeping.h"
#include "node/blobs.h"
#include "node/json.h"
#include "node/node.h"
#include "node/params.h"

enum { UPLOADS_MAX = 64, UPLOAD_NAME = 32, UPLOAD_IDLE_MS = 10 * 60 * 1000, PIECE_MAX = 512 << 10 };

struct upload {
    char name[UPLOAD_NAME + 1]; // empty = free
    struct store_writer *writer;
    uint64_t size;
    uint64_t touched_ms; // monotonic
};

struct blobs {
    struct upload uploads[UPLOADS_MAX];
};

struct blobs *blobs_create(void)
{
    return mem_alloc(sizeof(struct blobs));
}

static void forget(struct upload *u)
{
    store_writer_destroy(u->writer);
    memset(u, 0, sizeof *u);
}

void blobs_destroy(struct blobs *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        if (b->uploads[i].writer != NULL)
            forget(&b->uploads[i]);
    }
    free(b);
}

static void forget_idle(struct blobs *b, uint64_t now_ms)
{
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        struct upload *u = &b->uploads[i];
        if (u->writer != NULL && now_ms - u->touched_ms > UPLOAD_IDLE_MS)
            forget(u);
    }
}

static struct upload *free_upload(struct blobs *b, uint64_t now_ms)
{
    forget_idle(b, now_ms);
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        if (b->uploads[i].writer == NULL)
            return &b->uploads[i];
    }
    return NULL;
}

static enum status forget_work(struct store *s, void *arg, struct error *e)
{
    (void)s;
    (void)e;
    forget_idle(arg, clock_monotonic_ms());
    return STATUS_OK;
}

static void forget_done(void *arg, enum status status, const struct error *e)
{
    (void)arg;
    (void)status;
    (void)e; // it cannot fail
}

void blobs_forget_idle(struct blobs *b, struct store_queue *queue)
{
    store_submit_read(queue, forget_work, forget_done, b);
}

static struct upload *find_upload(struct node_job *job, struct error *e)
{
    struct blobs *b = node_blobs(job->node);
    struct span name = node_job_text(job, P_blob);
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        if (b->uploads[i].writer != NULL && span_eq_text(name, b->uploads[i].name))
            return &b->uploads[i];
    }
    error_set(e, STATUS_NOT_FOUND, "NOT-FOUND",
              "there is no file being sent with this name; it may have waited too long");
    return NULL;
}

static enum status blob_begin(struct node_job *job, struct model *m, struct error *e)
{
    struct upload *u = free_upload(node_blobs(job->node), clock_monotonic_ms());
    if (u == NULL)
        return error_set(e, STATUS_FULL, "BUSY", "%d files are being sent already", UPLOADS_MAX);
    enum status st = store_writer_create(m->store, false, &u->writer, e);
    if (st != STATUS_OK)
        return st;
    random_text(u->name, UPLOAD_NAME);
    u->size = 0;
    u->touched_ms = clock_monotonic_ms();
    job->result = json_pack("{s:s}", "blob", u->name);
    return STATUS_OK;
}

static enum status add_piece(struct upload *u, uint64_t offset, struct span piece, struct error *e)
{
    if (offset + piece.len == u->size)
        return STATUS_OK; // the same piece again
    if (offset != u->size)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "the next piece begins at %llu, not at %llu",
                         (unsigned long long)u->size, (unsigned long long)offset);
    enum status st = store_writer_add(u->writer, piece, e);
    if (st == STATUS_OK)
        u->size += piece.len;
    else
        forget(u); // its bytes make room for others
    return st;
}

static enum status blob_chunk(struct node_job *job, struct model *m, struct error *e)
{
    struct upload *u = find_upload(job, e);
    (void)m;
    if (u == NULL)
        return STATUS_NOT_FOUND;
    struct buf piece = {0};
    enum status st = STATUS_OK;
    if (!base64_decode(node_job_text(job, P_data), &piece) || piece.len > PIECE_MAX)
        st = error_set(e, STATUS_INVALID, "BAD-PARAMS", "data must be base64 of at most 512 KiB");
    if (st == STATUS_OK)
        st = add_piece(u, (uint64_t)ipc_request_int(job->request, P_offset, 0), buf_span(&piece), e);
    if (st == STATUS_OK) {
        u->touched_ms = clock_monotonic_ms();
        job->result = json_pack("{s:I}", "size", (json_int_t)u->size);
    }
    buf_free(&piece);
    return st;
}

static enum status blob_abort(struct node_job *job, struct model *m, struct error *e)
{
    struct upload *u = find_upload(job, e);
    (void)m;
    if (u == NULL)
        return STATUS_NOT_FOUND;
    forget(u);
    return STATUS_OK;
}

static enum status blob_commit(struct node_job *job, struct model *m, struct error *e)
{
    struct upload *u = find_upload(job, e);
    if (u == NULL)
        return STATUS_NOT_FOUND;
    struct hash hash;
    enum status st = store_writer_finish(u->writer, NULL, &hash, NULL, e);
    if (st == STATUS_OK)
        st = keeping_file(m, &hash, u->size, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o, s:I}", "hash", node_json_hash(&hash), "size", (json_int_t)u->size);
    forget(u);
    return st;
}

static enum status find_file(struct node_job *job, struct model *m, struct hash *hash, struct store_info *info,
                             struct error *e)
{
    enum status st = node_job_hash(job, P_hash, hash, e);
    if (st == STATUS_OK)
        st = store_info(m->store, hash, info, e);
    return st;
}

static enum status blob_stat(struct node_job *job, struct model *m, struct error *e)
{
    struct hash hash;
    struct store_info info;
    enum status st = find_file(job, m, &hash, &info, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o, s:I, s:s}", "hash", node_json_hash(&hash), "size", (json_int_t)info.size,
                                "presence", store_presence(m->store, &hash) == STORE_REMOTE ? "remote" : "present");
    return st;
}

static enum status read_piece(struct model *m, const struct hash *hash, uint64_t offset, size_t length, struct buf *out,
                              struct error *e)
{
    enum status st = STATUS_OK;
    while (st == STATUS_OK && out->len < length) {
        size_t before = out->len;
        st = store_read_chunk(m->store, hash, offset + before, out, e);
        if (out->len - before < STORE_CHUNK)
            break; // the end of the file
    }
    if (out->len > length)
        out->len = length;
    return st;
}

static enum status blob_read(struct node_job *job, struct model *m, struct error *e)
{
    struct hash hash;
    struct store_info info;
    struct buf piece = {0};
    struct buf text = {0};
    size_t length = (size_t)ipc_request_int(job->request, P_length, PIECE_MAX);
    enum status st = find_file(job, m, &hash, &info, e);
    if (st == STATUS_OK)
        st = read_piece(m, &hash, (uint64_t)ipc_request_int(job->request, P_offset, 0), length, &piece, e);
    if (st == STATUS_OK) {
        base64_encode(piece.data, piece.len, &text);
        job->result = json_pack("{s:o, s:I}", "data", node_json_text(buf_span(&text)), "size", (json_int_t)info.size);
    }
    buf_free(&piece);
    buf_free(&text);
    return st;
}

const struct node_method NODE_METHODS_BLOBS[] = {
    {"blob.begin", blob_begin, NULL},
    {"blob.chunk", blob_chunk, NULL},
    {"blob.commit", blob_commit, NULL},
    {"blob.abort", blob_abort, NULL},
    {"blob.stat", blob_stat, NULL},
    {"blob.read", blob_read, NULL},
    {NULL, NULL, NULL},
};
