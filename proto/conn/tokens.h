// The tokens of invitations given out (WIRE.md 6.1): each is good for one pairing with one local person until it
// expires. Times are wall time in ms, because tokens may outlive a run through the hooks.
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

enum { TOKEN_LENGTH = 64, TOKEN_TTL_MS = 15 * 60 * 1000 };

struct pairing_token {
    char text[TOKEN_LENGTH + 1];
    struct hash person; // local
    struct hash guest;  // who may use it, and may come with a new instance though it is a contact; zero = anybody else
    int64_t expires_ms;
};

struct tokens_hooks { // to keep them; each may be NULL
    void (*added)(void *ctx, const struct pairing_token *t);
    void (*removed)(void *ctx, const struct pairing_token *t); // used, revoked or expired
    void *ctx;
};

struct tokens;

struct tokens *tokens_create(size_t limit, struct tokens_hooks hooks); // limit: tokens alive at a time
void tokens_destroy(struct tokens *t);                                 // NULL-safe; calls no hook

// guest: NULL = anybody. ttl_ms 0 = TOKEN_TTL_MS. STATUS_FULL "TOO-MANY-INVITATIONS" at the limit.
enum status tokens_issue(struct tokens *t, const struct hash *person, const struct hash *guest, int64_t ttl_ms,
                         int64_t now_ms, struct pairing_token *out, struct error *e);
bool tokens_restore(struct tokens *t, const struct pairing_token *kept); // no hook; false at the limit
bool tokens_revoke(struct tokens *t, struct span text);                  // false: there is no such token
// Those alive, in no order; reserved: a pairing is using it.
void tokens_each(const struct tokens *t, void (*visit)(void *ctx, const struct pairing_token *token, bool reserved),
                 void *ctx);
void tokens_expire(struct tokens *t, int64_t now_ms);
size_t tokens_count(const struct tokens *t);
bool tokens_has(const struct tokens *t, const struct pairing_token *token);           // it was not revoked
bool tokens_expect(const struct tokens *t, const struct hash *guest, int64_t now_ms); // one is for this guest

// A pairing reserves the token it was shown, so that nobody else can use it meanwhile, then consumes it, or releases it
// when the attempt fails. Compares in constant time. The messages of failures are the texts of WIRE.md 6.7.
enum status tokens_reserve(struct tokens *t, struct span text, const struct hash *person, const struct hash *guest,
                           int64_t now_ms, struct pairing_token *reserved, struct error *e);
void tokens_release(struct tokens *t, const struct pairing_token *reserved);
void tokens_consume(struct tokens *t, const struct pairing_token *reserved);
