// The system calls that touch the disk, one function each. Nothing else in io calls them directly, so that io_fault.c
// can stand in for sys.c and let the n-th one fail or end the process. Results and errno are those of the system.
#pragma once

#include <stddef.h>
#include <sys/types.h>

int sys_open(const char *path, int flags, mode_t mode); // O_CLOEXEC is added; repeated when interrupted
ssize_t sys_pread(int fd, void *data, size_t len, off_t offset);
ssize_t sys_write(int fd, const void *data, size_t len);
int sys_flush(int fd); // starts writing back without waiting; only a hint
int sys_fsync(int fd);
int sys_rename(const char *from, const char *to);
int sys_unlink(const char *path);
int sys_rmdir(const char *path);
int sys_mkdir(const char *path, mode_t mode);
