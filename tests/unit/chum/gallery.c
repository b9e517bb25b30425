#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "tests/support/fixture.h"

static const char album[] = "{'$type$':'Recipe','name':'Album','rule':[{'itemprop':'title'},"
                            "{'itemprop':'image','optional':true,'itemtype':{'type':'referenceToBlob'}},"
                            "{'itemprop':'text','optional':true,'itemtype':{'type':'referenceToClob'}},"
                            "{'itemprop':'next','optional':true,'itemtype':{'type':'referenceToObj','allowedTypes':"
                            "{'$set':['*']}}},"
                            "{'itemprop':'about','optional':true,'itemtype':{'type':'referenceToId','allowedTypes':"
                            "{'$set':['*']}}}]}";

struct recipes *gallery_recipes(void *ctx)
{
    struct error e = {0};
    struct recipes *r = fixture_recipes();
    struct arena *a = arena_create();
    (void)ctx;
    if (recipes_add(r, fixture_read(a, album), &e) != STATUS_OK) {
        fprintf(stderr, "%s %s\n", e.code, e.message);
        abort();
    }
    arena_destroy(a);
    return r;
}

void gallery_begin(struct gallery *g, size_t sides)
{
    memset(g, 0, sizeof *g);
    stage_begin(&g->stage, sides, gallery_recipes, NULL);
    script_begin(&g->script);
    g->ours = &g->stage.sides[0];
    g->peer = &g->stage.sides[1];
    g->script.exporter = g->exporter =
        json_pack("{s:[],s:{},s:{},s:{},s:{}}", "roots", "children", "idChildren", "objects", "blobs");
    g->peer->script = &g->script;
}

void gallery_end(struct gallery *g)
{
    stage_end(&g->stage);
    script_end(&g->script);
    json_decref(g->exporter);
}

int gallery_set_up(void **state)
{
    struct gallery *g = mem_alloc(sizeof *g);
    gallery_begin(g, 2);
    *state = g;
    return 0;
}

int gallery_tear_down(void **state)
{
    gallery_end(*state);
    free(*state);
    return 0;
}

struct hash gallery_object(struct gallery *g, const char *format, ...)
{
    struct error e = {0};
    struct object o;
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    struct arena *a = g->ours->arena;
    if (object_make(g->ours->recipes, a, fixture_read(a, text), MICRODATA_OBJECT, &o, &e) != STATUS_OK) {
        fprintf(stderr, "%s %s\n", e.code, e.message);
        abort();
    }
    gallery_text(g, &o.hash, o.microdata);
    if (o.recipe->versioned)
        gallery_text(g, &o.id_hash, o.id_microdata);
    return o.hash;
}

struct hash gallery_id_of(const struct gallery *g, const struct hash *hash)
{
    struct error e = {0};
    struct object o;
    const json_t *text = json_object_get(json_object_get(g->exporter, "objects"), hash_text(hash).s);
    struct span microdata = {json_string_value(text), json_string_length(text)};
    if (object_read(g->ours->recipes, g->ours->arena, microdata, MICRODATA_OBJECT, NULL, &o, &e) != STATUS_OK)
        abort();
    return o.id_hash;
}

void gallery_text(struct gallery *g, const struct hash *hash, struct span text)
{
    json_object_set_new(json_object_get(g->exporter, "objects"), hash_text(hash).s, json_stringn(text.ptr, text.len));
    json_object_set_new(json_object_get(g->exporter, "children"), hash_text(hash).s, json_array());
}

struct hash gallery_hash(struct span bytes)
{
    return sha256(bytes);
}

void gallery_child(struct gallery *g, const struct hash *parent, const char *type, const struct hash *child)
{
    json_t *list = json_object_get(json_object_get(g->exporter, "children"), hash_text(parent).s);
    json_array_append_new(list, json_pack("{s:s, s:s}", "type", type, "hash", hash_text(child).s));
}

void gallery_root(struct gallery *g, const struct hash *hash, const char *type)
{
    json_array_append_new(json_object_get(g->exporter, "roots"), json_pack("{s:s, s:s, s:s}", "type", "unversioned",
                                                                           "hash", hash_text(hash).s, "oneType", type));
}

struct hash gallery_version(struct gallery *g, const struct hash *data, const struct hash *prev, int depth)
{
    struct hash id = gallery_id_of(g, data);
    struct hash node = prev == NULL
                           ? gallery_object(g, "{'$type$':'VersionNodeEdge','depth':0,'creationTime':%d,'data':'%s'}",
                                            1700000000 + depth % 1000, hash_text(data).s)
                           : gallery_object(g,
                                            "{'$type$':'VersionNodeChange','depth':%d,'creationTime':%d,'prev':'%s',"
                                            "'data':'%s'}",
                                            depth, 1700000000 + depth % 1000, hash_text(prev).s, hash_text(data).s);
    gallery_child(g, &node, "object", data);
    gallery_child(g, &node, "id", &id);
    if (prev != NULL) {
        gallery_child(g, &node, "object", prev);
        json_array_extend(json_object_get(json_object_get(g->exporter, "children"), hash_text(&node).s),
                          json_object_get(json_object_get(g->exporter, "children"), hash_text(prev).s));
    }
    json_array_append_new(json_object_get(g->exporter, "roots"),
                          json_pack("{s:s, s:s, s:s, s:s}", "type", "version_node", "node", hash_text(&node).s,
                                    "dataIdHash", hash_text(&id).s, "dataType", "Doc"));
    return node;
}

void gallery_connect(struct gallery *g)
{
    stage_connect(&g->stage, g->ours, g->peer, NULL);
}

static bool is_over(void *ctx)
{
    const struct side *ours = ctx;
    return ours->closed != 0 || (ours->session != NULL && chum_session_counts(ours->session).passes != 0);
}

void gallery_pass(struct gallery *g)
{
    gallery_connect(g);
    stage_wait(&g->stage, is_over, g->ours, "the first pass");
}

static bool has_passed(void *ctx)
{
    const struct side *ours = ctx;
    return ours->session != NULL && chum_session_counts(ours->session).passes != 0;
}

void gallery_wait_pass(struct gallery *g)
{
    stage_wait(&g->stage, has_passed, g->ours, "the first pass");
}

void gallery_greet(struct gallery *g, const char *greeting)
{
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
    script_ask(&g->stage, &g->script, CHUM_GET_PROTOCOL_VERSION, greeting);
    gallery_wait_pass(g);
}
