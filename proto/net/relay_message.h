// The messages between a relay and its clients (WIRE.md 7.1 – 7.5): JSON texts in clear.
#pragma once

#include "crypto/box.h"

enum relay_command {
    RELAY_REGISTER,                // first = the listener's key
    RELAY_AUTHENTICATION_REQUEST,  // first = the relay's key, second = the sealed challenge
    RELAY_AUTHENTICATION_RESPONSE, // first = the sealed response
    RELAY_AUTHENTICATION_SUCCESS,  // ping_interval
    RELAY_PING,
    RELAY_PONG,
    RELAY_CONNECTION_HANDOVER,
    RELAY_COMMUNICATION_REQUEST, // first = source key, second = target key
    RELAY_COMM_PONG,             // known to the reference, never used
};

enum { RELAY_MESSAGE_MAX = 4096, RELAY_CHALLENGE = 64, RELAY_SEALED = BOX_EMBEDDED + RELAY_CHALLENGE };

struct relay_message {
    enum relay_command command;
    struct buf first, second; // decoded from hex, of any length
    uint64_t ping_interval;   // ms
};

// Other members and their order do not matter. STATUS_INVALID "NOT-JSON" with the parser's message, or "BAD-MESSAGE"
// for an unknown command or a missing or malformed member; then out holds nothing. Free it with relay_message_free.
enum status relay_message_parse(struct span text, struct relay_message *out, struct error *e);
void relay_message_free(struct relay_message *m);
const char *relay_command_name(enum relay_command command);

// Appends the JSON text; members that the command does not have are ignored. Keys are written in lower case.
void relay_message_write(const struct relay_message *m, struct buf *out);

bool relay_key(const struct buf *bytes, struct public_key *out); // false unless there are 32 bytes

// The answer to a challenge: opened, inverted, sealed for the sender again. Errors: CYENC-SYMDEC, CYENC-ENSPUB,
// BAD-CHALLENGE (not 64 bytes).
enum status relay_answer(const struct buf *challenge, const struct public_key *relay, const struct secret *own,
                         struct buf *response, struct error *e);
