// Objects of the models: recipes and well-known. Hashes and round trips of every object they list; what the model layer
// makes of them is checked in vectors_replay.c. test-keys: the key pairs and the Keys objects naming them.
#include "crypto/box.h"
#include "crypto/sign.h"
#include "data/object.h"
#include "runner.h"

static void check_recipes(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = recipes_create(true);
    json_array_foreach(json_object_get(run->root, "recipes"), i, c)
    {
        struct error e = {0};
        struct hash id;
        struct object o;
        const struct recipe *recipe = NULL;
        vector_case(run, "recipe " SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        vector_record(run, r, c);
        enum status s = object_read(r, run->arena, vector_text(c, "microdata"), MICRODATA_OBJECT, NULL, &o, &e);
        vector_expect(run, s == STATUS_OK && vector_hash(c, "idHash", &id) && hash_eq(&id, &o.id_hash), "the id hash");
        s = recipes_get(r, vector_text(c, "name"), &recipe, &e);
        if (vector_expect(run, s == STATUS_OK, "not built in: %s", e.message))
            vector_expect(run, recipe->versioned == json_is_true(json_object_get(c, "versioned")), "versioned or not");
    }
    recipes_destroy(r);
}

static void check_records(struct vector_run *run)
{
    struct recipes *r = vector_recipes(run, NULL);
    vector_records(run, r, run->root);
    recipes_destroy(r);
}

static void check_key_pairs(struct vector_run *run, const json_t *key)
{
    struct public_key encrypt;
    struct sign_public sign;
    struct secret sign_secret;
    struct span seed = vector_hex(run, key, "signSeed");
    struct span bytes = vector_hex(run, key, "encryptSecretKey");
    struct secret secret = secret_copy(bytes.ptr, bytes.len);
    box_public_from_secret(&secret, &encrypt);
    vector_sign_keypair((const uint8_t *)seed.ptr, &sign, &sign_secret);
    vector_expect_text(run, (struct span){(const char *)encrypt.b, sizeof encrypt.b}, vector_hex(run, key, "publicKey"),
                       "the public key");
    vector_expect_text(run, (struct span){(const char *)sign.b, sizeof sign.b}, vector_hex(run, key, "publicSignKey"),
                       "the public sign key");
    secret_destroy(&sign_secret);
    secret_destroy(&secret);
}

static void check_keys_object(struct vector_run *run, const struct recipes *r, const json_t *key)
{
    static const char *const members[] = {"owner", "publicKey", "publicSignKey"};
    struct error e = {0};
    struct object o;
    struct value *v = value_object(run->arena, SPAN("Keys"));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        value_set_member(run->arena, v, span_of(members[i]), value_string(run->arena, vector_text(key, members[i])));
    enum status s = object_make(r, run->arena, v, MICRODATA_OBJECT, &o, &e);
    if (vector_expect(run, s == STATUS_OK, "%s", e.message))
        vector_expect_text(run, span_of(hash_text(&o.hash).s), vector_text(key, "keys"), "the hash of the Keys object");
}

static void check_test_keys(struct vector_run *run)
{
    const char *seed;
    json_t *keys;
    size_t i;
    const json_t *key;
    struct recipes *r = recipes_create(false);
    json_object_foreach((json_t *)(uintptr_t)run->root, seed, keys)
    {
        json_array_foreach(keys, i, key)
        {
            vector_case(run, "%s %zu", seed, i);
            check_key_pairs(run, key);
            check_keys_object(run, r, key);
        }
    }
    recipes_destroy(r);
}

const struct vector_handler vector_handlers_models[] = {
    {"recipes", check_recipes},
    {"well-known", check_records},
    {"test-keys", check_test_keys},
    {NULL, NULL},
};
