// Only the calls: what follows from a failure is decided by who calls.
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int sys_open(const char *path, int flags, mode_t mode)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

ssize_t sys_pread(int fd, void *data, size_t len, off_t offset)
{
    return pread(fd, data, len, offset);
}

ssize_t sys_write(int fd, const void *data, size_t len)
{
    return write(fd, data, len);
}

int sys_flush(int fd)
{
    return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int sys_fsync(int fd)
{
    return fsync(fd);
}

int sys_rename(const char *from, const char *to)
{
    return rename(from, to);
}

int sys_unlink(const char *path)
{
    return unlink(path);
}

int sys_rmdir(const char *path)
{
    return rmdir(path);
}

int sys_mkdir(const char *path, mode_t mode)
{
    return mkdir(path, mode);
}
