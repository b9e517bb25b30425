// The one table of events. An event says that something happened; whoever needs the thing itself asks for it.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct ipc_event_name {
    const char *name; // noun.verb
    const char *data; // its members, in words
    const char *about;
};

extern const struct ipc_event_name IPC_EVENTS[];
extern const size_t IPC_EVENT_COUNT;

// The line of the log about an event: its name, and of data what is a text or a number.
void ipc_event_log(const char *name, const json_t *data);
