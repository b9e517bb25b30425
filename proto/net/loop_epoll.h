// An engine for loops of many sockets: libwebsockets on libev, so epoll. A turn costs by the sockets with news. Wants
// libwebsockets' plug-in for libev at run time (Debian: libwebsockets-evlib-ev). For who listens: that an address
// refuses its connection, libwebsockets 4.1 does not notice with it, so an attempt fails only when its time is over.
#pragma once

#include "net/loop.h"

extern const struct loop_engine LOOP_EPOLL;
