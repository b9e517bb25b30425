// Objects of the models: recipes, well-known and the recorded steps. Hashes and round trips of every object they list;
// what the model layer makes of them is checked elsewhere.
#include "data/object.h"
#include "runner.h"

static void check_recipes(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = recipes_create(true);
    json_array_foreach(json_object_get(run->root, "recipes"), i, c)
    {
        struct error e = {0};
        struct hash id;
        struct object o;
        const struct recipe *recipe = NULL;
        vector_case(run, "recipe " SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        vector_record(run, r, c);
        enum status s = object_read(r, run->arena, vector_text(c, "microdata"), MICRODATA_OBJECT, NULL, &o, &e);
        vector_expect(run, s == STATUS_OK && vector_hash(c, "idHash", &id) && hash_eq(&id, &o.id_hash), "the id hash");
        s = recipes_get(r, vector_text(c, "name"), &recipe, &e);
        if (vector_expect(run, s == STATUS_OK, "not built in: %s", e.message))
            vector_expect(run, recipe->versioned == json_is_true(json_object_get(c, "versioned")), "versioned or not");
    }
    recipes_destroy(r);
}

static void check_records(struct vector_run *run)
{
    struct recipes *r = vector_recipes(run, NULL);
    vector_records(run, r, run->root);
    recipes_destroy(r);
}

const struct vector_handler vector_handlers_models[] = {
    {"recipes", check_recipes},          {"well-known", check_records},
    {"first-start", check_records},      {"channel-topic-access", check_records},
    {"pairing-and-chat", check_records}, {NULL, NULL},
};
