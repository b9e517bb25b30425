// Files go to and from a node by a stream; where there is none in base64 pieces. No method takes a path.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "supervisor/ctl/blob.h"
#include "supervisor/ctl/flow.h"
#include "supervisor/ctl/interrupt.h"

enum { PIECE = 384 * 1024 };

// --- to the node -----------------------------------------------------------------------------------------------------

static enum status send_piece(struct ctl *c, const char *blob, uint64_t offset, struct span piece, struct error *e)
{
    struct buf text = {0};
    base64_encode(piece.ptr, piece.len, &text);
    json_t *params =
        json_pack("{s:s, s:I, s:s%}", "blob", blob, "offset", (json_int_t)offset, "data", text.data, text.len);
    json_t *result = ctl_call(c, "blob.chunk", params, e);
    buf_free(&text);
    json_decref(result);
    return result != NULL ? STATUS_OK : e->status;
}

static enum status send_pieces(struct ctl *c, struct transfer *t, const char *blob, struct error *e)
{
    char *piece = mem_alloc(PIECE);
    enum status s = STATUS_OK;
    for (size_t n = 1; s == STATUS_OK && n > 0;) {
        s = transfer_read(t, piece, PIECE, &n, e);
        if (s == STATUS_OK && n > 0)
            s = send_piece(c, blob, t->done, (struct span){piece, n}, e);
        if (s == STATUS_OK)
            transfer_moved(t, n);
    }
    free(piece);
    return s;
}

static uint64_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static enum status send_file(struct ctl *c, int fd, const char *file, const char *blob, struct error *e)
{
    struct transfer t = {.fd = fd, .file = file, .total = size_of(fd), .progress = progress_begin(c, file)};
    int stream;
    enum status s = flow_open(c, json_pack("{s:s}", "blob", blob), &stream, e);
    if (s == STATUS_OK)
        s = stream >= 0 ? flow_fill(stream, &t, e) : send_pieces(c, &t, blob, e);
    if (stream >= 0)
        close(stream);
    progress_end(t.progress);
    return s;
}

json_t *ctl_upload(struct ctl *c, const char *file, struct error *e)
{
    struct error ignored = {0};
    json_t *result = NULL;
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_errno(e, "cannot open %s", file);
        return NULL;
    }
    json_t *begun = ctl_call(c, "blob.begin", json_pack("{s:b}", "tied", 1), e);
    const char *blob = json_string_value(json_object_get(begun, "blob"));
    if (blob != NULL && send_file(c, fd, file, blob, e) == STATUS_OK)
        result = ctl_call(c, "blob.commit", json_pack("{s:s}", "blob", blob), e);
    if (blob != NULL && result == NULL) // the connection may go on to live
        json_decref(ctl_call(c, "blob.abort", json_pack("{s:s}", "blob", blob), &ignored));
    json_decref(begun);
    if (!is_stdin)
        close(fd);
    return result;
}

// --- from the node ---------------------------------------------------------------------------------------------------

static json_t *read_piece(struct ctl *c, const char *hash, uint64_t offset, struct error *e)
{
    json_t *params = json_pack("{s:s, s:I, s:i}", "hash", hash, "offset", (json_int_t)offset, "length", PIECE);
    return flow_call(c, "blob.read", params, e);
}

static enum status receive_piece(struct ctl *c, struct transfer *t, const char *hash, struct error *e)
{
    struct buf piece = {0};
    enum status s;
    json_t *result = read_piece(c, hash, t->done, e);
    t->total = (uint64_t)json_integer_value(json_object_get(result, "size"));
    if (result == NULL)
        s = e->status;
    else if (!base64_decode(span_of(json_string_value(json_object_get(result, "data"))), &piece))
        s = error_set(e, STATUS_INTERNAL, "INTERNAL", "the node sent a piece that is not base64");
    else if (piece.len == 0 && t->done < t->total)
        s = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "the file ends after %llu of %llu bytes",
                      (unsigned long long)t->done, (unsigned long long)t->total);
    else
        s = transfer_write(t, buf_span(&piece), e);
    if (s == STATUS_OK)
        s = interrupt_check(e);
    transfer_moved(t, piece.len);
    json_decref(result);
    buf_free(&piece);
    return s;
}

static enum status receive_pieces(struct ctl *c, struct transfer *t, const char *hash, struct error *e)
{
    enum status s;
    do
        s = receive_piece(c, t, hash, e);
    while (s == STATUS_OK && t->done < t->total);
    return s;
}

// A node that breaks off has found the file damaged, which it says to who asks again; or it went.
static enum status receive_stream(struct ctl *c, int stream, struct transfer *t, const char *hash, struct error *e)
{
    struct error why = {0};
    enum status s = flow_draw(stream, t, e);
    close(stream);
    if (s != STATUS_CLOSED || interrupt_came())
        return s;
    if (flow_open(c, json_pack("{s:s}", "hash", hash), &stream, &why) != STATUS_OK)
        *e = why;
    if (stream >= 0)
        close(stream);
    return e->status;
}

static enum status receive(struct ctl *c, const char *hash, int fd, const char *file, int64_t *size, struct error *e)
{
    struct transfer t = {.fd = fd, .file = file, .progress = progress_begin(c, file)};
    int stream;
    enum status s = flow_open(c, json_pack("{s:s}", "hash", hash), &stream, e);
    if (s == STATUS_OK)
        s = stream >= 0 ? receive_stream(c, stream, &t, hash, e) : receive_pieces(c, &t, hash, e);
    progress_end(t.progress);
    *size = (int64_t)t.total;
    return s;
}

// It has another name until it is whole, and is gone when that does not come about.
static enum status give_name(const char *from, const char *file, struct error *e)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, file, RENAME_NOREPLACE) == 0)
        return STATUS_OK;
    if (errno == EINVAL && access(file, F_OK) != 0 && rename(from, file) == 0) // a file system that cannot do that
        return STATUS_OK;
    if (errno == EEXIST || access(file, F_OK) == 0)
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s exists already", file);
    return error_errno(e, "cannot create %s", file);
}

static enum status receive_file(struct ctl *c, const char *hash, const char *part, const char *file, int64_t *size,
                                struct error *e)
{
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_errno(e, "cannot create %s", file);
    enum status s = receive(c, hash, fd, file, size, e);
    if (close(fd) != 0 && s == STATUS_OK)
        s = error_errno(e, "cannot write %s", file);
    if (s == STATUS_OK)
        s = give_name(part, file, e);
    if (s != STATUS_OK)
        unlink(part);
    return s;
}

enum status blob_download(struct ctl *c, const char *hash, const char *file, int64_t *size, struct error *e)
{
    struct buf part = {0};
    struct stat st;
    if (file == NULL)
        return receive(c, hash, STDOUT_FILENO, "stdout", size, e);
    if (lstat(file, &st) == 0)
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s exists already", file);
    buf_printf(&part, "%s.%d.part", file, (int)getpid());
    interrupt_hold();
    enum status s = receive_file(c, hash, buf_cstr(&part), file, size, e);
    interrupt_release();
    buf_free(&part);
    return s;
}
