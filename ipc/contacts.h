// What both a node and the supervisor say about a contact, from the members that contacts.list shows.
#pragma once

#include <jansson.h>

// "connected" now, "seen" before, "paired" but never here since, or "unknown": nobody of us is paired with it.
const char *ipc_contact_level(const json_t *contact);

// Its safety text and when it was seen, where the contact has none or an earlier time.
void ipc_contact_fill(json_t *contact, const json_t *other);

// Adds to a contact as one own node shows it what the other one, which may be away (NULL), says of the same.
void ipc_contact_join(json_t *contact, const json_t *other);
