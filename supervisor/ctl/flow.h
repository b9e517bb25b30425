// A file's bytes past the supervisor, as docs/ipc.md, "Files", tells: blob.stream gives a socket of the node and a
// ticket.
#pragma once

#include "base/bytes.h"
#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/progress.h"

struct transfer {     // of one file, by a stream or in pieces
    int fd;           // the file here
    const char *file; // what people call it
    uint64_t done;
    uint64_t total; // 0 = nobody knows, as of a pipe
    struct progress *progress;
};

// As ctl_call, asked again while the node fetches the file: a big one that lies at the archive takes longer to come
// than an answer may.
json_t *flow_call(struct ctl *c, const char *method, json_t *params, struct error *e);
// Asks for a stream, connects and gives the ticket. *stream -1 with STATUS_OK: there is none to be had, and pieces are
// what is left. Else it is what the node says of the file, and pieces would fare no better. params is taken over.
enum status flow_open(struct ctl *c, json_t *params, int *stream, struct error *e);
// Sends the file to its end, and waits until the node has it on its disk. Does not close stream.
enum status flow_fill(int stream, struct transfer *t, struct error *e);
// Writes what comes. t->total is what the node says; t->done < t->total afterwards: the node broke off, CLOSED.
enum status flow_draw(int stream, struct transfer *t, struct error *e);

enum status transfer_write(struct transfer *t, struct span bytes, struct error *e); // to the file
// Up to room bytes from the file, fewer only at its end.
enum status transfer_read(struct transfer *t, char *data, size_t room, size_t *len, struct error *e);
void transfer_moved(struct transfer *t, size_t bytes);
