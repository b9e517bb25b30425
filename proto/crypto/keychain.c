// Another node key takes effect in two steps: keychain_reseal puts the master key sealed with it beside the present
// one, and the first opening with the new key puts it in the place of the other. Buffers that opened secrets go to have
// their room before, so that no copy is left behind by growing.
#include "crypto/keychain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/box.h"
#include "crypto/kdf.h"
#include "crypto/sign.h"
#include "io/file.h"
#include "io/folder.h"

enum {
    MASTER_SIZE = 32,
    MAX_FILE = 1024, // longer files are none of ours
    NAME_SIZE = HASH_HEX + sizeof ".encrypt",
};

#define MASTER_FILE "keychain_masterkey"
#define NEXT_FILE MASTER_FILE ".next"
#define SALT_FILE "keychain_salt"

struct keychain {
    char *dir;
    struct secret master;
};

// ---- Files ----------------------------------------------------------------------------------------------------------

static char *path_of(const struct keychain *k, const char *name)
{
    size_t size = strlen(k->dir) + 1 + strlen(name) + 1;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s/%s", k->dir, name);
    return path;
}

static bool has_file(const struct keychain *k, const char *name)
{
    char *path = path_of(k, name);
    bool found = file_exists(path);
    free(path);
    return found;
}

static enum status read_file(const struct keychain *k, const char *name, struct buf *out, struct error *e)
{
    char *path = path_of(k, name);
    enum status status = file_read(path, MAX_FILE, out, e);
    if (status == STATUS_TOO_BIG)
        status = error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s is too long", path);
    free(path);
    return status;
}

static enum status write_file(const struct keychain *k, const char *name, struct span bytes, struct error *e)
{
    char *path = path_of(k, name);
    enum status status = file_write(path, bytes, 0600, e);
    free(path);
    return status;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static enum status look_for_keys(const struct folder_file *file, void *arg, struct error *e)
{
    bool *found = arg;
    (void)e;
    *found = *found || ends_with(file->name, ".encrypt") || ends_with(file->name, ".sign");
    return STATUS_OK;
}

static enum status has_key_files(const struct keychain *k, bool *yes, struct error *e)
{
    *yes = false;
    return folder_walk(k->dir, look_for_keys, yes, e);
}

// ---- Sealing --------------------------------------------------------------------------------------------------------

static enum status write_sealed(const struct keychain *k, const char *name, const struct secret *key,
                                const struct secret *content, struct error *e)
{
    struct buf sealed = {0};
    box_seal(key, (struct span){(const char *)content->data, content->len}, &sealed);
    enum status status = write_file(k, name, buf_span(&sealed), e);
    buf_free(&sealed);
    return status;
}

// Opens a sealed file that holds size secret bytes. A key that does not fit is bad_key.
static enum status read_sealed(const struct keychain *k, const char *name, const struct secret *key, size_t size,
                               const char *bad_key, struct secret *out, struct error *e)
{
    struct buf sealed = {0};
    struct buf opened = {0};
    buf_reserve(&opened, MAX_FILE); // so that the secret is never moved
    enum status status = read_file(k, name, &sealed, e);
    if (status != STATUS_OK)
        goto done;
    if (sealed.len != BOX_EMBEDDED + size) {
        status = error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s/%s is %zu bytes long, not %zu", k->dir, name,
                           sealed.len, BOX_EMBEDDED + size);
        goto done;
    }
    if (box_open(key, buf_span(&sealed), &opened, NULL) != STATUS_OK) {
        bool refused = strcmp(bad_key, "BAD-SECRET") == 0;
        status = error_set(e, refused ? STATUS_REFUSED : STATUS_CORRUPT, bad_key,
                           "%s/%s cannot be opened with this key", k->dir, name);
        goto done;
    }
    *out = secret_copy(opened.data, opened.len);
done:
    if (opened.data != NULL)
        secret_wipe(opened.data, opened.cap);
    buf_free(&opened);
    buf_free(&sealed);
    return status;
}

// ---- Opening --------------------------------------------------------------------------------------------------------

static enum status open_folder(const char *dir, bool may_create, struct keychain **out, struct error *e)
{
    enum status status = may_create ? folder_create(dir, 0700, e) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    *out = mem_alloc(sizeof **out);
    (*out)->dir = mem_text(span_of(dir));
    return STATUS_OK;
}

// No master key: a new one where that is allowed, unless secret keys lie here that only the lost one could open.
static enum status create_master(struct keychain *k, const struct secret *key, bool may_create, struct error *e)
{
    bool lost;
    enum status status = has_key_files(k, &lost, e);
    if (status != STATUS_OK)
        return status;
    if (lost)
        return error_set(e, STATUS_NOT_FOUND, "STORE-MISSING",
                         "%s holds secret keys, but the master key that opens them is gone", k->dir);
    if (!may_create)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s holds no master key", k->dir);
    k->master = secret_random(MASTER_SIZE);
    return write_sealed(k, MASTER_FILE, key, &k->master, e);
}

static enum status unlock(struct keychain *k, const struct secret *key, bool may_create, struct error *e)
{
    struct error why = {0};
    enum status status = read_sealed(k, MASTER_FILE, key, MASTER_SIZE, "BAD-SECRET", &k->master, &why);
    if (status == STATUS_NOT_FOUND)
        return create_master(k, key, may_create, e);
    if (status != STATUS_OK && e != NULL)
        *e = why;
    return status;
}

// The node key was changed, but the folder was not opened since: what was sealed for the new one takes its place.
static enum status unlock_next(struct keychain *k, const struct secret *key, struct error *e)
{
    enum status status = read_sealed(k, NEXT_FILE, key, MASTER_SIZE, "BAD-SECRET", &k->master, e);
    if (status != STATUS_OK)
        return status;
    char *next = path_of(k, NEXT_FILE);
    char *present = path_of(k, MASTER_FILE);
    status = file_rename(next, present, e);
    if (status == STATUS_OK)
        status = folder_sync(k->dir, e);
    free(present);
    free(next);
    return status;
}

static enum status unlock_either(struct keychain *k, const struct secret *key, bool may_create, struct error *e)
{
    struct error why = {0};
    enum status status = unlock(k, key, may_create, &why);
    if (status == STATUS_REFUSED && has_file(k, NEXT_FILE))
        return unlock_next(k, key, e);
    if (status != STATUS_OK && e != NULL)
        *e = why;
    return status;
}

bool keychain_exists(const char *dir)
{
    struct keychain k = {.dir = mem_text(span_of(dir))};
    bool there = has_file(&k, MASTER_FILE);
    free(k.dir);
    return there;
}

enum status keychain_open(const char *dir, const struct secret *node_key, bool may_create, struct keychain **out,
                          struct error *e)
{
    struct keychain *k = NULL;
    enum status status = open_folder(dir, may_create, &k, e);
    if (status == STATUS_OK)
        status = unlock_either(k, node_key, may_create, e);
    if (status != STATUS_OK) {
        keychain_close(k);
        k = NULL;
    }
    *out = k;
    return status;
}

static enum status derive(const struct keychain *k, const struct secret *secret, struct secret *key, struct error *e)
{
    struct buf salt = {0};
    enum status status = read_file(k, SALT_FILE, &salt, e);
    if (status == STATUS_OK && salt.len < KDF_SALT)
        status = error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s/" SALT_FILE " is too short", k->dir);
    if (status == STATUS_OK)
        status = kdf_scrypt(secret, buf_span(&salt), key, e);
    buf_free(&salt);
    return status;
}

// The salt, made anew only where nothing depends on an old one.
static enum status provide_salt(struct keychain *k, bool may_create, struct error *e)
{
    if (has_file(k, SALT_FILE))
        return STATUS_OK;
    bool lost;
    enum status status = has_key_files(k, &lost, e);
    if (status != STATUS_OK)
        return status;
    if (lost || has_file(k, MASTER_FILE))
        return error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "%s holds secret keys, but their salt is gone", k->dir);
    if (!may_create)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s holds no keys", k->dir);
    char salt[KDF_SALT];
    random_bytes(salt, sizeof salt);
    return write_file(k, SALT_FILE, (struct span){salt, sizeof salt}, e);
}

static enum status unlock_reference(struct keychain *k, const struct secret *secret, bool may_create, struct error *e)
{
    struct secret key = {0};
    enum status status = provide_salt(k, may_create, e);
    if (status == STATUS_OK)
        status = derive(k, secret, &key, e);
    if (status == STATUS_OK)
        status = unlock(k, &key, may_create, e);
    secret_destroy(&key);
    return status;
}

enum status keychain_open_reference(const char *dir, const struct secret *secret, bool may_create,
                                    struct keychain **out, struct error *e)
{
    struct keychain *k = NULL;
    enum status status = open_folder(dir, may_create, &k, e);
    if (status == STATUS_OK)
        status = unlock_reference(k, secret, may_create, e);
    if (status != STATUS_OK) {
        keychain_close(k);
        k = NULL;
    }
    *out = k;
    return status;
}

void keychain_close(struct keychain *k)
{
    if (k == NULL)
        return;
    secret_destroy(&k->master);
    free(k->dir);
    free(k);
}

enum status keychain_reseal(struct keychain *k, const struct secret *node_key, struct error *e)
{
    return write_sealed(k, NEXT_FILE, node_key, &k->master, e);
}

// ---- Keys -----------------------------------------------------------------------------------------------------------

static const char *file_name(char out[NAME_SIZE], const struct hash *keys, const char *ending)
{
    snprintf(out, NAME_SIZE, "%s%s", hash_text(keys).s, ending);
    return out;
}

enum status keychain_put(struct keychain *k, const struct hash *keys, const struct secret *encrypt,
                         const struct secret *sign, struct error *e)
{
    char name[NAME_SIZE];
    enum status status = write_sealed(k, file_name(name, keys, ".encrypt"), &k->master, encrypt, e);
    if (status == STATUS_OK)
        status = write_sealed(k, file_name(name, keys, ".sign"), &k->master, sign, e);
    return status;
}

enum status keychain_get(const struct keychain *k, const struct hash *keys, struct secret *encrypt, struct secret *sign,
                         struct error *e)
{
    char name[NAME_SIZE];
    enum status status =
        read_sealed(k, file_name(name, keys, ".encrypt"), &k->master, BOX_KEY, "BAD-KEY-FILE", encrypt, e);
    if (status != STATUS_OK)
        return status;
    status = read_sealed(k, file_name(name, keys, ".sign"), &k->master, SIGN_SECRET, "BAD-KEY-FILE", sign, e);
    if (status != STATUS_OK)
        secret_destroy(encrypt);
    return status;
}

bool keychain_has(const struct keychain *k, const struct hash *keys)
{
    char name[NAME_SIZE];
    return has_file(k, file_name(name, keys, ".encrypt")) && has_file(k, file_name(name, keys, ".sign"));
}

static enum status list_one(const struct folder_file *file, void *arg, struct error *e)
{
    struct hash_list *names = arg;
    struct hash name;
    (void)e;
    size_t len = strcspn(file->name, ".");
    if (strcmp(file->name + len, ".sign") == 0 && hash_parse((struct span){file->name, len}, &name))
        hash_list_add(names, &name);
    return STATUS_OK;
}

enum status keychain_list(const struct keychain *k, struct hash_list *out, struct error *e)
{
    return folder_walk(k->dir, list_one, out, e);
}

enum status keychain_check(const struct keychain *k, struct error *e)
{
    struct hash_list names = {0};
    enum status status = keychain_list(k, &names, e);
    for (size_t i = 0; status == STATUS_OK && i < names.count; i++) {
        struct secret encrypt = {0};
        struct secret sign = {0};
        status = keychain_get(k, &names.items[i], &encrypt, &sign, e);
        secret_destroy(&encrypt);
        secret_destroy(&sign);
    }
    hash_list_free(&names);
    return status;
}

// ---- Without a key --------------------------------------------------------------------------------------------------

static size_t expected_size(const char *name)
{
    if (strcmp(name, MASTER_FILE) == 0 || strcmp(name, NEXT_FILE) == 0)
        return BOX_EMBEDDED + MASTER_SIZE;
    return ends_with(name, ".sign") ? BOX_EMBEDDED + SIGN_SECRET : BOX_EMBEDDED + BOX_KEY;
}

static bool has_partner(const struct keychain *k, const struct folder_file *file)
{
    char name[NAME_SIZE];
    int len = (int)strcspn(file->name, ".");
    snprintf(name, sizeof name, "%.*s%s", len, file->name, ends_with(file->name, ".sign") ? ".encrypt" : ".sign");
    return has_file(k, name);
}

static enum status look_at(const struct folder_file *file, void *arg, struct error *e)
{
    bool pair = ends_with(file->name, ".encrypt") || ends_with(file->name, ".sign");
    bool master = strcmp(file->name, MASTER_FILE) == 0 || strcmp(file->name, NEXT_FILE) == 0;
    if ((pair || master) && file->size != expected_size(file->name))
        return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s is %llu bytes long, not %zu", file->path,
                         (unsigned long long)file->size, expected_size(file->name));
    if (pair && !has_partner(arg, file))
        return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s has no partner", file->path);
    return STATUS_OK;
}

enum status keychain_look(const char *dir, struct error *e)
{
    struct keychain k = {.dir = mem_text(span_of(dir))};
    enum status status = has_file(&k, MASTER_FILE)
                             ? folder_walk(dir, look_at, &k, e)
                             : error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "there is no master key in %s", dir);
    free(k.dir);
    return status;
}
