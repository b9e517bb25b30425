// Version histories: version-nodes and version-nodes-random. Every stored byte and every head after every step.
#include <stdlib.h>
#include <string.h>

#include "data/merge.h"
#include "data/versionnode.h"
#include "memory_source.h"
#include "runner.h"

// Recorded steps put in place what the reference had stored before.
static void put_objects(struct vector_run *run, struct memory_source *m, const json_t *list)
{
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o)
    {
        struct hash wanted;
        struct span text = vector_text(o, "microdata");
        struct hash hash = memory_source_put(m, text);
        vector_expect(run, vector_hash(o, "hash", &wanted) && hash_eq(&hash, &wanted), "object %zu has another hash",
                      i);
    }
}

// Version nodes among the recorded objects are histories: the deepest one of each id is its head.
static void put_heads(struct vector_run *run, struct memory_source *m, const json_t *list)
{
    size_t i;
    const json_t *o;
    struct error e;
    struct hash hash;
    struct versionnode node;
    struct versionnode head;
    json_array_foreach(list, i, o)
    {
        struct span text;
        struct object version;
        if (!vector_hash(o, "hash", &hash) || versionnode_read(&m->source, &hash, run->arena, &node, &e) != STATUS_OK ||
            !memory_source_text(m, &node.data, &text) ||
            object_read(m->source.recipes, run->arena, text, MICRODATA_OBJECT, NULL, &version, &e) != STATUS_OK)
            continue;
        if (!memory_source_head(m, &version.id_hash, &hash) ||
            (versionnode_read(&m->source, &hash, run->arena, &head, &e) == STATUS_OK && head.depth < node.depth))
            m->source.set_head(m, &version.id_hash, &node.hash, NULL);
    }
}

static void expect_objects(struct vector_run *run, const struct memory_source *m, const json_t *list)
{
    size_t i;
    const json_t *o;
    struct span text;
    json_array_foreach(list, i, o)
    {
        struct hash hash;
        bool stored = vector_hash(o, "hash", &hash) && hash_list_has(&m->written, &hash);
        vector_expect(run, stored && memory_source_text(m, &hash, &text), "not stored: " SPAN_FMT,
                      SPAN_ARG(vector_text(o, "microdata")));
    }
    if (m->written.count == json_array_size(list))
        return;
    for (i = 0; i < m->written.count; i++) {
        if (memory_source_text(m, &m->written.items[i], &text))
            vector_expect(run, false, "stored: " SPAN_FMT, SPAN_ARG(text));
    }
}

static void expect_heads(struct vector_run *run, const struct memory_source *m, const json_t *files)
{
    size_t i;
    size_t moved = 0;
    const json_t *f;
    for (size_t k = 0; k < m->moved.count; k++) {
        struct hash_list before = {m->moved.items, k, k};
        moved += !hash_list_has(&before, &m->moved.items[k]);
    }
    vector_expect(run, moved == json_array_size(files), "%zu heads moved, not %zu", moved, json_array_size(files));
    json_array_foreach(files, i, f)
    {
        struct hash id;
        struct hash node;
        struct hash wanted;
        struct span file = vector_text(f, "file");
        bool known = span_starts_with(file, SPAN("vheads/")) && hash_parse(span_from(file, 7), &id) &&
                     vector_hash(f, "contents", &wanted);
        vector_expect(run, known && memory_source_head(m, &id, &node) && hash_eq(&node, &wanted),
                      "the head of " SPAN_FMT " is another one", SPAN_ARG(file));
    }
}

static enum status import(struct vector_run *run, struct memory_source *m, const struct value *object, double time,
                          struct version_result *out, struct error *e)
{
    (void)run;
    struct hash data = memory_source_add(m, object);
    return version_merge_foreign(&m->source, &data, time, out, e);
}

static enum version_mode mode_of(const json_t *step)
{
    struct span as = vector_text(step, "as");
    if (span_eq_text(as, "merge"))
        return VERSION_MERGE;
    return span_eq_text(as, "change") ? VERSION_CHANGE : VERSION_NONE;
}

static void check_step(struct vector_run *run, struct memory_source *m, const json_t *step)
{
    struct error e = {0};
    struct version_result got;
    struct hash wanted;
    enum status s;
    const struct value *object = vector_value(run, json_object_get(step, "object"));
    put_objects(run, m, json_object_get(step, "storedBefore"));
    put_heads(run, m, json_object_get(step, "storedBefore"));
    hash_list_free(&m->written);
    hash_list_free(&m->moved);
    if (span_eq_text(vector_text(step, "op"), "import"))
        s = import(run, m, object, json_number_value(json_object_get(step, "creationTime")), &got, &e);
    else
        s = version_store(&m->source, object, mode_of(step), json_number_value(json_object_get(step, "now")), &got, &e);
    const json_t *result = json_object_get(step, "result");
    if (result == NULL) {
        vector_expect_error(run, s, &e, "MERGE-FAILED");
    } else if (vector_expect(run, s == STATUS_OK, "failed: %s %s", e.code, e.message)) {
        vector_expect(run, vector_hash(result, "hash", &wanted) && hash_eq(&wanted, &got.hash), "another current hash");
        vector_expect(run, vector_hash(result, "idHash", &wanted) && hash_eq(&wanted, &got.id_hash), "another id hash");
        vector_expect(run, got.changed == (m->moved.count > 0), "changed or not");
    }
    expect_objects(run, m, json_object_get(step, "storedObjects"));
    expect_heads(run, m, json_object_get(step, "changedFiles"));
}

static void check_listing(struct vector_run *run, struct memory_source *m, const json_t *history)
{
    struct error e = {0};
    struct hash_list nodes = {0};
    struct hash head = {{0}};
    const json_t *wanted = json_object_get(history, "versionNodeHashes");
    const json_t *steps = json_object_get(history, "steps");
    const json_t *result = NULL;
    struct hash id;
    for (size_t i = json_array_size(steps); i-- > 0 && result == NULL;)
        result = json_object_get(json_array_get(steps, i), "result");
    bool has_head = vector_hash(result, "idHash", &id) && memory_source_head(m, &id, &head);
    vector_expect(run, has_head == json_is_array(wanted), "has versions or not");
    if (!has_head)
        return;
    enum status s = version_list(&m->source, &head, &nodes, &e);
    vector_expect(run, s == STATUS_OK && nodes.count == json_array_size(wanted), "%zu versions are listed, not %zu",
                  nodes.count, json_array_size(wanted));
    for (size_t i = 0; i < nodes.count && i < json_array_size(wanted); i++)
        vector_expect(run,
                      span_eq_text(span_of(json_string_value(json_array_get(wanted, i))), hash_text(&nodes.items[i]).s),
                      "version %zu is another one", i);
    hash_list_free(&nodes);
}

static void check_history(struct vector_run *run, const struct recipes *r, const json_t *history)
{
    size_t i;
    const json_t *step;
    struct memory_source *m = memory_source_create(r);
    put_objects(run, m, json_object_get(history, "setupObjects"));
    json_array_foreach(json_object_get(history, "steps"), i, step)
    {
        vector_case(run, SPAN_FMT ", step %zu", SPAN_ARG(vector_text(history, "name")), i);
        check_step(run, m, step);
    }
    vector_case(run, SPAN_FMT ", listing", SPAN_ARG(vector_text(history, "name")));
    check_listing(run, m, history);
    memory_source_destroy(m);
}

// The members of the base that the recorded side left out.
static void add_side(struct vector_run *run, struct memory_source *m, const json_t *base, const json_t *side)
{
    struct value *object = vector_value(run, side);
    object->object.type = vector_text(base, "$type$");
    value_set_member(run->arena, object, SPAN("id"), vector_value(run, json_object_get(base, "id")));
    memory_source_add(m, object);
}

static void check_merged(struct vector_run *run, const struct memory_source *m, const json_t *c,
                         const struct value *merged)
{
    struct error e = {0};
    struct object o;
    struct hash wanted;
    enum status s = object_make(m->source.recipes, run->arena, merged, MICRODATA_OBJECT, &o, &e);
    if (vector_expect(run, s == STATUS_OK, "the merged object is unwritable: %s", e.message))
        vector_expect(run, vector_hash(c, "resultHash", &wanted) && hash_eq(&wanted, &o.hash), "merged to " SPAN_FMT,
                      SPAN_ARG(o.microdata));
}

// Two change nodes with a common predecessor, which only the inner merge function can meet.
static void check_common_history(struct vector_run *run, const struct recipes *r, const json_t *c)
{
    struct error e = {0};
    struct version_result root;
    struct memory_source *m = memory_source_create(r);
    const json_t *base = json_object_get(c, "base");
    vector_case(run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
    enum status s = version_store(&m->source, vector_value(run, base), VERSION_CHANGE, 1700000000000.0, &root, &e);
    vector_expect(run, s == STATUS_OK, "the base is refused: %s", e.message);
    add_side(run, m, base, json_object_get(c, "left"));
    add_side(run, m, base, json_object_get(c, "right"));
    struct hash left = memory_source_put(m, vector_text(c, "leftNode"));
    struct hash right = memory_source_put(m, vector_text(c, "rightNode"));
    bool contained;
    struct hash current;
    struct value *merged;
    s = merge_versions(&m->source, run->arena, &left, &right, &contained, &current, &merged, &e);
    if (vector_expect(run, s == STATUS_OK, "failed: %s %s", e.code, e.message) &&
        vector_expect(run, contained == json_is_true(json_object_get(c, "alreadyMerged")), "contained or not"))
        check_merged(run, m, c, merged);
    memory_source_destroy(m);
}

static void check_version_nodes(struct vector_run *run)
{
    size_t i;
    const json_t *c;
    struct recipes *r = vector_recipes(run, json_object_get(run->root, "recipes"));
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        if (json_object_get(c, "steps") != NULL)
            check_history(run, r, c);
        else
            check_common_history(run, r, c);
    }
    recipes_destroy(r);
}

const struct vector_handler vector_handlers_version[] = {
    {"version-nodes", check_version_nodes},
    {0},
};
