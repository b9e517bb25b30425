// Any bytes as the files of a key folder: the master key, then a key file of each kind.
//   input   master key file (72 bytes) ‖ X25519 key file (72) ‖ Ed25519 key file; shorter inputs make shorter files
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/box.h"
#include "crypto/keychain.h"
#include "crypto/sign.h"
#include "fuzz.h"
#include "io/folder.h"

enum { MASTER_FILE = 72, ENCRYPT_FILE = 72 };

static char dir[] = "/tmp/tandem-fuzz-XXXXXX";
static struct secret node_key; // 32 zeros
static const struct hash keys = {{1}};

static void clean_up(void)
{
    folder_remove_tree(dir, NULL);
    secret_destroy(&node_key);
}

static void begin(void)
{
    crypto_init();
    node_key = secret_create(32);
    FUZZ_CHECK(mkdtemp(dir) != NULL);
    atexit(clean_up);
}

static struct span cut(struct span *rest, size_t len)
{
    struct span part = {rest->ptr, rest->len < len ? rest->len : len};
    *rest = span_from(*rest, part.len);
    return part;
}

static void write_file(const char *name, struct span bytes)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

static void write_key(const char *ending, struct span bytes)
{
    char name[HASH_HEX + 10];
    snprintf(name, sizeof name, "%s%s", hash_text(&keys).s, ending);
    write_file(name, bytes);
}

// The same bytes as what a changed node key is to open, beside a master key that it does not.
static void open_next(struct span bytes)
{
    static const char other[MASTER_FILE];
    struct keychain *k;
    char path[200];
    write_file("keychain_masterkey", (struct span){other, sizeof other});
    write_file("keychain_masterkey.next", bytes);
    bool opened = keychain_open(dir, &node_key, true, &k, NULL) == STATUS_OK;
    FUZZ_CHECK(opened == (k != NULL));
    keychain_close(k);
    snprintf(path, sizeof path, "%s/keychain_masterkey.next", dir);
    FUZZ_CHECK((unlink(path) == 0) != opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct keychain *k;
    struct secret encrypt = {0};
    struct secret sign = {0};
    if (node_key.data == NULL)
        begin();
    struct span master = cut(&rest, MASTER_FILE);
    open_next(master);
    write_file("keychain_masterkey", master);
    write_key(".encrypt", cut(&rest, ENCRYPT_FILE));
    write_key(".sign", rest);
    if (keychain_open(dir, &node_key, true, &k, NULL) != STATUS_OK) {
        FUZZ_CHECK(k == NULL);
        return 0;
    }
    if (keychain_get(k, &keys, &encrypt, &sign, NULL) == STATUS_OK)
        FUZZ_CHECK(encrypt.len == BOX_KEY && sign.len == SIGN_SECRET);
    else
        FUZZ_CHECK(encrypt.data == NULL && sign.data == NULL);
    secret_destroy(&encrypt);
    secret_destroy(&sign);
    keychain_close(k);
    return 0;
}
