// The library is part of this program, and lies beside what it is used for.
#include "supervisor/simulate/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "supervisor/simulate/clock_library.h"

enum status clock_install(const char *library, struct error *e)
{
    return file_write(library, (struct span){(const char *)CLOCK_LIBRARY, CLOCK_LIBRARY_SIZE}, 0600, e);
}

// In its place: it is mapped.
enum status clock_put(const char *file, int64_t seconds, struct error *e)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, &seconds, sizeof seconds) == (ssize_t)sizeof seconds;
    if (!written)
        error_errno(e, "cannot write %s", file);
    if (fd >= 0)
        close(fd);
    return e->status;
}

bool clock_is_shifted(pid_t pid, const char *library)
{
    char path[40];
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    while (maps != NULL && !found && getline(&line, &room, maps) > 0)
        found = strstr(line, library) != NULL;
    free(line);
    if (maps != NULL)
        fclose(maps);
    return found;
}
