// Invitations that outlive a run of the node, because their maker asked for it (pairing.invite with keep).
//
// Their tokens are a setting of the node's store, [[token, expires, guest or null, inviting person], …], until they are
// used or expire. They are no keys: who reads the store's files can pair as somebody who found the invitation could.
// Loop thread.
#pragma once

#include "conn/tokens.h"
#include "node/node.h"

enum { KEPT_MAX = 100 };

struct kept;

struct kept *kept_create(struct node *n);
void kept_destroy(struct kept *k);                   // no store job may be under way; NULL-safe
struct tokens_hooks kept_hooks(struct kept *k);      // for tokens_create
void kept_load(struct kept *k, struct tokens *into); // restores what an earlier run kept; soon, not at once

// A pairing uses a token: what is stored together with the contact, so that neither is there without the other. NULL if
// the token is not kept; else a text to be passed to kept_write on the store thread and then to kept_used, with whether
// it is used up.
char *kept_use(struct kept *k, const struct pairing_token *token);
enum status kept_write(struct store *s, const char *text, struct error *e);
void kept_used(struct kept *k, const struct pairing_token *token, char *text, bool gone);

bool kept_has(const struct kept *k, const struct pairing_token *token);

// Calls done once the token is stored for good, or could not be: code TOO-MANY-INVITATIONS.
typedef void (*kept_done)(void *ctx, const struct error *why); // why: NULL = stored
void kept_add(struct kept *k, const struct pairing_token *token, kept_done done, void *ctx);
