#include "supervisor/wipe.h"

#include <errno.h>
#include <stdio.h>

#include "base/bytes.h"
#include "io/file.h"
#include "io/folder.h"

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

enum status wipe_run(const char *state_dir, struct error *e)
{
    struct buf b = {0};
    enum status s = file_write(path_of(&b, state_dir, "wiping"), SPAN("\n"), 0600, e);
    if (s == STATUS_OK)
        s = file_remove(path_of(&b, state_dir, "keys.json"), e);
    static const char *const files[] = {"archive.keys", "sparse.keys", "installation.json"};
    for (size_t i = 0; s == STATUS_OK && i < sizeof files / sizeof *files; i++)
        s = file_remove(path_of(&b, state_dir, files[i]), e);
    if (s == STATUS_OK)
        s = wipe_store(state_dir, "archive", "wiped-archive", e);
    if (s == STATUS_OK)
        s = wipe_store(state_dir, "sparse", "wiped-sparse", e);
    if (s == STATUS_OK)
        s = file_remove(path_of(&b, state_dir, "wiping"), e);
    buf_free(&b);
    return s;
}
