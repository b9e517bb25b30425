// What chats and topics share: files sent along, and messages for reading.
#pragma once

#include "supervisor/ctl/ctl.h"

// Stores every --attach file and returns [{hash,name,type}], or NULL with e filled.
json_t *attach_files(struct ctl *c, struct error *e);
void message_print(const json_t *message);
// A page of messages: an array in JSON, lines for people. page is taken over; NULL returns e's status.
enum status messages_print(const struct ctl *c, json_t *page, const struct error *e);
