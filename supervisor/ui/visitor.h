// One WebSocket of the page. Its first message is the request "ui.enter" with {"link"} or {"session"}, answered with
// {"session","version","messageMax"}; those after it are requests of docs/ipc.md, passed on over a connection to the
// control endpoint that is this visitor's alone, as are the answers. Whoever does not enter in time, or with something
// else, is closed.
#pragma once

#include "conn/transport.h"
#include "supervisor/ui/pass.h"

struct visitor;

struct visitors { // what they share; zero-initialised but for these
    struct loop *loop;
    struct pass *pass;
    const char *control; // socket file of the control endpoint
    size_t message_max;  // bytes of a request, told to the page
    struct visitor *first;
    size_t entered;
    struct loop_timer *quiet; // there after a line about a refusal: the next ones are only counted
    size_t refused;           // since that line
};

void visitor_come(struct visitors *all, struct transport *t);
void visitors_destroy(struct visitors *all); // nothing is called any more
