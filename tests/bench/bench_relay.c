// What a relay costs: memory per registered spare and processor time while they idle, delay and throughput of a splice.
//
//   bench_relay TANDEM-RELAY [SPARES]     10,000 spares by default; --smoke as second argument: 200
//
// The relay runs as a process of its own, the listeners in four, so that the relay is what is measured.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/relay_client.h"
#include "net/relay_message.h"

enum { SPARES = 10000, SMOKE = 200, CROWDS = 4, STARTED_AT_ONCE = 4, PAUSE_MS = 10 };
enum { IDLE_MS = 30000, SMOKE_IDLE_MS = 500, REGISTER_MS = 120000 };
enum { BULK_MESSAGES = 4000, BULK_SIZE = 65536, ROUND_TRIPS = 2000 };

struct listener {
    struct public_key key;
    struct secret secret;
    struct relay_client *client;
};

struct bench {
    struct loop *loop;
    struct ws_client *dialler;
    struct loop_timer *timer;
    char url[64];
    pid_t relay;
    pid_t crowds[CROWDS];
    struct listener *listeners; // of this process
    size_t wanted, started;     // listeners, two spares each
    struct listener answering;  // the one that is spliced
    struct transport *near, *far;
    size_t received;
    bool bulk;
};

static double relay_cpu_s(const struct bench *b)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)b->relay);
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof line, f) == NULL)
        abort();
    sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long relay_kib(const struct bench *b)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)b->relay);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        sscanf(line, "Pss: %ld kB", &kib);
    if (f != NULL)
        fclose(f);
    return kib;
}

static void start_relay(struct bench *b, const char *program)
{
    int out[2];
    char line[128] = {0};
    if (pipe(out) != 0)
        abort();
    b->relay = fork();
    if (b->relay == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(program, program, "--listen", "127.0.0.1:0", "--json", "--max-connections", "19000", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    if (read(out[0], line, sizeof line - 1) <= 0 ||
        sscanf(line, "{\"event\":\"ready\",\"url\":\"%63[^\"]", b->url) != 1)
        abort();
    close(out[0]);
}

static void accepted(void *ctx, struct transport *t, struct span first);

static void registered(void *ctx, enum relay_state state, const struct error *why)
{
    struct bench *b = ctx;
    (void)why;
    if (state == RELAY_LISTENING && b->wanted == 0 && b->near == NULL)
        loop_stop(b->loop);
}

static const struct relay_client_events listener_events = {accepted, registered};

static void listen_as(struct bench *b, struct listener *l)
{
    box_keypair(&l->key, &l->secret);
    l->client = relay_client_start(b->loop, b->dialler, b->url, &l->key, &l->secret, &listener_events, b, NULL);
}

static void start_some(void *ctx)
{
    struct bench *b = ctx;
    for (int i = 0; i < STARTED_AT_ONCE && b->started < b->wanted; i++)
        listen_as(b, &b->listeners[b->started++]);
    if (b->started < b->wanted)
        loop_timer_set(b->timer, PAUSE_MS);
}

static void open_loop(struct bench *b, size_t sockets)
{
    struct error e = {0};
    b->loop = loop_create(&(struct loop_options){.fd_limit = sockets + 64, .receive_buffer = 8192}, &e);
    if (b->loop == NULL) {
        fprintf(stderr, "%s\n", e.message);
        exit(EXIT_FAILURE);
    }
    b->dialler = ws_client_create(b->loop, NULL, NULL);
    b->timer = loop_timer_create(b->loop, start_some, b);
}

// A process that listens with its share of the keys until it is killed.
static void start_crowd(struct bench *b, size_t listeners, pid_t *pid)
{
    *pid = fork();
    if (*pid != 0)
        return;
    b->wanted = listeners;
    b->listeners = mem_array(listeners, sizeof *b->listeners);
    open_loop(b, 2 * listeners);
    loop_timer_set(b->timer, 0);
    loop_run(b->loop);
    _exit(0);
}

// Asks the relay's metrics.
static size_t count_spares(const struct bench *b)
{
    char answer[8192] = {0};
    size_t got = 0, spares = 0;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(b->url, ':') + 1))};
    static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && send(fd, request, sizeof request - 1, 0) > 0) {
        ssize_t n;
        while ((n = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0)
            got += (size_t)n;
    }
    close(fd);
    const char *line = strstr(answer, "\ntandem_relay_spares ");
    if (line != NULL)
        sscanf(line, "\ntandem_relay_spares %zu", &spares);
    return spares;
}

// The splice: far echoes single messages, or counts those of the bulk.

static void far_message(void *ctx, bool text, struct span payload)
{
    struct bench *b = ctx;
    if (!b->bulk)
        b->far->ops->send(b->far, text, payload);
    else if (++b->received == BULK_MESSAGES)
        loop_stop(b->loop);
}

static void near_message(void *ctx, bool text, struct span payload)
{
    struct bench *b = ctx;
    if (++b->received == ROUND_TRIPS)
        loop_stop(b->loop);
    else
        b->near->ops->send(b->near, text, payload);
}

static void closed(void *ctx, int code, struct span reason)
{
    (void)ctx, (void)code, (void)reason;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static const struct transport_events far_events = {far_message, closed, nothing, nothing};
static const struct transport_events near_events = {near_message, closed, nothing, nothing};

static void accepted(void *ctx, struct transport *t, struct span first)
{
    struct bench *b = ctx;
    (void)first;
    b->far = t;
    transport_use(t, &far_events, b);
    loop_stop(b->loop);
}

static void dialled(void *ctx, struct transport *t, const struct error *why)
{
    struct bench *b = ctx;
    if (t == NULL) {
        fprintf(stderr, "%s\n", why->message);
        abort();
    }
    b->near = t;
    transport_use(t, &near_events, b);
    struct buf request = {0}, key = {0};
    buf_add(&key, b->answering.key.b, BOX_KEY);
    relay_message_write(&(struct relay_message){.command = RELAY_COMMUNICATION_REQUEST, .first = key, .second = key},
                        &request);
    t->ops->send(t, true, buf_span(&request));
    buf_free(&request);
    buf_free(&key);
}

static void measure_splice(struct bench *b)
{
    static char bytes[BULK_SIZE];
    loop_run(b->loop); // until registered
    ws_client_connect(b->dialler, b->url, 0, 0, dialled, b, NULL);
    loop_run(b->loop);
    uint64_t begun = clock_monotonic_ms();
    b->near->ops->send(b->near, false, (struct span){bytes, 320});
    loop_run(b->loop);
    printf("round trip of 320 B through the relay  %8.1f us\n",
           (double)(clock_monotonic_ms() - begun) * 1000 / ROUND_TRIPS);
    b->bulk = true;
    b->received = 0;
    begun = clock_monotonic_ms();
    for (int i = 0; i < BULK_MESSAGES; i++)
        b->near->ops->send(b->near, false, (struct span){bytes, BULK_SIZE});
    loop_run(b->loop);
    double s = (double)(clock_monotonic_ms() - begun) / 1000;
    printf("64 KiB messages through the relay      %8.1f MB/s\n", BULK_MESSAGES * (double)BULK_SIZE / 1e6 / s);
}

static void measure_spares(struct bench *b, size_t spares, unsigned idle_ms)
{
    long before = relay_kib(b);
    uint64_t begun = clock_monotonic_ms();
    for (int i = 0; i < CROWDS; i++)
        start_crowd(b, spares / 2 / CROWDS, &b->crowds[i]);
    while (count_spares(b) < spares && clock_monotonic_ms() - begun < REGISTER_MS)
        usleep(20000);
    printf("registered spares                      %8zu in %.1f s\n", count_spares(b),
           (double)(clock_monotonic_ms() - begun) / 1000);
    printf("relay before and with them             %8ld KiB, %ld KiB\n", before, relay_kib(b));
    printf("memory per spare                       %8.2f KiB\n", (double)(relay_kib(b) - before) / (double)spares);
    double cpu = relay_cpu_s(b);
    usleep(idle_ms * 1000);
    printf("processor while they idle              %8.1f %% of a core (%u s)\n",
           (relay_cpu_s(b) - cpu) * 100000 / idle_ms, idle_ms / 1000);
    printf("still registered                       %8zu\n", count_spares(b));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_relay TANDEM-RELAY [SPARES | --smoke]\n");
        return 2;
    }
    bool smoke = argc > 2 && strcmp(argv[2], "--smoke") == 0;
    size_t spares = smoke ? SMOKE : argc > 2 ? (size_t)atol(argv[2]) : SPARES;
    struct bench b = {0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    crypto_init();
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_ERROR, "bench");
    start_relay(&b, argv[1]);
    measure_spares(&b, spares / 2 / CROWDS * 2 * CROWDS, smoke ? SMOKE_IDLE_MS : IDLE_MS);
    open_loop(&b, 8);
    listen_as(&b, &b.answering);
    measure_splice(&b);
    relay_client_stop(b.answering.client);
    secret_destroy(&b.answering.secret);
    loop_timer_destroy(b.timer);
    ws_client_destroy(b.dialler);
    loop_destroy(b.loop);
    for (int i = 0; i < CROWDS; i++)
        kill(b.crowds[i], SIGKILL);
    kill(b.relay, SIGTERM);
    while (wait(NULL) > 0)
        continue;
    return 0;
}
