// tandem-discovery: announces a listener in the local network and tells which others are there. The supervisor starts
// it where discovery is on, reads its lines (found.h), and ends it.
//
// A process of its own, because Avahi's library waits for D-Bus whenever it asks something, and because it reads what
// strangers announce: it has no keys and no files, and what it may do is its row in proto/wall/rights.c. An
// announcement lives as long as its connection with Avahi, so the end of this process withdraws it.
#include <avahi-common/simple-watch.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/options.h"
#include "supervisor/discovery/look.h"
#include "supervisor/discovery/said.h"
#include "wall/wall.h"

static const char usage[] =
    "usage: tandem-discovery [--name NAME --host HOST --port PORT]\n"
    "Tells in lines of JSON which listeners there are in the local network, and announces that one, until standard\n"
    "input ends. 'tandem discovery on' has the supervisor start it.\n";

struct arguments {
    const char *name;
    const char *host;
    size_t port;
    bool help;
};

static enum status parse(int argc, char **argv, struct arguments *a, struct error *e)
{
    const struct option_row rows[] = {
        {"name", OPTION_TEXT, &a->name},
        {"host", OPTION_TEXT, &a->host},
        {"port", OPTION_NUMBER, &a->port},
        {"help", OPTION_FLAG, &a->help},
        {0},
    };
    if (options_read(argc, argv, rows, e) != STATUS_OK)
        return e->status;
    if (a->port > UINT16_MAX || (a->port != 0) != (a->name != NULL && a->host != NULL))
        return error_set(e, STATUS_INVALID, "USAGE", "--name, --host and --port belong together");
    return STATUS_OK;
}

static void stdin_moved(AvahiWatch *w, int fd, AvahiWatchEvent event, void *ctx)
{
    char unread[256];
    (void)w;
    (void)event;
    if (read(fd, unread, sizeof unread) <= 0)
        avahi_simple_poll_quit(ctx);
}

// true: it was told to end. What failed has been said.
static bool run(AvahiSimplePoll *loop, struct announce *a, struct error *e)
{
    const AvahiPoll *poll = avahi_simple_poll_get(loop);
    AvahiWatch *input = poll->watch_new(poll, STDIN_FILENO, AVAHI_WATCH_IN, stdin_moved, loop);
    a->poll = poll;
    struct look *l = look_create(loop, a);
    bool failed = input == NULL || wall_give_up(WALL_CONNECTED, e) != STATUS_OK;
    failed = failed || avahi_simple_poll_loop(loop) < 0 || look_has_failed(l);
    look_destroy(l);
    return !failed;
}

// The address is looked up outside the walls: within there is nothing but D-Bus, and once that is reached no other
// socket, so that neither the control socket nor a service of the desktop is within reach of who got in.
static enum status prepare(const struct arguments *given, struct announce *a, struct error *e)
{
    if (given->port != 0 && reach_find(given->host, &a->reach, e) != STATUS_OK)
        return e->status;
    if (a->reach.hidden)
        said_state("hidden");
    else if (given->port != 0) {
        a->port = (uint16_t)given->port;
        a->name = mem_text(span_of(given->name));
    }
    return wall_enter(WALL_DISCOVERY, NULL, 0, e);
}

int main(int argc, char **argv)
{
    struct arguments given = {0};
    struct announce a = {0};
    struct error e = {0};
    inherited_settle();
    if (parse(argc, argv, &given, &e) == STATUS_OK && given.help) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    AvahiSimplePoll *loop = avahi_simple_poll_new();
    bool done = loop != NULL && e.status == STATUS_OK && prepare(&given, &a, &e) == STATUS_OK && run(loop, &a, &e);
    if (loop != NULL)
        avahi_simple_poll_free(loop);
    free(a.name);
    if (e.status != STATUS_OK) {
        said_away(e.message);
        fprintf(stderr, "tandem-discovery: %s\n", e.message);
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
