// Any JSON form as a recipe: the checks, building its rules, and an empty object of it.
#include <string.h>

#include "data/jsonform.h"
#include "data/microdata.h"
#include "fuzz.h"

static void use_recipe(const struct recipes *r, const struct value *object)
{
    struct span name = {0};
    const struct recipe *recipe;
    struct error e = {0};
    struct buf out = {0};
    struct arena *a = arena_create();
    FUZZ_CHECK(value_get_string(object, "name", &name));
    if (recipes_get(r, name, &recipe, &e) == STATUS_OK) {
        microdata_write(r, value_object(a, name), MICRODATA_OBJECT, &out, NULL);
        for (size_t i = 0; i < recipe->rule_count; i++)
            regexp_matches(recipe->rules[i].type.regexp, name);
    } else {
        FUZZ_CHECK(e.code[0] != '\0');
    }
    buf_free(&out);
    arena_destroy(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct value *v;
    struct arena *a = arena_create();
    struct recipes *r = recipes_create(false);
    json_t *json = json_loadb((const char *)data, size, JSONFORM_FLAGS, NULL);
    if (json != NULL && jsonform_read(a, json, &v, NULL) == STATUS_OK && recipes_add(r, v, NULL) == STATUS_OK)
        use_recipe(r, v);
    json_decref(json);
    recipes_destroy(r);
    arena_destroy(a);
    return 0;
}
