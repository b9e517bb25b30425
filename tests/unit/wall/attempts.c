#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct attempts_world world;

static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

// ---- Files ---------------------------------------------------------------------------------------------------------

static int open_at_home(const char *name, int flags)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", world.home, name);
    return open(path, flags, 0600);
}

int read_outside(void)
{
    return outcome(open(world.file, O_RDONLY));
}

int read_passwords(void)
{
    return outcome(open("/etc/passwd", O_RDONLY));
}

int write_outside(void)
{
    return outcome(open(world.file, O_WRONLY));
}

int create_outside(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s.new", world.file);
    return outcome(open(path, O_WRONLY | O_CREAT, 0600));
}

int truncate_outside(void)
{
    return outcome(truncate(world.file, 0));
}

int make_public(void)
{
    return outcome(chmod(world.file, 0666));
}

int make_private(void)
{
    return outcome(chmod(world.file, 0600));
}

int write_at_home(void)
{
    int fd = open_at_home("file", O_WRONLY | O_CREAT | O_TRUNC);
    return fd < 0 ? errno : outcome(ftruncate(fd, 1));
}

int rename_at_home(void)
{
    char from[256];
    char to[256];
    snprintf(from, sizeof from, "%s/file", world.home);
    snprintf(to, sizeof to, "%s/other", world.home);
    write_at_home();
    return outcome(rename(from, to));
}

// ---- Sockets -------------------------------------------------------------------------------------------------------

static int connect_path(const char *name, size_t len)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, name, len);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0
               ? errno
               : outcome(connect(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)));
}

int connect_unix(void)
{
    return connect_path(world.socket, strlen(world.socket) + 1);
}

int connect_abstract(void)
{
    char name[64];
    int n = snprintf(name, sizeof name, "%ctandem-test-%d", '\0', world.victim);
    return connect_path(name, (size_t)n);
}

static struct sockaddr_in here(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int connect_tcp(void)
{
    struct sockaddr_in a = here(world.port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : outcome(connect(fd, (struct sockaddr *)&a, sizeof a));
}

int bind_tcp(void)
{
    struct sockaddr_in a = here(0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : outcome(bind(fd, (struct sockaddr *)&a, sizeof a));
}

int listen_tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : outcome(listen(fd, 1));
}

int make_socket_pair(void)
{
    int ends[2];
    return outcome(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
}

int make_packet_socket(void)
{
    return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

// ---- Processes -----------------------------------------------------------------------------------------------------

int fork_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : outcome(waitpid(pid, NULL, 0));
}

int run_program(void)
{
    char *argv[] = {"true", NULL};
    return outcome(execv("/bin/true", argv)); // status 0 if it runs
}

int kill_victim(void)
{
    return outcome(kill(world.victim, SIGCONT));
}

int signal_itself(void)
{
    signal(SIGUSR1, SIG_IGN);
    return outcome(raise(SIGUSR1) == 0 && kill(getpid(), SIGUSR1) == 0 ? 0 : -1);
}

int trace_victim(void)
{
    return outcome(ptrace(PTRACE_ATTACH, world.victim, NULL, NULL));
}

int read_memory_of_victim(void)
{
    char byte;
    struct iovec own = {&byte, 1};
    struct iovec other = {&world, 1};
    return outcome(process_vm_readv(world.victim, &own, 1, &other, 1, 0));
}

int become_somebody(void)
{
    return outcome(setuid(getuid()));
}

int make_namespace(void)
{
    return outcome(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static void *nothing(void *arg)
{
    return arg;
}

int start_thread(void)
{
    pthread_t thread;
    int n = pthread_create(&thread, NULL, nothing, NULL);
    return n != 0 ? n : pthread_join(thread, NULL);
}

int resolve_name(void)
{
    struct addrinfo *list = NULL;
    int n = getaddrinfo("localhost", "80", NULL, &list);
    if (n == 0)
        freeaddrinfo(list);
    return n;
}

int call_unheard(void)
{
    return outcome(syscall(SYS_vmsplice, -1, NULL, 0, 0));
}

int call_with_ring(void)
{
    return outcome(syscall(SYS_io_uring_setup, 1, NULL));
}
