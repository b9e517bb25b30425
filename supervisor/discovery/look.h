// What Avahi sees of the services of our kind, told line by line (said.h), over one connection with D-Bus.
#pragma once

#include <avahi-common/simple-watch.h>

#include "supervisor/discovery/announce.h"

struct look;

// Both borrowed. Connects, which may wait for D-Bus and Avahi. When the connection fails, now or later, it says so and
// the loop ends.
struct look *look_create(AvahiSimplePoll *loop, struct announce *announce);
bool look_has_failed(const struct look *l);
void look_destroy(struct look *l);
