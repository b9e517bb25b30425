// Messages on their way from 'chat send' to a node.
#pragma once

#include "supervisor/ctl/ctl.h"

struct sending {
    struct ctl *ctl;
    json_t *attachments; // of each message
    bool warned;         // that the person is disabled
};

// Asks for one to be sent; NULL with e filled. The answer is waited for with the other, which says what became of it on
// stdout. line: of stdin, 0 = it is no line.
struct ipc_call *sending_begin(const struct sending *s, const char *text, struct error *e);
enum status sending_end(struct sending *s, struct ipc_call *call, size_t line, struct error *e);
