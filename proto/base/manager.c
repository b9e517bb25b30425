// A manager that does not read loses lines, never our time. What it wants to hear while all is well (WATCHDOG_USEC) is
// told twice in that time; the variable counts only for the process it names.
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/manager.h"

// An abstract name begins with '@' in the variable, with a 0 in the address.
static int dial(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (name == NULL || (name[0] != '/' && name[0] != '@') || strlen(name) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

// A positive number and nothing else; 0 for all others.
static uint64_t number(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' ? value : 0;
}

void manager_open(struct manager *m)
{
    enum { US_IN_MS = 1000, TIMES = 2 };
    const char *pid = getenv("WATCHDOG_PID");
    bool ours = pid == NULL || number("WATCHDOG_PID") == (uint64_t)getpid();
    m->fd = dial(getenv("NOTIFY_SOCKET"));
    m->alive_ms = m->fd >= 0 && ours ? number("WATCHDOG_USEC") / US_IN_MS / TIMES : 0;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

bool manager_listens(const struct manager *m)
{
    return m->fd >= 0;
}

void manager_tell(const struct manager *m, const char *text)
{
    if (m->fd >= 0 && send(m->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        LOG(LOG_DEBUG, "manager.deaf", LOG_TEXT("text", text));
}

void manager_close(struct manager *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}
