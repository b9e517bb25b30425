// Messages on their way from 'chat send' to a node.
#pragma once

#include "supervisor/ctl/ctl.h"

struct sending {
    struct ctl *ctl;
    json_t *attachments; // of each message
    bool warned;         // that the person is disabled
};

// What chat.send is asked, a new object.
json_t *sending_message(const struct sending *s, const char *text);
// Asks for it to be sent; NULL with e filled. The message gets its opId then: begun again it is stored once.
struct ipc_call *sending_begin(const struct sending *s, json_t *message, struct error *e);
// Says on stdout what became of it. result: of ipc_client_take, taken over; NULL returns e's status. line: of stdin, 0
// = it is no line.
enum status sending_end(struct sending *s, json_t *result, size_t line, struct error *e);
