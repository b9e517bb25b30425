// Invitations (WIRE.md 6.1, 6.2): {"token","publicKey","url"} as JSON, or percent-encoded behind the # of a link. The
// command line reads what people paste and writes what they hand on; a node reads what pairing.accept gives it.
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/box.h"

enum { INVITATION_TEXT_MAX = 64 << 10 }; // a mail, say

struct invitation { // invitation_free releases the texts
    char *token;
    struct public_key public_key; // of the inviting instance
    char *url;                    // ws:// or wss://
    bool own_device;              // the link says inviteDevice (mode IoM); changes nothing in the protocol
};

// Both leave *out without texts on failure and never keep what they read from. Code "BAD-INVITATION".
enum status invitation_read(const json_t *object, struct invitation *out, struct error *e); // exactly the three members
// What people paste: the JSON or the link, with whatever mail, chats and terminals did to it (ipc/unbend.h), whatever
// is around it, and further members. The message says what is wrong with the piece that came closest; "BAD-TEXT" if
// there is none and something is not UTF-8.
enum status invitation_parse(struct span text, struct invitation *out, struct error *e);
void invitation_free(struct invitation *i);

// A new object; its members have the order of the reference.
json_t *invitation_object(const char *token, const struct public_key *key, const char *url);
void invitation_print(const struct invitation *i, struct buf *out); // the object as compact JSON
void invitation_link(const struct invitation *i, struct buf *out);  // the form LAMA makes and reads
