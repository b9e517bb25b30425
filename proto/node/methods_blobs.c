// Control methods on files: blob.*. A piece that comes again, because its answer was lost, is known by its end.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "models/keeping.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node.h"
#include "node/params.h"
#include "node/streams.h"

enum { PIECE_MAX = 512 << 10 };

static enum status take_upload(struct node_job *job, struct upload **out, struct error *e)
{
    return uploads_take(node_uploads(job->node), node_job_text(job, P_blob), out, e);
}

static enum status blob_begin(struct node_job *job, struct model *m, struct error *e)
{
    char name[UPLOAD_NAME + 1];
    enum status st = uploads_begin(node_uploads(job->node), m->store, name, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:s}", "blob", name);
    return st;
}

// *lost: something of it could not be written.
static enum status add_piece(struct upload *u, uint64_t offset, struct span piece, bool *lost, struct error *e)
{
    if (offset + piece.len == u->size)
        return STATUS_OK; // the same piece again
    if (offset != u->size)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "the next piece begins at %llu, not at %llu",
                         (unsigned long long)u->size, (unsigned long long)offset);
    enum status st = store_writer_add(u->writer, piece, e);
    *lost = st != STATUS_OK;
    u->size += piece.len;
    return st;
}

static enum status blob_chunk(struct node_job *job, struct model *m, struct error *e)
{
    struct upload *u;
    struct buf piece = {0};
    bool lost = false;
    (void)m;
    enum status st = take_upload(job, &u, e);
    if (st != STATUS_OK)
        return st;
    if (!base64_decode(node_job_text(job, P_data), &piece) || piece.len > PIECE_MAX)
        st = error_set(e, STATUS_INVALID, "BAD-PARAMS", "data must be base64 of at most 512 KiB");
    if (st == STATUS_OK)
        st = add_piece(u, (uint64_t)ipc_request_int(job->request, P_offset, 0), buf_span(&piece), &lost, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:I}", "size", (json_int_t)u->size);
    (void)uploads_leave(node_uploads(job->node), u, lost ? st : STATUS_OK, NULL);
    buf_free(&piece);
    return st;
}

static enum status blob_abort(struct node_job *job, struct model *m, struct error *e)
{
    bool taken = false;
    struct span name = node_job_text(job, P_blob);
    (void)m;
    enum status st = uploads_give_up(node_uploads(job->node), name, &taken, e);
    if (taken)
        streams_give_up(node_streams(job->node), name);
    return st;
}

static enum status blob_commit(struct node_job *job, struct model *m, struct error *e)
{
    struct upload *u;
    struct hash hash;
    enum status st = take_upload(job, &u, e);
    if (st != STATUS_OK)
        return st;
    st = store_writer_finish(u->writer, NULL, &hash, NULL, e);
    if (st == STATUS_OK)
        st = keeping_file(m, &hash, u->size, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o, s:I}", "hash", node_json_hash(&hash), "size", (json_int_t)u->size);
    uploads_end(node_uploads(job->node), u);
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

static enum status stream_in(struct node_job *job, char ticket[STREAM_TICKET + 1], uint64_t *size, struct error *e)
{
    struct upload *u;
    char name[UPLOAD_NAME + 1];
    enum status st = take_upload(job, &u, e);
    if (st != STATUS_OK)
        return st;
    *size = u->size;
    memcpy(name, u->name, sizeof name);
    (void)uploads_leave(node_uploads(job->node), u, STATUS_OK, NULL);
    return streams_promise_in(node_streams(job->node), name, ticket, e);
}

static enum status stream_out(struct node_job *job, struct model *m, char ticket[STREAM_TICKET + 1], uint64_t *size,
                              struct error *e)
{
    struct hash hash;
    struct store_reader *reader;
    enum status st = node_job_hash(job, P_hash, &hash, e);
    if (st == STATUS_OK)
        st = store_reader_open(m->store, &hash, &reader, e);
    if (st != STATUS_OK)
        return st;
    *size = store_reader_left(reader);
    return streams_promise_out(node_streams(job->node), reader, ticket, e);
}

static enum status blob_stream(struct node_job *job, struct model *m, struct error *e)
{
    char ticket[STREAM_TICKET + 1];
    uint64_t size;
    bool in = node_job_text(job, P_blob).len != 0, out = node_job_text(job, P_hash).len != 0;
    if (in == out)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "give either blob or hash");
    enum status st = in ? stream_in(job, ticket, &size, e) : stream_out(job, m, ticket, &size, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:s, s:s, s:I}", "socket", streams_path(node_streams(job->node)), "ticket", ticket,
                                "size", (json_int_t)size);
    return st;
}

const struct node_method NODE_METHODS_BLOBS[] = {
    {"blob.begin", blob_begin, NULL},   {"blob.chunk", blob_chunk, NULL},
    {"blob.commit", blob_commit, NULL}, {"blob.abort", blob_abort, NULL},
    {"blob.stat", blob_stat, NULL},     {"blob.read", blob_read, NULL},
    {"blob.stream", blob_stream, NULL}, {NULL, NULL, NULL},
};
