// The one table of events. An event says that something happened; whoever needs the thing itself asks for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ipc_event_name {
    const char *name; // noun.verb
    const char *data; // its members, in words
    const char *about;
};

extern const struct ipc_event_name IPC_EVENTS[];
extern const size_t IPC_EVENT_COUNT;

bool ipc_event_known(const char *name);
