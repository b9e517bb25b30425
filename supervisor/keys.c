#include <string.h>

#include "base/hash.h"
#include "crypto/kdf.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/core.h"

enum { KEY_FILE_MAX = 64 * 1024 };

enum status keys_load(struct supervisor *s, struct keyfile *keys, struct error *e)
{
    struct buf text = {0};
    enum status status = file_read(statedir_file(s->dir, "keys.json"), KEY_FILE_MAX, &text, e);
    if (status == STATUS_OK)
        status = keyfile_parse(buf_span(&text), keys, e);
    if (status == STATUS_OK)
        status = folder_sync(statedir_path(s->dir), e);
    buf_free(&text);
    return status;
}

enum status keys_save(struct supervisor *s, const struct keyfile *keys, struct error *e)
{
    struct buf text = {0};
    keyfile_print(keys, &text);
    enum status status = file_write(statedir_file(s->dir, "keys.json"), buf_span(&text), 0600, e);
    buf_free(&text);
    return status;
}

static bool keys_are(struct supervisor *s, const struct keyfile *keys)
{
    struct buf text = {0};
    struct error ignored = {0};
    struct keyfile found;
    bool are = file_read(statedir_file(s->dir, "keys.json"), KEY_FILE_MAX, &text, &ignored) == STATUS_OK &&
               keyfile_parse(buf_span(&text), &found, &ignored) == STATUS_OK &&
               memcmp(found.check, keys->check, sizeof found.check) == 0;
    buf_free(&text);
    return are;
}

enum status keys_replace(struct supervisor *s, const struct keyfile *old, const struct keyfile *next, bool *durable,
                         struct error *e)
{
    struct error ignored = {0};
    enum status status = keys_save(s, next, e);
    *durable = status == STATUS_OK;
    if (*durable || !keys_are(s, next))
        return status;
    keys_save(s, old, &ignored);
    return keys_are(s, next) ? STATUS_OK : status;
}

json_t *keys_of_node(const struct secret *kek, enum ipc_node which)
{
    struct secret key = {0};
    char hex[2 * KDF_KEY + 1];
    kdf_subkey(kek, ipc_node_name(which), &key);
    hex_encode(key.data, key.len, hex);
    secret_destroy(&key);
    json_t *text = json_string(hex);
    secret_wipe(hex, sizeof hex);
    return text;
}

void keys_wipe(json_t *params, const char *name)
{
    json_t *text = json_object_get(params, name);
    if (text != NULL)
        secret_wipe((char *)json_string_value(text), json_string_length(text));
}

void keys_take_secret(struct ipc_request *r, const char *name, struct secret *out)
{
    json_t *text = json_object_get(ipc_request_params(r), name);
    secret_destroy(out);
    if (text != NULL)
        *out = secret_copy(json_string_value(text), json_string_length(text));
    keys_wipe(ipc_request_params(r), name);
}
