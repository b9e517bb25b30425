// What chats and topics share: files sent along, and messages for reading.
#pragma once

#include "supervisor/ctl/ctl.h"

// Stores every --attach file, with its --thumbnail, and returns [{hash,name,type,thumbnail:{hash,type}}], or NULL with
// e filled.
json_t *attach_files(struct ctl *c, struct error *e);
// names: of names_load.
// The answer to chat.send or topic.send: its line of stdin, if any, how far it is, and its id. result is taken over.
enum status message_sent(const struct ctl *c, json_t *result, const struct error *e);
void message_print(const json_t *message, const json_t *names);
// The newest --limit messages of chat.list or topic.read: an array in JSON, lines for people. kind: "with" or "topic",
// of where.
enum status messages_print(struct ctl *c, const char *method, const char *kind, const char *where, struct error *e);
// What people were shown on a terminal is read; a program has to say so itself.
void messages_seen(struct ctl *c, const char *kind, const char *where, const json_t *messages);
