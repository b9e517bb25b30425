// A search looks at every slot and compares in constant time, so that nobody can feel the way to a token. One that is
// reserved neither expires nor serves anybody else until it is released or used up.
#include "conn/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

struct slot {
    struct pairing_token token;
    bool reserved;
};

struct tokens {
    struct slot *slots;
    size_t count, limit;
    struct tokens_hooks hooks;
};

struct tokens *tokens_create(size_t limit, struct tokens_hooks hooks)
{
    struct tokens *t = mem_alloc(sizeof *t);
    t->slots = mem_array(limit, sizeof *t->slots);
    t->limit = limit;
    t->hooks = hooks;
    return t;
}

void tokens_destroy(struct tokens *t)
{
    if (t == NULL)
        return;
    secret_wipe(t->slots, t->limit * sizeof *t->slots);
    free(t->slots);
    free(t);
}

static void remove_at(struct tokens *t, size_t i)
{
    struct pairing_token gone = t->slots[i].token;
    t->slots[i] = t->slots[--t->count];
    if (t->hooks.removed != NULL)
        t->hooks.removed(t->hooks.ctx, &gone);
}

void tokens_expire(struct tokens *t, int64_t now_ms)
{
    for (size_t i = t->count; i-- > 0;)
        if (t->slots[i].token.expires_ms <= now_ms && !t->slots[i].reserved)
            remove_at(t, i);
}

bool tokens_restore(struct tokens *t, const struct pairing_token *kept)
{
    if (t->count == t->limit)
        return false;
    t->slots[t->count++] = (struct slot){.token = *kept};
    return true;
}

enum status tokens_issue(struct tokens *t, const struct hash *person, const struct hash *guest, int64_t ttl_ms,
                         int64_t now_ms, struct pairing_token *out, struct error *e)
{
    tokens_expire(t, now_ms);
    *out = (struct pairing_token){.person = *person, .expires_ms = now_ms + (ttl_ms != 0 ? ttl_ms : TOKEN_TTL_MS)};
    if (guest != NULL)
        out->guest = *guest;
    random_text(out->text, TOKEN_LENGTH);
    if (!tokens_restore(t, out))
        return error_set(e, STATUS_FULL, "TOO-MANY-INVITATIONS", "there are %zu unused invitations already", t->limit);
    if (t->hooks.added != NULL)
        t->hooks.added(t->hooks.ctx, out);
    return STATUS_OK;
}

size_t tokens_count(const struct tokens *t)
{
    return t->count;
}

bool tokens_expect(const struct tokens *t, const struct hash *guest, int64_t now_ms)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->slots[i].token.expires_ms > now_ms && hash_eq(&t->slots[i].token.guest, guest))
            return true;
    return false;
}

void tokens_each(const struct tokens *t, void (*visit)(void *ctx, const struct pairing_token *token, bool reserved),
                 void *ctx)
{
    for (size_t i = 0; i < t->count; i++)
        visit(ctx, &t->slots[i].token, t->slots[i].reserved);
}

// Looks at every slot whatever it finds; t->count when there is none.
static size_t find(const struct tokens *t, struct span text)
{
    size_t found = t->count;
    for (size_t i = 0; i < t->count; i++)
        if (bytes_eq_constant_time((struct span){t->slots[i].token.text, TOKEN_LENGTH}, text))
            found = i;
    return found;
}

bool tokens_has(const struct tokens *t, const struct pairing_token *token)
{
    return find(t, (struct span){token->text, TOKEN_LENGTH}) != t->count;
}

bool tokens_revoke(struct tokens *t, struct span text)
{
    size_t i = find(t, text);
    if (i == t->count)
        return false;
    remove_at(t, i);
    return true;
}

enum status tokens_reserve(struct tokens *t, struct span text, const struct hash *person, const struct hash *guest,
                           int64_t now_ms, struct pairing_token *reserved, struct error *e)
{
    tokens_expire(t, now_ms);
    size_t i = find(t, text);
    if (i == t->count || t->slots[i].reserved)
        return error_set(e, STATUS_REFUSED, "BAD-TOKEN", "Authentication token is not existing.");
    if (!hash_eq(&t->slots[i].token.person, person))
        return error_set(e, STATUS_REFUSED, "BAD-TOKEN",
                         "The authentication token was not generated for the requested person.");
    if (!hash_is_zero(&t->slots[i].token.guest) && !hash_eq(&t->slots[i].token.guest, guest))
        return error_set(e, STATUS_REFUSED, "BAD-TOKEN", "The invitation was made for somebody else.");
    t->slots[i].reserved = true;
    *reserved = t->slots[i].token;
    return STATUS_OK;
}

void tokens_release(struct tokens *t, const struct pairing_token *reserved)
{
    size_t i = find(t, (struct span){reserved->text, TOKEN_LENGTH});
    if (i != t->count)
        t->slots[i].reserved = false;
}

void tokens_consume(struct tokens *t, const struct pairing_token *reserved)
{
    size_t i = find(t, (struct span){reserved->text, TOKEN_LENGTH});
    if (i != t->count)
        remove_at(t, i);
}
