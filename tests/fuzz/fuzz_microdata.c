// Any bytes as microdata. The first byte says which form is expected.
#include "data/object.h"
#include "fuzz.h"

// Every kind of value, so that one type reaches all of the reader.
#define RULE(name, type)                                                                                               \
    "<li><div><span itemprop=\"itemprop\">" name "</span><span itemprop=\"optional\">true</span>"                      \
    "<span itemprop=\"itemtype\">" type "</span></div></li>"
#define REFERENCE(name, kind) RULE(name, "{\"allowedTypes\":[\"*\"],\"type\":\"" kind "\"}")
#define LIST(name, kind, item) RULE(name, "{\"item\":" item ",\"type\":\"" kind "\"}")
#define STRING "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"

static const char all[] =
    "<div itemscope itemtype=\"//refin.io/Recipe\"><span itemprop=\"name\">A</span><ol itemprop=\"rule\">"
    "<li><div><span itemprop=\"itemprop\">i</span><span itemprop=\"optional\">true</span>"
    "<span itemprop=\"isId\">true</span></div></li>" RULE("n", NUMBER) RULE("z", "{\"type\":\"integer\"}")
        RULE("b", "{\"type\":\"boolean\"}") RULE("j", "{\"type\":\"stringifiable\"}") REFERENCE("o", "referenceToObj")
            REFERENCE("d", "referenceToId") RULE("c", "{\"type\":\"referenceToClob\"}")
                RULE("r", "{\"regexp\":\"^[a-z]+$\",\"type\":\"string\"}") LIST("s", "set", STRING)
                    LIST("g", "bag", NUMBER) LIST("l", "array", "{\"item\":" STRING ",\"type\":\"set\"}")
                        RULE("m", "{\"key\":" STRING ",\"type\":\"map\",\"value\":" NUMBER "}")
                            RULE("t", "{\"rules\":[{\"itemprop\":\"x\"},{\"itemprop\":\"y\",\"itemtype\":" NUMBER
                                      ",\"optional\":true}],\"type\":\"object\"}") "</ol></div>";

static struct recipes *make_recipes(void)
{
    struct arena *a = arena_create();
    struct value *recipe;
    struct recipes *r = recipes_create(true);
    FUZZ_CHECK(microdata_read(r, a, SPAN(all), MICRODATA_OBJECT, (struct span){0}, &recipe, NULL) == STATUS_OK);
    FUZZ_CHECK(recipes_add(r, recipe, NULL) == STATUS_OK);
    arena_destroy(a);
    return r;
}

// What was read can be written; that text is no longer, and reading and writing it changes nothing any more.
static void check_object(const struct recipes *r, struct arena *a, const struct object *o)
{
    struct object canonical;
    struct object again;
    struct error e = {0};
    // A stringifiable value null counts as missing when it is written (DATA-MODEL.md 4.4).
    if (object_make(r, a, o->value, o->form, &canonical, &e) != STATUS_OK)
        return;
    FUZZ_CHECK(canonical.microdata.len <= o->microdata.len);
    FUZZ_CHECK(object_make(r, a, canonical.value, o->form, &again, &e) == STATUS_OK);
    FUZZ_CHECK(hash_eq(&again.hash, &canonical.hash));
    FUZZ_CHECK(o->recipe->versioned == !hash_is_zero(&o->id_hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct recipes *recipes;
    struct object o;
    struct error e = {0};
    if (recipes == NULL)
        recipes = make_recipes();
    if (size == 0)
        return 0;
    struct arena *a = arena_create();
    enum microdata_form form = data[0] == 'i' ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT;
    struct span text = {(const char *)data + 1, size - 1};
    if (object_read(recipes, a, text, form, NULL, &o, &e) == STATUS_OK)
        check_object(recipes, a, &o);
    else
        FUZZ_CHECK(e.code[0] != '\0');
    arena_destroy(a);
    return 0;
}
