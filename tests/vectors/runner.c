#include "runner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/jsonform.h"
#include "data/object.h"

static void end_case(struct vector_run *run)
{
    if (!run->open)
        return;
    run->open = false;
    if (run->good)
        run->passed++;
    else
        run->failed++;
}

void vector_case(struct vector_run *run, const char *format, ...)
{
    va_list ap;
    end_case(run);
    va_start(ap, format);
    vsnprintf(run->name, sizeof run->name, format, ap);
    va_end(ap);
    run->open = true;
    run->good = true;
}

bool vector_expect(struct vector_run *run, bool good, const char *format, ...)
{
    if (good)
        return true;
    va_list ap;
    fprintf(stderr, "%s: %s: ", run->path, run->name);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    run->good = false;
    return false;
}

bool vector_expect_text(struct vector_run *run, struct span got, struct span wanted, const char *what)
{
    return vector_expect(run, span_eq(got, wanted), "%s is\n  %.*s, not\n  %.*s", what, SPAN_ARG(got),
                         SPAN_ARG(wanted));
}

bool vector_expect_error(struct vector_run *run, enum status s, const struct error *e, const char *code)
{
    if (!vector_expect(run, s != STATUS_OK, "accepted, but should fail with %s", code != NULL ? code : "any code"))
        return false;
    return vector_expect(run, code == NULL || strcmp(e->code, code) == 0, "failed with %s (%s), not with %s", e->code,
                         e->message, code);
}

struct span vector_text(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return (struct span){json_string_value(v), json_string_length(v)};
}

bool vector_hash(const json_t *object, const char *name, struct hash *out)
{
    return hash_parse(vector_text(object, name), out);
}

struct span vector_hex(struct vector_run *run, const json_t *object, const char *name)
{
    struct span text = vector_text(object, name);
    char *bytes = arena_alloc(run->arena, text.len / 2 + 1);
    bool good = text.len % 2 == 0 && hex_decode(text, bytes, text.len / 2);
    vector_expect(run, good, "%s is not hex", name);
    return (struct span){bytes, text.len / 2};
}

struct value *vector_value(struct vector_run *run, const json_t *form)
{
    struct error e = {0};
    struct value *v = NULL;
    enum status s = jsonform_read(run->arena, form, &v, &e);
    vector_expect(run, s == STATUS_OK, "unreadable value: %s", e.message);
    return s == STATUS_OK ? v : value_undefined(run->arena);
}

// Unpaired surrogates of WTF-8 as one replacement character each.
struct span vector_utf8(struct vector_run *run, const json_t *form)
{
    const struct value *v = vector_value(run, form);
    struct span s = v->kind == VALUE_STRING ? v->string : (struct span){0};
    struct buf out = {0};
    for (size_t i = 0; i < s.len; i++) {
        if (i + 2 < s.len && (uint8_t)s.ptr[i] == 0xED && (uint8_t)s.ptr[i + 1] >= 0xA0) {
            buf_add_text(&out, "\xEF\xBF\xBD");
            i += 2;
        } else {
            buf_add_char(&out, s.ptr[i]);
        }
    }
    struct span copy = arena_copy(run->arena, buf_span(&out));
    buf_free(&out);
    return copy;
}

static void add_recipe(struct vector_run *run, struct recipes *r, const json_t *declared)
{
    struct error e = {0};
    const json_t *inner = json_object_get(declared, "recipe");
    const json_t *recipe = json_is_object(inner) ? inner : declared;
    enum status s = recipes_add(r, vector_value(run, recipe), &e);
    if (s != STATUS_OK && strcmp(e.code, "OR-ADDR1") != 0)
        vector_expect(run, false, "the recipe is refused: %s", e.message);
}

struct recipes *vector_recipes(struct vector_run *run, const json_t *declared)
{
    struct recipes *r = recipes_create(true);
    const char *name;
    json_t *recipe;
    size_t i;
    if (json_is_object(declared)) {
        json_object_foreach((json_t *)(uintptr_t)declared, name, recipe) add_recipe(run, r, recipe);
    } else {
        json_array_foreach(declared, i, recipe) add_recipe(run, r, recipe);
    }
    return r;
}

json_t *vector_sibling(const struct vector_run *run, const char *name)
{
    char path[4096];
    const char *slash = strrchr(run->path, '/');
    int folder = slash != NULL ? (int)(slash - run->path) + 1 : 0;
    snprintf(path, sizeof path, "%.*s%s", folder, run->path, name);
    return json_load_file(path, JSONFORM_FLAGS, NULL);
}

static void check_text(struct vector_run *run, const struct recipes *r, struct span text, enum microdata_form form,
                       const struct hash *hash, const json_t *value)
{
    struct error e = {0};
    struct object read;
    struct object made;
    enum status s = object_read(r, run->arena, text, form, hash, &read, &e);
    if (!vector_expect(run, s == STATUS_OK, "unreadable: %s %s", e.code, e.message))
        return;
    s = object_make(r, run->arena, read.value, form, &made, &e);
    if (vector_expect(run, s == STATUS_OK, "unwritable: %s %s", e.code, e.message))
        vector_expect_text(run, made.microdata, text, "what was written again");
    if (value == NULL)
        return;
    s = object_make(r, run->arena, vector_value(run, value), form, &made, &e);
    if (vector_expect(run, s == STATUS_OK, "the given object is unwritable: %s %s", e.code, e.message))
        vector_expect_text(run, made.microdata, text, "the given object");
}

void vector_record(struct vector_run *run, const struct recipes *r, const json_t *record)
{
    struct hash hash;
    const json_t *value = json_object_get(record, "object");
    struct span text = vector_text(record, "microdata");
    bool is_id = span_eq_text(vector_text(record, "kind"), "id");
    const char *name = is_id ? "idHash" : "hash";
    if (text.ptr != NULL && vector_expect(run, vector_hash(record, name, &hash), "%s is missing", name))
        check_text(run, r, text, is_id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT, &hash, value);
    struct span id_text = vector_text(record, "idMicrodata");
    if (id_text.ptr != NULL && vector_expect(run, vector_hash(record, "idHash", &hash), "idHash is missing"))
        check_text(run, r, id_text, MICRODATA_ID_OBJECT, &hash, value);
}

void vector_records(struct vector_run *run, const struct recipes *r, const json_t *json)
{
    const char *name;
    json_t *member;
    size_t i;
    bool text = vector_text(json, "microdata").ptr != NULL && json_object_get(json, "hash") != NULL;
    bool id = vector_text(json, "microdata").ptr != NULL && span_eq_text(vector_text(json, "kind"), "id");
    if (text || id || vector_text(json, "idMicrodata").ptr != NULL) {
        struct span hash = vector_text(json, id || !text ? "idHash" : "hash");
        vector_case(run, "record " SPAN_FMT, SPAN_ARG(hash));
        vector_record(run, r, json);
    }
    if (json_is_object(json)) {
        json_object_foreach((json_t *)(uintptr_t)json, name, member) vector_records(run, r, member);
    } else {
        json_array_foreach(json, i, member) vector_records(run, r, member);
    }
}

void vector_sign_keypair(const uint8_t *seed, struct sign_public *public_key, struct secret *secret)
{
    *secret = secret_create(SIGN_SECRET);
    crypto_sign_seed_keypair(public_key->b, secret->data, seed);
}
