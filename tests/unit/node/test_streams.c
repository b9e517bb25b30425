// Streams whose times are short: a ticket that is too old, a connection that says nothing, one that stands still, and
// an end of the node in the middle. The whole of them is in tests/scenario/nodes_streams.py.
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "ipc/socket.h"
#include "tests/unit/cmocka_all.h"

enum { FOREVER_MS = 60000 };

struct room { // a node whose streams have other times
    struct harness *h;
    char path[60];
    int fd;
};

static struct room *open_room(struct streams_tuning tuning)
{
    struct error e;
    struct room *r = mem_alloc(sizeof *r);
    r->h = harness_create();
    harness_provision(r->h);
    struct node *n = r->h->node;
    snprintf(r->path, sizeof r->path, "%s/files", r->h->dir);
    r->fd = ipc_socket_listen(r->path, &e);
    assert_true(r->fd >= 0);
    streams_stop(n->streams);
    streams_destroy(n->streams);
    n->streams = streams_create(n, r->fd, r->path, tuning);
    return r;
}

static void close_room(struct room *r)
{
    close(r->fd);
    harness_destroy(r->h);
    free(r);
}

// What a client says, in a thread of its own, and what it hears until the end.
struct client {
    const struct room *room;
    char text[80]; // the ticket and a line feed, or less
    bool ends;     // its sending
    bool outlives; // the node; else the loop is stopped when all was heard
    char heard[400];
};

static void *speak(void *arg)
{
    struct client *c = arg;
    struct error e;
    int fd = ipc_socket_dial(c->room->path, &e);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    send(fd, c->text, strlen(c->text), MSG_NOSIGNAL);
    if (c->ends)
        shutdown(fd, SHUT_WR);
    for (size_t have = 0; poll(&p, 1, FOREVER_MS) == 1;) {
        ssize_t n = recv(fd, c->heard + have, sizeof c->heard - 1 - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    close(fd);
    if (!c->outlives)
        loop_stop(c->room->h->node->loop);
    return NULL;
}

static void hears(struct client *c, const char *what)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, speak, c), 0);
    loop_run(c->room->h->node->loop);
    pthread_join(thread, NULL);
    assert_non_null(strstr(c->heard, what));
}

static void take_ticket(struct client *c, char blob[UPLOAD_NAME + 1])
{
    json_t *begun = harness_call(c->room->h, "blob.begin", NULL, NULL);
    snprintf(blob, UPLOAD_NAME + 1, "%s", json_string_value(json_object_get(begun, "blob")));
    json_t *way = harness_call(c->room->h, "blob.stream", json_pack("{s:s}", "blob", blob), NULL);
    assert_string_equal(json_string_value(json_object_get(way, "socket")), c->room->path);
    snprintf(c->text, sizeof c->text, "%s\n", json_string_value(json_object_get(way, "ticket")));
}

static void is_forgotten(const struct room *r, const char *blob)
{
    const char *code;
    assert_null(harness_call(r->h, "blob.commit", json_pack("{s:s}", "blob", blob), &code));
    assert_string_equal(code, "NOT-FOUND");
}

static void become_old(void)
{
    uint64_t since = clock_monotonic_ms();
    while (clock_monotonic_ms() <= since + 2)
        ;
}

static void takes_no_ticket_that_is_too_old(void **state)
{
    (void)state;
    char blob[UPLOAD_NAME + 1];
    struct room *r =
        open_room((struct streams_tuning){.ticket_ms = 1, .greeting_ms = FOREVER_MS, .stall_ms = FOREVER_MS});
    struct client c = {.room = r, .ends = true};
    take_ticket(&c, blob);
    become_old();
    hears(&c, "REFUSED");
    for (int i = 0; i < 2 * STREAMS_MAX; i++, become_old()) // nor do old ones keep others away
        take_ticket(&c, blob);
    close_room(r);
}

static void ends_who_says_nothing(void **state)
{
    (void)state;
    struct room *r =
        open_room((struct streams_tuning){.ticket_ms = FOREVER_MS, .greeting_ms = 50, .stall_ms = FOREVER_MS});
    struct client c = {.room = r, .text = "half of a ticket"};
    hears(&c, "stood still");
    close_room(r);
}

static void ends_who_stands_still(void **state)
{
    (void)state;
    char blob[UPLOAD_NAME + 1];
    struct room *r =
        open_room((struct streams_tuning){.ticket_ms = FOREVER_MS, .greeting_ms = FOREVER_MS, .stall_ms = 50});
    struct client c = {.room = r};
    take_ticket(&c, blob);
    hears(&c, "stood still");
    is_forgotten(r, blob);
    close_room(r);
}

static void ends_with_its_node(void **state)
{
    (void)state;
    char blob[UPLOAD_NAME + 1];
    const char *code = "";
    pthread_t thread;
    struct room *r =
        open_room((struct streams_tuning){.ticket_ms = FOREVER_MS, .greeting_ms = FOREVER_MS, .stall_ms = FOREVER_MS});
    struct client c = {.room = r, .outlives = true};
    take_ticket(&c, blob);
    assert_int_equal(pthread_create(&thread, NULL, speak, &c), 0);
    while (strcmp(code, "BUSY") != 0) // until it flows
        harness_call(r->h, "blob.chunk", json_pack("{s:s, s:i, s:s}", "blob", blob, "offset", 0, "data", ""), &code);
    close_room(r);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_no_ticket_that_is_too_old),
        cmocka_unit_test(ends_who_says_nothing),
        cmocka_unit_test(ends_who_stands_still),
        cmocka_unit_test(ends_with_its_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
