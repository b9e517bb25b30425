#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/box.h"
#include "crypto/kdf.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "tests/unit/cmocka_all.h"

static void sha256_whole_and_in_parts(void **state)
{
    (void)state;
    struct hash h = sha256(SPAN("abc"));
    assert_string_equal(hash_text(&h).s, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct sha256 *s = sha256_create();
    sha256_update(s, SPAN("a"));
    sha256_update(s, SPAN("bc"));
    struct hash parts = sha256_finish(s);
    sha256_destroy(s);
    assert_true(hash_eq(&h, &parts));
}

static void a_box_opens_only_unchanged(void **state)
{
    (void)state;
    struct public_key pa;
    struct public_key pb;
    struct secret sa;
    struct secret sb;
    struct secret ka;
    struct secret kb;
    struct error e;
    box_keypair(&pa, &sa);
    box_keypair(&pb, &sb);
    assert_int_equal(box_shared_key(&pb, &sa, &ka, &e), STATUS_OK);
    assert_int_equal(box_shared_key(&pa, &sb, &kb, &e), STATUS_OK);
    assert_true(secret_eq(&ka, &kb));

    struct buf sealed = {0};
    struct buf open = {0};
    box_seal(&ka, SPAN("hello"), &sealed);
    assert_int_equal(sealed.len, BOX_EMBEDDED + 5);
    assert_int_equal(box_open(&kb, buf_span(&sealed), &open, &e), STATUS_OK);
    assert_true(span_eq_text(buf_span(&open), "hello"));
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(box_open(&kb, buf_span(&sealed), &open, &e), STATUS_REFUSED);
        sealed.data[i] ^= 1;
    }
    assert_int_equal(box_open(&kb, (struct span){sealed.data, 23}, &open, &e), STATUS_INVALID);
    assert_int_equal(open.len, 5); // failures append nothing
    struct public_key zero = {{0}};
    struct secret none;
    assert_int_equal(box_shared_key(&zero, &sa, &none, &e), STATUS_INVALID);
    buf_free(&sealed);
    buf_free(&open);
    secret_destroy(&sa);
    secret_destroy(&sb);
    secret_destroy(&ka);
    secret_destroy(&kb);
}

static void signatures_bind_message_and_key(void **state)
{
    (void)state;
    struct sign_public p;
    struct sign_public other;
    struct secret s;
    struct secret so;
    struct signature sig;
    sign_keypair(&p, &s);
    sign_keypair(&other, &so);
    sign_make(&s, SPAN("message"), &sig);
    assert_true(sign_verify(&p, SPAN("message"), &sig));
    assert_false(sign_verify(&p, SPAN("massage"), &sig));
    assert_false(sign_verify(&other, SPAN("message"), &sig));
    secret_destroy(&s);
    secret_destroy(&so);
}

static void derived_keys_depend_on_normalised_text_and_name(void **state)
{
    (void)state;
    static const uint8_t salt[KDF_SALT] = {1};
    const struct kdf_limits small = {1, 8U << 20};
    struct secret composed = secret_copy("\xC3\xA4", 2);    // ä
    struct secret decomposed = secret_copy("a\xCC\x88", 3); // a + combining diaeresis
    struct secret invalid = secret_copy("\xFF", 1);
    struct secret k1;
    struct secret k2;
    struct secret sub1;
    struct secret sub2;
    struct error e;
    assert_int_equal(kdf_argon2id(&composed, salt, small, &k1, &e), STATUS_OK);
    assert_int_equal(kdf_argon2id(&decomposed, salt, small, &k2, &e), STATUS_OK);
    assert_true(secret_eq(&k1, &k2));
    assert_int_equal(kdf_argon2id(&invalid, salt, small, &k2, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-TEXT");
    assert_int_equal(kdf_scrypt(&invalid, SPAN("salt"), &k2, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-TEXT");
    assert_int_equal(kdf_argon2id(&composed, salt, (struct kdf_limits){1, 2ULL << 30}, &k2, &e), STATUS_TOO_BIG);
    assert_string_equal(e.code, "BAD-KDF-LIMITS");
    kdf_subkey(&k1, "archive", &sub1);
    kdf_subkey(&k1, "sparse", &sub2);
    assert_false(secret_eq(&sub1, &sub2));
    secret_destroy(&composed);
    secret_destroy(&decomposed);
    secret_destroy(&invalid);
    secret_destroy(&k1);
    secret_destroy(&k2);
    secret_destroy(&sub1);
    secret_destroy(&sub2);
}

static rlim_t mapped_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu", &pages), 1);
    fclose(f);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void a_key_that_needs_more_memory_than_there_is_is_not_derived(void **state)
{
    (void)state;
    static const uint8_t salt[KDF_SALT] = {0};
    struct secret secret = secret_copy("secret", 6);
    struct secret key = {0};
    struct rlimit before;
    struct error e;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){mapped_bytes() + (64 << 20), before.rlim_max}), 0);
    enum status st = kdf_argon2id(&secret, salt, (struct kdf_limits){1, 1ULL << 30}, &key, &e);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(st, STATUS_IO);
    assert_string_equal(e.code, "OUT-OF-MEMORY");
    secret_destroy(&secret);
}

static int prepare(void **state)
{
    (void)state;
    crypto_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_whole_and_in_parts),
        cmocka_unit_test(a_box_opens_only_unchanged),
        cmocka_unit_test(signatures_bind_message_and_key),
        cmocka_unit_test(derived_keys_depend_on_normalised_text_and_name),
        cmocka_unit_test(a_key_that_needs_more_memory_than_there_is_is_not_derived),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
