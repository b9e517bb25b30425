// Root mounts as it is; others become a user of their own name space, with the same number.
#include "supervisor/simulate/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PIECE = 64 * 1024 };

static bool write_text(const char *path, const char *text)
{
    struct span s = span_of(text);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, s.ptr, s.len) == (ssize_t)s.len;
    if (fd >= 0)
        close(fd);
    return written;
}

// The files belong to root as long as we allow no dumps; there is no secret in memory yet.
static bool stay_who_we_are(uid_t uid, gid_t gid)
{
    char users[40], groups[40];
    snprintf(users, sizeof users, "%u %u 1", uid, uid);
    snprintf(groups, sizeof groups, "%u %u 1", gid, gid);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    bool written = write_text("/proc/self/uid_map", users) && write_text("/proc/self/setgroups", "deny") &&
                   write_text("/proc/self/gid_map", groups);
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && written;
}

enum status disk_private_mounts(struct error *e)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    bool apart =
        uid == 0 ? unshare(CLONE_NEWNS) == 0 : unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && stay_who_we_are(uid, gid);
    if (apart && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "this system does not let us have disks that can be filled");
}

enum status disk_mount(const char *folder, struct error *e)
{
    if (mkdir(folder, 0700) == 0 && mount("tandem", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=0700") == 0)
        return STATUS_OK;
    return error_errno(e, "cannot mount %s", folder);
}

void disk_unmount(const char *folder)
{
    umount2(folder, MNT_DETACH);
}

static void filler_of(const char *folder, struct buf *out)
{
    buf_printf(out, "%s/filler", folder);
}

void disk_fill(const char *folder)
{
    static const char zeros[PIECE];
    struct buf path = {0};
    filler_of(folder, &path);
    int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    buf_free(&path);
    while (fd >= 0 && write(fd, zeros, sizeof zeros) > 0)
        continue;
    if (fd >= 0)
        close(fd);
}

void disk_empty(const char *folder)
{
    struct buf path = {0};
    filler_of(folder, &path);
    unlink(buf_cstr(&path));
    buf_free(&path);
}
