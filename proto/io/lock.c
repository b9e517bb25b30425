// A lock of flock, since one of fcntl ends when the process closes any descriptor of the file. The number in the file
// is for people; nothing depends on it.
#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/sys.h"

struct lock {
    int fd;
};

static enum status refuse(int fd, const char *path, struct error *e)
{
    char holder[16] = "";
    ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    holder[strspn(holder, "0123456789")] = '\0';
    if (holder[0] == '\0')
        return error_set(e, STATUS_CONFLICT, "LOCKED", "%s is held by another process", path);
    return error_set(e, STATUS_CONFLICT, "LOCKED", "%s is held by process %s", path, holder);
}

// Who holds the lock is only told for people: a failure to write it down is not one of locking.
static void note_holder(int fd)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && len > 0) {
        ssize_t ignored = pwrite(fd, text, (size_t)len, 0);
        (void)ignored;
    }
}

enum status lock_acquire(const char *path, struct lock **out, struct error *e)
{
    *out = NULL;
    int fd = sys_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(e, "Cannot open the lock file %s", path);
    int failed;
    do
        failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed != 0 && errno == EINTR);
    enum status status = STATUS_OK;
    if (failed != 0)
        status = errno == EWOULDBLOCK ? refuse(fd, path, e) : error_errno(e, "Cannot lock %s", path);
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    note_holder(fd);
    *out = mem_alloc(sizeof **out);
    (*out)->fd = fd;
    return STATUS_OK;
}

void lock_release(struct lock *l)
{
    if (l == NULL)
        return;
    close(l->fd);
    free(l);
}
