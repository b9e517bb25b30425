// The numbers of newer versions are written out: the headers of Debian 12 know the second one only.
#include "wall/files.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
    READ_ALL = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    RUN = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE,
    TRUNCATE = 1 << 14,
    IOCTL_DEVICE = 1 << 15,
    // Of a file, not of a folder:
    OF_FILE = RUN | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEVICE,
    // What even a program needs not that may touch any file:
    NEVER = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK,
    BIND_TCP = 1 << 0,
    CONNECT_TCP = 1 << 1,
    ABSTRACT_SOCKETS = 1 << 0,
    SIGNALS = 1 << 1,
};
// The first version forbids every rename between folders.
enum { LEAST_VERSION = 2, TRUNCATE_SINCE = 3, TCP_SINCE = 4, DEVICES_SINCE = 5, SCOPES_SINCE = 6 };

struct attributes { // struct landlock_ruleset_attr as of the sixth version
    uint64_t files;
    uint64_t tcp;
    uint64_t scopes;
};

struct rules {
    int fd;
    uint64_t files; // handled at all
    int failed;
};

int files_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version >= LEAST_VERSION ? (int)version : 0;
}

static uint64_t handled_files(const struct wall_rights *r, int version)
{
    uint64_t all = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;
    if (r->any_file)
        return NEVER;
    if (version >= TRUNCATE_SINCE)
        all |= TRUNCATE;
    if (version >= DEVICES_SINCE)
        all |= IOCTL_DEVICE;
    return all;
}

static size_t describe(const struct wall_rights *r, int version, struct attributes *a)
{
    a->files = handled_files(r, version);
    if (version < TCP_SINCE)
        return sizeof a->files;
    a->tcp = (r->binds ? 0 : (uint64_t)BIND_TCP) | (r->connects ? 0 : (uint64_t)CONNECT_TCP);
    if (version < SCOPES_SINCE)
        return offsetof(struct attributes, scopes);
    a->scopes = ABSTRACT_SOCKETS | (r->signals ? 0 : (uint64_t)SIGNALS);
    return sizeof *a;
}

// A rule is about an inode. procfs forgets its own when memory is short and makes others for the same path, which no
// rule is about: those stay open for as long as the process lives.
static bool must_stay_open(const char *path)
{
    return strncmp(path, "/proc/", 6) == 0;
}

static void allow(struct rules *rules, const char *path, uint64_t access)
{
    struct stat st;
    int fd = path != NULL && path[0] != '\0' ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0)
        return; // what is not there needs no rule
    bool is_file = fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = access & rules->files & (is_file ? (uint64_t)OF_FILE : UINT64_MAX), .parent_fd = fd};
    if (rule.allowed_access != 0)
        rules->failed |= (int)syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (!must_stay_open(path))
        close(fd);
}

static void allow_place(struct rules *rules, const struct wall_place *p)
{
    static const uint64_t access[] = {[WALL_KEEP] = ~(uint64_t)(NEVER | IOCTL_DEVICE),
                                      [WALL_READ] = READ_ALL,
                                      [WALL_RUN] = RUN | LANDLOCK_ACCESS_FS_READ_DIR,
                                      [WALL_LEAVE] = LANDLOCK_ACCESS_FS_REMOVE_DIR};
    allow(rules, p->path, access[p->use]);
}

// The kernel executes a program's loader as well. Ours loads the same libraries, so it is theirs.
static int find_loader(struct dl_phdr_info *info, size_t size, void *out)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_INTERP)
            // NOLINTNEXTLINE(performance-no-int-to-ptr)
            *(const char **)out = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return 1; // the first is the program itself
}

static void allow_all(struct rules *rules, const struct wall_rights *r, const struct wall_place *places, size_t count)
{
    const char *loader = NULL;
    bool runs = false;
    for (size_t i = 0; i < count; i++) {
        allow_place(rules, &places[i]);
        runs = runs || places[i].use == WALL_RUN;
    }
    allow(rules, "/dev/null", READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (int set = 0; set < WALL_FILES_SETS; set++)
        for (const char *const *path = WALL_FILE_SET[set].paths; (r->files & 1U << set) != 0 && *path != NULL; path++)
            allow(rules, *path, READ_ALL);
    if (runs && dl_iterate_phdr(find_loader, &loader) != 0)
        allow(rules, loader, RUN);
}

enum status files_restrict(const struct wall_rights *r, int version, const struct wall_place *places, size_t count,
                           struct error *e)
{
    struct attributes a = {0};
    size_t size = describe(r, version, &a);
    struct rules rules = {.files = a.files};
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
    if (rules.fd < 0)
        return error_errno(e, "cannot set up Landlock");
    if (!r->any_file)
        allow_all(&rules, r, places, count);
    enum status st = STATUS_OK;
    if (rules.failed != 0 || syscall(SYS_landlock_restrict_self, rules.fd, 0) != 0)
        st = error_errno(e, "cannot enter Landlock");
    close(rules.fd);
    return st;
}
