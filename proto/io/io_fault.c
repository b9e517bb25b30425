// In builds for fault tests this stands in the place of sys.c: it counts calls, and the wanted one fails, is torn, or
// is the last of the process. The script comes from the environment or from the test itself; a shared one lies in a
// file that several processes map.
#include "io/io_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys.h"

#define SHARED "shared:"

enum effect { EFFECT_NONE, EFFECT_ERRNO, EFFECT_KILL, EFFECT_TORN };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool loaded;
    enum fault_operation operation;
    uint64_t first;
    uint64_t last;
    enum effect effect;
    int error;
    uint64_t seen;
    _Atomic uint64_t *left; // shared with the test: operations until the kill, 0 = none; NULL = there is a script
} script = {.operation = FAULT_ANY};

static const char *const operation_names[] = {"open",   "read",  "write",    "fsync", "rename",
                                              "unlink", "mkdir", "truncate", "any"};

static const struct {
    const char *name;
    int value;
} errors[] = {{"ENOSPC", ENOSPC}, {"EROFS", EROFS},   {"EIO", EIO},
              {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"EINTR", EINTR}};

static bool read_operation(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof operation_names / sizeof *operation_names; i++)
        if (strlen(operation_names[i]) == len && memcmp(operation_names[i], text, len) == 0) {
            script.operation = (enum fault_operation)i;
            return true;
        }
    return false;
}

static bool read_effect(const char *text)
{
    if (strcmp(text, "kill") == 0 || strcmp(text, "torn") == 0) {
        script.effect = text[0] == 'k' ? EFFECT_KILL : EFFECT_TORN;
        return true;
    }
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, text) == 0) {
            script.effect = EFFECT_ERRNO;
            script.error = errors[i].value;
            return true;
        }
    return false;
}

// The file stays what it is when the process is gone: the next one goes on with what is left.
static bool share(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map = fd >= 0 ? mmap(NULL, sizeof *script.left, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    script.left = map != MAP_FAILED ? map : NULL;
    return script.left != NULL;
}

static bool load(const char *text)
{
    memset(&script, 0, sizeof script);
    script.loaded = true;
    script.operation = FAULT_ANY;
    if (text == NULL || text[0] == '\0')
        return true;
    if (strncmp(text, SHARED, strlen(SHARED)) == 0)
        return share(text + strlen(SHARED));
    const char *colon = strchr(text, ':');
    if (colon == NULL || !read_operation(text, (size_t)(colon - text)))
        return false;
    char *end;
    script.first = strtoull(colon + 1, &end, 10);
    script.last = script.first;
    if (*end == '-') {
        script.last = strtoull(end + 1, &end, 10);
    } else if (*end == '+') {
        script.last = UINT64_MAX;
        end++;
    }
    return script.first != 0 && script.last >= script.first && *end == ':' && read_effect(end + 1);
}

bool fault_script(const char *text)
{
    pthread_mutex_lock(&lock);
    bool ok = load(text);
    if (!ok)
        script.effect = EFFECT_NONE;
    pthread_mutex_unlock(&lock);
    return ok;
}

uint64_t fault_count(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = script.seen;
    pthread_mutex_unlock(&lock);
    return n;
}

void fault_kill(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void load_environment(void)
{
    if (!script.loaded && !load(getenv("TANDEM_FAULT"))) {
        fprintf(stderr, "TANDEM_FAULT is not understood\n");
        abort();
    }
}

// Before there are walls around the process.
__attribute__((constructor)) static void load_shared(void)
{
    const char *text = getenv("TANDEM_FAULT");
    if (text != NULL && strncmp(text, SHARED, strlen(SHARED)) == 0)
        load_environment();
}

static enum effect next_effect(enum fault_operation operation, int *error)
{
    enum effect effect = EFFECT_NONE;
    pthread_mutex_lock(&lock);
    load_environment();
    bool counts = script.operation == operation || (script.operation == FAULT_ANY && operation != FAULT_READ);
    if (counts) {
        script.seen++;
        if (script.left != NULL)
            effect = *script.left != 0 && --*script.left == 0 ? EFFECT_KILL : EFFECT_NONE;
        else if (script.seen >= script.first && script.seen <= script.last)
            effect = script.effect;
    }
    *error = script.error;
    pthread_mutex_unlock(&lock);
    return effect;
}

int fault_hit(enum fault_operation operation, bool *torn)
{
    int error = 0;
    enum effect effect = next_effect(operation, &error);
    if (effect == EFFECT_TORN && torn != NULL) {
        *torn = true;
        return 0;
    }
    if (effect == EFFECT_KILL || effect == EFFECT_TORN)
        fault_kill();
    return effect == EFFECT_ERRNO ? error : 0;
}

static bool refused(enum fault_operation operation)
{
    int error = fault_hit(operation, NULL);
    if (error != 0)
        errno = error;
    return error != 0;
}

int sys_open(const char *path, int flags, mode_t mode)
{
    if ((flags & O_CREAT) != 0 && refused(FAULT_OPEN))
        return -1;
    return open(path, flags | O_CLOEXEC, mode);
}

ssize_t sys_pread(int fd, void *data, size_t len, off_t offset)
{
    return refused(FAULT_READ) ? -1 : pread(fd, data, len, offset);
}

ssize_t sys_write(int fd, const void *data, size_t len)
{
    bool torn = false;
    int error = fault_hit(FAULT_WRITE, &torn);
    if (error != 0) {
        errno = error;
        return -1;
    }
    ssize_t n = write(fd, data, torn ? len / 2 : len);
    if (torn)
        fault_kill();
    return n;
}

int sys_flush(int fd)
{
    (void)fd;
    return 0;
}

int sys_fsync(int fd)
{
    return refused(FAULT_FSYNC) ? -1 : fsync(fd);
}

int sys_rename(const char *from, const char *to)
{
    return refused(FAULT_RENAME) ? -1 : rename(from, to);
}

int sys_unlink(const char *path)
{
    return refused(FAULT_UNLINK) ? -1 : unlink(path);
}

int sys_rmdir(const char *path)
{
    return refused(FAULT_UNLINK) ? -1 : rmdir(path);
}

int sys_mkdir(const char *path, mode_t mode)
{
    return refused(FAULT_MKDIR) ? -1 : mkdir(path, mode);
}
