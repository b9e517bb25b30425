// Everything is made for this user alone, and nothing is used that somebody else made. A socket's path has 107 bytes at
// most: where the directory's is too long for that, its sockets lie in a short one that is named after its hash.
#include "supervisor/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "io/file.h"
#include "io/folder.h"

enum { HASH_DIGITS = 16, SMALL_FILE = 4096 };

#define LONGEST_NAME "/archive.file.sock"

struct statedir {
    char *path;
    char *sockets;
    int lock_fd;
    struct arena *texts;
};

enum status statedir_choose(const char *flag, char **out, struct error *e)
{
    struct buf b = {0};
    char cwd[PATH_MAX];
    const char *state = getenv("TANDEM_STATE_DIR");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    const char *chosen = flag != NULL ? flag : state;
    if (flag != NULL && flag[0] == '\0')
        return error_set(e, STATUS_INVALID, "USAGE", "--state-dir is empty"); // of a script's variable that is not set
    if (chosen != NULL && chosen[0] != '\0' && chosen[0] != '/' && getcwd(cwd, sizeof cwd) != NULL)
        buf_printf(&b, "%s/%s", cwd, chosen);
    else if (chosen != NULL && chosen[0] != '\0')
        buf_add_text(&b, chosen);
    else if (xdg != NULL && xdg[0] == '/')
        buf_printf(&b, "%s/tandem", xdg);
    else if (home != NULL && home[0] == '/')
        buf_printf(&b, "%s/.local/state/tandem", home);
    else
        return error_set(e, STATUS_INVALID, "USAGE",
                         "no state directory: give --state-dir DIR or set TANDEM_STATE_DIR");
    while (b.len > 1 && b.data[b.len - 1] == '/')
        b.len--;
    *out = mem_text(buf_span(&b));
    buf_free(&b);
    return STATUS_OK;
}

static enum status check_owner(const char *path, struct error *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_errno(e, "cannot look at %s", path);
    if (!S_ISDIR(st.st_mode))
        return error_set(e, STATUS_INVALID, "NO-PERMISSION", "%s is not a folder", path);
    if (st.st_uid != geteuid())
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "%s belongs to user %u, not to us", path, st.st_uid);
    if ((st.st_mode & 077) != 0 && chmod(path, 0700) != 0)
        return error_errno(e, "cannot make %s private", path);
    if (access(path, W_OK | X_OK) != 0)
        return error_errno(e, "cannot write to %s", path);
    return STATUS_OK;
}

// In the folder that the system made for this user alone, if there is one; in /tmp others may be first.
static void short_socket_dir(const char *path, struct buf *out)
{
    struct hash h = sha256(span_of(path));
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    if (runtime != NULL && runtime[0] == '/' && lstat(runtime, &st) == 0 && S_ISDIR(st.st_mode) &&
        st.st_uid == geteuid() && (st.st_mode & 077) == 0)
        buf_printf(out, "%s/tandem-%.*s", runtime, HASH_DIGITS, hash_text(&h).s);
    if (out->len == 0 || out->len + sizeof LONGEST_NAME - 1 > SOCKET_PATH_MAX) {
        buf_clear(out);
        buf_printf(out, "/tmp/tandem-%u-%.*s", geteuid(), HASH_DIGITS, hash_text(&h).s);
    }
}

char *statedir_socket_dir(const char *path)
{
    struct buf b = {0};
    buf_printf(&b, "%s/run", path);
    if (b.len + sizeof LONGEST_NAME - 1 > SOCKET_PATH_MAX) {
        buf_clear(&b);
        short_socket_dir(path, &b);
    }
    char *dir = mem_text(buf_span(&b));
    buf_free(&b);
    return dir;
}

// A folder made by us, now or before a crash: never one that somebody else made, nor one behind a link.
static enum status make_own_folder(const char *path, struct error *e)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return STATUS_OK;
    if (errno != EEXIST)
        return error_errno(e, "cannot make %s", path);
    if (lstat(path, &st) != 0)
        return error_errno(e, "cannot look at %s", path);
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NO-PERMISSION",
                     "%s was not made by us; remove it, set XDG_RUNTIME_DIR, or take a shorter state directory", path);
}

static char *join(const char *path, const char *name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s", path, name);
    char *joined = mem_text(buf_span(&b));
    buf_free(&b);
    return joined;
}

enum status statedir_check_format(const char *path, struct error *e)
{
    struct buf content = {0};
    char *file = join(path, "format");
    enum status s = file_read(file, SMALL_FILE, &content, e);
    if (s == STATUS_OK) {
        json_t *object = json_loadb(content.len ? content.data : "", content.len, 0, NULL);
        json_int_t number = json_integer_value(json_object_get(object, "tandem"));
        json_decref(object);
        if (number < 1)
            s = error_set(e, STATUS_CORRUPT, "STORE-CORRUPT",
                          "%s is damaged: restore it, or if this tandem wrote it, remove it", file);
        else if (number > STATEDIR_FORMAT)
            s = error_set(e, STATUS_CONFLICT, "STATE-TOO-NEW", "%s has format %lld, this tandem knows up to %d", path,
                          (long long)number, STATEDIR_FORMAT);
    }
    buf_free(&content);
    free(file);
    return s;
}

static pid_t read_pid(int fd)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

pid_t statedir_holder(const char *path)
{
    char *file = join(path, "lock");
    pid_t pid = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0)
        pid = read_pid(fd);
    if (fd >= 0)
        close(fd);
    free(file);
    return pid;
}

// The kernel drops the lock with its holder, so a file left by a crash is no obstacle.
static enum status take_lock(struct statedir *d, struct error *e)
{
    const char *file = statedir_file(d, "lock");
    char text[24];
    d->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d->lock_fd < 0)
        return error_errno(e, "cannot open %s", file);
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return error_errno(e, "cannot lock %s", file);
        return error_set(e, STATUS_CONFLICT, "ALREADY-RUNNING", "a supervisor (pid %d) runs on %s already",
                         (int)read_pid(d->lock_fd), d->path);
    }
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(d->lock_fd, 0) != 0 || pwrite(d->lock_fd, text, (size_t)n, 0) != n)
        return error_errno(e, "cannot write %s", file);
    return STATUS_OK;
}

enum status statedir_mend(struct statedir *d, struct error *e)
{
    static const char *const folders[] = {"archive", "sparse", "log", "run"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (folder_create(statedir_file(d, folders[i]), 0700, e) != STATUS_OK)
            return e->status;
    bool inside = strncmp(d->sockets, d->path, strlen(d->path)) == 0;
    return inside ? check_owner(d->sockets, e) : make_own_folder(d->sockets, e);
}

static enum status fill(struct statedir *d, struct error *e)
{
    if (statedir_mend(d, e) != STATUS_OK)
        return e->status;
    if (!file_exists(statedir_file(d, "format")))
        return file_write(statedir_file(d, "format"), SPAN("{\"tandem\":1}\n"), 0600, e);
    return STATUS_OK;
}

enum status statedir_open(const char *path, struct statedir **out, struct error *e)
{
    struct statedir *d = mem_alloc(sizeof *d);
    struct error none = {0};
    *out = NULL;
    d->lock_fd = -1;
    d->path = mem_text(span_of(path));
    d->sockets = statedir_socket_dir(path);
    d->texts = arena_create();
    if (statedir_check_format(path, &none) != STATUS_OK && none.status != STATUS_NOT_FOUND) {
        *e = none;
        goto fail;
    }
    if (folder_create(path, 0700, e) != STATUS_OK || check_owner(path, e) != STATUS_OK ||
        take_lock(d, e) != STATUS_OK || fill(d, e) != STATUS_OK)
        goto fail;
    *out = d;
    return STATUS_OK;
fail:
    statedir_close(d);
    return e->status;
}

void statedir_close(struct statedir *d)
{
    if (d == NULL)
        return;
    if (d->lock_fd >= 0) {
        if (strncmp(d->sockets, d->path, strlen(d->path)) != 0)
            rmdir(d->sockets); // the short replacement, if nothing is left in it
        close(d->lock_fd);
    }
    arena_destroy(d->texts);
    free(d->path);
    free(d->sockets);
    free(d);
}

const char *statedir_path(const struct statedir *d)
{
    return d->path;
}

const char *statedir_file(struct statedir *d, const char *name)
{
    return arena_printf(d->texts, "%s/%s", d->path, name).ptr;
}

const char *statedir_socket(struct statedir *d, const char *name)
{
    return arena_printf(d->texts, "%s/%s", d->sockets, name).ptr;
}
