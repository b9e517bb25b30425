// The keychain folder: sealing, opening, wrong keys, lost files.
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/box.h"
#include "crypto/keychain.h"
#include "crypto/keycopy.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "tests/unit/cmocka_all.h"

struct fixture {
    char dir[64]; // does not exist yet at the start
    struct secret node_key;
    struct secret encrypt, sign;
    struct hash keys;
};

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    char parent[] = "/tmp/tandem-keychain-XXXXXX";
    assert_non_null(mkdtemp(parent));
    snprintf(f->dir, sizeof f->dir, "%s/private", parent);
    f->node_key = secret_random(32);
    struct public_key public_key;
    struct sign_public sign_public;
    box_keypair(&public_key, &f->encrypt);
    sign_keypair(&sign_public, &f->sign);
    memset(f->keys.b, 7, sizeof f->keys.b);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    *strrchr(f->dir, '/') = '\0';
    nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    secret_destroy(&f->node_key);
    secret_destroy(&f->encrypt);
    secret_destroy(&f->sign);
    free(f);
    return 0;
}

static void path_of(const struct fixture *f, const char *name, char out[200])
{
    snprintf(out, 200, "%s/%s", f->dir, name);
}

static off_t size_of(const struct fixture *f, const char *name)
{
    char path[200];
    struct stat st;
    path_of(f, name, path);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void create(struct fixture *f)
{
    struct keychain *k;
    assert_int_equal(keychain_open(f->dir, &f->node_key, true, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_put(k, &f->keys, &f->encrypt, &f->sign, NULL), STATUS_OK);
    keychain_close(k);
}

static void assert_opens(struct fixture *f, const struct secret *node_key)
{
    struct keychain *k;
    struct secret encrypt = {0}, sign = {0};
    assert_int_equal(keychain_open(f->dir, node_key, false, &k, NULL), STATUS_OK);
    assert_true(keychain_has(k, &f->keys));
    assert_int_equal(keychain_get(k, &f->keys, &encrypt, &sign, NULL), STATUS_OK);
    assert_true(secret_eq(&encrypt, &f->encrypt));
    assert_true(secret_eq(&sign, &f->sign));
    secret_destroy(&encrypt);
    secret_destroy(&sign);
    keychain_close(k);
}

static void keeps_keys(void **state)
{
    struct fixture *f = *state;
    create(f);
    assert_opens(f, &f->node_key);
    char name[100];
    assert_int_equal(size_of(f, "keychain_masterkey"), 72);
    snprintf(name, sizeof name, "%s.encrypt", hash_text(&f->keys).s);
    assert_int_equal(size_of(f, name), 72);
    snprintf(name, sizeof name, "%s.sign", hash_text(&f->keys).s);
    assert_int_equal(size_of(f, name), 104);
    struct stat st;
    assert_int_equal(stat(f->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void lists_its_keys(void **state)
{
    struct fixture *f = *state;
    struct hash_list names = {0};
    struct keychain *k;
    create(f);
    assert_int_equal(keychain_open(f->dir, &f->node_key, false, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_list(k, &names, NULL), STATUS_OK);
    assert_int_equal(names.count, 1);
    assert_true(hash_eq(&names.items[0], &f->keys));
    hash_list_free(&names);
    keychain_close(k);
}

static void refuses_a_wrong_key_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    create(f);
    struct secret other = secret_random(32);
    struct keychain *k;
    struct error e = {0};
    assert_int_equal(keychain_open(f->dir, &other, true, &k, &e), STATUS_REFUSED);
    assert_string_equal(e.code, "BAD-SECRET");
    assert_null(k);
    secret_destroy(&other);
    assert_opens(f, &f->node_key);
}

static void assert_refuses(struct fixture *f, const struct secret *node_key)
{
    struct keychain *k;
    struct error e = {0};
    assert_int_equal(keychain_open(f->dir, node_key, false, &k, &e), STATUS_REFUSED);
    assert_string_equal(e.code, "BAD-SECRET");
}

static void reseal(struct fixture *f, const struct secret *present, const struct secret *next)
{
    struct keychain *k;
    assert_int_equal(keychain_open(f->dir, present, false, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_reseal(k, next, NULL), STATUS_OK);
    keychain_close(k);
}

static void seals_with_another_key(void **state)
{
    struct fixture *f = *state;
    create(f);
    struct secret other = secret_random(32);
    reseal(f, &f->node_key, &other);
    assert_opens(f, &f->node_key);
    assert_opens(f, &other);
    assert_refuses(f, &f->node_key);
    assert_opens(f, &other);
    assert_int_equal(size_of(f, "keychain_masterkey.next"), -1);
    secret_destroy(&other);
}

// The newest intention counts; an abandoned one opens nothing.
static void seals_once_more_after_an_abandoned_change(void **state)
{
    struct fixture *f = *state;
    create(f);
    struct secret abandoned = secret_random(32);
    struct secret other = secret_random(32);
    reseal(f, &f->node_key, &abandoned);
    reseal(f, &f->node_key, &other);
    assert_refuses(f, &abandoned);
    assert_opens(f, &f->node_key);
    assert_opens(f, &other);
    assert_refuses(f, &f->node_key);
    secret_destroy(&abandoned);
    secret_destroy(&other);
}

static void says_when_the_master_key_is_lost(void **state)
{
    struct fixture *f = *state;
    create(f);
    char path[200];
    path_of(f, "keychain_masterkey", path);
    assert_int_equal(unlink(path), 0);
    struct keychain *k;
    struct error e = {0};
    for (int may_create = 0; may_create < 2; may_create++) {
        assert_int_equal(keychain_open(f->dir, &f->node_key, may_create, &k, &e), STATUS_NOT_FOUND);
        assert_string_equal(e.code, "STORE-MISSING");
        assert_int_equal(size_of(f, "keychain_masterkey"), -1);
    }
}

static void does_not_create_unasked(void **state)
{
    struct fixture *f = *state;
    struct keychain *k;
    struct error e = {0};
    assert_int_equal(keychain_open(f->dir, &f->node_key, false, &k, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "NOT-FOUND");
    assert_int_equal(access(f->dir, F_OK), -1);
}

static void reports_damaged_files(void **state)
{
    struct fixture *f = *state;
    create(f);
    char name[100], path[200];
    snprintf(name, sizeof name, "%s.sign", hash_text(&f->keys).s);
    path_of(f, name, path);
    assert_int_equal(truncate(path, 50), 0);
    struct keychain *k;
    struct secret encrypt = {0}, sign = {0};
    struct error e = {0};
    assert_int_equal(keychain_open(f->dir, &f->node_key, false, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_get(k, &f->keys, &encrypt, &sign, &e), STATUS_CORRUPT);
    assert_string_equal(e.code, "BAD-KEY-FILE");
    assert_null(encrypt.data);
    keychain_close(k);
    path_of(f, "keychain_masterkey", path);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(keychain_open(f->dir, &f->node_key, true, &k, &e), STATUS_CORRUPT);
    assert_int_equal(size_of(f, "keychain_masterkey"), 0);
    assert_int_equal(truncate(path, 1 << 20), 0); // more than a key can be is not read into memory
    assert_int_equal(keychain_open(f->dir, &f->node_key, true, &k, &e), STATUS_CORRUPT);
    assert_string_equal(e.code, "BAD-KEY-FILE");
    assert_non_null(strstr(e.message, "too long"));
}

// Whatever lies in the place of the folder is left alone.
static void needs_a_folder(void **state)
{
    struct fixture *f = *state;
    struct keychain *k;
    struct error e = {0};
    struct stat st;
    FILE *file = fopen(f->dir, "w");
    assert_non_null(file);
    assert_true(fputs("something else", file) >= 0);
    fclose(file);
    assert_int_not_equal(keychain_open(f->dir, &f->node_key, true, &k, &e), STATUS_OK);
    assert_int_not_equal(keychain_open(f->dir, &f->node_key, false, &k, &e), STATUS_OK);
    assert_int_not_equal(keychain_open_reference(f->dir, &f->node_key, true, &k, &e), STATUS_OK);
    assert_int_equal(stat(f->dir, &st), 0);
    assert_int_equal(st.st_size, 14);
    assert_int_equal(unlink(f->dir), 0);
}

static void opens_and_makes_the_reference_form(void **state)
{
    struct fixture *f = *state;
    struct secret secret = secret_copy("open sesame", 11);
    struct secret wrong = secret_copy("open barley", 11);
    struct keychain *k;
    struct error e = {0};
    assert_int_equal(keychain_open_reference(f->dir, &secret, true, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_put(k, &f->keys, &f->encrypt, &f->sign, NULL), STATUS_OK);
    keychain_close(k);
    assert_int_equal(size_of(f, "keychain_salt"), 16);
    assert_int_equal(keychain_open_reference(f->dir, &wrong, false, &k, &e), STATUS_REFUSED);
    assert_string_equal(e.code, "BAD-SECRET");
    struct secret encrypt = {0}, sign = {0};
    assert_int_equal(keychain_open_reference(f->dir, &secret, false, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_get(k, &f->keys, &encrypt, &sign, NULL), STATUS_OK);
    assert_true(secret_eq(&encrypt, &f->encrypt));
    keychain_close(k);
    char path[200];
    path_of(f, "keychain_salt", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(keychain_open_reference(f->dir, &secret, true, &k, &e), STATUS_NOT_FOUND);
    assert_string_equal(e.code, "STORE-MISSING");
    secret_destroy(&encrypt);
    secret_destroy(&sign);
    secret_destroy(&secret);
    secret_destroy(&wrong);
}

// ---- Copies ---------------------------------------------------------------------------------------------------------

static void copy_of(const struct fixture *f, struct buf *copy)
{
    buf_clear(copy);
    assert_int_equal(keycopy_make(f->dir, copy, NULL), STATUS_OK);
}

static void lose(struct fixture *f)
{
    nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void a_copy_brings_lost_keys_back(void **state)
{
    struct fixture *f = *state;
    struct buf copy = {0};
    struct buf again = {0};
    create(f);
    copy_of(f, &copy);
    assert_null(memmem(copy.data, copy.len, f->sign.data, f->sign.len));
    lose(f);
    assert_int_equal(keycopy_restore(f->dir, buf_span(&copy), NULL), STATUS_OK);
    assert_opens(f, &f->node_key);
    copy_of(f, &again);
    assert_true(span_eq(buf_span(&copy), buf_span(&again)));
    buf_free(&copy);
    buf_free(&again);
}

static void a_copy_made_during_a_change_opens_with_either_key(void **state)
{
    struct fixture *f = *state;
    struct buf copy = {0};
    struct secret other = secret_random(32);
    create(f);
    reseal(f, &f->node_key, &other);
    copy_of(f, &copy);
    lose(f);
    assert_int_equal(keycopy_restore(f->dir, buf_span(&copy), NULL), STATUS_OK);
    assert_opens(f, &f->node_key);
    lose(f);
    assert_int_equal(keycopy_restore(f->dir, buf_span(&copy), NULL), STATUS_OK);
    assert_opens(f, &other);
    secret_destroy(&other);
    buf_free(&copy);
}

static void a_damaged_copy_restores_nothing(void **state)
{
    struct fixture *f = *state;
    struct buf copy = {0};
    create(f);
    copy_of(f, &copy);
    lose(f);
    for (size_t i = 0; i < copy.len; i += 7) {
        struct error e = {0};
        copy.data[i] ^= 1;
        assert_int_equal(keycopy_restore(f->dir, buf_span(&copy), &e), STATUS_CORRUPT);
        assert_string_equal(e.code, "BAD-KEY-FILE");
        copy.data[i] ^= 1;
        assert_int_equal(keycopy_restore(f->dir, (struct span){copy.data, i}, &e), STATUS_CORRUPT);
    }
    assert_false(keychain_exists(f->dir));
    buf_free(&copy);
}

// Names in a copy are those of keys, whatever its sum says.
static void a_copy_writes_nothing_else(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"../store/store.db", "keychain_salt", "lock", "/etc/passwd", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buf copy = {0};
        buf_printf(&copy, "tandem keys 1\nkeychain_masterkey 00\n%s 00\n", names[i]);
        struct hash sum = sha256(buf_span(&copy));
        buf_printf(&copy, "sum %s\n", hash_text(&sum).s);
        assert_int_equal(keycopy_restore(f->dir, buf_span(&copy), NULL), STATUS_CORRUPT);
        assert_false(keychain_exists(f->dir));
        buf_free(&copy);
    }
}

static void finds_keys_that_do_not_open(void **state)
{
    struct fixture *f = *state;
    struct keychain *k;
    char name[100];
    char path[200];
    create(f);
    assert_int_equal(keychain_open(f->dir, &f->node_key, false, &k, NULL), STATUS_OK);
    assert_int_equal(keychain_check(k, NULL), STATUS_OK);
    snprintf(name, sizeof name, "%s.encrypt", hash_text(&f->keys).s);
    path_of(f, name, path);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, 30), 1);
    close(fd);
    assert_int_equal(keychain_check(k, NULL), STATUS_CORRUPT);
    keychain_close(k);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_its_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_wrong_key_and_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(seals_with_another_key, setup, teardown),
        cmocka_unit_test_setup_teardown(seals_once_more_after_an_abandoned_change, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_the_master_key_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(does_not_create_unasked, setup, teardown),
        cmocka_unit_test_setup_teardown(reports_damaged_files, setup, teardown),
        cmocka_unit_test_setup_teardown(needs_a_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(opens_and_makes_the_reference_form, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_brings_lost_keys_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_made_during_a_change_opens_with_either_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_copy_restores_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_writes_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_keys_that_do_not_open, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
