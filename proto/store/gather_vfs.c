// SQLite writes its log in two pieces for each page, a head of 24 bytes and the page. Between two syncs nobody but the
// connection that writes reads them, so they are gathered here and written together: before the sync, which is what a
// commit waits for, and before anything else is asked of the file. What a crash takes had not been synced.
#include "store/gather_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { GATHERED_MAX = 64 << 10 };

struct gathering {
    sqlite3_file base; // first: SQLite sees it
    sqlite3_file *real;
    struct buf pending;
    sqlite3_int64 at; // where it belongs
};

static sqlite3_vfs gather_vfs;

static struct gathering *of(sqlite3_file *f)
{
    return (struct gathering *)f;
}

static int write_now(sqlite3_file *f, const void *data, size_t len, sqlite3_int64 at)
{
    sqlite3_file *real = of(f)->real;
    return real->pMethods->xWrite(real, data, (int)len, at);
}

// What cannot be written is gone, and whoever asks next hears so: the transaction fails.
static int flush(sqlite3_file *f)
{
    struct gathering *g = of(f);
    int rc = SQLITE_OK;
    if (g->pending.len != 0)
        rc = write_now(f, g->pending.data, g->pending.len, g->at);
    buf_clear(&g->pending);
    return rc;
}

static int file_close(sqlite3_file *f)
{
    struct gathering *g = of(f);
    int rc = flush(f);
    int closed = g->real->pMethods->xClose(g->real);
    buf_free(&g->pending);
    return rc != SQLITE_OK ? rc : closed;
}

static int file_read(sqlite3_file *f, void *data, int len, sqlite3_int64 at)
{
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xRead(of(f)->real, data, len, at);
}

static int file_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
    struct gathering *g = of(f);
    int rc = SQLITE_OK;
    if (g->pending.len != 0 &&
        (at != g->at + (sqlite3_int64)g->pending.len || g->pending.len + (size_t)len > GATHERED_MAX))
        rc = flush(f);
    if (rc != SQLITE_OK || len > GATHERED_MAX)
        return rc != SQLITE_OK ? rc : write_now(f, data, (size_t)len, at);
    if (g->pending.len == 0)
        g->at = at;
    buf_add(&g->pending, data, (size_t)len);
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xTruncate(of(f)->real, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xSync(of(f)->real, flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xFileSize(of(f)->real, size);
}

static int file_lock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xLock(of(f)->real, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return of(f)->real->pMethods->xUnlock(of(f)->real, level);
}

static int file_check_lock(sqlite3_file *f, int *out)
{
    return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : of(f)->real->pMethods->xFileControl(of(f)->real, op, arg);
}

static int file_sector_size(sqlite3_file *f)
{
    return of(f)->real->pMethods->xSectorSize(of(f)->real);
}

static int file_characteristics(sqlite3_file *f)
{
    return of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, // of a log nothing else is asked
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
};

static sqlite3_vfs *real_vfs(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

// The file of the system lies behind ours. What is no log is opened as if we were not there.
static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    struct gathering *g = of(f);
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return real_vfs(vfs)->xOpen(real_vfs(vfs), name, f, flags, out_flags);
    *g = (struct gathering){.real = (sqlite3_file *)(g + 1)};
    int rc = real_vfs(vfs)->xOpen(real_vfs(vfs), name, g->real, flags, out_flags);
    if (rc == SQLITE_OK)
        g->base.pMethods = &methods;
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, out);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    return real_vfs(vfs)->xFullPathname(real_vfs(vfs), name, len, out);
}

static void install(void)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (system == NULL)
        abort();
    gather_vfs = *system;
    gather_vfs.zName = "tandem-gather";
    gather_vfs.szOsFile = (int)sizeof(struct gathering) + system->szOsFile;
    gather_vfs.pNext = NULL;
    gather_vfs.pAppData = system;
    gather_vfs.xOpen = vfs_open;
    gather_vfs.xDelete = vfs_delete;
    gather_vfs.xAccess = vfs_access;
    gather_vfs.xFullPathname = vfs_full_name;
    if (sqlite3_vfs_register(&gather_vfs, 0) != SQLITE_OK)
        abort();
}

const char *gather_vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    return gather_vfs.zName;
}
