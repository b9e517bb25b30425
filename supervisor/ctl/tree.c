// Holes are found with SEEK_DATA and SEEK_HOLE, and progress counts what is there without them. A file may become
// shorter while it is copied, which is no failure.
#include "supervisor/ctl/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/progress.h"

enum { DEPTH_MAX = 16, CHUNK = 1 << 20, BLOCK = 512 };

struct copying {
    struct progress *progress;
    uint64_t done, total; // bytes that are there, without holes
};

// One piece of data; what lies before it is a hole.
static enum status copy_piece(struct copying *c, int in, int out, off_t at, off_t end, struct error *e)
{
    enum status s = lseek(out, at, SEEK_SET) == at ? STATUS_OK : error_errno(e, "cannot write");
    while (s == STATUS_OK && at < end) {
        ssize_t n = sendfile(out, in, &at, end - at < CHUNK ? (size_t)(end - at) : CHUNK);
        if (n < 0)
            s = error_errno(e, "cannot copy");
        else if (n == 0)
            break; // it has become shorter
        else
            s = interrupt_check(e);
        c->done += n > 0 ? (uint64_t)n : 0;
        progress_at(c->progress, c->done, c->total);
    }
    return s;
}

static enum status copy_data(struct copying *c, int in, int out, struct error *e)
{
    struct stat st;
    enum status s = fstat(in, &st) == 0 ? STATUS_OK : error_errno(e, "cannot look at it");
    off_t data = s == STATUS_OK ? lseek(in, 0, SEEK_DATA) : -1;
    while (s == STATUS_OK && data >= 0) {
        off_t end = lseek(in, data, SEEK_HOLE);
        s = copy_piece(c, in, out, data, end, e);
        data = lseek(in, end, SEEK_DATA);
    }
    if (s == STATUS_OK && errno != ENXIO && data < 0)
        s = error_errno(e, "cannot read");
    if (s == STATUS_OK && ftruncate(out, st.st_size) != 0) // it may end with a hole
        s = error_errno(e, "cannot write");
    return s;
}

static enum status copy_file(struct copying *c, const char *from, const char *to, struct error *e)
{
    enum status s = STATUS_OK;
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        s = error_errno(e, "cannot open %s", in < 0 ? from : to);
    else if ((s = copy_data(c, in, out, e)) != STATUS_OK)
        error_prefix(e, "%s", from);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0 && s == STATUS_OK)
        s = error_errno(e, "cannot write %s", to);
    return s;
}

static enum status copy_dir(struct copying *c, const char *from, const char *to, int depth, struct error *e);

static enum status copy_entry(struct copying *c, const char *from, const char *to, int depth, struct error *e)
{
    struct stat st;
    if (lstat(from, &st) != 0)
        return error_errno(e, "cannot look at %s", from);
    if (S_ISDIR(st.st_mode))
        return copy_dir(c, from, to, depth + 1, e);
    if (S_ISREG(st.st_mode))
        return copy_file(c, from, to, e);
    return error_set(e, STATUS_INVALID, "BAD-INPUT", "%s is neither a file nor a folder", from);
}

static enum status copy_dir(struct copying *c, const char *from, const char *to, int depth, struct error *e)
{
    enum status s = STATUS_OK;
    struct buf a = {0};
    struct buf b = {0};
    if (depth > DEPTH_MAX)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s is nested too deeply", from);
    DIR *dir = opendir(from);
    if (dir == NULL)
        return error_errno(e, "cannot open %s", from);
    if (mkdir(to, 0700) != 0)
        s = error_errno(e, "cannot make %s", to);
    for (struct dirent *d; s == STATUS_OK && (d = readdir(dir)) != NULL;) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        buf_clear(&a);
        buf_clear(&b);
        buf_printf(&a, "%s/%s", from, d->d_name);
        buf_printf(&b, "%s/%s", to, d->d_name);
        s = copy_entry(c, buf_cstr(&a), buf_cstr(&b), depth, e);
    }
    closedir(dir);
    buf_free(&a);
    buf_free(&b);
    return s;
}

static enum status measure(const struct folder_file *file, void *arg, struct error *e)
{
    struct copying *c = arg;
    struct stat st;
    if (lstat(file->path, &st) == 0)
        c->total += (uint64_t)st.st_blocks * BLOCK < file->size ? (uint64_t)st.st_blocks * BLOCK : file->size;
    return interrupt_check(e);
}

enum status tree_copy(const struct ctl *c, const char *from, const char *to, struct error *e)
{
    struct error ignored = {0};
    struct copying copying = {0};
    if (file_exists(to))
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s exists already", to);
    copying.progress = progress_begin(c, "copying");
    enum status s = copying.progress != NULL ? folder_walk(from, measure, &copying, e) : STATUS_OK;
    if (s == STATUS_OK)
        s = copy_dir(&copying, from, to, 0, e);
    progress_end(copying.progress);
    if (s != STATUS_OK)
        folder_remove_tree(to, &ignored);
    return s;
}
