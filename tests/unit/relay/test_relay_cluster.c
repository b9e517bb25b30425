// Relays that share their listeners over NATS: three processes and a NATS server.
#include "relay_testing.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANDOVER "{\"command\":\"connection_handover\"}"
#define NOBODY "Close called: No listening connection for the specified publicKey."

enum { RELAYS = 3, SILENCE_MS = 25000, TRIES = 100 };

struct process {
    pid_t pid;
    char url[64];
};

struct cluster_bench {
    struct bench base; // without a relay of its own
    struct process nats, relays[RELAYS];
};

static int read_line(int fd, char *line, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && read(fd, line + n, 1) == 1 && line[n] != '\n')
        n++;
    line[n] = '\0';
    return (int)n;
}

static void start_relay(struct process *p, const char *nats)
{
    int out[2];
    char line[256];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    p->pid = fork();
    if (p->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(TANDEM_RELAY, TANDEM_RELAY, "--listen", "127.0.0.1:0", "--json", "--cluster", nats, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    assert_true(read_line(out[0], line, sizeof line) > 0);
    assert_int_equal(sscanf(line, "{\"event\":\"ready\",\"url\":\"%63[^\"]", p->url), 1);
    close(out[0]);
}

// nats-server says on stderr where it listens.
static bool start_nats(struct process *p)
{
    int err[2];
    char line[512] = "";
    const char *at = NULL;
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    p->pid = fork();
    if (p->pid == 0) {
        dup2(err[1], STDERR_FILENO);
        execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", "-1", (char *)NULL);
        _exit(127);
    }
    close(err[1]);
    while (at == NULL && read_line(err[0], line, sizeof line) > 0)
        at = strstr(line, "client connections on 127.0.0.1:");
    if (at == NULL)
        return false;
    snprintf(p->url, sizeof p->url, "nats://%.40s", at + 22);
    return true; // err[0] stays open for what the server writes later
}

static void end(struct process *p, int signal)
{
    if (p->pid <= 0)
        return;
    kill(p->pid, signal);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

static void open_cluster(struct cluster_bench *b)
{
    bench_open(&b->base, NULL);
    if (!start_nats(&b->nats)) {
        print_message("SKIPPED: the program nats-server is missing\n");
        exit(77);
    }
    for (int i = 0; i < RELAYS; i++)
        start_relay(&b->relays[i], b->nats.url);
}

static void close_cluster(struct cluster_bench *b)
{
    for (int i = 0; i < RELAYS; i++)
        end(&b->relays[i], SIGTERM);
    end(&b->nats, SIGTERM);
    bench_close(&b->base);
}

static void listen_at(struct cluster_bench *b, int relay, struct user *u)
{
    user_dial_url(&b->base, u, b->relays[relay].url);
    user_register(u, &b->base.bob);
}

// A subscription may take a moment to be known everywhere, so the first requests may find nobody.
static void request_at(struct cluster_bench *b, int relay, struct user *requester, struct user *listener)
{
    char *request = request_text(&b->base.alice, &b->base.bob);
    for (int i = 0; i < TRIES && listener->count == listener->read; i++) {
        user_dial_url(&b->base, requester, b->relays[relay].url);
        user_send(requester, request);
        while (!requester->closed && listener->count == listener->read)
            run_for(b->base.loop, 10);
        if (!requester->closed)
            break;
        assert_string_equal(buf_cstr(&requester->reason), NOBODY);
        user_free(requester);
    }
    user_expect(listener, HANDOVER);
    user_expect(listener, request);
    free(request);
}

static void a_listener_is_reached_from_another_relay(void **state)
{
    (void)state;
    struct cluster_bench b = {0};
    struct user listener, requester;
    open_cluster(&b);
    listen_at(&b, 0, &listener);
    request_at(&b, 1, &requester, &listener);
    user_send(&listener, "{\"command\":\"communication_ready\"}");
    user_expect(&requester, "{\"command\":\"communication_ready\"}");
    user_send_bytes(&requester, SPAN("\0\1\2"));
    user_next(&listener);
    assert_false(listener.text[listener.read - 1]);
    assert_memory_equal(listener.messages[listener.read - 1].data, "\0\1\2", 3);
    char *big = calloc(1, 1000001); // more than a frame; twice more than the window
    memset(big, 'b', 1000000);
    user_send(&requester, big);
    user_send(&requester, big);
    user_send(&requester, "");
    user_expect(&listener, big);
    user_expect(&listener, big);
    user_expect(&listener, "");
    user_send(&listener, big);
    user_expect(&requester, big);
    free(big);
    listener.transport->ops->close(listener.transport, "my own reason");
    user_expect_close(&requester, "my own reason");
    user_free(&listener);
    user_free(&requester);
    close_cluster(&b);
}

static void an_unknown_key_is_refused_at_once(void **state)
{
    (void)state;
    struct cluster_bench b = {0};
    struct user requester;
    open_cluster(&b);
    char *request = request_text(&b.base.alice, &b.base.bob);
    user_dial_url(&b.base, &requester, b.relays[2].url);
    user_send(&requester, request);
    uint64_t begun = loop_now(b.base.loop);
    user_expect_close(&requester, NOBODY);
    assert_true(loop_now(b.base.loop) - begun < 8000);
    free(request);
    user_free(&requester);
    close_cluster(&b);
}

static void a_slow_listener_holds_a_distant_requester_back(void **state)
{
    enum { COUNT = 600, SIZE = 65536 };
    (void)state;
    struct cluster_bench b = {0};
    struct user listener, requester;
    open_cluster(&b);
    listen_at(&b, 0, &listener);
    request_at(&b, 1, &requester, &listener);
    char *bytes = calloc(1, SIZE);
    listener.transport->ops->pause(listener.transport, true);
    for (int i = 0; i < COUNT; i++)
        user_send_bytes(&requester, (struct span){bytes, SIZE});
    run_for(b.base.loop, 1000);
    assert_true(requester.transport->ops->queued(requester.transport) > COUNT * SIZE / 4);
    listener.transport->ops->pause(listener.transport, false);
    while (listener.count < COUNT + listener.read)
        run_for(b.base.loop, 20);
    free(bytes);
    user_free(&requester);
    user_free(&listener);
    close_cluster(&b);
}

static void the_others_go_on_when_one_relay_is_killed(void **state)
{
    (void)state;
    struct cluster_bench b = {0};
    struct user first, second, requester, again;
    open_cluster(&b);
    listen_at(&b, 0, &first);
    request_at(&b, 2, &requester, &first);
    listen_at(&b, 1, &second);
    end(&b.relays[0], SIGKILL);
    run_until(b.base.loop, &first.closed);
    uint64_t begun = loop_now(b.base.loop);
    while (!requester.closed && loop_now(b.base.loop) - begun < SILENCE_MS)
        run_for(b.base.loop, 50);
    assert_true(requester.closed);
    assert_int_equal(requester.code, 1000);
    request_at(&b, 2, &again, &second);
    user_send(&again, "there you are");
    user_expect(&second, "there you are");
    user_free(&first);
    user_free(&second);
    user_free(&requester);
    user_free(&again);
    close_cluster(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_reached_from_another_relay),
        cmocka_unit_test(an_unknown_key_is_refused_at_once),
        cmocka_unit_test(a_slow_listener_holds_a_distant_requester_back),
        cmocka_unit_test(the_others_go_on_when_one_relay_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
