#include "crypto/keychain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/box.h"
#include "crypto/kdf.h"
#include "crypto/sign.h"

enum {
    MASTER_SIZE = 32,
    MAX_FILE = 1024, // longer files are none of ours
    NAME_SIZE = HASH_HEX + sizeof ".encrypt",
};

#define MASTER_FILE "keychain_masterkey"
#define SALT_FILE "keychain_salt"

struct keychain {
    char *dir;
    int fd; // the folder
    struct secret master;
};

// ---- Files
// -----------------------------------------------------------------------------------------------------------

static enum status read_file(const struct keychain *k, const char *name, struct buf *out, struct error *e)
{
    enum status status = STATUS_OK;
    int fd = openat(k->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s/%s does not exist", k->dir, name);
    if (fd < 0)
        return error_errno(e, "cannot open %s/%s", k->dir, name);
    for (;;) {
        ssize_t n = read(fd, buf_reserve(out, MAX_FILE), MAX_FILE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = error_errno(e, "cannot read %s/%s", k->dir, name);
        if (n <= 0)
            break;
        out->len += (size_t)n;
        if (out->len > MAX_FILE) {
            status = error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s/%s is too long", k->dir, name);
            break;
        }
    }
    close(fd);
    return status;
}

static bool write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = span_from(bytes, (size_t)n);
    }
    return fsync(fd) == 0;
}

// Replaces a file in one step that survives power loss.
static enum status write_file(const struct keychain *k, const char *name, struct span bytes, struct error *e)
{
    char temporary[NAME_SIZE + sizeof ".new"];
    snprintf(temporary, sizeof temporary, "%s.new", name);
    int fd = openat(k->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(e, "cannot create %s/%s", k->dir, temporary);
    bool written = write_all(fd, bytes);
    int saved = errno;
    close(fd);
    errno = saved;
    if (written && renameat(k->fd, temporary, k->fd, name) == 0 && fsync(k->fd) == 0)
        return STATUS_OK;
    error_errno(e, "cannot write %s/%s", k->dir, name);
    unlinkat(k->fd, temporary, 0);
    return e != NULL ? e->status : STATUS_IO;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static enum status has_key_files(const struct keychain *k, bool *yes, struct error *e)
{
    *yes = false;
    int fd = openat(k->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        if (fd >= 0)
            close(fd);
        return error_errno(e, "cannot read %s", k->dir);
    }
    for (struct dirent *d = readdir(folder); d != NULL; d = readdir(folder))
        *yes = *yes || ends_with(d->d_name, ".encrypt") || ends_with(d->d_name, ".sign");
    closedir(folder);
    return STATUS_OK;
}

// ---- Sealing
// ---------------------------------------------------------------------------------------------------------

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

// ---- Opening
// ---------------------------------------------------------------------------------------------------------

static enum status open_folder(const char *dir, bool may_create, struct keychain **out, struct error *e)
{
    if (may_create && mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_errno(e, "cannot create %s", dir);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s does not exist", dir);
    if (fd < 0)
        return error_errno(e, "cannot open %s", dir);
    struct keychain *k = mem_alloc(sizeof *k);
    k->dir = mem_text(span_of(dir));
    k->fd = fd;
    *out = k;
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

enum status keychain_open(const char *dir, const struct secret *node_key, bool may_create, struct keychain **out,
                          struct error *e)
{
    struct keychain *k = NULL;
    enum status status = open_folder(dir, may_create, &k, e);
    if (status == STATUS_OK)
        status = unlock(k, node_key, may_create, e);
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
    if (faccessat(k->fd, SALT_FILE, F_OK, 0) == 0)
        return STATUS_OK;
    bool lost;
    enum status status = has_key_files(k, &lost, e);
    if (status != STATUS_OK)
        return status;
    if (lost || faccessat(k->fd, MASTER_FILE, F_OK, 0) == 0)
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
    close(k->fd);
    free(k->dir);
    free(k);
}

enum status keychain_reseal(struct keychain *k, const struct secret *node_key, struct error *e)
{
    return write_sealed(k, MASTER_FILE, node_key, &k->master, e);
}

// ---- Keys
// --------------------------------------------------------------------------------------------------------------

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
    return faccessat(k->fd, file_name(name, keys, ".encrypt"), F_OK, 0) == 0 &&
           faccessat(k->fd, file_name(name, keys, ".sign"), F_OK, 0) == 0;
}
