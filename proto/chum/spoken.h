// What a session says and hears, message by message, for the log at level debug: event chum.sent or chum.received with
// conn, kind (request, data, error, stream, …), service, call, bytes, and ms of an answer since its request.
#pragma once

#include "conn/conn.h"

struct spoken;

struct spoken *spoken_create(struct conn *c); // NULL when nobody would read it
void spoken_destroy(struct spoken *s);        // NULL-safe, as all of these
void spoken_sent(struct spoken *s, bool text, struct span message);
void spoken_heard(struct spoken *s, bool text, struct span message);
void spoken_heard_piece(struct spoken *s, struct span piece, bool first, bool last); // of a long text
