// tandem-ui: the page on its own. Usually started by 'tandem ui', which knows where the control endpoint is.
//
// It reads what browsers send, so it has neither keys nor files, and what it may do is its row in proto/wall/rights.c,
// in force once it listens: accept connections and open Unix sockets.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/dumps.h"
#include "base/inherited.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "supervisor/ui/door.h"
#include "wall/wall.h"

static const char usage[] = "usage: tandem-ui --control FILE [options]\n"
                            "\n"
                            "Serves the page of an installation on this machine; 'tandem ui' starts it.\n"
                            "\n"
                            "  --control FILE            socket of the control endpoint\n"
                            "  --listen HOST:PORT        where to listen (default 127.0.0.1:0, a free port)\n"
                            "  --stdin-lifetime          stop when stdin ends; a line on it makes another link\n"
                            "  --json                    machine-readable output\n"
                            "  --help, --version\n";

enum { DESCRIPTORS = 256, RECEIVE_BUFFER = 16 << 10, LINE_MAX_READ = 256 };

static const struct epoll_event stdin_event = {.events = EPOLLIN | EPOLLET};

struct program {
    const char *control;
    const char *listen;
    bool json;
    bool stdin_lifetime;
    struct loop *loop;
    struct door *door;
    int signals;
    int typed; // an epoll set with stdin: readable also when that has ended
};

static enum status take_arguments(int argc, char **argv, struct program *p, struct error *e)
{
    static const struct option options[] = {
        {"control", required_argument, NULL, 'c'},
        {"listen", required_argument, NULL, 'l'},
        {"stdin-lifetime", no_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    int c;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'h' || c == 'v') {
            fputs(c == 'h' ? usage : "tandem-ui " TANDEM_VERSION "\n", stdout);
            exit(EXIT_SUCCESS);
        }
        if (c == '?')
            return error_set(e, STATUS_INVALID, "USAGE", "%s is unknown or lacks its value", argv[optind - 1]);
        p->control = c == 'c' ? optarg : p->control;
        p->listen = c == 'l' ? optarg : p->listen;
        p->stdin_lifetime = p->stdin_lifetime || c == 's';
        p->json = p->json || c == 'j';
    }
    if (optind != argc)
        return error_set(e, STATUS_INVALID, "USAGE", "%s is not expected", argv[optind]);
    if (p->control == NULL)
        return error_set(e, STATUS_INVALID, "USAGE", "--control FILE is missing");
    return STATUS_OK;
}

static void print_link(struct program *p)
{
    struct buf link = {0};
    door_link(p->door, &link);
    printf(p->json ? "{\"event\":\"ready\",\"url\":\"%s\"}\n" : "Open this in a browser, once:  %s\n", buf_cstr(&link));
    fflush(stdout);
    secret_wipe(link.data, link.len);
    buf_free(&link);
}

static void signalled(void *ctx)
{
    struct program *p = ctx;
    loop_stop(p->loop);
}

// What is typed while another program is in front is that one's: EIO, as SIGTTIN is ignored. Such input wakes us once;
// of our own the rest does again.
static void something_typed(void *ctx)
{
    struct program *p = ctx;
    struct epoll_event event;
    char line[LINE_MAX_READ];
    if (epoll_wait(p->typed, &event, 1, 0) <= 0)
        return;
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    if (n < 0 && errno == EIO)
        return;
    event = stdin_event;
    (void)epoll_ctl(p->typed, EPOLL_CTL_MOD, STDIN_FILENO, &event);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        loop_stop(p->loop);
    else if (n > 0 && memchr(line, '\n', (size_t)n) != NULL)
        print_link(p);
}

static enum status watch_signals(struct program *p, struct error *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (p->signals < 0)
        return error_errno(e, "signals cannot be watched");
    return loop_adopt_fd(p->loop, p->signals, signalled, p, e) != NULL ? STATUS_OK : e->status;
}

static enum status watch_stdin(struct program *p, struct error *e)
{
    struct epoll_event event = stdin_event;
    if (!p->stdin_lifetime && !isatty(STDIN_FILENO))
        return STATUS_OK;
    signal(SIGTTIN, SIG_IGN);
    p->typed = epoll_create1(EPOLL_CLOEXEC);
    if (p->typed < 0 || epoll_ctl(p->typed, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
        return error_errno(e, "stdin cannot be watched");
    return loop_adopt_fd(p->loop, p->typed, something_typed, p, e) != NULL ? STATUS_OK : e->status;
}

static enum status run(struct program *p, struct error *e)
{
    p->loop = loop_create(&(struct loop_options){.fd_limit = DESCRIPTORS, .receive_buffer = RECEIVE_BUFFER}, e);
    if (p->loop == NULL || watch_signals(p, e) != STATUS_OK || watch_stdin(p, e) != STATUS_OK)
        goto done;
    p->door = door_open(p->loop, p->listen, p->control, e);
    if (p->door == NULL || wall_enter(WALL_UI, NULL, 0, e) != STATUS_OK)
        goto done;
    print_link(p);
    loop_run(p->loop);
done:
    door_close(p->door);
    loop_destroy(p->loop);
    if (p->signals >= 0)
        close(p->signals);
    if (p->typed >= 0)
        close(p->typed);
    return e->status;
}

int main(int argc, char **argv)
{
    struct program p = {.listen = "127.0.0.1:0", .signals = -1, .typed = -1};
    struct error e = {0};
    inherited_settle();
    (void)dumps_forbid(); // it holds what opens the page
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_WARN, "ui");
    crypto_init();
    if (take_arguments(argc, argv, &p, &e) != STATUS_OK || run(&p, &e) != STATUS_OK)
        return (int)ipc_error_report(&e, "tandem-ui", p.json);
    return EXIT_SUCCESS;
}
