// The Instance and what it lists; further identities are in instance_further.c. It is found as the one that has
// versions (MODELS.md 2.1): of others there are ids alone. A store belongs to one identity for good, so with another
// name or e-mail it does not open (check_recorded).
#include "models/instance_internal.h"

#include <string.h>

#include "base/text.h"
#include "models/keys.h"
#include "models/profile.h"
#include "models/trust.h"

enum { MAX_NAME = 320 };

// ---- Ids ------------------------------------------------------------------------------------------------------------

struct value *instance_person(struct arena *a, struct span email)
{
    struct value *person = value_object(a, SPAN("Person"));
    value_set_member(a, person, SPAN("email"), value_string(a, email));
    return person;
}

struct value *instance_object(struct arena *a, struct span name, const struct hash *owner)
{
    struct value *instance = value_object(a, SPAN("Instance"));
    value_set_member(a, instance, SPAN("name"), value_string(a, name));
    value_set_member(a, instance, SPAN("owner"), value_hash(a, owner));
    return instance;
}

enum status instance_person_id(const struct recipes *r, struct span email, struct hash *out, struct error *e)
{
    struct arena *a = arena_create();
    enum status status = object_id_hash(r, instance_person(a, email), out, e);
    arena_destroy(a);
    return status;
}

enum status instance_id(const struct recipes *r, struct span name, const struct hash *owner, struct hash *out,
                        struct error *e)
{
    struct arena *a = arena_create();
    enum status status = object_id_hash(r, instance_object(a, name, owner), out, e);
    arena_destroy(a);
    return status;
}

// ---- The Instance object --------------------------------------------------------------------------------------------

// What the reference enables for the model layer (MODELS.md 2.9): other implementations find certificates through it.
static const struct {
    const char *type;
    const char *properties[3];
} reverse_maps[] =
    {
        {"Signature", {"issuer", "data"}},
        {"AccessUnversionedObjectCertificate", {"*"}},
        {"AccessVersionedObjectCertificate", {"*"}},
        {"AffirmationCertificate", {"*"}},
        {"License", {"*"}},
        {"RelationCertificate", {"*"}},
        {TRUST_RIGHT_FOR_EVERYBODY, {"*"}},
        {TRUST_RIGHT_FOR_SELF, {"*"}},
        {"TrustKeysCertificate", {"*"}},
        {"Profile", {"communicationEndpoint", "personDescription"}},
        {"Someone", {"*"}},
        {"OneInstanceEndpoint", {"*"}},
},
  id_reverse_maps[] = {
      {"Profile", {"owner", "personId"}},
};

static void put_reverse_map(struct model *m, struct value *map, const char *type, const char *const properties[3])
{
    struct value *set = value_set(m->arena);
    for (size_t i = 0; i < 3 && properties[i] != NULL; i++)
        value_add(m->arena, set, value_text(m->arena, properties[i]));
    value_put(m->arena, map, value_text(m->arena, type), set);
}

static void set_node_maps(struct model *m, struct value *instance)
{
    struct value *objects = value_map(m->arena);
    struct value *ids = value_map(m->arena);
    for (size_t i = 0; i < sizeof reverse_maps / sizeof *reverse_maps; i++)
        put_reverse_map(m, objects, reverse_maps[i].type, reverse_maps[i].properties);
    for (size_t i = 0; i < sizeof id_reverse_maps / sizeof *id_reverse_maps; i++)
        put_reverse_map(m, ids, id_reverse_maps[i].type, id_reverse_maps[i].properties);
    value_set_member(m->arena, instance, SPAN("enabledReverseMapTypes"), objects);
    value_set_member(m->arena, instance, SPAN("enabledReverseMapTypesForIdObjects"), ids);
}

static void set_given_maps(struct model *m, struct value *instance, const struct instance_setup *setup)
{
    value_set_member(m->arena, instance, SPAN("enabledReverseMapTypes"), value_copy(m->arena, setup->reverse_maps));
    value_set_member(m->arena, instance, SPAN("enabledReverseMapTypesForIdObjects"),
                     value_copy(m->arena, setup->id_reverse_maps));
}

struct recipe_collector {
    struct model *m;
    struct value *set; // hashes of the Recipe objects
    enum status status;
    struct error error;
};

static void collect_recipe(struct recipe_collector *c, const struct value *recipe)
{
    struct version_result stored;
    if (c->status == STATUS_OK)
        c->status = model_change(c->m, recipe, &stored, &c->error);
    if (c->status == STATUS_OK)
        value_add(c->m->arena, c->set, value_hash(c->m->arena, &stored.hash));
}

static void collect_builtin(struct span name, struct span microdata, void *arg)
{
    (void)name;
    struct recipe_collector *c = arg;
    struct value *recipe;
    if (c->status == STATUS_OK)
        c->status = microdata_read(store_recipes(c->m->store), c->m->arena, microdata, MICRODATA_OBJECT, SPAN("Recipe"),
                                   &recipe, &c->error);
    if (c->status == STATUS_OK)
        collect_recipe(c, recipe);
}

static enum status store_recipe_set(struct model *m, const struct instance_setup *setup, struct value **set,
                                    struct error *e)
{
    struct recipe_collector c = {.m = m, .set = value_set(m->arena)};
    if (setup == NULL)
        recipes_each_builtin(true, collect_builtin, &c);
    for (size_t i = 0; setup != NULL && i < setup->recipe_count; i++)
        collect_recipe(&c, setup->recipes[i]);
    if (c.status != STATUS_OK && e != NULL)
        *e = c.error;
    *set = c.set;
    return c.status;
}

static enum status create_instance(struct model *m, const struct instance_options *options, const struct hash *owner,
                                   struct error *e)
{
    struct value *recipes;
    struct value *instance = instance_object(m->arena, options->instance_name, owner);
    enum status status = store_recipe_set(m, options->setup, &recipes, e);
    if (status != STATUS_OK)
        return status;
    value_set_member(m->arena, instance, SPAN("recipe"), recipes);
    if (options->setup == NULL)
        set_node_maps(m, instance);
    else
        set_given_maps(m, instance, options->setup);
    return model_change(m, instance, NULL, e);
}

// ---- Opening --------------------------------------------------------------------------------------------------------

static enum status find_instance(struct model *m, struct hash *id, struct span *email, struct span *name,
                                 struct error *e)
{
    struct hash_list ids = {0};
    struct value *instance;
    struct hash owner;
    enum status status = store_ids_of_type(m->store, SPAN("Instance"), &ids, e);
    if (status == STATUS_OK && ids.count == 0)
        status = error_set(e, STATUS_NOT_FOUND, "NOT-PROVISIONED", "there is no instance in this store");
    if (status == STATUS_OK) {
        *id = ids.items[0]; // only the own instance has versions (MODELS.md 2.1)
        status = model_current(m, id, "Instance", &instance, NULL, e);
    }
    if (status == STATUS_OK) {
        value_get_string(instance, "name", name);
        value_get_hash(instance, "owner", &owner);
        status = profile_email_of(m, &owner, email, e);
    }
    hash_list_free(&ids);
    return status;
}

enum status instance_recorded(struct store *s, struct arena *a, struct span *email, struct span *instance_name,
                              struct error *e)
{
    struct model m = {.store = s, .arena = a};
    struct hash id;
    return find_instance(&m, &id, email, instance_name, e);
}

static bool is_usable_name(struct span name)
{
    if (name.len == 0 || name.len > MAX_NAME || !utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (strchr("&<>", name.ptr[i]) != NULL) // a zero byte is found too
            return false;
    return true;
}

static enum status check_recorded(struct model *m, const struct instance_options *options, struct error *e)
{
    struct hash id;
    struct span email;
    struct span name;
    if (find_instance(m, &id, &email, &name, NULL) == STATUS_OK &&
        (!span_eq(email, options->email) || !span_eq(name, options->instance_name)))
        return error_set(e, STATUS_CONFLICT, "ALREADY-PROVISIONED", "the store belongs to " SPAN_FMT " (" SPAN_FMT ")",
                         SPAN_ARG(email), SPAN_ARG(name));
    return STATUS_OK;
}

enum status instance_begin(struct model *m, const struct instance_options *options, struct identity *i, struct error *e)
{
    if (!is_usable_name(options->email) || !is_usable_name(options->instance_name))
        return error_set(e, STATUS_INVALID, "BAD-INPUT",
                         "e-mail and instance name are 1 to %d bytes of text without &, < and >", MAX_NAME);
    i->email = mem_text(options->email);
    i->instance_name = mem_text(options->instance_name);
    enum status status = instance_person_id(store_recipes(m->store), options->email, &i->person, e);
    if (status == STATUS_OK)
        status = instance_id(store_recipes(m->store), options->instance_name, &i->person, &i->instance, e);
    return status;
}

enum status instance_open_keys(struct model *m, struct keychain *k, struct identity *i, struct error *e)
{
    enum status status = keys_open(m, k, &i->person, &i->person_keys, e);
    if (status == STATUS_OK)
        status = keys_open(m, k, &i->instance, &i->instance_keys, e);
    return status;
}

// Steps 4 to 8 of DATA-MODEL.md 12.1.
static enum status create(struct model *m, struct keychain *k, const struct instance_options *options,
                          struct identity *i, struct error *e)
{
    struct value *person = instance_person(m->arena, options->email);
    if (options->person_name.len != 0)
        model_set_text(m, person, "name", options->person_name);
    enum status status = model_change(m, person, NULL, e);
    if (status == STATUS_OK)
        status = keys_provide(m, k, &i->person, options->person_keys, &i->person_keys, e);
    if (status == STATUS_OK)
        status = create_instance(m, options, &i->person, e);
    if (status == STATUS_OK)
        status = keys_provide(m, k, &i->instance, options->instance_keys, &i->instance_keys, e);
    return status;
}

enum status instance_open(struct store *s, struct keychain *k, const struct instance_options *options, int64_t now_ms,
                          struct identity **out, bool *created, struct error *e)
{
    struct model m = {.store = s, .arena = arena_create(), .now_ms = now_ms};
    struct identity *i = mem_alloc(sizeof *i);
    enum status status = instance_begin(&m, options, i, e);
    if (status == STATUS_OK)
        status = check_recorded(&m, options, e);
    if (status == STATUS_OK) {
        *created = !model_has_head(&m, &i->instance);
        status = *created ? create(&m, k, options, i, e) : instance_open_keys(&m, k, i, e);
    }
    if (status != STATUS_OK) {
        identity_destroy(i);
        i = NULL;
    }
    arena_destroy(m.arena);
    *out = i;
    return status;
}

enum status instance_reopen(struct store *s, struct keychain *k, struct identity **out, struct error *e)
{
    struct arena *a = arena_create();
    struct instance_options options = {0};
    bool created = false;
    enum status status = instance_recorded(s, a, &options.email, &options.instance_name, e);
    if (status == STATUS_OK)
        status = instance_open(s, k, &options, 0, out, &created, e);
    arena_destroy(a);
    return status;
}

// ---- Recipes --------------------------------------------------------------------------------------------------------

static enum status register_recipe(struct model *m, const struct value *recipe, struct error *e)
{
    struct span name;
    if (value_get_string(recipe, "name", &name) && recipes_find(store_recipes(m->store), name) != NULL)
        return error_set(e, STATUS_EXISTS, "OR-ADDR1", "there is another recipe called " SPAN_FMT, SPAN_ARG(name));
    return store_add_recipe(m->store, recipe, e);
}

static enum status enlarge_recipes(struct model *m, const struct value *recipe, struct value *instance,
                                   struct hash_list *recipes, struct error *e)
{
    struct version_result stored;
    enum status status = register_recipe(m, recipe, e);
    if (status == STATUS_OK)
        status = model_change(m, recipe, &stored, e);
    if (status != STATUS_OK)
        return status;
    hash_list_add(recipes, &stored.hash);
    value_set_member(m->arena, instance, SPAN("recipe"), model_hashes(m, recipes->items, recipes->count, true));
    return model_change(m, instance, NULL, e);
}

enum status instance_add_recipe(struct model *m, const struct value *recipe, struct hash *hash, bool *is_new,
                                struct error *e)
{
    struct object o;
    struct value *instance;
    struct hash_list recipes = {0};
    enum status status = object_make(store_recipes(m->store), m->arena, recipe, MICRODATA_OBJECT, &o, e);
    if (status == STATUS_OK)
        status = model_current(m, &m->self->instance, "Instance", &instance, NULL, e);
    if (status == STATUS_OK) {
        *hash = o.hash;
        model_read_hashes(value_get(instance, SPAN("recipe")), &recipes);
        *is_new = !hash_list_has(&recipes, hash);
    }
    if (status == STATUS_OK && *is_new)
        status = enlarge_recipes(m, recipe, instance, &recipes, e);
    hash_list_free(&recipes);
    return status;
}
