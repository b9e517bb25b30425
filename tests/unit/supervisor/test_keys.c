// keys.json and installation.json.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "supervisor/installation.h"
#include "supervisor/keyfile.h"

static struct secret derive(const struct keyfile *k, const char *text)
{
    struct error e = {0};
    struct secret kek = {0};
    struct secret secret = secret_copy(text, strlen(text));
    assert_int_equal(keyfile_derive(k, &secret, &kek, &e), STATUS_OK);
    secret_destroy(&secret);
    return kek;
}

static void the_right_secret_fits_after_a_round_trip(void **state)
{
    (void)state;
    struct keyfile written;
    struct keyfile read;
    struct buf text = {0};
    struct error e = {0};
    keyfile_fresh(&written);
    written.limits.memory = 8 * 1024 * 1024; // quick
    struct secret kek = derive(&written, "secret");
    keyfile_seal(&written, &kek);
    keyfile_print(&written, &text);
    assert_int_equal(keyfile_parse(buf_span(&text), &read, &e), STATUS_OK);
    struct secret right = derive(&read, "secret");
    struct secret wrong = derive(&read, "Secret");
    assert_true(keyfile_fits(&read, &right));
    assert_true(secret_eq(&right, &kek));
    assert_false(keyfile_fits(&read, &wrong));
    secret_destroy(&kek);
    secret_destroy(&right);
    secret_destroy(&wrong);
    buf_free(&text);
}

static void damaged_key_files_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"v\":2,\"alg\":\"argon2id13\",\"opsLimit\":2,\"memLimit\":67108864,\"salt\":\"00\",\"check\":\"00\"}",
        "{\"v\":1,\"alg\":\"argon2id13\",\"opsLimit\":-2,\"memLimit\":67108864,\"salt\":\"00\",\"check\":\"00\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct keyfile k;
        struct error e = {0};
        assert_int_equal(keyfile_parse(span_of(bad[i]), &k, &e), STATUS_CORRUPT);
        assert_string_equal(e.code, "BAD-KEY-FILE");
    }
}

static void limits_out_of_bounds_cost_nothing(void **state)
{
    (void)state;
    struct keyfile k;
    struct secret kek = {0};
    struct error e = {0};
    struct secret secret = secret_copy("x", 1);
    keyfile_fresh(&k);
    k.limits.memory = (uint64_t)1 << 50;
    assert_int_equal(keyfile_derive(&k, &secret, &kek, &e), STATUS_CORRUPT);
    assert_string_equal(e.code, "BAD-KEY-FILE");
    secret_destroy(&secret);
}

// NAME-XXXXXXXX@lama.local
static void assert_default(const char *email, const char *name)
{
    size_t len = strlen(name);
    assert_memory_equal(email, name, len);
    assert_int_equal(email[len], '-');
    assert_int_equal(strspn(email + len + 1, "abcdefghijkmnpqrstuvwxyz23456789"), 8);
    assert_string_equal(email + len + 9, "@lama.local");
}

static void defaults_follow_the_user_name(void **state)
{
    (void)state;
    struct installation in;
    struct installation other;
    struct error e = {0};
    assert_int_equal(installation_make(&in, "joe", NULL, NULL, &e), STATUS_OK);
    assert_default(in.nodes[IPC_SPARSE].email, "joe");
    assert_default(in.nodes[IPC_ARCHIVE].email, "node-joe");
    assert_string_equal(in.nodes[IPC_ARCHIVE].email + 5, in.nodes[IPC_SPARSE].email);
    assert_string_equal(in.nodes[IPC_ARCHIVE].instance_name, "lama-node-joe");
    assert_string_equal(in.nodes[IPC_SPARSE].instance_name, "lama-joe");
    assert_int_equal(installation_make(&other, "joe", NULL, NULL, &e), STATUS_OK);
    assert_string_not_equal(in.nodes[IPC_SPARSE].email, other.nodes[IPC_SPARSE].email); // two people called Joe
    assert_int_equal(installation_make(&in, "joe", "j@x.org", NULL, &e), STATUS_OK);
    assert_string_equal(in.nodes[IPC_ARCHIVE].email, "j@x.org");
    assert_int_equal(installation_make(&in, "joe", "a@b", "A@b", &e), STATUS_INVALID);
    assert_string_equal(e.code, "EMAILS-EQUAL");
    assert_int_equal(installation_make(&in, "j\noe", NULL, NULL, &e), STATUS_INVALID);
    assert_string_equal(e.code, "BAD-PARAMS");
    assert_int_equal(installation_make(&in, "", NULL, NULL, &e), STATUS_INVALID);
}

static void whatever_names_the_user_gives_an_address(void **state)
{
    (void)state;
    struct installation in;
    struct error e = {0};
    char name[USER_MAX + 1];
    assert_int_equal(installation_make(&in, "anna@example.org", NULL, NULL, &e), STATUS_OK);
    assert_default(in.nodes[IPC_SPARSE].email, "anna");
    assert_string_equal(in.user, "anna@example.org");
    installation_name(&in, name, sizeof name);
    assert_string_equal(name, "anna");
    assert_string_equal(in.nodes[IPC_SPARSE].instance_name, "lama-anna");
    assert_int_equal(installation_make(&in, "Anna <M\u00fcller>", NULL, NULL, &e), STATUS_OK);
    assert_default(in.nodes[IPC_ARCHIVE].email, "node-Anna--M\u00fcller-");
    installation_name(&in, name, sizeof name);
    assert_string_equal(name, "Anna <M\u00fcller>");
    assert_int_equal(installation_make(&in, "@home", NULL, NULL, &e), STATUS_OK);
    assert_default(in.nodes[IPC_SPARSE].email, "-home");
}

static void an_adopted_node_names_the_user(void **state)
{
    (void)state;
    struct installation in;
    struct error e = {0};
    assert_int_equal(installation_adopt(&in, IPC_ARCHIVE, NULL, NULL, &e), STATUS_OK);
    assert_int_equal(in.adopting, IPC_ARCHIVE);
    assert_int_equal(installation_adopted(&in, "ann@lama.local", "phone", &e), STATUS_OK);
    assert_string_equal(in.user, "ann");
    assert_string_equal(in.nodes[IPC_ARCHIVE].instance_name, "phone");
    assert_default(in.nodes[IPC_SPARSE].email, "ann");
    assert_string_equal(in.nodes[IPC_SPARSE].instance_name, "lama-ann");
    assert_int_equal(in.adopting, -1);
    assert_int_equal(installation_adopt(&in, IPC_ARCHIVE, NULL, NULL, &e), STATUS_OK);
    assert_int_equal(installation_adopted(&in, "node-ann-abcdefgh@lama.local", "phone", &e), STATUS_OK);
    assert_string_equal(in.user, "ann");
    assert_int_equal(installation_adopt(&in, IPC_SPARSE, NULL, NULL, &e), STATUS_INVALID);
    assert_int_equal(installation_adopt(&in, IPC_SPARSE, "joe", NULL, &e), STATUS_OK);
    assert_default(in.nodes[IPC_ARCHIVE].email, "node-joe");
    assert_int_equal(installation_adopted(&in, "joe@x.org", "browser", &e), STATUS_OK);
    assert_string_equal(in.nodes[IPC_SPARSE].email, "joe@x.org");
    assert_string_equal(in.user, "joe");
    assert_int_equal(installation_adopt(&in, IPC_SPARSE, "joe", "joe@x.org", &e), STATUS_OK);
    assert_int_equal(installation_adopted(&in, "Joe@x.org", "browser", &e), STATUS_INVALID);
    assert_string_equal(e.code, "EMAILS-EQUAL");
}

static void records_survive(void **state)
{
    (void)state;
    struct installation in;
    struct installation out;
    struct buf text = {0};
    struct error e = {0};
    installation_make(&in, "Jos\xc3\xa9 \"J\"", NULL, "j@x.org", &e);
    memset(in.nodes[0].person_id, 'a', ID_LENGTH);
    in.paired = true;
    in.listener_stopped = true;
    in.recreating = IPC_SPARSE;
    installation_print(&in, &text);
    assert_int_equal(installation_parse(buf_span(&text), &out, &e), STATUS_OK);
    assert_memory_equal(&in, &out, sizeof in);
    assert_int_equal(installation_parse(SPAN("{\"v\":1}"), &out, &e), STATUS_CORRUPT);
    buf_free(&text);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_secret_fits_after_a_round_trip),
        cmocka_unit_test(damaged_key_files_are_refused),
        cmocka_unit_test(limits_out_of_bounds_cost_nothing),
        cmocka_unit_test(defaults_follow_the_user_name),
        cmocka_unit_test(whatever_names_the_user_gives_an_address),
        cmocka_unit_test(an_adopted_node_names_the_user),
        cmocka_unit_test(records_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
