// Invitations (WIRE.md 6.1, 6.2): {"token","publicKey","url"} as JSON or percent-encoded behind the # of a link.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/box.h"

struct invitation { // invitation_free releases the texts
    char *token;
    struct public_key public_key; // of the inviting instance
    char *url;                    // ws:// or wss://
    bool own_device;              // the link says inviteDevice (mode IoM); changes nothing in the protocol
};

// Bare JSON or a link, white space around it ignored. Exactly the three members, nothing else. Code "BAD-INVITATION".
enum status invitation_parse(struct span text, struct invitation *out, struct error *e);
void invitation_free(struct invitation *i);

void invitation_json(const struct invitation *i, struct buf *out);
void invitation_link(const struct invitation *i, struct buf *out); // the form LAMA makes and reads
