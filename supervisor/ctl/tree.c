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

enum { DEPTH_MAX = 16, CHUNK = 1 << 20 };

static enum status copy_file(const char *from, const char *to, struct error *e)
{
    enum status s = STATUS_OK;
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        s = error_errno(e, "cannot open %s", in < 0 ? from : to);
    for (ssize_t n = 1; s == STATUS_OK && n > 0;) {
        n = sendfile(out, in, NULL, CHUNK);
        if (n < 0)
            s = error_errno(e, "cannot copy %s", from);
    }
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0 && s == STATUS_OK)
        s = error_errno(e, "cannot write %s", to);
    return s;
}

static enum status copy_dir(const char *from, const char *to, int depth, struct error *e);

static enum status copy_entry(const char *from, const char *to, int depth, struct error *e)
{
    struct stat st;
    if (lstat(from, &st) != 0)
        return error_errno(e, "cannot look at %s", from);
    if (S_ISDIR(st.st_mode))
        return copy_dir(from, to, depth + 1, e);
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, e);
    return error_set(e, STATUS_INVALID, "BAD-INPUT", "%s is neither a file nor a folder", from);
}

static enum status copy_dir(const char *from, const char *to, int depth, struct error *e)
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
        s = copy_entry(buf_cstr(&a), buf_cstr(&b), depth, e);
    }
    closedir(dir);
    buf_free(&a);
    buf_free(&b);
    return s;
}

enum status tree_copy(const char *from, const char *to, struct error *e)
{
    struct error ignored = {0};
    if (file_exists(to))
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s exists already", to);
    enum status s = copy_dir(from, to, 0, e);
    if (s != STATUS_OK)
        folder_remove_tree(to, &ignored);
    return s;
}
