#include "supervisor/logfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct logfile {
    char *path;
    int fd;
    size_t since_check;
};

enum { CHECK_EVERY = 256 * 1024 };

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

struct logfile *logfile_open(const char *path, struct error *e)
{
    int fd = open_file(path);
    if (fd < 0) {
        error_errno(e, "cannot open the log %s", path);
        return NULL;
    }
    struct logfile *l = mem_alloc(sizeof *l);
    l->path = mem_text(span_of(path));
    l->fd = fd;
    return l;
}

void logfile_close(struct logfile *l)
{
    if (l == NULL)
        return;
    close(l->fd);
    free(l->path);
    free(l);
}

int logfile_fd(const struct logfile *l)
{
    return l->fd;
}

enum status logfile_reopen(struct logfile *l, struct error *e)
{
    int fd = open_file(l->path);
    if (fd < 0)
        return error_errno(e, "cannot open the log %s", l->path);
    dup3(fd, l->fd, O_CLOEXEC);
    close(fd);
    return STATUS_OK;
}

static void rotate(struct logfile *l)
{
    struct buf from = {0};
    struct buf to = {0};
    for (int i = LOGFILE_COUNT - 1; i > 0; i--) {
        buf_clear(&from);
        buf_clear(&to);
        buf_add_text(&from, l->path);
        if (i > 1)
            buf_printf(&from, ".%d", i - 1);
        buf_printf(&to, "%s.%d", l->path, i);
        rename(buf_cstr(&from), buf_cstr(&to));
    }
    buf_free(&from);
    buf_free(&to);
    struct error ignored = {0}; // what is written goes to the old file then, and the next check tries again
    logfile_reopen(l, &ignored);
}

void logfile_rotate_if_full(struct logfile *l)
{
    struct stat st;
    l->since_check = 0;
    if (fstat(l->fd, &st) == 0 && st.st_size >= LOGFILE_BYTES)
        rotate(l);
}

void logfile_write(struct logfile *l, struct span bytes)
{
    l->since_check += bytes.len;
    while (bytes.len > 0) {
        ssize_t n = write(l->fd, bytes.ptr, bytes.len);
        if (n <= 0)
            break; // a full disk must not stop the supervisor
        bytes = span_from(bytes, (size_t)n);
    }
    if (l->since_check >= CHECK_EVERY)
        logfile_rotate_if_full(l);
}
