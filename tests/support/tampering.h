// Hands on the line of a real connection: a transport around a transport that damages what its user sends.
#pragma once

#include "conn/transport.h"

enum tampering {
    TAMPER_NOT,
    TAMPER_FLIP,     // one bit of the next message is another
    TAMPER_TRUNCATE, // its last byte is missing
    TAMPER_REPLAY,   // it is sent twice
    TAMPER_LOSE,     // it is not sent
    TAMPER_SWAP,     // it is sent after the one that follows it
    TAMPER_MUTE,     // nothing is sent any more
};

struct tampering_plan { // shared by the transports around which it is put; may be changed at any time
    enum tampering how;
    unsigned after; // so many messages go through unharmed first
};

// Takes inner over. The plan is borrowed and outlives the transport, which frees itself after its closed event.
struct transport *tampering_around(struct transport *inner, struct tampering_plan *plan);
