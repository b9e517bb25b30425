// The key of a vault can be had in two ways: a running installation opens it, or the secret does, from the copy of
// keys.json that lies in the vault. So a backup needs nothing of the machine it was made on. Which vault is newest is
// told by the time that is sealed in it, since the times of files change when they are copied.
#include "supervisor/ctl/backup.h"

#include <stdio.h>
#include <string.h>

#include "crypto/box.h"
#include "ipc/jsonrpc.h"
#include "supervisor/ctl/output.h"
#include "supervisor/keyfile.h"
#include "supervisor/statedir.h"

enum { SEALED = BOX_EMBEDDED + BOX_KEY };

// ---- Keys -----------------------------------------------------------------------------------------------------------

static enum status take_key(json_t *result, struct secret *key, struct error *e)
{
    json_t *text = json_object_get(result, "key");
    *key = secret_create(BOX_KEY);
    bool good = hex_decode(span_of(json_string_value(text)), key->data, key->len);
    jsonrpc_wipe(result, "key");
    if (good)
        return STATUS_OK;
    secret_destroy(key);
    return error_set(e, STATUS_INTERNAL, "INTERNAL", "the supervisor gave no key");
}

enum status backup_ask_key(struct ctl *c, const char *sealed, struct secret *key, struct buf *sealed_out,
                           struct error *e)
{
    json_t *params = sealed != NULL ? json_pack("{s:s}", "sealed", sealed) : json_object();
    json_t *result = ctl_call(c, "backup.key", params, e);
    if (result == NULL)
        return e->status;
    enum status status = take_key(result, key, e);
    const char *made = json_string_value(json_object_get(result, "sealed"));
    if (status == STATUS_OK && sealed_out != NULL && made != NULL)
        buf_add_text(sealed_out, made);
    json_decref(result);
    return status;
}

static enum status unseal(const struct secret *kek, const char *hex, struct secret *key, struct error *e)
{
    struct secret sealing = {0};
    struct buf opened = {0};
    char sealed[SEALED];
    buf_reserve(&opened, sizeof sealed); // so that it is never moved
    kdf_subkey(kek, "backup", &sealing);
    bool good = hex_decode(span_of(hex), sealed, sizeof sealed) &&
                box_open(&sealing, (struct span){sealed, sizeof sealed}, &opened, NULL) == STATUS_OK;
    if (good)
        *key = secret_copy(opened.data, opened.len);
    secret_wipe(opened.data, opened.cap);
    buf_free(&opened);
    secret_destroy(&sealing);
    return good ? STATUS_OK
                : error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "the key of the backup is damaged; nothing opens it");
}

// STATUS_REFUSED: the secret is another vault's.
static enum status derive_key(const struct vault *v, const struct secret *secret, struct secret *key, struct error *e)
{
    struct keyfile file;
    struct secret kek = {0};
    struct buf sealed = {0};
    buf_add_span(&sealed, buf_span(&v->sealed));
    enum status status = keyfile_parse(buf_span(&v->keys), &file, e);
    if (status != STATUS_OK)
        status = error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s/keys.json is damaged; no secret opens it", v->path);
    if (status == STATUS_OK)
        status = keyfile_derive(&file, secret, &kek, e);
    if (status == STATUS_OK && !keyfile_fits(&file, &kek))
        status = error_set(e, STATUS_REFUSED, "BAD-SECRET", "this is not the secret that the backup was sealed with");
    if (status == STATUS_OK)
        status = unseal(&kek, buf_cstr(&sealed), key, e);
    secret_destroy(&kek);
    buf_free(&sealed);
    return status;
}

// Is there a running installation that can be asked?
static bool is_running(struct ctl *c)
{
    return c->state_dir != NULL && statedir_holder(c->state_dir) != 0;
}

static enum status open_one(struct ctl *c, struct vault *v, const struct secret *secret, struct error *e)
{
    if (v->sealed.len != 2 * SEALED)
        return error_set(e, STATUS_CORRUPT, "BACKUP-DAMAGED", "%s/key is damaged; no secret opens it", v->path);
    if (secret != NULL)
        return derive_key(v, secret, &v->key, e);
    return backup_ask_key(c, buf_cstr(&v->sealed), &v->key, NULL, e);
}

static enum status open_all(struct ctl *c, struct vaults *vaults, const struct secret *secret, struct error *e)
{
    struct error why = {0};
    bool any = false;
    for (size_t i = 0; i < vaults->count; i++) {
        enum status status = open_one(c, &vaults->items[i], secret, &why);
        any = any || status == STATUS_OK;
        if (status != STATUS_OK && status != STATUS_REFUSED) {
            *e = why;
            return status;
        }
    }
    if (any)
        return STATUS_OK;
    *e = why;
    return why.status;
}

static bool has_generations(const struct vaults *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->items[i].count != 0)
            return true;
    return false;
}

enum status backup_open(struct ctl *c, const char *dir, bool ask, struct vaults *out, struct error *e)
{
    struct secret secret = {0};
    enum status status = vaults_find(dir, out, e);
    if (status == STATUS_OK && !has_generations(out))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s holds no backup", dir);
    bool asks = ask || ctl_has(c, "secret-file") || !is_running(c);
    if (status == STATUS_OK && asks)
        status = ctl_secret(c, ctl_value(c, "secret-file"), "Secret of the backup: ", &secret, e);
    if (status == STATUS_OK)
        status = open_all(c, out, asks ? &secret : NULL, e);
    secret_destroy(&secret);
    if (status != STATUS_OK)
        vaults_free(out);
    return status;
}

// number 0: any.
static bool has_generation(const struct vault *v, uint64_t number)
{
    bool has = number == 0 && v->count != 0;
    for (size_t i = 0; i < v->count; i++)
        has = has || v->numbers[i] == number;
    return has;
}

// By the time that is sealed in it: the times of files change when they are copied.
static enum status take_newer(const struct vault *v, uint64_t number, const struct vault **vault,
                              struct backup_manifest *m, struct error *e)
{
    struct backup_manifest other;
    if (vault_read(v, number != 0 ? number : vault_last(v), &other, e) != STATUS_OK)
        return e->status;
    struct backup_manifest *older = *vault == NULL || other.at_ms > m->at_ms ? m : &other;
    manifest_free(older);
    if (older == m) {
        *m = other;
        *vault = v;
    }
    return STATUS_OK;
}

enum status backup_choose(const struct vaults *v, uint64_t number, const struct vault **vault,
                          struct backup_manifest *m, struct error *e)
{
    enum status status = STATUS_OK;
    *vault = NULL;
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < v->count && status == STATUS_OK; i++)
        if (vault_is_open(&v->items[i]) && has_generation(&v->items[i], number))
            status = take_newer(&v->items[i], number, vault, m, e);
    if (status != STATUS_OK)
        manifest_free(m);
    if (status == STATUS_OK && *vault == NULL)
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no generation %llu that this secret opens",
                           (unsigned long long)number);
    return status;
}

// ---- Showing --------------------------------------------------------------------------------------------------------

static void show_first(json_t *result, const char *name)
{
    const json_t *list = json_object_get(result, name);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (output_enough(i, list))
            break;
        output_state(name);
        printf("  ");
        output_string(json_is_object(item) ? json_object_get(item, "what") : item);
        if (json_is_object(item))
            printf(" (generation %lld)", (long long)json_integer_value(json_object_get(item, "generation")));
        putchar('\n');
    }
    if (json_is_array(list))
        json_object_set_new(result, name, json_integer((json_int_t)json_array_size(list)));
}

enum status backup_show(const struct ctl *c, json_t *result, const struct error *e)
{
    static const struct output_column facts[] = {{"Generation", "generation", OUTPUT_NUMBER},
                                                 {"Made at", "at", OUTPUT_TIME},
                                                 {"Generations", "generations", OUTPUT_NUMBER},
                                                 {"Objects", "objects", OUTPUT_NUMBER},
                                                 {"Bytes", "bytes", OUTPUT_BYTES},
                                                 {"New of them", "newBytes", OUTPUT_BYTES},
                                                 {"It took", "milliseconds", OUTPUT_MS},
                                                 {"Not opened", "unopened", OUTPUT_NUMBER},
                                                 {"Damaged", "damaged", OUTPUT_NUMBER},
                                                 {"Missing", "missing", OUTPUT_NUMBER}};
    if (result != NULL && !c->json) {
        show_first(result, "damaged");
        show_first(result, "missing");
    }
    return output_object(c, result, facts, sizeof facts / sizeof *facts, e);
}
