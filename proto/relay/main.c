// tandem-relay: a relay on its own (relay/relay.h says what it does).
//
// What this process may do is its row in proto/wall/rights.c, in force once it listens: accept connections and write to
// stdout and stderr; with --cluster also connections to the NATS servers. No file is written.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/log.h"
#include "base/manager.h"
#include "base/options.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "net/loop_epoll.h"
#include "relay/cluster.h"
#include "wall/wall.h"

static const char usage[] =
    "usage: tandem-relay --listen HOST:PORT [options]\n"
    "\n"
    "Connects ONE and tandem instances that cannot reach each other directly.\n"
    "\n"
    "  --listen HOST:PORT        localhost is 127.0.0.1 and ::1; port 0 takes a free one\n"
    "  --max-connections N       open sockets at once (default 16384)\n"
    "  --max-per-address N       of these, from one address (default: no limit)\n"
    "  --max-spares-per-key N    sockets that wait for requests with one key (default 16)\n"
    "  --cluster URL             shares its listeners with the other relays at these NATS servers\n"
    "                            (nats://[USER:PASSWORD@]HOST[:PORT][,...], closed to strangers)\n"
    "  --drain SECONDS           how long connections may last after SIGTERM (default 10)\n"
    "  --json                    machine-readable output\n"
    "  --help, --version\n"
    "\n"
    "GET /healthz and GET /metrics (Prometheus) are answered on the same port.\n"
    "SIGTERM or SIGINT: no new connections, end when the others have ended; a second one ends at once.\n";

enum { DRAIN_S = 10, DESCRIPTORS_BESIDE = 64, RECEIVE_BUFFER = 8192 };

struct arguments {
    const char *listen;
    const char *cluster;
    struct relay_options relay;
    size_t drain_s;
    bool json;
    bool help;
    bool version;
};

struct program {
    struct loop *loop;
    struct relay *relay;
    struct cluster *cluster;
    const struct arguments *args;
    struct manager manager;
    struct loop_timer *alive; // it is told
    int signals;
    bool draining;
};

static enum status take_arguments(int argc, char **argv, struct arguments *a, struct error *e)
{
    const struct option_row rows[] = {
        {"listen", OPTION_TEXT, &a->listen},
        {"max-connections", OPTION_NUMBER, &a->relay.max_connections},
        {"max-per-address", OPTION_NUMBER, &a->relay.max_per_address},
        {"max-spares-per-key", OPTION_NUMBER, &a->relay.max_spares_per_key},
        {"cluster", OPTION_TEXT, &a->cluster},
        {"drain", OPTION_NUMBER, &a->drain_s},
        {"json", OPTION_FLAG, &a->json},
        {"help", OPTION_FLAG, &a->help},
        {"version", OPTION_FLAG, &a->version},
        {0},
    };
    a->drain_s = DRAIN_S;
    if (options_read(argc, argv, rows, e) != STATUS_OK)
        return e->status;
    if (a->listen == NULL && !a->help && !a->version)
        return error_set(e, STATUS_INVALID, "USAGE", "--listen HOST:PORT is missing");
    return STATUS_OK;
}

// As many connections as wanted, or as the system lets one process have.
static void fit_connections(struct relay_options *o)
{
    enum { MAX_CONNECTIONS = 16384 };
    struct rlimit r;
    size_t wanted = o->max_connections != 0 ? o->max_connections : MAX_CONNECTIONS;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && wanted + DESCRIPTORS_BESIDE > r.rlim_max) {
        size_t possible = (size_t)r.rlim_max - DESCRIPTORS_BESIDE;
        LOG(LOG_WARN, "relay.fewer-connections", LOG_INT("wanted", wanted), LOG_INT("possible", possible));
        wanted = possible;
    }
    o->max_connections = wanted;
}

static void drained(void *ctx)
{
    struct program *p = ctx;
    loop_stop(p->loop);
}

static void signalled(void *ctx)
{
    struct program *p = ctx;
    struct signalfd_siginfo ignored;
    if (read(p->signals, &ignored, sizeof ignored) != sizeof ignored)
        return;
    if (p->draining)
        loop_stop(p->loop);
    else {
        manager_tell(&p->manager, "STOPPING=1");
        relay_drain(p->relay, p->args->drain_s * 1000, drained, p);
    }
    p->draining = true;
}

static enum status watch_signals(struct program *p, struct error *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (p->signals < 0)
        return error_errno(e, "signals cannot be watched");
    return loop_adopt_fd(p->loop, p->signals, signalled, p, e) != NULL ? STATUS_OK : e->status;
}

static void still_alive(void *ctx)
{
    struct program *p = ctx;
    manager_tell(&p->manager, "WATCHDOG=1");
    loop_timer_set(p->alive, p->manager.alive_ms);
}

static void announce(struct program *p)
{
    manager_tell(&p->manager, "READY=1");
    p->alive = loop_timer_create(p->loop, still_alive, p);
    if (p->manager.alive_ms > 0)
        loop_timer_set(p->alive, p->manager.alive_ms);
    printf(p->args->json ? "{\"event\":\"ready\",\"url\":\"%s\"}\n" : "relay ready at %s\n", relay_url(p->relay));
    fflush(stdout);
}

static struct loop *open_loop(size_t connections, struct error *e)
{
    return loop_create(&(struct loop_options){.fd_limit = connections + DESCRIPTORS_BESIDE,
                                              .receive_buffer = RECEIVE_BUFFER,
                                              .engine = &LOOP_EPOLL},
                       e);
}

static enum status run(const struct arguments *a, struct error *e)
{
    struct program p = {.args = a, .signals = -1};
    struct relay_options o = a->relay;
    manager_open(&p.manager);
    fit_connections(&o);
    p.loop = open_loop(o.max_connections, e);
    if (p.loop == NULL || watch_signals(&p, e) != STATUS_OK)
        goto done;
    p.relay = relay_start(p.loop, a->listen, &o, e);
    if (p.relay == NULL)
        goto done;
    if (wall_enter(a->cluster != NULL ? WALL_RELAY_CLUSTER : WALL_RELAY, NULL, 0, e) != STATUS_OK)
        goto done;
    if (a->cluster != NULL && (p.cluster = cluster_join(p.loop, p.relay, a->cluster, e)) == NULL)
        goto done;
    LOG(LOG_INFO, "relay.ready", LOG_TEXT("waitsWith", loop_waits_with(p.loop)));
    announce(&p);
    loop_run(p.loop);
done:
    cluster_leave(p.cluster);
    relay_destroy(p.relay);
    loop_timer_destroy(p.alive);
    loop_destroy(p.loop);
    if (p.signals >= 0)
        close(p.signals);
    manager_close(&p.manager);
    return e->status;
}

// With what waits for the sockets on this system.
static enum status show_version(struct error *e)
{
    struct loop *l = open_loop(0, e);
    if (l == NULL)
        return e->status;
    printf("tandem-relay " TANDEM_VERSION " (%s)\n", loop_waits_with(l));
    loop_destroy(l);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct error e = {0};
    inherited_settle();
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_INFO, "relay");
    crypto_init();
    enum status status = take_arguments(argc, argv, &a, &e);
    if (status == STATUS_OK && a.help)
        fputs(usage, stdout);
    else if (status == STATUS_OK && a.version)
        status = show_version(&e);
    else if (status == STATUS_OK)
        status = run(&a, &e);
    return status == STATUS_OK ? EXIT_SUCCESS : (int)ipc_error_report(&e, "tandem-relay", a.json);
}
