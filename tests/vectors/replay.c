#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "models/licence.h"

// ---- What the recording fixed ---------------------------------------------------------------------------------------

static struct hash fixed_licences[LICENCE_COUNT];
static char fixed_text[65]; // the next random text

static void give_fixed_text(char *out, size_t len)
{
    memcpy(out, fixed_text, len + 1);
}

const struct model_fixed replay_fixed = {.licences = fixed_licences, .random_text = give_fixed_text};
const struct model_fixed replay_fixed_text = {.random_text = give_fixed_text}; // with our own licences

bool replay_load_licences(struct vector_run *run)
{
    size_t i;
    const json_t *row;
    size_t found = 0;
    json_t *known = vector_sibling(run, "well-known.json");
    json_array_foreach(json_object_get(known, "licenses"), i, row)
    {
        for (size_t k = 0; k < LICENCE_COUNT; k++)
            if (span_eq_text(vector_text(row, "name"), LICENCE_NAMES[k]))
                found += vector_hash(row, "hash", &fixed_licences[k]);
    }
    json_decref(known);
    return found == LICENCE_COUNT;
}

void replay_free_keys(struct keys_pair *pair)
{
    secret_destroy(&pair->secret);
    secret_destroy(&pair->sign_secret);
}

static void read_pair(struct vector_run *run, const json_t *row, struct keys_pair *out)
{
    struct span secret = vector_hex(run, row, "encryptSecretKey");
    struct span seed = vector_hex(run, row, "signSeed");
    struct sign_public ignored;
    out->secret = secret_copy(secret.ptr, secret.len);
    vector_sign_keypair((const uint8_t *)seed.ptr, &ignored, &out->sign_secret);
}

// The recorded keys of a person or instance, of whichever process.
bool replay_find_keys(struct vector_run *run, const struct hash *owner, struct keys_pair *out)
{
    json_t *file = vector_sibling(run, "test-keys.json");
    const char *name;
    json_t *rows;
    bool found = false;
    json_object_foreach(file, name, rows)
    {
        size_t i;
        const json_t *row;
        struct hash hash;
        json_array_foreach(rows, i, row)
        {
            if (!found && vector_hash(row, "owner", &hash) && hash_eq(&hash, owner)) {
                read_pair(run, row, out);
                found = true;
            }
        }
    }
    json_decref(file);
    return vector_expect(run, found, "no recorded keys of %s", hash_text(owner).s);
}

// ---- Beginning and comparing ----------------------------------------------------------------------------------------

static enum status note_known(const struct hash *hash, const struct store_info *info, void *arg, struct error *e)
{
    (void)info, (void)e;
    hash_map_add(arg, hash);
    return STATUS_OK;
}

bool replay_begin(struct replay *r, const char *email, const char *instance_name, const struct model_fixed *how)
{
    struct recipes *recipes = recipes_create(true);
    struct hash person;
    struct hash instance;
    struct keys_pair person_keys;
    struct keys_pair instance_keys;
    bool good = instance_person_id(recipes, span_of(email), &person, NULL) == STATUS_OK &&
                instance_id(recipes, span_of(instance_name), &person, &instance, NULL) == STATUS_OK &&
                replay_find_keys(r->run, &person, &person_keys) && replay_find_keys(r->run, &instance, &instance_keys);
    recipes_destroy(recipes);
    if (!good)
        return false;
    const struct instance_options options = {
        .email = span_of(email),
        .instance_name = span_of(instance_name),
        .person_name = span_of(email),
        .person_keys = &person_keys,
        .instance_keys = &instance_keys,
    };
    model_node_open(&r->node, &options, how);
    r->m = &r->node.m;
    r->known = hash_map_create();
    replay_free_keys(&person_keys);
    replay_free_keys(&instance_keys);
    return true;
}

void replay_end(struct replay *r)
{
    model_node_close(&r->node);
    hash_map_destroy(r->known);
    identity_destroy(r->second);
}

static bool is_recorded(const json_t *step, const struct hash *hash)
{
    size_t i;
    const json_t *o;
    struct hash found;
    json_array_foreach(json_object_get(step, "newObjects"), i, o)
    {
        if (vector_hash(o, span_eq_text(vector_text(o, "kind"), "id") ? "idHash" : "hash", &found) &&
            hash_eq(&found, hash))
            return true;
    }
    return false;
}

// Recipe objects and their versions are left out of the recordings, as are licence objects out of our copy.
static bool is_left_out(struct replay *r, const struct hash *hash, const struct store_info *info)
{
    struct object o;
    struct hash data;
    struct store_info about;
    if (strcmp(info->type, "Recipe") == 0)
        return true;
    return strcmp(info->type, "VersionNodeEdge") == 0 &&
           store_get_object(r->node.store, hash, r->m->arena, &o, NULL) == STATUS_OK &&
           value_get_hash(o.value, "data", &data) && store_info(r->node.store, &data, &about, NULL) == STATUS_OK &&
           strcmp(about.type, "Recipe") == 0;
}

static enum status expect_no_other(const struct hash *hash, const struct store_info *info, void *arg, struct error *e)
{
    struct replay *r = arg;
    struct span text = {0};
    (void)e;
    if (!hash_map_add(r->known, hash) || is_recorded(r->step, hash) || is_left_out(r, hash, info))
        return STATUS_OK;
    store_get(r->node.store, hash, r->m->arena, &text, NULL);
    vector_expect(r->run, false, "stored, but not recorded: " SPAN_FMT, SPAN_ARG(text));
    return STATUS_OK;
}

static bool is_type(const json_t *o, const char *const *types)
{
    for (size_t i = 0; types[i] != NULL; i++)
        if (span_eq_text(vector_text(o, "type"), types[i]))
            return true;
    return false;
}

// Every recorded object is there, but for those of the types left out (ends with NULL).
void replay_expect_recorded(struct replay *r, const char *const *without)
{
    size_t i;
    const json_t *o;
    json_array_foreach(json_object_get(r->step, "newObjects"), i, o)
    {
        struct hash hash;
        bool is_id = span_eq_text(vector_text(o, "kind"), "id");
        if (is_type(o, without) || json_is_true(json_object_get(o, "volatile")))
            continue;
        vector_expect(r->run,
                      vector_hash(o, is_id ? "idHash" : "hash", &hash) &&
                          store_presence(r->node.store, &hash) == STORE_PRESENT,
                      "recorded, but not stored: " SPAN_FMT, SPAN_ARG(vector_text(o, "microdata")));
    }
}

static void expect_heads(struct replay *r)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(r->step, "vheads"), name, value)
    {
        struct hash id;
        struct hash wanted;
        struct hash node;
        bool known = hash_parse(span_of(name), &id) && hash_parse(span_of(json_string_value(value)), &wanted);
        vector_expect(r->run,
                      known && store_head(r->node.store, &id, &node, NULL) == STATUS_OK && hash_eq(&node, &wanted),
                      "the head of %s is another one", name);
    }
}

static const char *const LICENSE_ONLY[] = {"License", NULL};

void replay_expect_step(struct replay *r)
{
    struct error e = {0};
    replay_expect_recorded(r, LICENSE_ONLY);
    expect_heads(r);
    model_node_check(store_each(r->node.store, expect_no_other, r, &e), &e, "store_each");
}

void replay_expect_nothing_else(struct replay *r)
{
    struct error e = {0};
    model_node_check(store_each(r->node.store, expect_no_other, r, &e), &e, "store_each");
}

void replay_accept_all(struct replay *r)
{
    struct error e = {0};
    model_node_check(store_each(r->node.store, note_known, r->known, &e), &e, "store_each");
}

// ---- What a step recorded -------------------------------------------------------------------------------------------

// The parsed object of a type among the recorded ones of the step; the last of them.
const json_t *replay_recorded(const struct replay *r, const char *type)
{
    const json_t *found = NULL;
    size_t i;
    const json_t *o;
    json_array_foreach(json_object_get(r->step, "newObjects"), i, o)
    {
        if (span_eq_text(vector_text(o, "type"), type) && json_object_get(o, "object") != NULL &&
            !json_is_null(json_object_get(o, "object")))
            found = json_object_get(o, "object");
    }
    return found;
}

struct hash replay_recorded_hash(const struct replay *r, const char *type, const char *member)
{
    struct hash hash = {{0}};
    vector_expect(r->run, vector_hash(replay_recorded(r, type), member, &hash), "no %s of a %s", member, type);
    return hash;
}

// The random text the recording drew for its next Someone.
void replay_fix_someone(struct replay *r)
{
    struct span id = vector_text(replay_recorded(r, "Someone"), "someoneId");
    memcpy(fixed_text, id.ptr, id.len < 64 ? id.len : 64);
    fixed_text[id.len < 64 ? id.len : 64] = '\0';
}

void replay_check_records(struct vector_run *run)
{
    struct recipes *r = vector_recipes(run, NULL);
    vector_records(run, r, run->root);
    recipes_destroy(r);
}
