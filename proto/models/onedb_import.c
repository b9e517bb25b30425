// Five walks over the same folder, in an order that matters: recipes by current heads, then any others (the first of a
// name counts), or objects of their types could only be kept as files; then everything else; then heads, which need
// their nodes; then keys. A file that is not what its name says is counted and left out, and stops nothing: the folder
// may be damaged.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "io/file.h"
#include "io/folder.h"
#include "models/instance.h"
#include "models/onedb.h"

enum { HEAD_SIZE = 512, SNIFF = 300, PATH_SIZE = 4096 };

struct import {
    struct store *store;
    struct keychain *keys; // ours
    struct keychain *reference;
    struct arena *arena; // of one file
    struct onedb_report *report;
    char instance[PATH_SIZE]; // the folder of the instance
    size_t instances;         // found so far
};

// ---- Finding the instance -------------------------------------------------------------------------------------------

// Every instance folder has objects/ in it: DIR/INSTANCE/objects/HASH, or DIR/objects/HASH.
static enum status look_for_instance(const struct folder_file *file, void *arg, struct error *e)
{
    struct import *i = arg;
    (void)e;
    size_t len = strlen(file->path) - strlen(file->name);
    if (len < 9 || len >= PATH_SIZE || memcmp(file->path + len - 9, "/objects/", 9) != 0)
        return STATUS_OK;
    len -= 9;
    if (i->instances != 0 && strlen(i->instance) == len && memcmp(i->instance, file->path, len) == 0)
        return STATUS_OK;
    memcpy(i->instance, file->path, len);
    i->instance[len] = '\0';
    i->instances++;
    return STATUS_OK;
}

static enum status find_instance(struct import *i, const char *dir, struct error *e)
{
    enum status status = folder_walk(dir, look_for_instance, i, e);
    if (status == STATUS_OK && i->instances != 1)
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s holds %s instance", dir,
                           i->instances == 0 ? "no" : "more than one");
    return status;
}

static enum status walk(struct import *i, const char *folder, folder_visit visit, struct error *e)
{
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/%s", i->instance, folder);
    return folder_walk(path, visit, i, e);
}

// ---- Objects --------------------------------------------------------------------------------------------------------

static bool sniff(const struct folder_file *file, struct span *type, enum microdata_form *form, struct buf *start)
{
    return file->size <= MICRODATA_MAX_SIZE && file_read_at(file->path, 0, SNIFF, start, NULL) == STATUS_OK &&
           microdata_sniff(buf_span(start), type, form);
}

// Reads a file of the type, if it is what its name says.
static bool read_verified(struct import *i, const char *path, const struct hash *name, const char *type,
                          struct buf *text, struct object *o)
{
    return file_read(path, MICRODATA_MAX_SIZE, text, NULL) == STATUS_OK &&
           object_read(store_recipes(i->store), i->arena, buf_span(text), MICRODATA_OBJECT, name, o, NULL) ==
               STATUS_OK &&
           span_starts_with(o->recipe->name, span_of(type));
}

static void register_recipe(struct import *i, const char *path, const struct hash *hash)
{
    struct buf text = {0};
    struct object o;
    struct span name;
    if (read_verified(i, path, hash, "Recipe", &text, &o) && value_get_string(o.value, "name", &name) &&
        recipes_find(store_recipes(i->store), name) == NULL)
        store_add_recipe(i->store, o.value, NULL);
    buf_free(&text);
}

static const char *object_path(const struct import *i, const struct hash *hash, char out[PATH_SIZE + HASH_HEX + 16])
{
    snprintf(out, PATH_SIZE + HASH_HEX + 16, "%s/objects/%s", i->instance, hash_text(hash).s);
    return out;
}

// Recipes first: without them the objects of their types could only be kept as files. Of several versions the current
// one counts.
static enum status register_current(const struct folder_file *head, void *arg, struct error *e)
{
    struct import *i = arg;
    struct buf text = {0};
    struct buf node_text = {0};
    struct hash node;
    struct hash data;
    struct object o;
    char path[PATH_SIZE + HASH_HEX + 16];
    (void)e;
    arena_reset(i->arena);
    if (file_read(head->path, HEAD_SIZE, &text, NULL) == STATUS_OK && hash_parse(buf_span(&text), &node) &&
        read_verified(i, object_path(i, &node, path), &node, "VersionNode", &node_text, &o) &&
        value_get_hash(o.value, "data", &data))
        register_recipe(i, object_path(i, &data, path), &data);
    buf_free(&text);
    buf_free(&node_text);
    return STATUS_OK;
}

static enum status register_any(const struct folder_file *file, void *arg, struct error *e)
{
    struct import *i = arg;
    struct buf start = {0};
    struct span type;
    struct hash name;
    enum microdata_form form;
    (void)e;
    arena_reset(i->arena);
    if (hash_parse(span_of(file->name), &name) && sniff(file, &type, &form, &start) && span_eq_text(type, "Recipe"))
        register_recipe(i, file->path, &name);
    buf_free(&start);
    return STATUS_OK;
}

static enum status add_chunks(struct store_writer *w, const struct folder_file *file, struct error *e)
{
    struct buf chunk = {0};
    enum status status = STATUS_OK;
    for (uint64_t offset = 0; status == STATUS_OK && offset < file->size; offset += chunk.len) {
        buf_clear(&chunk);
        status = file_read_at(file->path, offset, STORE_CHUNK, &chunk, e);
        if (status == STATUS_OK && chunk.len == 0)
            break; // it became shorter: the hash will tell
        if (status == STATUS_OK)
            status = store_writer_add(w, buf_span(&chunk), e);
    }
    buf_free(&chunk);
    return status;
}

static enum status take_file(struct import *i, const struct folder_file *file, const struct hash *name, struct error *e)
{
    struct store_writer *w;
    struct hash hash;
    bool is_new;
    struct error why = {0};
    enum status status = store_writer_create(i->store, false, &w, e);
    if (status != STATUS_OK)
        return status;
    status = add_chunks(w, file, e);
    if (status == STATUS_OK)
        status = store_writer_finish(w, name, &hash, &is_new, &why);
    store_writer_destroy(w);
    if (strcmp(why.code, "CIEC-FBL2") == 0) {
        i->report->damaged++;
        return STATUS_OK;
    }
    if (why.status != STATUS_OK && e != NULL)
        *e = why;
    i->report->files += status == STATUS_OK;
    return status;
}

static enum status take_microdata(struct import *i, const struct folder_file *file, const struct hash *name,
                                  enum microdata_form form, bool *taken, struct error *e)
{
    struct buf text = {0};
    struct object o;
    enum status status = file_read(file->path, MICRODATA_MAX_SIZE, &text, e);
    *taken = status == STATUS_OK &&
             object_read(store_recipes(i->store), i->arena, buf_span(&text), form, name, &o, NULL) == STATUS_OK;
    if (*taken) {
        status = store_put(i->store, &o, NULL, e);
        i->report->objects++;
    }
    buf_free(&text);
    return status;
}

static enum status take_object(const struct folder_file *file, void *arg, struct error *e)
{
    struct import *i = arg;
    struct buf start = {0};
    struct span type;
    enum microdata_form form;
    struct hash name;
    bool taken = false;
    enum status status = STATUS_OK;
    arena_reset(i->arena);
    if (!hash_parse(span_of(file->name), &name))
        return STATUS_OK;
    bool is_microdata = sniff(file, &type, &form, &start);
    if (is_microdata)
        status = take_microdata(i, file, &name, form, &taken, e);
    buf_free(&start);
    if (status != STATUS_OK || taken)
        return status;
    uint64_t before = i->report->files;
    status = take_file(i, file, &name, e);
    i->report->unknown += is_microdata && i->report->files != before;
    return status;
}

// ---- Heads ----------------------------------------------------------------------------------------------------------

// Is the node stored, and does it lead to a version of this id?
static bool is_head_of(struct import *i, const struct hash *id_hash, const struct hash *node)
{
    struct object o;
    struct hash data;
    struct store_info info;
    return store_get_object(i->store, node, i->arena, &o, NULL) == STATUS_OK &&
           span_starts_with(o.recipe->name, SPAN("VersionNode")) && value_get_hash(o.value, "data", &data) &&
           store_info(i->store, &data, &info, NULL) == STATUS_OK && hash_eq(&info.id_hash, id_hash);
}

static enum status take_head(const struct folder_file *file, void *arg, struct error *e)
{
    struct import *i = arg;
    struct buf text = {0};
    struct hash id_hash;
    struct hash node;
    const struct version_source *source = store_versions(i->store);
    arena_reset(i->arena);
    enum status status = file_read(file->path, HEAD_SIZE, &text, NULL);
    bool good = status == STATUS_OK && hash_parse(span_of(file->name), &id_hash) &&
                hash_parse(buf_span(&text), &node) && is_head_of(i, &id_hash, &node);
    buf_free(&text);
    i->report->damaged += !good;
    i->report->heads += good;
    return good ? source->set_head(source->ctx, &id_hash, &node, e) : STATUS_OK;
}

// ---- Keys -----------------------------------------------------------------------------------------------------------

// The secrets must belong to the public keys of the Keys object that names the file.
static bool is_key_of(struct import *i, const struct hash *keys, const struct secret *encrypt,
                      const struct secret *sign)
{
    struct object o;
    struct span text;
    struct span sign_text;
    struct public_key public_key;
    char hex[2 * BOX_KEY + 1];
    char sign_hex[2 * SIGN_PUBLIC + 1];
    if (store_get_object(i->store, keys, i->arena, &o, NULL) != STATUS_OK || !object_is_type(&o, "Keys") ||
        !value_get_string(o.value, "publicKey", &text) || !value_get_string(o.value, "publicSignKey", &sign_text))
        return false;
    box_public_from_secret(encrypt, &public_key);
    hex_encode(public_key.b, BOX_KEY, hex);
    hex_encode(sign->data + SIGN_SECRET - SIGN_PUBLIC, SIGN_PUBLIC, sign_hex);
    return span_eq_text(text, hex) && span_eq_text(sign_text, sign_hex);
}

static enum status take_keys(const struct folder_file *file, void *arg, struct error *e)
{
    struct import *i = arg;
    struct hash keys;
    struct secret encrypt = {0};
    struct secret sign = {0};
    size_t len = strlen(file->name);
    arena_reset(i->arena);
    if (len != HASH_HEX + 8 || strcmp(file->name + HASH_HEX, ".encrypt") != 0 ||
        !hash_parse((struct span){file->name, HASH_HEX}, &keys) || !keychain_has(i->reference, &keys))
        return STATUS_OK;
    enum status status = keychain_get(i->reference, &keys, &encrypt, &sign, e);
    if (status == STATUS_OK && !is_key_of(i, &keys, &encrypt, &sign))
        i->report->damaged++;
    else if (status == STATUS_OK) {
        status = keychain_put(i->keys, &keys, &encrypt, &sign, e);
        i->report->keys++;
    }
    secret_destroy(&encrypt);
    secret_destroy(&sign);
    return status;
}

// ---- All of it ------------------------------------------------------------------------------------------------------

static enum status check_empty(struct store *s, struct error *e)
{
    struct arena *a = arena_create();
    struct span email;
    struct span name;
    enum status status = instance_recorded(s, a, &email, &name, NULL);
    arena_destroy(a);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return error_set(e, STATUS_CONFLICT, "ALREADY-PROVISIONED", "the store has an instance already");
}

static void keep_text(char out[321], struct span text)
{
    size_t len = text.len < 320 ? text.len : 320;
    memcpy(out, text.ptr, len);
    out[len] = '\0';
}

// The adopted instance must open with the keys we took over.
static enum status check_result(struct import *i, struct error *e)
{
    struct identity *identity;
    enum status status = instance_reopen(i->store, i->keys, &identity, e);
    if (status != STATUS_OK) {
        if (status == STATUS_NOT_FOUND)
            status =
                error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "%s has no usable Instance object or keys", i->instance);
        return status;
    }
    keep_text(i->report->email, span_of(identity->email));
    keep_text(i->report->instance_name, span_of(identity->instance_name));
    identity_destroy(identity);
    return STATUS_OK;
}

enum status onedb_import(struct store *s, struct keychain *k, const char *dir, const struct secret *secret,
                         struct onedb_report *out, struct error *e)
{
    struct import *i = mem_alloc(sizeof *i);
    char path[PATH_SIZE + 16];
    *out = (struct onedb_report){0};
    *i = (struct import){.store = s, .keys = k, .arena = arena_create(), .report = out};
    enum status status = check_empty(s, e);
    if (status == STATUS_OK)
        status = find_instance(i, dir, e);
    if (status == STATUS_OK) {
        snprintf(path, sizeof path, "%s/private", i->instance);
        status = keychain_open_reference(path, secret, false, &i->reference, e);
    }
    if (status == STATUS_OK)
        status = walk(i, "vheads", register_current, e);
    if (status == STATUS_OK)
        status = walk(i, "objects", register_any, e);
    if (status == STATUS_OK)
        status = walk(i, "objects", take_object, e);
    if (status == STATUS_OK)
        status = walk(i, "vheads", take_head, e);
    if (status == STATUS_OK)
        status = walk(i, "private", take_keys, e);
    if (status == STATUS_OK)
        status = check_result(i, e);
    keychain_close(i->reference);
    arena_destroy(i->arena);
    free(i);
    return status;
}
