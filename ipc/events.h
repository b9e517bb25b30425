// The one table of events. An event says that something happened; whoever needs the thing itself asks for it.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct ipc_event_name {
    const char *name; // noun.verb
    const char *data; // its members, in words
    const char *about;
};

extern const struct ipc_event_name IPC_EVENTS[];
extern const size_t IPC_EVENT_COUNT;

// An event is called so, or some are of this kind: chat for chat.sent. NOT-FOUND, with what is called nearly so.
enum status ipc_event_type_check(const char *type, struct error *e);

// The line of the log about an event: its name, and of data what is a text or a number.
void ipc_event_log(const char *name, const json_t *data);
