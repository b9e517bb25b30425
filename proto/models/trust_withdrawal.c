// Trust that is taken back: certificates stay for ever, so what they said before is overruled by a setting. It lies in
// the Settings object "trust.withdrawn.ISSUER", which only the issuer writes and only its own other node imports:
//
//   PERSON.KEY → "withdrawn TIME", or "restored TIME" once the key proved itself anew
//
// Both own nodes forget together, and one of them pairs again: what it restored later the other does not hold against
// the person either.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/own_node.h"
#include "models/settings.h"
#include "models/trust.h"

#define WITHDRAWN "withdrawn"
#define RESTORED "restored"

enum { STORE_NAME = sizeof "trust.withdrawn." + HASH_HEX, KEY_NAME = HASH_HEX + 1 + 2 * SIGN_PUBLIC + 1 };

static struct span store_name(const struct hash *issuer, char out[STORE_NAME])
{
    snprintf(out, STORE_NAME, "trust.withdrawn.%s", hash_text(issuer).s);
    return span_of(out);
}

static struct span key_name(const struct hash *person, const struct sign_public *key, char out[KEY_NAME])
{
    char hex[2 * SIGN_PUBLIC + 1];
    hex_encode(key->b, SIGN_PUBLIC, hex);
    snprintf(out, KEY_NAME, "%s.%s", hash_text(person).s, hex);
    return span_of(out);
}

// When a decision was made; none has a time before those that have.
static int64_t time_of(struct model *m, struct span value)
{
    const char *text = arena_printf(m->arena, SPAN_FMT, SPAN_ARG(value)).ptr;
    return strtoll(text + strcspn(text, " "), NULL, 10);
}

static bool is_withdrawal(struct span value)
{
    return span_starts_with(value, SPAN(WITHDRAWN));
}

// By the other own node, later.
static bool was_restored_since(struct model *m, struct span key, struct span withdrawal)
{
    char store[STORE_NAME];
    struct hash other;
    struct span value;
    return sharing_own_node(m, &other, NULL) == STATUS_OK &&
           settings_get(m, store_name(&other, store), key, &value, NULL) == STATUS_OK &&
           span_starts_with(value, SPAN(RESTORED)) && time_of(m, value) > time_of(m, withdrawal);
}

bool trust_is_withdrawn(struct model *m, const struct hash *issuer, const struct hash *person,
                        const struct sign_public *key)
{
    char store[STORE_NAME];
    char name[KEY_NAME];
    struct span value;
    return settings_get(m, store_name(issuer, store), key_name(person, key, name), &value, NULL) == STATUS_OK &&
           is_withdrawal(value);
}

bool trust_is_refused(struct model *m, const struct hash *person, const struct sign_public *key)
{
    char store[STORE_NAME];
    char name[KEY_NAME];
    struct span value;
    return settings_get(m, store_name(&m->self->person, store), key_name(person, key, name), &value, NULL) ==
               STATUS_OK &&
           is_withdrawal(value) && !was_restored_since(m, key_name(person, key, name), value);
}

bool trust_was_withdrawn(struct model *m, const struct hash *person)
{
    char store[STORE_NAME];
    struct settings all;
    const struct hash_text text = hash_text(person);
    bool found = false;
    if (settings_list(m, store_name(&m->self->person, store), &all, NULL) != STATUS_OK)
        return false;
    for (size_t i = 0; i < all.count && !found; i++)
        found = span_starts_with(all.items[i].key, span_of(text.s)) && is_withdrawal(all.items[i].value) &&
                !was_restored_since(m, all.items[i].key, all.items[i].value);
    return found;
}

static enum status set(struct model *m, const struct hash *person, const struct sign_public *key, const char *decision,
                       struct error *e)
{
    char store[STORE_NAME];
    char name[KEY_NAME];
    struct span value = arena_printf(m->arena, "%s %lld", decision, (long long)m->now_ms);
    return settings_set(m, store_name(&m->self->person, store), key_name(person, key, name), value, e);
}

enum status trust_refuse(struct model *m, const struct hash *person, const struct sign_public *key, struct error *e)
{
    return set(m, person, key, WITHDRAWN, e);
}

enum status trust_restore(struct model *m, const struct hash *person, const struct sign_public *key, struct error *e)
{
    return trust_is_withdrawn(m, &m->self->person, person, key) ? set(m, person, key, RESTORED, e) : STATUS_OK;
}
