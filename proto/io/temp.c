// Names have the number of the process and a counter. A process before this one may have had the same number and left a
// file, so several names are tried.
#include "io/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/sys.h"

struct temp {
    char *path; // NULL once published
    int fd;
};

enum { NAME_TRIES = 100 };

static char *next_name(const char *folder)
{
    static atomic_uint counter;
    struct buf b = {0};
    buf_printf(&b, "%s/" TEMP_PREFIX "%ld-%u", folder, (long)getpid(), atomic_fetch_add(&counter, 1));
    buf_cstr(&b);
    return b.data;
}

enum status temp_create(const char *folder, mode_t mode, struct temp **out, struct error *e)
{
    *out = NULL;
    for (int i = 0; i < NAME_TRIES; i++) {
        char *path = next_name(folder);
        int fd = sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
        if (fd >= 0) {
            struct temp *t = mem_alloc(sizeof *t);
            *t = (struct temp){path, fd};
            *out = t;
            return STATUS_OK;
        }
        free(path);
        if (errno != EEXIST)
            break;
    }
    return error_errno(e, "Cannot create a file in %s", folder);
}

enum status temp_add(struct temp *t, struct span bytes, struct error *e)
{
    while (bytes.len != 0) {
        ssize_t n = sys_write(t->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, "Cannot write %s", t->path);
        bytes = span_from(bytes, (size_t)n);
    }
    return STATUS_OK;
}

void temp_flush(struct temp *t)
{
    (void)sys_flush(t->fd);
}

enum status temp_sync(struct temp *t, struct error *e)
{
    if (sys_fsync(t->fd) != 0)
        return error_errno(e, "Cannot make %s durable", t->path);
    return STATUS_OK;
}

enum status temp_publish(struct temp *t, const char *path, struct error *e)
{
    if (sys_rename(t->path, path) != 0)
        return error_errno(e, "Cannot rename %s to %s", t->path, path);
    free(t->path);
    t->path = NULL;
    return STATUS_OK;
}

void temp_destroy(struct temp *t)
{
    if (t == NULL)
        return;
    if (t->fd >= 0)
        close(t->fd);
    if (t->path != NULL)
        (void)sys_unlink(t->path);
    free(t->path);
    free(t);
}
