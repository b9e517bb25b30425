// What goes over the connection of a stream. Blocks, in the thread of the stream; a stalled other side is
// STATUS_TIMEOUT "CLOSED", one that went STATUS_CLOSED "CLOSED".
#pragma once

#include "node/streams.h"

void streams_limit(int fd, unsigned ms); // within which something has to move, either way
enum status streams_hear_ticket(int fd, char ticket[STREAM_TICKET + 1], struct error *e);
// Adds what comes until its end, and makes it durable.
enum status streams_receive(int fd, struct upload *u, struct error *e);
// Says how much comes, and sends it. OBJECT-DAMAGED: then the last bytes did not go.
enum status streams_send(int fd, struct store_reader *reader, struct error *e);
// Ends and closes it. Linux resets a connection that is closed with something unread, so that is read first: it is no
// more than the socket holds.
void streams_hang_up(int fd);
// The last word on what came in: its size, or why it was refused. After an error it goes on taking what is sent for a
// while, for who hears only after having said all.
void streams_say(int fd, uint64_t size, const struct error *error);
