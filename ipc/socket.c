// The mode is set before the file is there and once more when it is: at no moment may somebody else connect. That a
// file is left of a dead process is seen by its refusing a connection.
#include "ipc/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, DIAL_S = 5 };

static enum status make_address(const char *path, struct sockaddr_un *out, struct error *e)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path)
        return error_set(e, STATUS_TOO_BIG, "TOO-BIG", "the path of socket '%s' is longer than 107 bytes", path);
    memcpy(out->sun_path, path, strlen(path));
    return STATUS_OK;
}

static int open_socket(int flags, struct error *e)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        error_errno(e, "cannot open a socket");
    return fd;
}

static bool is_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool stale = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return stale;
}

// The socket's own mode is the one its file is made with; the umask may have taken more away.
static enum status bind_to(int fd, const struct sockaddr_un *address, struct error *e)
{
    const char *path = address->sun_path;
    if (is_stale(address))
        unlink(path);
    if (fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
        chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0)
        return STATUS_OK;
    if (errno == EADDRINUSE)
        return error_set(e, STATUS_CONFLICT, "ALREADY-RUNNING", "cannot listen: somebody does at %s", path);
    return error_errno(e, "cannot listen at %s", path);
}

int ipc_socket_listen(const char *path, struct error *e)
{
    struct sockaddr_un address;
    int fd = make_address(path, &address, e) == STATUS_OK ? open_socket(SOCK_NONBLOCK, e) : -1;
    if (fd < 0 || bind_to(fd, &address, e) == STATUS_OK)
        return fd;
    close(fd);
    return -1;
}

// Waits while the listener's queue is full, but not for ever.
static enum status connect_to(int fd, const struct sockaddr_un *address, struct error *e)
{
    const struct timeval patience = {.tv_sec = DIAL_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        return error_set(e, STATUS_CLOSED, "NOT-RUNNING", "nobody listens at %s", address->sun_path);
    struct ipc_other other = ipc_socket_other(fd);
    if (other.uid != geteuid())
        return error_set(e, STATUS_REFUSED, "NO-PERMISSION", "another user listens at %s", address->sun_path);
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? STATUS_OK : error_errno(e, "cannot open a socket");
}

int ipc_socket_dial(const char *path, struct error *e)
{
    struct sockaddr_un address;
    int fd = make_address(path, &address, e) == STATUS_OK ? open_socket(0, e) : -1;
    if (fd < 0 || connect_to(fd, &address, e) == STATUS_OK)
        return fd;
    close(fd);
    return -1;
}

struct ipc_other ipc_socket_other(int fd)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return (struct ipc_other){(uid_t)-1, -1};
    return (struct ipc_other){who.uid, who.pid};
}

bool ipc_socket_trusts(struct ipc_other other)
{
    return other.uid == geteuid() || other.uid == 0;
}
