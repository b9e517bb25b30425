// The bytes of an SP connection over a Unix stream socket, as docs/ipc.md tells them: a greeting of eight bytes both
// ways, then messages, each behind its length. Pure: no socket in here.
#pragma once

#include "base/bytes.h"

// Who speaks: what the one says of itself, the other must say the counterpart.
// On the wire: the greeting of a socket.
enum sp_protocol { SP_PAIR1 = 0x11, SP_PUB = 0x20, SP_SUB = 0x21, SP_REQ = 0x30, SP_REP = 0x31 };

enum { SP_GREETING_SIZE = 8, SP_HEAD_SIZE = 9 };

void sp_greeting(enum sp_protocol own, unsigned char out[SP_GREETING_SIZE]);
void sp_head(size_t length, unsigned char out[SP_HEAD_SIZE]);

// Takes bytes as they come. Memory grows with what came, never with what was announced, and is wiped when it is let go:
// messages may hold secrets.
struct sp_reader {
    enum sp_protocol expected; // of the other side
    size_t max;                // of a message
    bool greeted;
    size_t have; // bytes of the greeting or head in front, and of the message behind it
    uint64_t length;
    unsigned char front[SP_HEAD_SIZE];
    char *message;
    size_t size; // allocated
};

enum sp_progress { SP_MORE, SP_GREETED, SP_MESSAGE, SP_BROKEN };

// Takes bytes off the front of *bytes up to the next thing there is to tell. After SP_MESSAGE the message is
// sp_reader_message until the next call; after SP_BROKEN the connection is of no use.
enum sp_progress sp_reader_take(struct sp_reader *r, struct span *bytes);
struct span sp_reader_message(const struct sp_reader *r);
bool sp_reader_amid(const struct sp_reader *r); // something has begun and is not complete
void sp_reader_clear(struct sp_reader *r);

// The requests of REQ sockets begin with words of four bytes; the last has the highest bit set. Splits them off the
// front of *message; false when they are no such thing. An answer begins with the same words.
enum { SP_WORDS_MAX = 8 * 4 };
bool sp_split_words(struct span *message, struct span *words);
