// By /proc/self/exe, since the name by which somebody called us does not say where we are.
#include "supervisor/programs.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

char *program_beside(const char *name)
{
    char own[PATH_MAX];
    struct buf b = {0};
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    own[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(own, '/');
    buf_printf(&b, "%.*s/%s", slash != NULL ? (int)(slash - own) : 0, own, name);
    char *path = mem_text(buf_span(&b));
    buf_free(&b);
    return path;
}
