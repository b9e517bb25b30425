// Files go to and from a node in base64 pieces, because no method takes a path.
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
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/progress.h"

enum { PIECE = 384 * 1024 };

static enum status send_piece(struct ctl *c, const char *blob, json_int_t offset, struct span piece, struct error *e)
{
    struct buf text = {0};
    base64_encode(piece.ptr, piece.len, &text);
    json_t *params = json_pack("{s:s, s:I, s:s%}", "blob", blob, "offset", offset, "data", text.data, text.len);
    json_t *result = ctl_call(c, "blob.chunk", params, e);
    buf_free(&text);
    json_decref(result);
    return result != NULL ? STATUS_OK : e->status;
}

// 0: nobody knows, as of a pipe.
static uint64_t size_of(FILE *f)
{
    struct stat st;
    return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static enum status send_file(struct ctl *c, FILE *f, const char *file, const char *blob, struct error *e)
{
    char *piece = mem_alloc(PIECE);
    struct progress *p = progress_begin(c, file);
    enum status s = STATUS_OK;
    json_int_t offset = 0;
    for (size_t n; s == STATUS_OK && (n = fread(piece, 1, PIECE, f)) > 0; offset += (json_int_t)n) {
        s = send_piece(c, blob, offset, (struct span){piece, n}, e);
        progress_at(p, (uint64_t)offset, size_of(f));
    }
    if (s == STATUS_OK && ferror(f))
        s = error_errno(e, "cannot read %s", file);
    progress_end(p);
    free(piece);
    return s;
}

json_t *ctl_upload(struct ctl *c, const char *file, struct error *e)
{
    struct error ignored = {0};
    json_t *result = NULL;
    bool is_stdin = strcmp(file, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(file, "re");
    if (f == NULL) {
        error_errno(e, "cannot open %s", file);
        return NULL;
    }
    json_t *begun = ctl_call(c, "blob.begin", json_pack("{s:b}", "tied", 1), e);
    const char *blob = json_string_value(json_object_get(begun, "blob"));
    if (blob != NULL && send_file(c, f, file, blob, e) == STATUS_OK)
        result = ctl_call(c, "blob.commit", json_pack("{s:s}", "blob", blob), e);
    if (blob != NULL && result == NULL) // the connection may go on to live
        json_decref(ctl_call(c, "blob.abort", json_pack("{s:s}", "blob", blob), &ignored));
    json_decref(begun);
    if (!is_stdin)
        fclose(f);
    return result;
}

static enum status write_piece(int fd, struct span piece, const char *file, struct error *e)
{
    while (piece.len > 0) {
        ssize_t n = write(fd, piece.ptr, piece.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, "cannot write %s", file);
        piece = span_from(piece, (size_t)n);
    }
    return STATUS_OK;
}

// A big one that lies at the archive takes longer to come than an answer may.
static json_t *read_piece(struct ctl *c, const char *hash, int64_t offset, struct error *e)
{
    json_t *result;
    do {
        json_t *params = json_pack("{s:s, s:I, s:i}", "hash", hash, "offset", (json_int_t)offset, "length", PIECE);
        error_clear(e);
        result = ctl_call(c, "blob.read", params, e);
    } while (result == NULL && strcmp(e->code, "STILL-FETCHING") == 0 && interrupt_check(e) == STATUS_OK);
    return result;
}

static enum status receive(struct ctl *c, const char *hash, int fd, const char *file, int64_t *size, struct error *e)
{
    enum status s = STATUS_OK;
    struct progress *p = progress_begin(c, file);
    int64_t offset = 0;
    *size = 1;
    while (s == STATUS_OK && offset < *size) {
        struct buf piece = {0};
        json_t *result = read_piece(c, hash, offset, e);
        *size = json_integer_value(json_object_get(result, "size"));
        if (result == NULL)
            s = e->status;
        else if (!base64_decode(span_of(json_string_value(json_object_get(result, "data"))), &piece))
            s = error_set(e, STATUS_INTERNAL, "INTERNAL", "the node sent a piece that is not base64");
        else if (piece.len == 0 && offset < *size)
            s = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "the file ends after %lld of %lld bytes",
                          (long long)offset, (long long)*size);
        else
            s = write_piece(fd, buf_span(&piece), file, e);
        if (s == STATUS_OK)
            s = interrupt_check(e);
        offset += (int64_t)piece.len;
        progress_at(p, (uint64_t)offset, (uint64_t)*size);
        json_decref(result);
        buf_free(&piece);
    }
    progress_end(p);
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
