// Linked lists of channels: list-order. Every head after inserting and merging, and the order over several channels.
#include <stdlib.h>
#include <string.h>

#include "data/linkedlist.h"
#include "memory_source.h"
#include "runner.h"

struct lists {
    struct vector_run *run;
    struct memory_source *recorded; // all objects of the file
    struct memory_source *source;   // only what a case starts from
};

static struct value *read_entry(struct lists *l, const struct hash *hash)
{
    struct error e;
    struct span text;
    struct value *entry;
    if (!memory_source_text(l->recorded, hash, &text) ||
        microdata_read(l->recorded->source.recipes, l->run->arena, text, MICRODATA_OBJECT, SPAN("LinkedListEntry"),
                       &entry, &e) != STATUS_OK)
        return NULL;
    return entry;
}

// Gives the source the recorded list with that head.
static struct hash use_list(struct lists *l, const json_t *c, const char *name)
{
    struct hash head = {{0}};
    struct span text;
    vector_expect(l->run, vector_hash(c, name, &head), "%s is missing", name);
    struct hash at = head;
    for (const struct value *entry; (entry = read_entry(l, &at)) != NULL;) {
        if (memory_source_text(l->recorded, &at, &text))
            memory_source_put(l->source, text);
        if (!value_get_hash(entry, "previous", &at))
            break;
    }
    return head;
}

static void expect_head(struct lists *l, const json_t *c, const char *name, const struct hash *head)
{
    struct hash wanted;
    if (json_object_get(c, name) != NULL)
        vector_expect(l->run, vector_hash(c, name, &wanted) && hash_eq(&wanted, head), "%s is %s", name,
                      hash_text(head).s);
}

// Every entry of a recorded list is stored with the recorded text.
static void expect_list(struct lists *l, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        struct hash entry;
        struct span text = {0};
        vector_expect(l->run, vector_hash(item, "entry", &entry) && memory_source_text(l->source, &entry, &text),
                      "entry %zu is not stored", i);
        vector_expect_text(l->run, text, vector_text(item, "entryMicrodata"), "the entry");
    }
}

static struct hash merge(struct lists *l, const struct hash *current, const struct hash *other)
{
    struct error e = {0};
    struct hash head = {{0}};
    enum status s = list_merge(&l->source->source, current, other, &head, &e);
    vector_expect(l->run, s == STATUS_OK, "cannot merge: %s %s", e.code, e.message);
    return head;
}

// The CreationTime the step inserts stands in the list it gives.
static bool find_inserted(const json_t *step, struct hash *out)
{
    size_t i;
    const json_t *item;
    const json_t *insert = json_object_get(step, "insert");
    json_array_foreach(json_object_get(step, "list"), i, item)
    {
        if (json_equal(json_object_get(item, "text"), json_object_get(insert, "text")) &&
            json_equal(json_object_get(item, "timestamp"), json_object_get(insert, "timestamp")))
            return vector_hash(item, "creationTimeHash", out);
    }
    return false;
}

static void check_inserts(struct lists *l, const json_t *c)
{
    struct hash head = {{0}};
    size_t i;
    const json_t *step;
    json_array_foreach(json_object_get(c, "steps"), i, step)
    {
        struct error e = {0};
        struct hash inserted = {{0}};
        vector_case(l->run, SPAN_FMT ", step %zu", SPAN_ARG(vector_text(c, "name")), i);
        vector_expect(l->run, find_inserted(step, &inserted), "what is inserted is unknown");
        enum status s = list_insert(&l->source->source, &head, &inserted, NULL, &head, &e);
        vector_expect(l->run, s == STATUS_OK, "cannot insert: %s %s", e.code, e.message);
        expect_head(l, step, "head", &head);
        expect_list(l, json_object_get(step, "list"));
    }
}

static void check_two(struct lists *l, const json_t *c)
{
    struct hash a = use_list(l, c, "headA");
    struct hash b = use_list(l, c, "headB");
    struct hash ab = merge(l, &a, &b);
    struct hash ba = merge(l, &b, &a);
    expect_head(l, c, "mergedAB", &ab);
    expect_head(l, c, "mergedBA", &ba);
    struct hash again = merge(l, &ab, &a);
    expect_head(l, c, "mergeAgainWithA", &again);
    expect_head(l, c, "mergeMergedWithA", &again);
    again = merge(l, &a, &ab);
    expect_head(l, c, "mergeAWithMerged", &again);
    again = merge(l, &ab, &b);
    expect_head(l, c, "mergeMergedWithB", &again);
    static const char *const lists[] = {"list", "listAB", "listBA", "mergeMergedWithAList"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        expect_list(l, json_object_get(c, lists[i]));
}

static void check_three(struct lists *l, const json_t *c)
{
    struct hash head_a = use_list(l, c, "headA");
    struct hash head_b = use_list(l, c, "headB");
    struct hash head_c = use_list(l, c, "headC");
    struct hash inner = merge(l, &head_a, &head_b);
    struct hash head = merge(l, &inner, &head_c);
    expect_head(l, c, "ab_c", &head);
    inner = merge(l, &head_b, &head_c);
    head = merge(l, &head_a, &inner);
    expect_head(l, c, "a_bc", &head);
    inner = merge(l, &head_a, &head_c);
    head = merge(l, &inner, &head_b);
    expect_head(l, c, "ac_b", &head);
    expect_list(l, json_object_get(c, "list"));
}

static void check_channels(struct lists *l, const json_t *c)
{
    struct error e = {0};
    const json_t *channels = json_object_get(c, "channels");
    const json_t *wanted = json_object_get(c, "iterator");
    struct hash *heads = arena_alloc(l->run->arena, json_array_size(channels) * sizeof *heads);
    for (size_t i = 0; i < json_array_size(channels); i++)
        heads[i] = use_list(l, json_array_get(channels, i), "head");
    struct list_iterator *it = list_iterator_create(&l->source->source, heads, json_array_size(channels), false);
    for (size_t i = 0;; i++) {
        struct list_element element;
        struct hash time = {{0}};
        struct hash entry = {{0}};
        bool end = true;
        enum status s = list_iterator_next(it, &element, &end, &e);
        vector_expect(l->run, s == STATUS_OK, "cannot iterate: %s %s", e.code, e.message);
        vector_expect(l->run, end == (i >= json_array_size(wanted)), "ends after %zu elements or not", i);
        if (end || i >= json_array_size(wanted))
            break;
        vector_hash(json_array_get(wanted, i), "creationTimeHash", &time);
        vector_hash(json_array_get(wanted, i), "channelEntryHash", &entry);
        vector_expect(l->run, hash_eq(&time, &element.creation_time) && hash_eq(&entry, &element.entry),
                      "element %zu is another one", i);
    }
    list_iterator_destroy(it);
}

static void check_case(struct lists *l, const json_t *c)
{
    if (json_object_get(c, "steps") != NULL) {
        check_inserts(l, c);
        return;
    }
    vector_case(l->run, SPAN_FMT, SPAN_ARG(vector_text(c, "name")));
    if (json_object_get(c, "channels") != NULL)
        check_channels(l, c);
    else if (json_object_get(c, "headC") != NULL)
        check_three(l, c);
    else
        check_two(l, c);
}

static void check_list_order(struct vector_run *run)
{
    size_t i;
    const json_t *o;
    const json_t *c;
    struct recipes *r = recipes_create(true);
    struct lists l = {.run = run, .recorded = memory_source_create(r)};
    json_array_foreach(json_object_get(run->root, "objects"), i, o)
        memory_source_put(l.recorded, vector_text(o, "microdata"));
    json_array_foreach(json_object_get(run->root, "cases"), i, c)
    {
        l.source = memory_source_create(r);
        size_t k;
        json_array_foreach(json_object_get(run->root, "objects"), k, o)
        {
            if (!span_eq_text(vector_text(o, "type"), "LinkedListEntry"))
                memory_source_put(l.source, vector_text(o, "microdata"));
        }
        check_case(&l, c);
        memory_source_destroy(l.source);
    }
    memory_source_destroy(l.recorded);
    recipes_destroy(r);
}

const struct vector_handler vector_handlers_list[] = {
    {"list-order", check_list_order},
    {0},
};
