// Other threads move files meanwhile: what was named and is gone when it is looked at is passed over. Links are not
// followed; a walk that removes removes them, the other passes them over.
#include "io/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys.h"

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum status make_one(const char *path, mode_t mode, struct error *e)
{
    if (is_folder(path) || sys_mkdir(path, mode) == 0)
        return STATUS_OK;
    int saved = errno;
    if (saved == EEXIST && is_folder(path))
        return STATUS_OK;
    errno = saved;
    return error_errno(e, "Cannot create the folder %s", path);
}

enum status folder_create(const char *path, mode_t mode, struct error *e)
{
    char *copy = mem_text(span_of(path));
    enum status status = STATUS_OK;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && status == STATUS_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = make_one(copy, mode, e);
        *slash = '/';
    }
    if (status == STATUS_OK)
        status = make_one(copy, mode, e);
    free(copy);
    return status;
}

enum status folder_sync(const char *path, struct error *e)
{
    int fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return error_errno(e, "Cannot open the folder %s", path);
    int failed = sys_fsync(fd);
    int saved = errno;
    close(fd);
    errno = saved;
    return failed != 0 ? error_errno(e, "Cannot make the folder %s durable", path) : STATUS_OK;
}

struct walk {
    folder_visit visit; // NULL: remove everything
    void *arg;
    struct buf path;
};

static enum status walk_folder(struct walk *w, unsigned depth, struct error *e);

static enum status visit_file(struct walk *w, const char *name, const struct stat *st, struct error *e)
{
    const char *path = buf_cstr(&w->path);
    if (w->visit == NULL)
        return sys_unlink(path) == 0 ? STATUS_OK : error_errno(e, "Cannot remove %s", path);
    if (!S_ISREG(st->st_mode))
        return STATUS_OK;
    struct folder_file file = {
        .path = path,
        .name = name,
        .size = (uint64_t)st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };
    return w->visit(&file, w->arg, e);
}

static enum status walk_entry(struct walk *w, int folder, const char *name, unsigned depth, struct error *e)
{
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return STATUS_OK;
    size_t before = w->path.len;
    buf_printf(&w->path, "/%s", name);
    enum status status;
    if (!S_ISDIR(st.st_mode))
        status = visit_file(w, name, &st, e);
    else if (depth < FOLDER_MAX_DEPTH)
        status = walk_folder(w, depth + 1, e);
    else
        status = error_set(e, STATUS_TOO_BIG, "TOO-DEEP", "%s is nested too deeply", buf_cstr(&w->path));
    if (status == STATUS_OK && S_ISDIR(st.st_mode) && w->visit == NULL && sys_rmdir(buf_cstr(&w->path)) != 0)
        status = error_errno(e, "Cannot remove the folder %s", w->path.data);
    w->path.len = before;
    return status;
}

static enum status walk_folder(struct walk *w, unsigned depth, struct error *e)
{
    DIR *dir = opendir(buf_cstr(&w->path));
    if (dir == NULL)
        return errno == ENOENT ? STATUS_OK : error_errno(e, "Cannot read the folder %s", w->path.data);
    enum status status = STATUS_OK;
    const struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(dir)) != NULL)
        status = walk_entry(w, dirfd(dir), entry->d_name, depth, e);
    closedir(dir);
    return status;
}

enum status folder_walk(const char *path, folder_visit visit, void *arg, struct error *e)
{
    struct walk w = {.visit = visit, .arg = arg};
    buf_add_text(&w.path, path);
    enum status status = walk_folder(&w, 0, e);
    buf_free(&w.path);
    return status;
}

enum status folder_remove_tree(const char *path, struct error *e)
{
    struct walk w = {.visit = NULL};
    buf_add_text(&w.path, path);
    enum status status = walk_folder(&w, 0, e);
    buf_free(&w.path);
    if (status == STATUS_OK && sys_rmdir(path) != 0 && errno != ENOENT)
        status = error_errno(e, "Cannot remove the folder %s", path);
    return status;
}
