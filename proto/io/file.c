// Replacing a file is the order of temp.h and an fsync of the folder behind it. What is read may be no link: who can
// write into the folder could lead us elsewhere.
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/folder.h"
#include "io/sys.h"
#include "io/temp.h"

enum { READ_STEP = 64 << 10 };

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return mem_text(SPAN("."));
    return mem_text((struct span){path, slash == path ? 1 : (size_t)(slash - path)});
}

enum status file_write(const char *path, struct span bytes, mode_t mode, struct error *e)
{
    char *folder = folder_of(path);
    struct temp *t = NULL;
    enum status status = temp_create(folder, mode, &t, e);
    if (status == STATUS_OK)
        status = temp_add(t, bytes, e);
    if (status == STATUS_OK)
        status = temp_sync(t, e);
    if (status == STATUS_OK)
        status = temp_publish(t, path, e);
    if (status == STATUS_OK)
        status = folder_sync(folder, e);
    temp_destroy(t);
    free(folder);
    return status;
}

enum status file_open(const char *path, int *fd, struct error *e)
{
    *fd = sys_open(path, O_RDONLY | O_NOFOLLOW, 0);
    if (*fd >= 0)
        return STATUS_OK;
    if (errno == ENOENT || errno == ENOTDIR)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "There is no file %s", path);
    return error_errno(e, "Cannot open %s", path);
}

// Reads at most len bytes; stops early only at the end of the file.
static enum status read_from(int fd, const char *path, uint64_t offset, size_t len, struct buf *out, struct error *e)
{
    size_t before = out->len;
    while (len != 0) {
        size_t step = len < READ_STEP ? len : READ_STEP;
        ssize_t n = sys_pread(fd, buf_reserve(out, step), step, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            out->len = before;
            return error_errno(e, "Cannot read %s", path);
        }
        if (n == 0)
            break;
        out->len += (size_t)n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return STATUS_OK;
}

enum status file_read_at(const char *path, uint64_t offset, size_t len, struct buf *out, struct error *e)
{
    int fd;
    enum status status = file_open(path, &fd, e);
    if (status != STATUS_OK)
        return status;
    status = read_from(fd, path, offset, len, out, e);
    close(fd);
    return status;
}

enum status file_read(const char *path, size_t limit, struct buf *out, struct error *e)
{
    size_t before = out->len;
    enum status status = file_read_at(path, 0, limit + 1, out, e);
    if (status == STATUS_OK && out->len - before > limit) {
        out->len = before;
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s is longer than %zu bytes", path, limit);
    }
    return status;
}

bool file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

enum status file_rename(const char *from, const char *to, struct error *e)
{
    if (sys_rename(from, to) != 0)
        return error_errno(e, "Cannot rename %s to %s", from, to);
    return STATUS_OK;
}

enum status file_remove(const char *path, struct error *e)
{
    if (sys_unlink(path) != 0 && errno != ENOENT)
        return error_errno(e, "Cannot remove %s", path);
    return STATUS_OK;
}
