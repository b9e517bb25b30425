#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "../cmocka_all.h"
#include "crypto/sha256.h"
#include "io/folder.h"

static void open_store(struct fixture *f)
{
    struct error e = {0};
    struct store_options options = {.dir = f->dir, .kind = f->kind, .recipes = f->recipes};
    f->recipes = options.recipes = recipes_create(true);
    if (store_open(&options, &f->store, &f->report, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
}

void fixture_open(struct fixture *f, enum store_kind kind)
{
    memset(f, 0, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/tandem-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->kind = kind;
    f->arena = arena_create();
    open_store(f);
}

void fixture_reopen(struct fixture *f)
{
    store_close(f->store);
    assert_true(f->retired_count < FIXTURE_REOPENINGS);
    f->retired[f->retired_count++] = f->recipes; // objects of the test still refer to them
    open_store(f);
}

void fixture_close(struct fixture *f)
{
    store_close(f->store);
    recipes_destroy(f->recipes);
    while (f->retired_count != 0)
        recipes_destroy(f->retired[--f->retired_count]);
    arena_destroy(f->arena);
    assert_int_equal(folder_remove_tree(f->dir, NULL), STATUS_OK);
}

void fixture_settle(struct fixture *f)
{
    struct error e = {0};
    bool more = true;
    while (more)
        if (store_maintain(f->store, 1, &more, &e) != STATUS_OK)
            fail_msg("%s: %s", e.code, e.message);
}

static struct object make(struct fixture *f, const struct value *v)
{
    struct error e = {0};
    struct object o;
    if (object_make(f->recipes, f->arena, v, MICRODATA_OBJECT, &o, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return o;
}

static struct value *start(struct fixture *f, const char *type)
{
    return value_object(f->arena, span_of(type));
}

static void set(struct fixture *f, struct value *o, const char *name, struct value *v)
{
    value_set_member(f->arena, o, span_of(name), v);
}

struct object fixture_leaf(struct fixture *f, const char *name)
{
    struct value *v = start(f, "PhoneNumber");
    set(f, v, "number", value_text(f->arena, name));
    return make(f, v);
}

struct object fixture_link(struct fixture *f, const struct hash *target, double number)
{
    struct value *v = start(f, "CreationTime");
    set(f, v, "timestamp", value_number(f->arena, number));
    set(f, v, "data", value_hash(f->arena, target));
    return make(f, v);
}

struct object fixture_image(struct fixture *f, const struct hash *blob)
{
    struct value *v = start(f, "PersonImage");
    set(f, v, "image", value_hash(f->arena, blob));
    set(f, v, "timestamp", value_number(f->arena, 1));
    set(f, v, "location", value_text(f->arena, "here"));
    return make(f, v);
}

struct object fixture_message(struct fixture *f, const struct hash *sender, const char *text)
{
    struct value *v = start(f, "ChatMessage");
    set(f, v, "text", value_text(f->arena, text));
    set(f, v, "sender", value_hash(f->arena, sender));
    return make(f, v);
}

struct object fixture_person(struct fixture *f, const char *email, const char *name)
{
    struct value *v = start(f, "Person");
    set(f, v, "email", value_text(f->arena, email));
    if (name != NULL)
        set(f, v, "name", value_text(f->arena, name));
    return make(f, v);
}

static struct value *hashes(struct fixture *f, const struct hash *items, size_t count)
{
    struct value *list = value_list(f->arena);
    for (size_t i = 0; i < count; i++)
        value_add(f->arena, list, value_hash(f->arena, &items[i]));
    return list;
}

struct object fixture_group(struct fixture *f, const char *name, const struct hash *persons, size_t count)
{
    struct value *v = start(f, "Group");
    set(f, v, "name", value_text(f->arena, name));
    set(f, v, "person", hashes(f, persons, count));
    return make(f, v);
}

struct object fixture_grant(struct fixture *f, const struct hash *target, bool id, const struct hash *persons,
                            size_t person_count, const struct hash *groups, size_t group_count)
{
    struct value *v = start(f, id ? "IdAccess" : "Access");
    set(f, v, id ? "id" : "object", value_hash(f->arena, target));
    set(f, v, "person", hashes(f, persons, person_count));
    set(f, v, "group", hashes(f, groups, group_count));
    return make(f, v);
}

static void check(enum status status, const struct error *e)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", e->code, e->message);
}

void fixture_put(struct fixture *f, const struct object *o)
{
    struct error e = {0};
    check(store_begin(f->store, &e), &e);
    check(store_put(f->store, o, NULL, &e), &e);
    check(store_commit(f->store, &e), &e);
}

struct hash fixture_change(struct fixture *f, const struct object *o)
{
    static double now = 1700000000000;
    struct error e = {0};
    struct version_result result;
    check(store_begin(f->store, &e), &e);
    check(version_store(store_versions(f->store), o->value, VERSION_CHANGE, now++, &result, &e), &e);
    check(store_commit(f->store, &e), &e);
    return result.id_hash;
}

struct hash fixture_file(struct fixture *f, struct span bytes)
{
    struct error e = {0};
    struct store_writer *w;
    struct hash hash;
    check(store_begin(f->store, &e), &e);
    check(store_writer_create(f->store, false, &w, &e), &e);
    while (bytes.len != 0) {
        struct span piece = {bytes.ptr, bytes.len < 10000 ? bytes.len : 10000};
        check(store_writer_add(w, piece, &e), &e);
        bytes = span_from(bytes, piece.len);
    }
    check(store_writer_finish(w, NULL, &hash, NULL, &e), &e);
    store_writer_destroy(w);
    check(store_commit(f->store, &e), &e);
    return hash;
}

// ---- Roots ----------------------------------------------------------------------------------------------------------

struct fragments {
    struct arena *arena;
    struct span items[1000];
    size_t count;
};

static enum status keep(struct span fragment, const struct hash *node_or_object, const struct hash *id_hash, void *arg)
{
    (void)node_or_object;
    (void)id_hash;
    struct fragments *l = arg;
    assert_true(l->count < 1000);
    l->items[l->count++] = arena_copy(l->arena, fragment);
    return STATUS_OK;
}

static int by_text(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;
    return strcmp(x->ptr, y->ptr);
}

struct span fixture_roots(struct fixture *f, const struct hash *person, uint64_t *skipped)
{
    struct error e = {0};
    struct fragments *l = arena_alloc(f->arena, sizeof *l);
    struct buf text = {0};
    l->arena = f->arena;
    check(store_roots(f->store, person, keep, l, skipped, &e), &e);
    if (l->count != 0)
        qsort(l->items, l->count, sizeof *l->items, by_text);
    for (size_t i = 0; i < l->count; i++)
        buf_printf(&text, "%s" SPAN_FMT, i != 0 ? "," : "", SPAN_ARG(l->items[i]));
    struct span out = arena_copy(f->arena, buf_span(&text));
    buf_free(&text);
    return out;
}

static int begin(void **state, enum store_kind kind)
{
    struct fixture *f = mem_alloc(sizeof *f);
    fixture_open(f, kind);
    *state = f;
    return 0;
}

int fixture_begin_archive(void **state)
{
    return begin(state, STORE_ARCHIVE);
}

int fixture_begin_sparse(void **state)
{
    return begin(state, STORE_SPARSE);
}

int fixture_end(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

const char *fixture_path(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->dir, name).ptr;
}

void fixture_assert_reads(struct fixture *f, const struct object *o)
{
    struct span text;
    struct error e = {0};
    if (store_get(f->store, &o->hash, f->arena, &text, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    assert_true(span_eq(text, o->microdata));
}
