// Trust that is taken back: certificates stay for ever, so what they said before is overruled by a setting. It lies in
// the Settings object "trust.withdrawn.ISSUER", which only the issuer writes and only its own other node imports:
//
//   PERSON.KEY → "withdrawn", or "" once the key proved itself anew
#include <stdio.h>

#include "models/settings.h"
#include "models/trust.h"

#define WITHDRAWN "withdrawn"

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

bool trust_is_withdrawn(struct model *m, const struct hash *issuer, const struct hash *person,
                        const struct sign_public *key)
{
    char store[STORE_NAME];
    char name[KEY_NAME];
    struct span value;
    return settings_get(m, store_name(issuer, store), key_name(person, key, name), &value, NULL) == STATUS_OK &&
           span_eq_text(value, WITHDRAWN);
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
        found = span_starts_with(all.items[i].key, span_of(text.s)) && span_eq_text(all.items[i].value, WITHDRAWN);
    return found;
}

static enum status set(struct model *m, const struct hash *person, const struct sign_public *key, struct span value,
                       struct error *e)
{
    char store[STORE_NAME];
    char name[KEY_NAME];
    return settings_set(m, store_name(&m->self->person, store), key_name(person, key, name), value, e);
}

enum status trust_withdraw(struct model *m, const struct hash *person, struct error *e)
{
    struct trust_keys keys;
    enum status status = trust_keys_of(m, person, &keys, e);
    for (size_t i = 0; status == STATUS_OK && i < keys.count; i++)
        status = set(m, person, &keys.items[i].key, SPAN(WITHDRAWN), e);
    return status;
}

enum status trust_restore(struct model *m, const struct hash *person, const struct sign_public *key, struct error *e)
{
    return trust_is_withdrawn(m, &m->self->person, person, key) ? set(m, person, key, SPAN(""), e) : STATUS_OK;
}
