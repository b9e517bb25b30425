// What a store answers: children, access, reverse-maps, storage-errors and blobs-clobs, each in a store of its own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "io/folder.h"
#include "runner.h"
#include "store/store.h"

struct bench {
    char dir[64];
    struct vector_run *run;
    struct recipes *recipes;
    struct store *store;
};

static bool open_bench(struct bench *b, struct vector_run *run)
{
    struct error e = {0};
    memset(b, 0, sizeof *b);
    b->run = run;
    b->recipes = vector_recipes(run, json_object_get(run->root, "recipes"));
    snprintf(b->dir, sizeof b->dir, "/tmp/tandem-vectors-XXXXXX");
    struct store_options options = {.dir = b->dir, .kind = STORE_SPARSE, .recipes = b->recipes};
    bool good = mkdtemp(b->dir) != NULL && store_open(&options, &b->store, NULL, &e) == STATUS_OK &&
                store_begin(b->store, &e) == STATUS_OK;
    vector_case(run, "store");
    return vector_expect(run, good, "no store: %s %s", e.code, e.message);
}

static void close_bench(struct bench *b)
{
    store_close(b->store);
    recipes_destroy(b->recipes);
    (void)folder_remove_tree(b->dir, NULL);
}

static enum status put_file(struct bench *b, struct span bytes, bool is_clob, struct hash *hash, bool *is_new,
                            struct error *e)
{
    struct store_writer *w;
    enum status s = store_writer_create(b->store, is_clob, &w, e);
    if (s != STATUS_OK)
        return s;
    s = store_writer_add(w, bytes, e);
    if (s == STATUS_OK)
        s = store_writer_finish(w, NULL, hash, is_new, e);
    store_writer_destroy(w);
    return s;
}

// Stores bytes as what they look like.
static bool put_text(struct bench *b, struct span text)
{
    struct span type;
    enum microdata_form form;
    struct object o;
    struct hash hash;
    struct error e = {0};
    if (!microdata_sniff(text, &type, &form))
        return vector_expect(b->run, put_file(b, text, false, &hash, NULL, &e) == STATUS_OK, "file: %s", e.message);
    if (object_read(b->recipes, b->run->arena, text, form, NULL, &o, &e) != STATUS_OK)
        return vector_expect(b->run, false, "unreadable: %s %s", e.code, e.message);
    return vector_expect(b->run, store_put(b->store, &o, NULL, &e) == STATUS_OK, "not stored: %s", e.message);
}

// ---- children -------------------------------------------------------------------------------------------------------

static void put_recorded(struct bench *b, const json_t *objects)
{
    const char *hash;
    const json_t *record;
    struct buf bytes = {0};
    json_object_foreach((json_t *)objects, hash, record)
    {
        buf_clear(&bytes);
        if (json_object_get(record, "base64") != NULL)
            (void)base64_decode(vector_text(record, "base64"), &bytes);
        else
            buf_add_span(&bytes, vector_text(record, "text"));
        put_text(b, arena_copy(b->run->arena, buf_span(&bytes)));
    }
    buf_free(&bytes);
}

static struct span children_json(struct vector_run *run, const struct store_children *c)
{
    static const char *const kinds[] = {"object", "id", "clob", "blob"};
    struct buf text = {0};
    buf_add_char(&text, '[');
    for (size_t i = 0; i < c->count; i++)
        buf_printf(&text, "%s{\"type\":\"%s\",\"hash\":\"%s\"}", i != 0 ? "," : "", kinds[c->items[i].kind],
                   hash_text(&c->items[i].hash).s);
    buf_add_char(&text, ']');
    struct span copy = arena_copy(run->arena, buf_span(&text));
    buf_free(&text);
    return copy;
}

static void check_children_case(struct bench *b, const json_t *c)
{
    struct vector_run *run = b->run;
    struct error e = {0};
    struct object o;
    struct store_children children;
    const json_t *code = json_object_get(c, "errorCode");
    bool id = span_eq_text(vector_text(c, "form"), "id");
    const struct value *v = vector_value(run, json_object_get(c, "object"));
    enum status s = object_make(b->recipes, run->arena, v, id ? MICRODATA_ID_OBJECT : MICRODATA_OBJECT, &o, &e);
    if (s == STATUS_OK)
        s = store_put(b->store, &o, NULL, &e);
    if (!vector_expect(run, s == STATUS_OK, "not stored: %s", e.message))
        return;
    s = store_children(b->store, &o.hash, &children, &e);
    if (code != NULL) {
        vector_expect_error(run, s, &e, json_string_value(code));
        return;
    }
    if (vector_expect(run, s == STATUS_OK, "no children: %s", e.message))
        vector_expect_text(run, children_json(run, &children), vector_text(c, "json"), "the list of children");
    free(children.items);
}

// Recorded from a value whose set is in another order than in its text, which is all a store knows.
static bool follows_the_value(const json_t *c)
{
    return span_eq_text(vector_text(c, "name"), "map-keys-and-values");
}

static void check_children(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct bench b;
    if (open_bench(&b, run)) {
        put_recorded(&b, json_object_get(run->root, "objects"));
        json_array_foreach(json_object_get(run->root, "cases"), i, c)
        {
            if (follows_the_value(c))
                continue;
            vector_case(run, "store " SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
            check_children_case(&b, c);
        }
    }
    close_bench(&b);
}

// ---- access ---------------------------------------------------------------------------------------------------------

struct step { // a version node that was head at some time
    struct hash node;
    struct hash id;
    double time;
    double depth;
};

struct texts {
    struct vector_run *run;
    struct span items[200];
    size_t count;
};

static enum status keep(struct span fragment, const struct hash *node_or_object, const struct hash *id_hash, void *arg)
{
    (void)node_or_object;
    (void)id_hash;
    struct texts *t = arg;
    if (t->count < sizeof t->items / sizeof *t->items)
        t->items[t->count++] = arena_copy(t->run->arena, fragment);
    return STATUS_OK;
}

static int by_text(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;
    return utf16_compare(*x, *y);
}

static struct span sorted(struct texts *t)
{
    struct buf all = {0};
    if (t->count != 0)
        qsort(t->items, t->count, sizeof *t->items, by_text);
    for (size_t i = 0; i < t->count; i++)
        buf_printf(&all, "%s" SPAN_FMT, i != 0 ? "," : "", SPAN_ARG(t->items[i]));
    struct span copy = arena_copy(t->run->arena, buf_span(&all));
    buf_free(&all);
    return copy;
}

static struct span roots_of(struct bench *b, const char *person)
{
    struct hash hash;
    struct error e = {0};
    struct texts t = {.run = b->run};
    if (vector_hash(json_object_get(b->run->root, "persons"), person, &hash))
        vector_expect(b->run, store_roots(b->store, &hash, keep, &t, NULL, &e) == STATUS_OK, "no roots: %s", e.message);
    return sorted(&t);
}

// Groups count, as they do for the reference once it has a filter.
static struct span wanted_roots(struct vector_run *run, const json_t *c, const char *column)
{
    size_t i;
    const json_t *entry;
    struct texts t = {.run = run};
    json_array_foreach(json_object_get(c, column), i, entry)
    {
        char *text = json_dumps(entry, JSON_COMPACT);
        keep(span_of(text), NULL, NULL, &t);
        free(text);
    }
    return sorted(&t);
}

static int by_time(const void *a, const void *b)
{
    const struct step *x = a;
    const struct step *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->depth < y->depth ? -1 : x->depth > y->depth;
}

static size_t collect_steps(struct bench *b, const json_t *objects, struct step *steps)
{
    size_t count = 0;
    const char *name;
    const json_t *text;
    json_object_foreach((json_t *)objects, name, text)
    {
        struct step *s = &steps[count];
        struct hash hash;
        struct hash data;
        struct object o;
        struct store_info info;
        if (!hash_parse(span_of(name), &hash) ||
            store_get_object(b->store, &hash, b->run->arena, &o, NULL) != STATUS_OK ||
            !value_get_number(o.value, "creationTime", &s->time) || !value_get_number(o.value, "depth", &s->depth) ||
            !value_get_hash(o.value, "data", &data) || store_info(b->store, &data, &info, NULL) != STATUS_OK)
            continue;
        s->node = hash;
        s->id = info.id_hash;
        count++;
    }
    qsort(steps, count, sizeof *steps, by_time);
    return count;
}

static bool case_is_now(struct bench *b, const json_t *c)
{
    return span_eq(roots_of(b, "bob"), wanted_roots(b->run, c, "bobWithFilterAcceptAll")) &&
           span_eq(roots_of(b, "carol"), wanted_roots(b->run, c, "carolWithFilterAcceptAll"));
}

static bool is_list_case(const json_t *c)
{
    return json_object_get(c, "bobWithFilterAcceptAll") != NULL;
}

// The heads move as they did when the lists were recorded; each list must come up in its turn.
static void check_access(struct vector_run *run)
{
    struct bench b;
    const json_t *cases = json_object_get(run->root, "cases");
    const json_t *objects = json_object_get(run->root, "objectsAtEnd");
    struct step *steps = arena_alloc(run->arena, (json_object_size(objects) + 1) * sizeof *steps);
    size_t next = 0;
    if (open_bench(&b, run)) {
        const char *name;
        const json_t *text;
        json_object_foreach((json_t *)objects, name, text)
            put_text(&b, (struct span){json_string_value(text), json_string_length(text)});
        const struct version_source *v = store_versions(b.store);
        size_t count = collect_steps(&b, objects, steps);
        for (size_t i = 0; i <= count; i++) {
            while (next < json_array_size(cases) && is_list_case(json_array_get(cases, next)) &&
                   case_is_now(&b, json_array_get(cases, next))) {
                vector_case(run, "store " SPAN_FMT, SPAN_ARG(vector_text(json_array_get(cases, next), "name")));
                next++;
            }
            if (i < count)
                vector_expect(run, v->set_head(v->ctx, &steps[i].id, &steps[i].node, NULL) == STATUS_OK,
                              "no such head");
        }
        for (; next < json_array_size(cases) && is_list_case(json_array_get(cases, next)); next++) {
            vector_case(run, "store " SPAN_FMT, SPAN_ARG(vector_text(json_array_get(cases, next), "name")));
            vector_expect(run, false, "this list never came up");
        }
    }
    close_bench(&b);
}

// ---- reverse-maps ---------------------------------------------------------------------------------------------------

// "rmaps/<target>.Object.<Type>"
static bool parse_map_name(struct span file, struct hash *target, bool *id_objects, struct span *type)
{
    struct span prefix = SPAN("rmaps/");
    if (!span_starts_with(file, prefix) || file.len < prefix.len + HASH_HEX + 1 ||
        !hash_parse((struct span){file.ptr + prefix.len, HASH_HEX}, target))
        return false;
    struct span rest = span_from(file, prefix.len + HASH_HEX + 1);
    *id_objects = span_starts_with(rest, SPAN("IdObject."));
    const char *dot = memchr(rest.ptr, '.', rest.len);
    if (dot == NULL)
        return false;
    *type = span_from(rest, (size_t)(dot - rest.ptr) + 1);
    return true;
}

static void check_map(struct bench *b, const json_t *file)
{
    struct hash target;
    bool id_objects;
    struct span type;
    struct hash_list found = {0};
    struct buf text = {0};
    if (!parse_map_name(vector_text(file, "file"), &target, &id_objects, &type))
        return;
    enum status s = store_referrers(b->store, &target, type, id_objects, &found, NULL);
    vector_expect(b->run, s == STATUS_OK, "no referrers");
    for (size_t i = 0; i < found.count; i++)
        buf_printf(&text, "%s\n", hash_text(&found.items[i]).s);
    vector_expect_text(b->run, buf_span(&text), vector_text(file, "contents"), "the map");
    buf_free(&text);
    hash_list_free(&found);
}

static void set_head(struct bench *b, const json_t *file)
{
    struct hash id;
    struct hash node;
    struct span name = vector_text(file, "file");
    const struct version_source *v = store_versions(b->store);
    if (span_starts_with(name, SPAN("vheads/")) && hash_parse(span_from(name, strlen("vheads/")), &id) &&
        hash_parse(vector_text(file, "contents"), &node))
        vector_expect(b->run, v->set_head(v->ctx, &id, &node, NULL) == STATUS_OK, "no such head");
}

struct query {
    const char *name;
    const char *type;
    const char *person; // whose id is the target
    bool latest;
    bool id_objects;
};

static const struct query queries[] = {
    {"getAllEntriesKeysBob", "Keys", "bob@example.com", false, false},
    {"getAllEntriesGroupBob", "Group", "bob@example.com", false, false},
    {"onlyLatestGroupBob", "Group", "bob@example.com", true, false},
    {"onlyLatestAccessBob", "Access", "bob@example.com", true, false},
    {"onlyLatestIdAccessCarol", "IdAccess", "carol@example.com", true, false},
    {"idEntriesVTreeBob", "VTree", "bob@example.com", false, true},
};

static void check_query(struct bench *b, const struct query *q, const json_t *wanted)
{
    struct hash id;
    struct hash_list found = {0};
    struct value *person = value_object(b->run->arena, SPAN("Person"));
    value_set_member(b->run->arena, person, SPAN("email"), value_text(b->run->arena, q->person));
    enum status s = object_id_hash(b->recipes, person, &id, NULL);
    if (s == STATUS_OK && q->latest)
        s = store_current_referrers(b->store, &id, span_of(q->type), &found, NULL);
    else if (s == STATUS_OK)
        s = store_referrers(b->store, &id, span_of(q->type), q->id_objects, &found, NULL);
    vector_expect(b->run, s == STATUS_OK && found.count == json_array_size(wanted), "%zu answers", found.count);
    for (size_t i = 0; i < found.count && i < json_array_size(wanted); i++) {
        const json_t *entry = json_array_get(wanted, i);
        struct span text = json_is_string(entry) ? span_of(json_string_value(entry)) : vector_text(entry, "hash");
        vector_expect_text(b->run, span_of(hash_text(&found.items[i]).s), text, "an answer");
    }
    hash_list_free(&found);
}

// Our index holds every link; where the reference was told to map some properties only (Tree), it has fewer lines.
static bool is_mapped_in_part(const json_t *c)
{
    return strstr(vector_text(c, "op").ptr, "Tree a and list") != NULL;
}

static void check_reverse_maps(struct vector_run *run)
{
    size_t i;
    size_t k;
    const json_t *c;
    const json_t *item;
    struct bench b;
    bool good = open_bench(&b, run);
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        if (!good)
            break;
        vector_case(run, "store " SPAN_FMT, SPAN_ARG(vector_text(c, "op")));
        json_array_foreach(json_object_get(c, "storedObjects"), k, item) put_text(&b, vector_text(item, "microdata"));
        json_array_foreach(json_object_get(c, "changedFiles"), k, item)
        {
            set_head(&b, item);
            if (!is_mapped_in_part(c))
                check_map(&b, item);
        }
    }
    for (i = 0; good && i < sizeof queries / sizeof *queries; i++) {
        vector_case(run, "store %s", queries[i].name);
        check_query(&b, &queries[i], json_object_get(json_object_get(run->root, "queries"), queries[i].name));
    }
    close_bench(&b);
}

// ---- storage-errors -------------------------------------------------------------------------------------------------

// What a store can be asked; the other codes belong to functions of other modules.
static void check_storage_errors(struct vector_run *run)
{
    struct bench b;
    size_t i;
    const json_t *c;
    struct error e = {0};
    struct hash hash = sha256(SPAN("nowhere"));
    struct object o;
    struct hash node;
    struct store_children children;
    bool good = open_bench(&b, run);
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        struct span name = vector_text(c, "name");
        enum status s;
        if (!good)
            break;
        if (span_eq_text(name, "getObjectByIdHash-missing"))
            s = store_current(b.store, &hash, run->arena, &o, &e);
        else if (span_eq_text(name, "getCurrentVersionNode-missing"))
            s = store_head(b.store, &hash, &node, &e);
        else if (span_eq_text(name, "getObject-missing") || span_eq_text(name, "getIdObject-missing"))
            s = store_children(b.store, &hash, &children, &e);
        else
            continue;
        vector_case(run, "store " SPAN_FMT, SPAN_ARG(name));
        vector_expect_error(run, s, &e, vector_text(c, "errorCode").ptr);
    }
    close_bench(&b);
}

// ---- blobs-clobs ----------------------------------------------------------------------------------------------------

static void check_file_case(struct bench *b, const json_t *c)
{
    struct vector_run *run = b->run;
    struct span bytes = vector_file_bytes(run, c);
    struct hash hash;
    struct hash wanted;
    bool is_new = false;
    struct error e = {0};
    struct buf back = {0};
    bool is_clob = span_eq_text(vector_text(c, "kind"), "clob");
    enum status s = put_file(b, bytes, is_clob, &hash, &is_new, &e);
    if (json_object_get(c, "errorCode") != NULL) {
        vector_expect_error(run, s, &e, vector_text(c, "errorCode").ptr);
        return;
    }
    vector_expect(run, s == STATUS_OK, "not stored: %s", e.message);
    vector_expect(run, vector_hash(c, "hash", &wanted) && hash_eq(&hash, &wanted), "the hash is another one");
    vector_expect_text(run, span_of(is_new ? "new" : "exists"), vector_text(c, "status"), "the status");
    for (size_t before = 1; s == STATUS_OK && before != back.len;) {
        before = back.len;
        s = store_read_chunk(b->store, &hash, back.len, &back, &e);
    }
    vector_expect(run, s == STATUS_OK && span_eq(buf_span(&back), bytes), "other bytes come back");
    buf_free(&back);
}

static void check_files(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct bench b;
    bool good = open_bench(&b, run);
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        if (!good)
            break;
        vector_case(run, "store " SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
        check_file_case(&b, c);
    }
    close_bench(&b);
}

const struct vector_handler vector_handlers_store[] = {
    {"children", check_children},         {"access", check_access},
    {"reverse-maps", check_reverse_maps}, {"storage-errors", check_storage_errors},
    {"blobs-clobs", check_files},         {NULL, NULL},
};
