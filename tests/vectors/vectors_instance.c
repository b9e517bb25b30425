// Instances and their keys as the reference creates them: keychain and fresh-instance. The storage files of the
// reference are read where they are given; ours keep the same objects in another form.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/kdf.h"
#include "model_node.h"
#include "runner.h"

// ---- Key folders ----------------------------------------------------------------------------------------------------

struct folder {
    char path[64];
};

static void folder_create(struct folder *f)
{
    strcpy(f->path, "/tmp/tandem-keys-XXXXXX");
    if (mkdtemp(f->path) == NULL)
        abort();
}

static void folder_write(struct vector_run *run, const struct folder *f, const char *name, struct span bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool good = fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
    if (fd >= 0)
        close(fd);
    vector_expect(run, good, "cannot write %s", path);
}

static void folder_fill(struct vector_run *run, const struct folder *f, const json_t *files)
{
    const char *name;
    json_t *hex;
    json_object_foreach((json_t *)(uintptr_t)files, name, hex) folder_write(run, f, name, vector_hex(run, files, name));
}

static void folder_destroy(const struct folder *f)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", f->path);
    if (system(command) != 0)
        abort();
}

static enum status open_keychain(const struct folder *f, struct span secret, struct keychain **out, struct error *e)
{
    struct secret s = secret_copy(secret.ptr, secret.len);
    enum status status = keychain_open_reference(f->path, &s, false, out, e);
    secret_destroy(&s);
    return status;
}

static struct span random_request(struct vector_run *run, const json_t *root, size_t i)
{
    return vector_hex(run, json_array_get(json_object_get(root, "randomRequests"), i), "hex");
}

static struct secret sign_secret_of(struct span seed)
{
    struct sign_public ignored;
    struct secret secret;
    vector_sign_keypair((const uint8_t *)seed.ptr, &ignored, &secret);
    return secret;
}

// The folder holds these secrets under the name of a Keys object.
static void expect_keys(struct vector_run *run, const struct keychain *k, const struct hash *keys, struct span secret,
                        struct span sign_seed)
{
    struct error e = {0};
    struct secret wanted_sign = sign_secret_of(sign_seed);
    struct secret encrypt = {0};
    struct secret sign = {0};
    enum status s = keychain_get(k, keys, &encrypt, &sign, &e);
    if (vector_expect(run, s == STATUS_OK, "keychain_get: %s", e.message))
        vector_expect(run,
                      span_eq((struct span){(const char *)encrypt.data, encrypt.len}, secret) &&
                          secret_eq(&sign, &wanted_sign),
                      "other secret keys");
    secret_destroy(&encrypt);
    secret_destroy(&sign);
    secret_destroy(&wanted_sign);
}

// ---- keychain.json --------------------------------------------------------------------------------------------------

// Sealing with the recorded nonce gives the recorded bytes.
static void expect_sealed(struct vector_run *run, struct span key, struct span nonce, struct span content,
                          struct span wanted)
{
    struct buf sealed = {0};
    struct secret k = secret_copy(key.ptr, key.len);
    buf_add_span(&sealed, nonce);
    box_seal_nonce(&k, (const uint8_t *)nonce.ptr, content, &sealed);
    vector_expect(run, span_eq(buf_span(&sealed), wanted), "sealed bytes differ");
    secret_destroy(&k);
    buf_free(&sealed);
}

static void check_sealing(struct vector_run *run)
{
    const json_t *files = json_object_get(run->root, "privateFiles");
    struct secret secret = secret_copy(vector_text(run->root, "secret").ptr, vector_text(run->root, "secret").len);
    struct secret key = {0};
    char name[HASH_HEX + 10];
    vector_case(run, "derived key");
    vector_expect(run,
                  kdf_scrypt(&secret, vector_hex(run, files, "keychain_salt"), &key, NULL) == STATUS_OK &&
                      span_eq((struct span){(const char *)key.data, key.len}, vector_hex(run, run->root, "derivedKey")),
                  "another derived key");
    vector_case(run, "master key file");
    expect_sealed(run, vector_hex(run, run->root, "derivedKey"), random_request(run, run->root, 2),
                  random_request(run, run->root, 0), vector_hex(run, files, "keychain_masterkey"));
    vector_case(run, "key file");
    snprintf(name, sizeof name, SPAN_FMT ".encrypt", SPAN_ARG(vector_text(run->root, "ownerKeys")));
    expect_sealed(run, random_request(run, run->root, 0), random_request(run, run->root, 5),
                  random_request(run, run->root, 3), vector_hex(run, files, name));
    secret_destroy(&secret);
    secret_destroy(&key);
}

static void expect_both_keys(struct vector_run *run, const struct folder *f, struct span secret)
{
    struct keychain *k;
    struct error e = {0};
    struct hash owner;
    struct hash instance;
    enum status s = open_keychain(f, secret, &k, &e);
    if (!vector_expect(run, s == STATUS_OK, "does not open: %s", e.message) ||
        !vector_expect(run,
                       vector_hash(run->root, "ownerKeys", &owner) && vector_hash(run->root, "instanceKeys", &instance),
                       "the keys have no names"))
        return;
    expect_keys(run, k, &owner, random_request(run, run->root, 3), random_request(run, run->root, 4));
    expect_keys(run, k, &instance, random_request(run, run->root, 7), random_request(run, run->root, 8));
    keychain_close(k);
}

static void expect_refused(struct vector_run *run, const struct folder *f, struct span secret)
{
    struct keychain *k;
    struct error e = {0};
    enum status s = open_keychain(f, secret, &k, &e);
    vector_expect(run, s == STATUS_REFUSED && strcmp(e.code, "BAD-SECRET") == 0, "opens or fails with %s", e.code);
}

static void check_keychain(struct vector_run *run)
{
    struct folder f;
    const json_t *changed = json_object_get(run->root, "afterPasswordChange");
    check_sealing(run);
    folder_create(&f);
    folder_fill(run, &f, json_object_get(run->root, "privateFiles"));
    vector_case(run, "opens");
    expect_both_keys(run, &f, vector_text(run->root, "secret"));
    vector_case(run, "wrong secret");
    expect_refused(run, &f, vector_text(changed, "newSecret"));
    folder_fill(run, &f, json_object_get(changed, "privateFiles"));
    vector_case(run, "after the change of the secret");
    expect_both_keys(run, &f, vector_text(changed, "newSecret"));
    vector_case(run, "old secret");
    expect_refused(run, &f, vector_text(run->root, "secret"));
    vector_case(run, "empty secret");
    expect_refused(run, &f, (struct span){0});
    folder_destroy(&f);
}

// ---- fresh-instance.json --------------------------------------------------------------------------------------------

struct fresh { // one case
    struct vector_run *run;
    const json_t *c;
    struct keys_pair person, instance;
    struct instance_setup setup;
    const struct value *recipes[16];
    struct model_node node;
};

static bool is_in(const json_t *file, const char *folder, struct span *name)
{
    struct span path = vector_text(file, "path");
    const char *slash = path.len != 0 ? memchr(path.ptr, '/', path.len) : NULL;
    if (slash == NULL)
        return false;
    struct span rest = span_from(path, (size_t)(slash - path.ptr) + 1);
    if (!span_starts_with(rest, span_of(folder)) || rest.len == strlen(folder))
        return false;
    *name = span_from(rest, strlen(folder));
    return true;
}

static void read_keys(struct fresh *f)
{
    const json_t *options = json_object_get(f->c, "options");
    const json_t *given = json_object_get(options, "personEncryptionKeyPair");
    if (json_is_object(given)) {
        const char *const names[] = {"personEncryptionKeyPair", "personSignKeyPair", "instanceEncryptionKeyPair",
                                     "instanceSignKeyPair"};
        struct secret *const out[] = {&f->person.secret, &f->person.sign_secret, &f->instance.secret,
                                      &f->instance.sign_secret};
        for (size_t i = 0; i < 4; i++) {
            struct span key = vector_hex(f->run, json_object_get(options, names[i]), "secretKey");
            *out[i] = secret_copy(key.ptr, key.len);
        }
        return;
    }
    struct span person = random_request(f->run, f->c, 3);
    struct span instance = random_request(f->run, f->c, 7);
    f->person.secret = secret_copy(person.ptr, person.len);
    f->person.sign_secret = sign_secret_of(random_request(f->run, f->c, 4));
    f->instance.secret = secret_copy(instance.ptr, instance.len);
    f->instance.sign_secret = sign_secret_of(random_request(f->run, f->c, 8));
}

// The Recipe object of that name, from the recorded files.
static struct value *find_recipe(struct fresh *f, const json_t *files, struct span name)
{
    size_t i;
    const json_t *file;
    struct recipes *core = recipes_create(false);
    struct value *found = NULL;
    json_array_foreach(files, i, file)
    {
        struct value *recipe;
        struct span is;
        if (microdata_read(core, f->run->arena, vector_text(file, "text"), MICRODATA_OBJECT, SPAN("Recipe"), &recipe,
                           NULL) == STATUS_OK &&
            value_get_string(recipe, "name", &is) && span_eq(is, name))
            found = recipe;
    }
    recipes_destroy(core);
    vector_expect(f->run, found != NULL, "no recipe " SPAN_FMT, SPAN_ARG(name));
    return found;
}

static const struct value *read_map(struct fresh *f, const char *name)
{
    const json_t *map = json_object_get(json_object_get(f->c, "options"), name);
    return map != NULL ? vector_value(f->run, map) : value_map(f->run->arena);
}

static void read_setup(struct fresh *f)
{
    size_t i;
    const json_t *name;
    const json_t *options = json_object_get(f->c, "options");
    f->setup.recipes = f->recipes;
    json_array_foreach(json_object_get(options, "initialRecipes"), i, name)
    {
        struct span text = {json_string_value(name), json_string_length(name)};
        const struct value *recipe = find_recipe(f, json_object_get(f->c, "files"), text);
        if (recipe != NULL && f->setup.recipe_count < 16)
            f->recipes[f->setup.recipe_count++] = recipe;
    }
    f->setup.reverse_maps = read_map(f, "initiallyEnabledReverseMapTypes");
    f->setup.id_reverse_maps = read_map(f, "initiallyEnabledReverseMapTypesForIdObjects");
}

static void expect_object(struct fresh *f, struct span name, struct span text)
{
    struct hash hash;
    struct span stored;
    vector_expect(f->run,
                  hash_parse(name, &hash) &&
                      store_get(f->node.store, &hash, f->run->arena, &stored, NULL) == STATUS_OK &&
                      span_eq(stored, text),
                  "not stored: " SPAN_FMT, SPAN_ARG(text));
}

static void expect_head(struct fresh *f, struct span name, struct span text)
{
    struct hash id;
    struct hash wanted;
    struct hash node;
    vector_expect(f->run,
                  hash_parse(name, &id) && hash_parse(text, &wanted) &&
                      store_head(f->node.store, &id, &node, NULL) == STATUS_OK && hash_eq(&node, &wanted),
                  "another head of " SPAN_FMT, SPAN_ARG(name));
}

// A reverse map file TARGET.Object.TYPE or TARGET.IdObject.TYPE: every line is an answer of ours.
static void expect_referrers(struct fresh *f, struct span name, struct span text)
{
    struct hash target;
    struct hash_list found = {0};
    if (!vector_expect(f->run, name.len > HASH_HEX + 1 && hash_parse((struct span){name.ptr, HASH_HEX}, &target),
                       "odd reverse map"))
        return;
    struct span kind = span_from(name, HASH_HEX + 1);
    bool ids = span_starts_with(kind, SPAN("IdObject."));
    struct span type = span_from(kind, ids ? 9 : 7);
    store_referrers(f->node.store, &target, type, ids, &found, NULL);
    for (; text.len > HASH_HEX; text = span_from(text, HASH_HEX + 1)) {
        struct hash line;
        vector_expect(f->run, hash_parse((struct span){text.ptr, HASH_HEX}, &line) && hash_list_has(&found, &line),
                      "reverse map " SPAN_FMT " lacks a line", SPAN_ARG(name));
    }
    hash_list_free(&found);
}

static void expect_files(struct fresh *f, const json_t *files)
{
    size_t i;
    const json_t *file;
    json_array_foreach(files, i, file)
    {
        struct span name;
        if (is_in(file, "objects/", &name))
            expect_object(f, name, vector_text(file, "text"));
        else if (is_in(file, "vheads/", &name))
            expect_head(f, name, vector_text(file, "text"));
        else if (is_in(file, "rmaps/", &name))
            expect_referrers(f, name, vector_text(file, "text"));
    }
}

// The recorded key files hold the keys we made, and the secret opens them.
static void expect_private(struct fresh *f)
{
    size_t i;
    const json_t *file;
    struct folder folder;
    struct keychain *k;
    struct error e = {0};
    folder_create(&folder);
    json_array_foreach(json_object_get(f->c, "files"), i, file)
    {
        struct span name;
        char text[128];
        if (!is_in(file, "private/", &name))
            continue;
        snprintf(text, sizeof text, SPAN_FMT, SPAN_ARG(name));
        folder_write(f->run, &folder, text, vector_hex(f->run, file, "hex"));
    }
    enum status s = open_keychain(&folder, vector_text(json_object_get(f->c, "options"), "secret"), &k, &e);
    if (vector_expect(f->run, s == STATUS_OK, "the key folder does not open: %s", e.message)) {
        vector_expect(f->run,
                      keychain_has(k, &f->node.self->person_keys.keys) &&
                          keychain_has(k, &f->node.self->instance_keys.keys),
                      "other Keys objects");
        keychain_close(k);
    }
    folder_destroy(&folder);
}

static void add_later(struct fresh *f)
{
    size_t i;
    const json_t *name;
    struct hash hash;
    struct hash wanted;
    bool is_new;
    struct error e = {0};
    model_node_time = (int64_t)json_number_value(json_object_get(f->c, "clockWhenAdding"));
    struct model *m = model_node_begin(&f->node);
    json_array_foreach(json_object_get(f->c, "addedRecipes"), i, name)
    {
        struct span text = {json_string_value(name), json_string_length(name)};
        const struct value *recipe = find_recipe(f, json_object_get(f->c, "filesAfterAdding"), text);
        if (recipe != NULL)
            model_node_check(instance_add_recipe(m, recipe, &hash, &is_new, &e), &e, "instance_add_recipe");
    }
    model_node_end(&f->node);
    struct value *ignored;
    vector_expect(f->run,
                  vector_hash(json_object_get(f->c, "newInstanceObject"), "hash", &wanted) &&
                      model_current(m, &f->node.self->instance, "Instance", &ignored, &hash, &e) == STATUS_OK &&
                      hash_eq(&hash, &wanted),
                  "another Instance object");
}

static void check_created(struct fresh *f)
{
    const json_t *options = json_object_get(f->c, "options");
    struct hash wanted;
    read_keys(f);
    read_setup(f);
    const struct instance_options o = {
        .email = vector_text(options, "email"),
        .instance_name = vector_text(options, "name"),
        .person_name = vector_text(options, "ownerName"),
        .person_keys = &f->person,
        .instance_keys = &f->instance,
        .setup = &f->setup,
    };
    model_node_time = (int64_t)json_number_value(json_object_get(f->c, "clock"));
    model_node_open(&f->node, &o, NULL);
    vector_expect(f->run, vector_hash(f->c, "instanceIdHash", &wanted) && hash_eq(&wanted, &f->node.self->instance),
                  "another instance id");
    expect_files(f, json_object_get(f->c, "files"));
    expect_private(f);
    if (json_object_get(f->c, "addedRecipes") != NULL)
        add_later(f);
    model_node_close(&f->node);
}

// Characters that the reference escapes in one place and not in another are refused, but named correctly.
static void check_ampersand(struct fresh *f)
{
    const json_t *options = json_object_get(f->c, "options");
    struct recipes *r = recipes_create(false);
    struct hash person;
    struct hash instance;
    struct hash wanted;
    vector_expect(f->run,
                  instance_person_id(r, vector_text(options, "email"), &person, NULL) == STATUS_OK &&
                      instance_id(r, vector_text(options, "name"), &person, &instance, NULL) == STATUS_OK &&
                      vector_hash(f->c, "realInstanceIdHash", &wanted) && hash_eq(&instance, &wanted),
                  "another real instance id");
    recipes_destroy(r);
}

static void check_fresh_instance(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        struct fresh f = {.run = run, .c = c};
        if (json_object_get(c, "error") != NULL)
            continue; // options that we do not have
        vector_case(run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        if (json_object_get(c, "realInstanceIdHash") != NULL)
            check_ampersand(&f);
        else
            check_created(&f);
        secret_destroy(&f.person.secret);
        secret_destroy(&f.person.sign_secret);
        secret_destroy(&f.instance.secret);
        secret_destroy(&f.instance.sign_secret);
    }
}

const struct vector_handler vector_handlers_instance[] = {
    {"keychain", check_keychain},
    {"fresh-instance", check_fresh_instance},
    {NULL, NULL},
};
