// check tells a wrong secret before any node is asked. It is compared in constant time, and a subkey tells nothing of
// the others.
#include "supervisor/keyfile.h"

#include <jansson.h>
#include <string.h>

#include "base/hash.h"

enum { VERSION = 1 };

static const char algorithm[] = "argon2id13";

void keyfile_fresh(struct keyfile *k)
{
    *k = (struct keyfile){.limits = KDF_DEFAULT};
    random_bytes(k->salt, sizeof k->salt);
}

static bool take_hex(const json_t *object, const char *name, void *out, size_t size)
{
    return hex_decode(span_of(json_string_value(json_object_get(object, name))), out, size);
}

static bool take_count(const json_t *object, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(object, name);
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) > 0;
}

enum status keyfile_parse(struct span text, struct keyfile *k, struct error *e)
{
    json_t *object = json_loadb(text.len > 0 ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *alg = json_string_value(json_object_get(object, "alg"));
    bool good = json_integer_value(json_object_get(object, "v")) == VERSION && alg != NULL &&
                strcmp(alg, algorithm) == 0 && take_count(object, "opsLimit", &k->limits.ops) &&
                take_count(object, "memLimit", &k->limits.memory) && take_hex(object, "salt", k->salt, KDF_SALT) &&
                take_hex(object, "check", k->check, KDF_KEY);
    json_decref(object);
    if (!good)
        return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "keys.json is damaged");
    return STATUS_OK;
}

void keyfile_print(const struct keyfile *k, struct buf *out)
{
    char salt[2 * KDF_SALT + 1];
    char check[2 * KDF_KEY + 1];
    hex_encode(k->salt, KDF_SALT, salt);
    hex_encode(k->check, KDF_KEY, check);
    buf_printf(out, "{\"v\":%d,\"alg\":\"%s\",\"opsLimit\":%llu,\"memLimit\":%llu,\"salt\":\"%s\",\"check\":\"%s\"}\n",
               VERSION, algorithm, (unsigned long long)k->limits.ops, (unsigned long long)k->limits.memory, salt,
               check);
}

enum status keyfile_derive(const struct keyfile *k, const struct secret *secret, struct secret *kek, struct error *e)
{
    enum status s = kdf_argon2id(secret, k->salt, k->limits, kek, e);
    if (s == STATUS_TOO_BIG)
        return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "keys.json asks for a derivation out of bounds");
    return s;
}

void keyfile_seal(struct keyfile *k, const struct secret *kek)
{
    struct secret check = {0};
    kdf_subkey(kek, "check", &check);
    memcpy(k->check, check.data, sizeof k->check);
    secret_destroy(&check);
}

bool keyfile_fits(const struct keyfile *k, const struct secret *kek)
{
    struct secret check = {0};
    kdf_subkey(kek, "check", &check);
    struct span a = {(const char *)k->check, sizeof k->check};
    struct span b = {(const char *)check.data, check.len};
    bool fits = bytes_eq_constant_time(a, b);
    secret_destroy(&check);
    return fits;
}
