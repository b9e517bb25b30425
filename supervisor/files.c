#include "supervisor/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600, DIR_MODE = 0700, OPEN_FOLDERS = 16 };

enum status files_read(const char *path, size_t max, struct buf *out, struct error *e)
{
    enum status s = STATUS_OK;
    struct buf content = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no file %s", path);
    if (fd < 0)
        return error_errno(e, "cannot open %s", path);
    for (ssize_t n = 1; n > 0 && content.len <= max;) {
        n = read(fd, buf_reserve(&content, 4096), 4096);
        if (n < 0)
            s = error_errno(e, "cannot read %s", path);
        content.len += n > 0 ? (size_t)n : 0;
    }
    if (s == STATUS_OK && content.len > max)
        s = error_set(e, STATUS_TOO_BIG, "TOO-BIG", "%s is larger than %zu bytes", path, max);
    if (s == STATUS_OK)
        buf_add_span(out, buf_span(&content));
    buf_free(&content);
    close(fd);
    return s;
}

static enum status write_all(int fd, struct span content, const char *path, struct error *e)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, "cannot write %s", path);
        content = span_from(content, (size_t)n);
    }
    return fsync(fd) == 0 ? STATUS_OK : error_errno(e, "cannot sync %s", path);
}

static enum status sync_parent(const char *path, struct error *e)
{
    struct buf dir = {0};
    const char *slash = strrchr(path, '/');
    buf_add(&dir, slash != NULL ? path : ".", slash != NULL ? (size_t)(slash - path) : 1);
    int fd = open(buf_cstr(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status s = STATUS_OK;
    if (fd < 0 || fsync(fd) != 0)
        s = error_errno(e, "cannot sync the folder of %s", path);
    if (fd >= 0)
        close(fd);
    buf_free(&dir);
    return s;
}

enum status files_write(const char *path, struct span content, struct error *e)
{
    struct buf name = {0};
    buf_printf(&name, "%s.new", path);
    const char *fresh = buf_cstr(&name);
    enum status s = STATUS_OK;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        s = error_errno(e, "cannot create %s", fresh);
        goto done;
    }
    s = write_all(fd, content, fresh, e);
    close(fd);
    if (s == STATUS_OK && rename(fresh, path) != 0)
        s = error_errno(e, "cannot replace %s", path);
    if (s != STATUS_OK)
        unlink(fresh);
    else
        s = sync_parent(path, e);
done:
    buf_free(&name);
    return s;
}

enum status files_remove(const char *path, struct error *e)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return error_errno(e, "cannot remove %s", path);
    return STATUS_OK;
}

enum status files_make_dir(const char *path, struct error *e)
{
    enum status s = STATUS_OK;
    char *copy = mem_text(span_of(path));
    for (char *slash = strchr(copy + 1, '/'); s == STATUS_OK; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(copy, DIR_MODE) != 0 && errno != EEXIST)
            s = error_errno(e, "cannot make the folder %s", copy);
        if (slash == NULL)
            break;
        *slash = '/';
    }
    free(copy);
    return s;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

enum status files_remove_tree(const char *path, struct error *e)
{
    if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
        return error_errno(e, "cannot remove %s", path);
    return STATUS_OK;
}

bool files_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool files_dir_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return true;
    size_t count = 0;
    for (struct dirent *d; (d = readdir(dir)) != NULL;)
        count += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    closedir(dir);
    return count == 0;
}
