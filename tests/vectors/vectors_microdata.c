// Microdata of whole objects: microdata-*, serialize-invalid, recipe-objects.
#include <string.h>

#include "data/object.h"
#include "runner.h"

static const json_t *cases(const struct vector_run *run)
{
    return json_object_get(run->root, "cases");
}

// The recipes of microdata-types.json, which the files without recipes of their own use.
static struct recipes *shared_recipes(struct vector_run *run)
{
    json_t *types = vector_sibling(run, "microdata-types.json");
    const json_t *own = json_object_get(run->root, "recipes");
    struct recipes *r = vector_recipes(run, own != NULL ? own : json_object_get(types, "recipes"));
    json_decref(types);
    return r;
}

static bool has(const json_t *c, const char *name)
{
    return json_object_get(c, name) != NULL;
}

// Writing the object gives the microdata; reading that gives parsed and writes the same again, except where the
// reference itself is inconsistent.
static void check_form(struct vector_run *run, const struct recipes *r, const json_t *c, enum microdata_form form)
{
    struct error e = {0};
    struct object made;
    struct object read;
    struct hash hash;
    bool id = form == MICRODATA_ID_OBJECT;
    const json_t *parsed = json_object_get(c, id ? "idObject" : "parsed");
    struct span text = vector_text(c, id ? "idMicrodata" : "microdata");
    vector_expect(run, vector_hash(c, id ? "idHash" : "hash", &hash), "the hash is missing");
    enum status s = object_make(r, run->arena, vector_value(run, json_object_get(c, "object")), form, &made, &e);
    if (!vector_expect(run, s == STATUS_OK, "unwritable: %s %s", e.code, e.message))
        return;
    vector_expect_text(run, made.microdata, text, "the microdata");
    vector_expect(run, hash_eq(&made.hash, &hash), "the hash is another one");
    if (!id && has(c, "idHash")) {
        vector_expect_text(run, made.id_microdata, vector_text(c, "idMicrodata"), "the id microdata");
        vector_expect(run, vector_hash(c, "idHash", &hash) && hash_eq(&made.id_hash, &hash), "the id hash is wrong");
    }
    s = object_read(r, run->arena, text, form, &made.hash, &read, &e);
    if (!vector_expect(run, s == STATUS_OK, "unreadable: %s %s", e.code, e.message))
        return;
    if (parsed != NULL && !has(c, "reserialized") && !has(c, "parseOrReserializeError"))
        vector_expect(run, value_eq(read.value, vector_value(run, parsed)), "another value was read");
}

static void check_objects(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = shared_recipes(run);
    json_array_foreach(cases(run), i, c)
    {
        vector_case(run, "%s", json_string_value(json_object_get(c, "name")));
        check_form(run, r, c, MICRODATA_OBJECT);
        if (has(c, "idMicrodata"))
            check_form(run, r, c, MICRODATA_ID_OBJECT);
    }
    recipes_destroy(r);
}

static enum status read_case(struct vector_run *run, const struct recipes *r, const json_t *c, struct value **value,
                             struct error *e)
{
    bool id = span_eq_text(vector_text(c, "parser"), "id");
    const json_t *expected = json_object_get(c, "expectedType");
    const char *type = json_string_value(json_is_array(expected) ? json_array_get(expected, 0) : expected);
    return microdata_read(r, run->arena, vector_text(c, "microdata"), id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT,
                          span_of(type), value, e);
}

static void check_invalid(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = shared_recipes(run);
    json_array_foreach(cases(run), i, c)
    {
        struct error e = {0};
        struct value *v;
        bool canonical = span_eq_text(vector_text(c, "group"), "canonical-but-rejected");
        vector_case(run, "%s", json_string_value(json_object_get(c, "name")));
        enum status s = read_case(run, r, c, &v, &e);
        if (canonical)
            vector_expect(run, s == STATUS_OK, "rejected: %s %s", e.code, e.message);
        else
            vector_expect_error(run, s, &e, NULL);
    }
    recipes_destroy(r);
}

// Rejecting these is fine; what is accepted must be read like the reference does.
static void check_lenient(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = shared_recipes(run);
    json_array_foreach(cases(run), i, c)
    {
        struct error e = {0};
        struct value *v;
        vector_case(run, "%s", json_string_value(json_object_get(c, "name")));
        if (read_case(run, r, c, &v, &e) == STATUS_OK)
            vector_expect(run, value_eq(v, vector_value(run, json_object_get(c, "parsed"))), "another value was read");
    }
    recipes_destroy(r);
}

// Turns the note "an object whose property a is the object itself" into one.
static void close_circle(struct value *object)
{
    for (size_t i = 0; object->kind == VALUE_OBJECT && i < object->object.count; i++) {
        struct value *v = object->object.members[i].value;
        if (v->kind != VALUE_FOREIGN || !span_eq_text(v->string, "note"))
            continue;
        static struct value_member self;
        self = (struct value_member){SPAN("a"), v};
        *v = (struct value){.kind = VALUE_OBJECT, .object = {.members = &self, .count = 1}};
    }
}

static void check_unwritable(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = shared_recipes(run);
    json_array_foreach(cases(run), i, c)
    {
        struct error e = {0};
        struct buf out = {0};
        bool id = span_eq_text(vector_text(c, "form"), "id");
        vector_case(run, "%s", json_string_value(json_object_get(c, "name")));
        struct value *v = vector_value(run, json_object_get(c, "object"));
        close_circle(v);
        enum status s = microdata_write(r, v, id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT, &out, &e);
        vector_expect_error(run, s, &e, json_string_value(json_object_get(c, "errorCode")));
        vector_expect(run, out.len == 0, "something was written all the same");
        buf_free(&out);
    }
    recipes_destroy(r);
}

const struct vector_handler vector_handlers_microdata[] = {
    {"microdata-core", check_objects},    {"microdata-types", check_objects},      {"microdata-invalid", check_invalid},
    {"microdata-lenient", check_lenient}, {"serialize-invalid", check_unwritable}, {NULL, NULL},
};
