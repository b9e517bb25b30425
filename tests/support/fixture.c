#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/jsonform.h"
#include "data/number.h"

static const char *const recipe_texts[] = {
    "{'$type$':'Recipe','name':'Child','rule':[{'itemprop':'x','optional':true},{'itemprop':'y','optional':true}]}",
    "{'$type$':'Recipe','name':'Item','rule':[{'itemprop':'id','isId':true},{'itemprop':'x','optional':true},"
    "{'itemprop':'y','optional':true}]}",
    "{'$type$':'Recipe','name':'Link','rule':[{'itemprop':'text'},"
    "{'itemprop':'next','optional':true,'itemtype':{'type':'referenceToObj','allowedTypes':{'$set':['*']}}},"
    "{'itemprop':'other','optional':true,'itemtype':{'type':'referenceToObj','allowedTypes':{'$set':['*']}}}]}",
    "{'$type$':'Recipe','name':'Pair','rule':[{'itemprop':'id','isId':true},{'itemprop':'s'},"
    "{'itemprop':'set','itemtype':{'type':'set','item':{'type':'string'}}}]}",
    "{'$type$':'Recipe','name':'Doc','rule':[{'itemprop':'id','isId':true},{'itemprop':'s','optional':true},"
    "{'itemprop':'t','optional':true},{'itemprop':'n','optional':true,'itemtype':{'type':'number'}},"
    "{'itemprop':'j','optional':true,'itemtype':{'type':'stringifiable'}},"
    "{'itemprop':'set','optional':true,'itemtype':{'type':'set','item':{'type':'string'}}},"
    "{'itemprop':'bag','optional':true,'itemtype':{'type':'bag','item':{'type':'integer'}}},"
    "{'itemprop':'arr','optional':true,'itemtype':{'type':'array','item':{'type':'string'}}},"
    "{'itemprop':'map','optional':true,'itemtype':{'type':'map','key':{'type':'string'},'value':{'type':'string'}}},"
    "{'itemprop':'imap','optional':true,'itemtype':{'type':'map','key':{'type':'integer'},'value':{'type':'string'}}},"
    "{'itemprop':'o','optional':true,'itemtype':{'type':'object','rules':[{'itemprop':'a'},"
    "{'itemprop':'b','optional':true},"
    "{'itemprop':'l','optional':true,'itemtype':{'type':'set','item':{'type':'integer'}}}]}},"
    "{'itemprop':'ref','optional':true,'itemtype':{'type':'referenceToObj','allowedTypes':{'$set':['*']}}},"
    "{'itemprop':'refs','optional':true,'itemtype':{'type':'set','item':{'type':'referenceToObj',"
    "'allowedTypes':{'$set':['*']}}}}]}",
};

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

struct value *fixture_value(struct arena *a, const char *json)
{
    struct error e = {0};
    json_error_t why;
    struct value *v;
    json_t *root = json_loads(json, JSONFORM_FLAGS, &why);
    if (root == NULL)
        stop(json, why.text);
    if (jsonform_read(a, root, &v, &e) != STATUS_OK)
        stop(json, e.message);
    json_decref(root);
    return v;
}

char *fixture_json(const char *text)
{
    char *json = mem_text(span_of(text));
    for (char *c = json; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return json;
}

struct value *fixture_read(struct arena *a, const char *text)
{
    char *json = fixture_json(text);
    struct value *v = fixture_value(a, json);
    free(json);
    return v;
}

struct recipes *fixture_recipes(void)
{
    struct error e = {0};
    struct recipes *r = recipes_create(true);
    struct arena *a = arena_create();
    for (size_t i = 0; i < sizeof recipe_texts / sizeof *recipe_texts; i++)
        if (recipes_add(r, fixture_read(a, recipe_texts[i]), &e) != STATUS_OK)
            stop(recipe_texts[i], e.message);
    arena_destroy(a);
    return r;
}

struct hash fixture_message(struct memory_source *m, const char *text, double timestamp)
{
    struct arena *a = arena_create();
    struct value *message = value_object(a, SPAN("ChatMessage"));
    struct hash sender = {{1}};
    value_set_member(a, message, SPAN("text"), value_text(a, text));
    value_set_member(a, message, SPAN("sender"), value_hash(a, &sender));
    struct hash data = memory_source_add(m, message);
    struct value *time = value_object(a, SPAN("CreationTime"));
    value_set_member(a, time, SPAN("timestamp"), value_number(a, timestamp));
    value_set_member(a, time, SPAN("data"), value_hash(a, &data));
    struct hash hash = memory_source_add(m, time);
    arena_destroy(a);
    return hash;
}

static void add_number(struct buf *out, const char *name, double n)
{
    char text[NUMBER_TEXT];
    buf_printf(out, "<span itemprop=\"%s\">", name);
    buf_add(out, text, number_write(n, text));
    buf_add_text(out, "</span>");
}

// Written as text, so that long histories are made fast and broken ones can be made at all.
struct hash fixture_node(struct memory_source *m, const char *kind, const struct hash *before, size_t before_count,
                         const struct hash *data, double depth, double creation_time)
{
    struct buf text = {0};
    bool merge = kind[0] == 'M';
    buf_printf(&text, "<div itemscope itemtype=\"//refin.io/VersionNode%s\">", kind);
    if (merge)
        buf_add_text(&text, "<ul itemprop=\"nodes\">");
    for (size_t i = 0; i < before_count; i++)
        buf_printf(&text,
                   merge ? "<li><a data-type=\"obj\">%s</a></li>" : "<a itemprop=\"prev\" data-type=\"obj\">%s</a>",
                   hash_text(&before[i]).s);
    if (merge)
        buf_add_text(&text, "</ul>");
    buf_printf(&text, "<a itemprop=\"data\" data-type=\"obj\">%s</a>", hash_text(data).s);
    add_number(&text, "depth", depth);
    add_number(&text, "creationTime", creation_time);
    buf_add_text(&text, "</div>");
    struct hash hash = memory_source_put(m, buf_span(&text));
    buf_free(&text);
    return hash;
}

int fixture_begin(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    f->recipes = fixture_recipes();
    f->m = memory_source_create(f->recipes);
    f->a = arena_create();
    *state = f;
    return 0;
}

int fixture_end(void **state)
{
    struct fixture *f = *state;
    arena_destroy(f->a);
    memory_source_destroy(f->m);
    recipes_destroy(f->recipes);
    free(f);
    return 0;
}
