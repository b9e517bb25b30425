// Rotation keeps the number of the descriptor, which others were given (log_open). A full disk costs lines and stops
// nothing.
#include "supervisor/logfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

struct logfile {
    char *path;
    int fd;
    size_t bytes_max;
    int count;
    size_t since_check;
    struct journal *journal;
    struct buf line; // that has no end yet, for the journal
};

enum { CHECK_EVERY = 256 * 1024, LINE_MAX_BYTES = 64 * 1024 };

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

struct logfile *logfile_open(const char *path, struct error *e)
{
    return logfile_open_limited(path, LOGFILE_BYTES, LOGFILE_COUNT, e);
}

struct logfile *logfile_open_limited(const char *path, size_t bytes, int count, struct error *e)
{
    int fd = open_file(path);
    if (fd < 0) {
        error_errno(e, "cannot open the log %s", path);
        return NULL;
    }
    struct logfile *l = mem_alloc(sizeof *l);
    l->path = mem_text(span_of(path));
    l->fd = fd;
    l->bytes_max = bytes;
    l->count = count;
    return l;
}

void logfile_close(struct logfile *l)
{
    if (l == NULL)
        return;
    close(l->fd);
    buf_free(&l->line);
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
    for (int i = l->count - 1; i > 0; i--) {
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
    if (fstat(l->fd, &st) == 0 && (size_t)st.st_size >= l->bytes_max)
        rotate(l);
}

void logfile_use_journal(struct logfile *l, struct journal *j)
{
    l->journal = j;
}

static void write_journal(struct logfile *l, struct span bytes)
{
    for (const char *end; (end = memchr(bytes.ptr, '\n', bytes.len)) != NULL;) {
        size_t n = (size_t)(end - bytes.ptr);
        buf_add(&l->line, bytes.ptr, n);
        journal_line(l->journal, buf_span(&l->line));
        buf_clear(&l->line);
        bytes = span_from(bytes, n + 1);
    }
    if (l->line.len + bytes.len <= LINE_MAX_BYTES)
        buf_add_span(&l->line, bytes);
}

void logfile_write(struct logfile *l, struct span bytes)
{
    l->since_check += bytes.len;
    if (l->journal != NULL)
        write_journal(l, bytes);
    while (bytes.len > 0) {
        ssize_t n = write(l->fd, bytes.ptr, bytes.len);
        if (n <= 0)
            break; // a full disk must not stop the supervisor
        bytes = span_from(bytes, (size_t)n);
    }
    if (l->since_check >= CHECK_EVERY)
        logfile_rotate_if_full(l);
}
