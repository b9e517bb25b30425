// Single values and recipes: numbers, stringify, recipe-objects, recipe-checks.
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "data/object.h"
#include "data/stringify.h"
#include "runner.h"

static double bits_to_double(struct span hex)
{
    uint64_t bits = 0;
    double n;
    for (size_t i = 0; i < hex.len; i++)
        bits = bits << 4 | (uint64_t)(hex.ptr[i] <= '9' ? hex.ptr[i] - '0' : hex.ptr[i] - 'a' + 10);
    memcpy(&n, &bits, sizeof n);
    return n;
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void check_numbers(struct vector_run *run)
{
    char text[NUMBER_TEXT];
    double n;
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "format"), i, c)
    {
        double wanted = bits_to_double(vector_text(c, "bits"));
        vector_case(run, "format " SPAN_FMT, SPAN_ARG(vector_text(c, "bits")));
        struct span got = {text, number_write(wanted, text)};
        vector_expect_text(run, got, vector_text(c, "text"), "the text");
        vector_expect(run, number_read(got, &n) && same_number(n, isfinite(wanted) ? wanted : (double)NAN),
                      "does not read back");
        bool integer = isfinite(wanted) && wanted == floor(wanted);
        vector_expect(run, integer == json_is_true(json_object_get(c, "isIntegerType")), "integer or not");
    }
    // The lenient reading of the reference: what is accepted must give its number.
    json_array_foreach(json_object_get(run->root, "parse"), i, c)
    {
        struct span given = vector_text(c, "text");
        vector_case(run, "parse " SPAN_FMT, SPAN_ARG(given));
        if (number_read(given, &n))
            vector_expect(run, same_number(n, bits_to_double(vector_text(c, "bits"))), "another number was read");
    }
}

// Keys that need escaping are refused on purpose (DATA-MODEL.md 3.7).
static bool has_refused_key(const struct value *v)
{
    for (size_t i = 0; v->kind == VALUE_OBJECT && i < v->object.count; i++) {
        struct span name = v->object.members[i].name;
        for (size_t k = 0; k < name.len; k++) {
            if (name.ptr[k] == '"' || name.ptr[k] == '\\' || (unsigned char)name.ptr[k] < 0x20)
                return true;
        }
    }
    return false;
}

// Whether the value is only described in words or consists of functions.
static bool is_described(const struct value *v)
{
    for (size_t i = 0; v->kind == VALUE_OBJECT && i < v->object.count; i++) {
        if (v->object.members[i].value->kind == VALUE_FOREIGN)
            return true;
    }
    return v->kind == VALUE_FOREIGN && span_eq_text(v->string, "note");
}

static void check_stringify_case(struct vector_run *run, const json_t *c, const struct value *v, struct buf *out)
{
    struct error e = {0};
    struct value *again;
    bool undefined = false;
    enum status s = stringify_write(v, out, &undefined, &e);
    const json_t *text = json_object_get(c, "text");
    if (text == NULL && json_object_get(c, "undefinedResult") == NULL) {
        vector_expect_error(run, s, &e, json_string_value(json_object_get(c, "errorCode")));
    } else if (has_refused_key(v)) {
        vector_expect_error(run, s, &e, "BAD-KEY");
    } else if (vector_expect(run, s == STATUS_OK, "refused: %s", e.message)) {
        vector_expect(run, undefined == (text == NULL), "undefined or not");
        vector_expect_text(run, buf_span(out), vector_text(c, "text"), "the text");
        struct buf second = {0};
        s = text != NULL ? stringify_read(run->arena, buf_span(out), &again, &e) : STATUS_OK;
        if (text != NULL && vector_expect(run, s == STATUS_OK, "unreadable: %s", e.message)) {
            stringify_write(again, &second, NULL, NULL);
            vector_expect_text(run, buf_span(&second), buf_span(out), "what was written again");
        }
        buf_free(&second);
    }
}

static void check_stringify(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        struct buf out = {0};
        const json_t *form = json_object_get(c, "value");
        if (is_described(vector_value(run, form)))
            continue;
        vector_case(run, "%s", json_string_value(json_object_get(c, "name")));
        check_stringify_case(run, c, vector_value(run, form), &out);
        buf_free(&out);
    }
}

static void check_id_properties(struct vector_run *run, const struct recipe *recipe, const json_t *names)
{
    size_t found = 0;
    for (size_t i = 0; i < recipe->rule_count; i++) {
        if (recipe->rules[i].is_id)
            vector_expect_text(run, recipe->rules[i].itemprop,
                               span_of(json_string_value(json_array_get(names, found++))), "the id property");
    }
    vector_expect(run, found == json_array_size(names), "%zu id properties", found);
}

static void check_recipe_objects(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = recipes_create(true);
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        struct error e = {0};
        struct object o;
        struct hash id;
        const struct recipe *recipe = NULL;
        vector_case(run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        json_t *record =
            json_pack("{s:O,s:O}", "microdata", json_object_get(c, "microdata"), "hash", json_object_get(c, "hash"));
        vector_record(run, r, record);
        json_decref(record);
        enum status s = object_read(r, run->arena, vector_text(c, "microdata"), MICRODATA_OBJECT, NULL, &o, &e);
        vector_expect(run, s == STATUS_OK && vector_hash(c, "idHash", &id) && hash_eq(&id, &o.id_hash), "the id hash");
        s = recipes_get(r, vector_text(c, "name"), &recipe, &e);
        if (!vector_expect(run, s == STATUS_OK, "not built in: %s", e.message))
            continue;
        vector_expect(run, recipe->versioned == json_is_true(json_object_get(c, "versioned")), "versioned or not");
        check_id_properties(run, recipe, json_object_get(c, "idProperties"));
    }
    recipes_destroy(r);
}

static void check_recipe_checks(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = recipes_create(true);
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        struct error e = {0};
        vector_case(run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        enum status s = recipes_check(r, vector_value(run, json_object_get(c, "recipe")), &e);
        if (json_is_true(json_object_get(c, "accepted")))
            vector_expect(run, s == STATUS_OK, "refused: %s %s", e.code, e.message);
        else
            vector_expect_error(run, s, &e, json_string_value(json_object_get(c, "errorCode")));
    }
    recipes_destroy(r);
}

const struct vector_handler vector_handlers_values[] = {
    {"numbers", check_numbers},
    {"stringify", check_stringify},
    {"recipe-objects", check_recipe_objects},
    {"recipe-checks", check_recipe_checks},
    {NULL, NULL},
};
