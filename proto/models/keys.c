// A Keys object has its own hash as the name under which the keychain keeps its secrets. So when the object is lost
// with the database it is made again of each pair of secrets that is kept, until one has the name of its file: that
// pair is the owner's.
#include "models/keys.h"

#include <string.h>

#include "base/text.h"

// ---- Those that are there ------------------------------------------------------------------------------------------

static bool read_public_keys(const struct value *keys, struct public_key *public_key, struct sign_public *sign_public)
{
    struct span encrypt;
    struct span sign;
    return value_get_string(keys, "publicKey", &encrypt) && value_get_string(keys, "publicSignKey", &sign) &&
           hex_decode(encrypt, public_key->b, sizeof public_key->b) &&
           hex_decode(sign, sign_public->b, sizeof sign_public->b);
}

bool keys_read(struct model *m, const struct hash *keys, const struct hash *owner, struct public_key *public_key,
               struct sign_public *sign_public)
{
    struct value *object;
    struct hash found;
    return model_read(m, keys, "Keys", &object, NULL) == STATUS_OK && value_get_hash(object, "owner", &found) &&
           hash_eq(&found, owner) && read_public_keys(object, public_key, sign_public);
}

// ---- Writing the Keys object ---------------------------------------------------------------------------------------

static void derive_public(struct identity_keys *keys)
{
    box_public_from_secret(&keys->secret, &keys->public_key);
    memcpy(keys->sign_public.b, keys->sign_secret.data + SIGN_SECRET - SIGN_PUBLIC, SIGN_PUBLIC);
}

static struct value *make_object(struct model *m, const struct hash *owner, const struct identity_keys *from)
{
    char hex[2 * BOX_KEY + 1];
    struct value *keys = model_object(m, "Keys");
    model_set_hash(m, keys, "owner", owner);
    hex_encode(from->public_key.b, BOX_KEY, hex);
    model_set_text(m, keys, "publicKey", span_of(hex));
    hex_encode(from->sign_public.b, SIGN_PUBLIC, hex);
    model_set_text(m, keys, "publicSignKey", span_of(hex));
    return keys;
}

// Whether the secrets kept under this name are the owner's: then the Keys object made of them has that name.
static bool belongs_to(struct model *m, const struct keychain *k, const struct hash *name, const struct hash *owner,
                       struct identity_keys *out)
{
    struct object o;
    *out = (struct identity_keys){0};
    if (keychain_get(k, name, &out->secret, &out->sign_secret, NULL) != STATUS_OK)
        return false;
    derive_public(out);
    if (object_make(store_recipes(m->store), m->arena, make_object(m, owner, out), MICRODATA_OBJECT, &o, NULL) ==
            STATUS_OK &&
        hash_eq(&o.hash, name))
        return true;
    secret_destroy(&out->secret);
    secret_destroy(&out->sign_secret);
    return false;
}

// The Keys object went with the database, or its bytes are lost, but its secrets are not.
static enum status recover(struct model *m, struct keychain *k, const struct hash *owner, struct identity_keys *out,
                           struct error *e)
{
    struct hash_list names = {0};
    enum status status = keychain_list(k, &names, e);
    size_t i = 0;
    while (i < names.count && !belongs_to(m, k, &names.items[i], owner, out))
        i++;
    if (status == STATUS_OK)
        status = i < names.count
                     ? model_put(m, make_object(m, owner, out), &out->keys, e)
                     : error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "%s has no keys", hash_text(owner).s);
    hash_list_free(&names);
    return status;
}

static enum status open_known(struct model *m, struct keychain *k, const struct hash *owner, struct identity_keys *out,
                              struct error *e)
{
    struct hash_list candidates = {0};
    struct value *keys;
    enum status status = store_referrers(m->store, owner, SPAN("Keys"), false, &candidates, e);
    size_t i = 0;
    while (i < candidates.count && !keychain_has(k, &candidates.items[i]))
        i++;
    if (status == STATUS_OK && i == candidates.count)
        status = error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "the secret keys of %s are not in the keychain",
                           hash_text(owner).s);
    if (status == STATUS_OK)
        status = model_read(m, &candidates.items[i], "Keys", &keys, e);
    if (status == STATUS_OK && !read_public_keys(keys, &out->public_key, &out->sign_public))
        status =
            error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "the Keys object of %s is unreadable", hash_text(owner).s);
    if (status == STATUS_OK) {
        out->keys = candidates.items[i];
        status = keychain_get(k, &out->keys, &out->secret, &out->sign_secret, e);
    }
    hash_list_free(&candidates);
    return status;
}

enum status keys_open(struct model *m, struct keychain *k, const struct hash *owner, struct identity_keys *out,
                      struct error *e)
{
    struct error why = {0};
    enum status status = open_known(m, k, owner, out, &why);
    if (status == STATUS_OK || (status != STATUS_NOT_FOUND && status != STATUS_CORRUPT))
        return status == STATUS_OK ? status : error_set(e, status, why.code, "%s", why.message);
    return recover(m, k, owner, out, e) == STATUS_OK ? STATUS_OK : error_set(e, status, why.code, "%s", why.message);
}

static void take_pair(const struct keys_pair *given, struct identity_keys *out)
{
    if (given == NULL) {
        box_keypair(&out->public_key, &out->secret);
        sign_keypair(&out->sign_public, &out->sign_secret);
        return;
    }
    out->secret = secret_copy(given->secret.data, given->secret.len);
    out->sign_secret = secret_copy(given->sign_secret.data, given->sign_secret.len);
    derive_public(out);
}

static enum status create(struct model *m, struct keychain *k, const struct hash *owner, const struct keys_pair *given,
                          struct identity_keys *out, struct error *e)
{
    take_pair(given, out);
    enum status status = model_put(m, make_object(m, owner, out), &out->keys, e);
    if (status == STATUS_OK)
        status = keychain_put(k, &out->keys, &out->secret, &out->sign_secret, e);
    return status;
}

enum status keys_provide(struct model *m, struct keychain *k, const struct hash *owner, const struct keys_pair *given,
                         struct identity_keys *out, struct error *e)
{
    struct error why = {0};
    enum status status = given == NULL ? keys_open(m, k, owner, out, &why) : open_known(m, k, owner, out, &why);
    if (status == STATUS_NOT_FOUND)
        return create(m, k, owner, given, out, e);
    if (status != STATUS_OK && e != NULL)
        *e = why;
    return status;
}
