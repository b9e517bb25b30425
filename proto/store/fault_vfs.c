// A SQLite VFS in front of the system's one that asks io_fault.h before every write, truncation, sync and removal.
// Linked as an object into fault builds, it makes itself the default before main.
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_fault.h"

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs fault_vfs;

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct fault_file *)f)->real;
}

static int code_of(int error, int otherwise)
{
    if (error == ENOSPC)
        return SQLITE_FULL;
    if (error == EROFS)
        return SQLITE_READONLY;
    return error != 0 ? otherwise : SQLITE_OK;
}

static int file_close(sqlite3_file *f)
{
    int rc = real(f)->pMethods->xClose(real(f));
    free(real(f));
    return rc;
}

static int file_read(sqlite3_file *f, void *data, int len, sqlite3_int64 at)
{
    int rc = code_of(fault_hit(FAULT_READ, NULL), SQLITE_IOERR_READ);
    return rc != SQLITE_OK ? rc : real(f)->pMethods->xRead(real(f), data, len, at);
}

static int file_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
    bool torn = false;
    int rc = code_of(fault_hit(FAULT_WRITE, &torn), SQLITE_IOERR_WRITE);
    if (rc != SQLITE_OK)
        return rc;
    rc = real(f)->pMethods->xWrite(real(f), data, torn ? len / 2 : len, at);
    if (torn)
        fault_kill();
    return rc;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = code_of(fault_hit(FAULT_TRUNCATE, NULL), SQLITE_IOERR_TRUNCATE);
    return rc != SQLITE_OK ? rc : real(f)->pMethods->xTruncate(real(f), size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    int rc = code_of(fault_hit(FAULT_FSYNC, NULL), SQLITE_IOERR_FSYNC);
    return rc != SQLITE_OK ? rc : real(f)->pMethods->xSync(real(f), flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real(f)->pMethods->xFileSize(real(f), size);
}

static int file_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int file_check_lock(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int file_sector_size(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int file_characteristics(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    (void)vfs;
    struct fault_file *file = (struct fault_file *)f;
    memset(file, 0, sizeof *file);
    int rc = code_of(fault_hit(FAULT_OPEN, NULL), SQLITE_CANTOPEN);
    if (rc != SQLITE_OK)
        return rc;
    file->real = calloc(1, (size_t)real_vfs->szOsFile);
    if (file->real == NULL)
        return SQLITE_NOMEM;
    rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
    if (rc == SQLITE_OK)
        file->base.pMethods = &methods;
    else
        free(file->real);
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    int rc = code_of(fault_hit(FAULT_UNLINK, NULL), SQLITE_IOERR_DELETE);
    return rc != SQLITE_OK ? rc : real_vfs->xDelete(real_vfs, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    return real_vfs->xAccess(real_vfs, name, flags, out);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    (void)vfs;
    return real_vfs->xFullPathname(real_vfs, name, len, out);
}

__attribute__((constructor)) static void install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL)
        abort();
    fault_vfs = *real_vfs;
    fault_vfs.zName = "tandem-fault";
    fault_vfs.szOsFile = (int)sizeof(struct fault_file);
    fault_vfs.pNext = NULL;
    fault_vfs.xOpen = vfs_open;
    fault_vfs.xDelete = vfs_delete;
    fault_vfs.xAccess = vfs_access;
    fault_vfs.xFullPathname = vfs_full_name;
    if (sqlite3_vfs_register(&fault_vfs, 1) != SQLITE_OK)
        abort();
}
