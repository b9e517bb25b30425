// Every step can be done again, and what is gone is no failure: after a crash the whole is done from the beginning.
#include "supervisor/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/temp.h"
#include "supervisor/statedir.h"
#include "supervisor/twice.h"

static const char *path_of(struct buf *b, const char *dir, const char *name)
{
    buf_clear(b);
    buf_printf(b, "%s/%s", dir, name);
    return buf_cstr(b);
}

bool wipe_is_unfinished(const char *state_dir)
{
    struct buf b = {0};
    bool found = file_exists(path_of(&b, state_dir, "wiping"));
    buf_free(&b);
    return found;
}

static enum status wipe_store(const char *dir, const char *name, const char *gone, struct error *e)
{
    struct buf from = {0};
    struct buf to = {0};
    const char *store = path_of(&from, dir, name);
    const char *trash = path_of(&to, dir, gone);
    enum status s = folder_remove_tree(trash, e);
    if (s == STATUS_OK && rename(store, trash) != 0 && errno != ENOENT)
        s = error_errno(e, "cannot rename %s", store);
    if (s == STATUS_OK)
        s = folder_create(store, 0700, e);
    if (s == STATUS_OK)
        s = folder_remove_tree(trash, e);
    buf_free(&from);
    buf_free(&to);
    return s;
}

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name);
    size_t b = strlen(end);
    return a >= b && strcmp(name + a - b, end) == 0;
}

// A log is being written to; what was rotated goes.
static enum status wipe_log(const struct folder_file *file, void *arg, struct error *e)
{
    (void)arg;
    if (!ends_with(file->name, ".log"))
        return file_remove(file->path, e);
    int fd = open(file->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(e, "cannot empty %s", file->path);
    close(fd);
    return STATUS_OK;
}

static enum status wipe_temporary(const struct folder_file *file, void *arg, struct error *e)
{
    (void)arg;
    return strncmp(file->name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0 ? file_remove(file->path, e) : STATUS_OK;
}

// What a restore moved aside is of an installation that was here, too. A folder changes while it is read, so one by
// one.
static enum status wipe_replaced(const char *state_dir, struct error *e)
{
    struct buf path = {0};
    enum status s = STATUS_OK;
    for (bool found = true; found && s == STATUS_OK;) {
        DIR *d = opendir(state_dir);
        if (d == NULL)
            s = error_errno(e, "cannot read %s", state_dir);
        found = false;
        for (const struct dirent *entry; d != NULL && !found && (entry = readdir(d)) != NULL;) {
            found = strncmp(entry->d_name, STATEDIR_REPLACED, strlen(STATEDIR_REPLACED)) == 0;
            if (found && unlink(path_of(&path, state_dir, entry->d_name)) != 0)
                s = folder_remove_tree(buf_cstr(&path), e);
        }
        if (d != NULL)
            closedir(d);
    }
    buf_free(&path);
    return s;
}

// Logs name persons, and what a crash left half written may. Here alone they are emptied: whoever has one open appends.
static enum status wipe_traces(const char *state_dir, struct error *e)
{
    struct buf b = {0};
    enum status s = folder_walk(path_of(&b, state_dir, "log"), wipe_log, NULL, e);
    if (s == STATUS_OK)
        s = folder_walk(state_dir, wipe_temporary, NULL, e);
    if (s == STATUS_OK)
        s = wipe_replaced(state_dir, e);
    buf_free(&b);
    return s;
}

enum status wipe_run(const char *state_dir, struct error *e)
{
    struct buf b = {0};
    enum status s = file_write(path_of(&b, state_dir, "wiping"), SPAN("\n"), 0600, e);
    if (s == STATUS_OK)
        s = twice_remove(path_of(&b, state_dir, "keys.json"), e);
    if (s == STATUS_OK)
        s = twice_remove(path_of(&b, state_dir, "installation.json"), e);
    static const char *const files[] = {"archive.keys", "sparse.keys"};
    for (size_t i = 0; s == STATUS_OK && i < sizeof files / sizeof *files; i++)
        s = file_remove(path_of(&b, state_dir, files[i]), e);
    if (s == STATUS_OK)
        s = wipe_store(state_dir, "archive", "wiped-archive", e);
    if (s == STATUS_OK)
        s = wipe_store(state_dir, "sparse", "wiped-sparse", e);
    if (s == STATUS_OK)
        s = wipe_traces(state_dir, e);
    if (s == STATUS_OK)
        s = file_remove(path_of(&b, state_dir, "wiping"), e);
    buf_free(&b);
    return s;
}
