// crypto: hashes, key derivation, sealing, signing, hex and base64.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/box.h"
#include "crypto/kdf.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "runner.h"

static bool equals(const void *bytes, size_t len, struct span wanted)
{
    return span_eq((struct span){bytes, len}, wanted);
}

static struct secret secret_of(struct vector_run *run, const json_t *object, const char *name)
{
    struct span bytes = vector_hex(run, object, name);
    return secret_copy(bytes.ptr, bytes.len);
}

static void check_sha256(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "sha256"), i, c)
    {
        struct hash wanted;
        vector_case(run, "sha256 %zu", i);
        struct span bytes = vector_utf8(run, json_object_get(c, "input"));
        struct hash hash = sha256(bytes);
        vector_expect_text(run, bytes, vector_hex(run, c, "utf8"), "the UTF-8");
        vector_expect(run, vector_hash(c, "hash", &wanted) && hash_eq(&hash, &wanted), "the hash is another one");
    }
}

// Keys here have 32 bytes; a shorter or longer one of the same inputs begins with the same bytes.
static void check_scrypt(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "scrypt"), i, c)
    {
        struct error e = {0};
        struct secret key = {0};
        struct span text = vector_utf8(run, json_object_get(c, "secret"));
        struct secret secret = secret_copy(text.ptr, text.len);
        vector_case(run, "scrypt %zu", i);
        struct span wanted = vector_hex(run, c, "key");
        enum status s = kdf_scrypt(&secret, vector_hex(run, c, "salt"), &key, &e);
        if (vector_expect(run, s == STATUS_OK, "%s", e.message))
            vector_expect(run, memcmp(key.data, wanted.ptr, key.len < wanted.len ? key.len : wanted.len) == 0,
                          "another key");
        secret_destroy(&key);
        secret_destroy(&secret);
    }
}

// One message sealed with a key and a nonce, in both forms.
static void check_sealed(struct vector_run *run, const struct secret *key, const json_t *c)
{
    struct error e = {0};
    struct buf out = {0};
    struct span nonce = vector_hex(run, c, "nonce");
    struct span message = vector_hex(run, c, "message");
    struct span cypher = vector_hex(run, c, "cypher");
    if (!vector_expect(run, nonce.len == BOX_NONCE, "the nonce is too short"))
        return;
    box_seal_nonce(key, (const uint8_t *)nonce.ptr, message, &out);
    vector_expect_text(run, buf_span(&out), cypher, "the cypher text");
    buf_clear(&out);
    enum status s = box_open_nonce(key, (const uint8_t *)nonce.ptr, cypher, &out, &e);
    vector_expect(run, s == STATUS_OK && span_eq(buf_span(&out), message), "does not open: %s", e.message);
    buf_clear(&out);
    s = box_open(key, vector_hex(run, c, "nonceAndCypher"), &out, &e);
    vector_expect(run, s == STATUS_OK && span_eq(buf_span(&out), message), "with its nonce: %s", e.message);
    buf_free(&out);
}

static void check_symmetric(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "symmetric"), i, c)
    {
        struct secret key = secret_of(run, c, "key");
        vector_case(run, "symmetric %zu", i);
        check_sealed(run, &key, c);
        secret_destroy(&key);
    }
    json_array_foreach(json_object_get(run->root, "symmetricRejects"), i, c)
    {
        struct error e = {0};
        struct buf out = {0};
        struct secret key = secret_of(run, c, "key");
        vector_case(run, "symmetric reject " SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        struct span code = vector_text(c, "errorCode");
        enum status s = box_open(&key, vector_hex(run, c, "data"), &out, &e);
        vector_expect_error(run, s, &e, span_starts_with(code, SPAN("CYENC")) ? code.ptr : NULL);
        vector_expect(run, out.len == 0, "something was opened");
        secret_destroy(&key);
        buf_free(&out);
    }
}

static struct public_key public_of(struct vector_run *run, const json_t *object)
{
    struct public_key key = {0};
    struct span bytes = vector_hex(run, object, "publicKey");
    if (vector_expect(run, bytes.len == sizeof key, "the public key is too short"))
        memcpy(&key, bytes.ptr, sizeof key);
    return key;
}

static void check_box(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct error e = {0};
    struct secret shared = {0};
    struct secret other = {0};
    const json_t *box = json_object_get(run->root, "box");
    const json_t *alice = json_object_get(box, "alice");
    const json_t *bob = json_object_get(box, "bob");
    if (box == NULL)
        return;
    vector_case(run, "shared key");
    struct secret alice_secret = secret_of(run, alice, "secretKey");
    struct secret bob_secret = secret_of(run, bob, "secretKey");
    struct public_key alice_public = public_of(run, alice);
    struct public_key bob_public = public_of(run, bob);
    vector_expect(run,
                  box_shared_key(&bob_public, &alice_secret, &shared, &e) == STATUS_OK &&
                      box_shared_key(&alice_public, &bob_secret, &other, &e) == STATUS_OK,
                  "%s", e.message);
    vector_expect(run, equals(shared.data, shared.len, vector_hex(run, box, "sharedKey")), "another shared key");
    vector_expect(run, secret_eq(&shared, &other), "the sides differ");
    json_array_foreach(json_object_get(box, "cases"), i, c)
    {
        vector_case(run, "box %zu", i);
        check_sealed(run, &shared, c);
    }
    secret_destroy(&shared);
    secret_destroy(&other);
    secret_destroy(&alice_secret);
    secret_destroy(&bob_secret);
}

static void check_key_pairs(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "keyPairsFromSecret"), i, c)
    {
        struct public_key key;
        struct secret secret = secret_of(run, c, "secretKey");
        vector_case(run, "key pair %zu", i);
        box_public_from_secret(&secret, &key);
        struct public_key wanted = public_of(run, c);
        vector_expect(run, public_key_eq(&key, &wanted), "another public key");
        secret_destroy(&secret);
    }
}

static void check_sign(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "sign"), i, c)
    {
        struct sign_public key;
        struct secret secret;
        struct signature signature;
        vector_case(run, "sign %zu", i);
        struct span seed = vector_hex(run, c, "seed");
        struct span message = vector_hex(run, c, "message");
        vector_sign_keypair((const uint8_t *)seed.ptr, &key, &secret);
        sign_make(&secret, message, &signature);
        vector_expect(run, equals(secret.data, secret.len, vector_hex(run, c, "secretKey")), "another secret key");
        vector_expect(run, equals(&key, sizeof key, vector_hex(run, c, "publicKey")), "another public key");
        vector_expect(run, equals(&signature, sizeof signature, vector_hex(run, c, "signature")), "another signature");
        vector_expect(run, sign_verify(&key, message, &signature), "does not verify");
        vector_expect(run, !sign_verify(&key, SPAN("another message"), &signature), "verifies another message");
        secret_destroy(&secret);
    }
}

static void check_hex(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "hexDecode"), i, c)
    {
        uint8_t out[64];
        struct span text = vector_text(c, "text");
        bool valid = json_is_true(json_object_get(c, "isHexString"));
        vector_case(run, "hex " SPAN_FMT, SPAN_ARG(text));
        vector_expect(run, text.len / 2 <= sizeof out, "too long");
        vector_expect(run, (text.len % 2 == 0 && hex_decode(text, out, text.len / 2)) == valid, "hex or not");
    }
    json_array_foreach(json_object_get(run->root, "hexEncode"), i, c)
    {
        char text[256];
        uint8_t bytes[100];
        const json_t *list = json_object_get(c, "bytes");
        size_t count = json_array_size(list) < sizeof bytes ? json_array_size(list) : sizeof bytes;
        for (size_t k = 0; k < count; k++)
            bytes[k] = (uint8_t)json_number_value(json_array_get(list, k));
        hex_encode(bytes, count, text);
        vector_case(run, "hex encode %zu", i);
        vector_expect_text(run, span_of(text), vector_text(c, "text"), "the text");
    }
}

// What base64_decode accepts it must decode like the reference, which accepts more.
static void check_base64(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct buf out = {0};
    json_array_foreach(json_object_get(run->root, "base64"), i, c)
    {
        struct span bytes = vector_hex(run, c, "bytes");
        vector_case(run, "base64 %zu", i);
        buf_clear(&out);
        base64_encode(bytes.ptr, bytes.len, &out);
        vector_expect_text(run, buf_span(&out), vector_text(c, "text"), "the text");
        buf_clear(&out);
        vector_expect(run, base64_decode(vector_text(c, "text"), &out), "does not decode");
        vector_expect_text(run, buf_span(&out), bytes, "the bytes");
    }
    json_array_foreach(json_object_get(run->root, "base64DecodeLenient"), i, c)
    {
        vector_case(run, "base64 decode " SPAN_FMT, SPAN_ARG(vector_text(c, "text")));
        buf_clear(&out);
        if (base64_decode(vector_text(c, "text"), &out))
            vector_expect_text(run, buf_span(&out), vector_hex(run, c, "bytes"), "the bytes");
    }
    buf_free(&out);
}

static void check_crypto(struct vector_run *run)
{
    check_sha256(run);
    check_scrypt(run);
    check_symmetric(run);
    check_box(run);
    check_key_pairs(run);
    check_sign(run);
    check_hex(run);
    check_base64(run);
}

const struct vector_handler vector_handlers_crypto[] = {{"crypto", check_crypto}, {NULL, NULL}};
