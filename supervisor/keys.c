// The files with keys: keys.json, and the copies of the nodes' own. When a write of keys.json fails it may have
// happened all the same: keys_replace puts the old file back and then looks which of them is there.
#include <string.h>

#include "crypto/keycopy.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/core.h"
#include "supervisor/twice.h"

enum { KEY_FILE_MAX = 64 * 1024 };

static bool is_key_file(struct span text)
{
    struct keyfile keys;
    return keyfile_parse(text, &keys, NULL) == STATUS_OK;
}

enum status keys_load(struct supervisor *s, struct keyfile *keys, struct error *e)
{
    struct buf text = {0};
    enum status status = twice_read(statedir_file(s->dir, "keys.json"), KEY_FILE_MAX, is_key_file, &text, e);
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
    enum status status = twice_write(statedir_file(s->dir, "keys.json"), buf_span(&text), e);
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

const char *keys_copy_file(struct supervisor *s, enum ipc_node which)
{
    return statedir_file(s->dir, which == IPC_ARCHIVE ? "archive.keys" : "sparse.keys");
}

enum status keys_keep_copy(struct supervisor *s, enum ipc_node which, const json_t *result, struct error *e)
{
    struct buf kept = {0};
    struct error ignored = {0};
    const char *copy = json_string_value(json_object_get(result, "copy"));
    if (copy == NULL)
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "the %s node gave no copy of its keys", ipc_node_name(which));
    bool same = file_read(keys_copy_file(s, which), KEYCOPY_MAX, &kept, &ignored) == STATUS_OK &&
                span_eq_text(buf_span(&kept), copy);
    buf_free(&kept);
    twice_confirm(statedir_file(s->dir, "keys.json"), KEY_FILE_MAX); // it opened with these
    twice_confirm(statedir_file(s->dir, "installation.json"), KEY_FILE_MAX);
    return same ? STATUS_OK : file_write(keys_copy_file(s, which), span_of(copy), 0600, e);
}

enum status keys_find_copy(struct supervisor *s, enum ipc_node which, struct buf *out, struct error *e)
{
    enum status status = file_read(keys_copy_file(s, which), KEYCOPY_MAX, out, e);
    bool text = status != STATUS_OK || memchr(out->data, '\0', out->len) == NULL;
    if (status == STATUS_TOO_BIG || !text)
        status = error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "%s is no copy of keys", keys_copy_file(s, which));
    return status;
}
