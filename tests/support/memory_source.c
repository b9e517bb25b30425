#include "memory_source.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"

struct memory_text {
    struct span text;
};

static enum status source_read(void *ctx, const struct hash *hash, struct arena *a, struct span *text, struct error *e)
{
    struct memory_source *m = ctx;
    (void)a;
    m->reads++;
    if (memory_source_text(m, hash, text))
        return STATUS_OK;
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no object %s", hash_text(hash).s);
}

static void put(struct memory_source *m, const struct hash *hash, struct span text)
{
    if (hash_map_has(m->texts, hash))
        return;
    struct memory_text *t = arena_alloc(m->arena, sizeof *t);
    t->text = arena_copy(m->arena, text);
    hash_map_set(m->texts, hash, t);
    hash_list_add(&m->written, hash);
}

static enum status source_write(void *ctx, const struct object *o, struct error *e)
{
    struct memory_source *m = ctx;
    (void)e;
    m->writes++;
    if (o->recipe->versioned && o->form == MICRODATA_OBJECT)
        put(m, &o->id_hash, o->id_microdata);
    put(m, &o->hash, o->microdata);
    return STATUS_OK;
}

static enum status source_head(void *ctx, const struct hash *id_hash, struct hash *node, struct error *e)
{
    if (memory_source_head(ctx, id_hash, node))
        return STATUS_OK;
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no version of %s", hash_text(id_hash).s);
}

static enum status source_set_head(void *ctx, const struct hash *id_hash, const struct hash *node, struct error *e)
{
    struct memory_source *m = ctx;
    (void)e;
    struct hash *head = hash_map_get(m->heads, id_hash);
    if (head == NULL) {
        head = arena_alloc(m->arena, sizeof *head);
        hash_map_set(m->heads, id_hash, head);
    }
    *head = *node;
    hash_list_add(&m->moved, id_hash);
    return STATUS_OK;
}

struct memory_source *memory_source_create(const struct recipes *r)
{
    struct memory_source *m = mem_alloc(sizeof *m);
    m->source = (struct version_source){.ctx = m,
                                        .recipes = r,
                                        .read = source_read,
                                        .write = source_write,
                                        .head = source_head,
                                        .set_head = source_set_head};
    m->texts = hash_map_create();
    m->heads = hash_map_create();
    m->arena = arena_create();
    return m;
}

void memory_source_destroy(struct memory_source *m)
{
    if (m == NULL)
        return;
    hash_map_destroy(m->texts);
    hash_map_destroy(m->heads);
    hash_list_free(&m->written);
    hash_list_free(&m->moved);
    arena_destroy(m->arena);
    free(m);
}

struct hash memory_source_put(struct memory_source *m, struct span text)
{
    struct hash hash = sha256(text);
    put(m, &hash, text);
    return hash;
}

struct hash memory_source_add(struct memory_source *m, const struct value *object)
{
    struct arena *a = arena_create();
    struct error e;
    struct object o;
    if (object_make(m->source.recipes, a, object, MICRODATA_OBJECT, &o, &e) != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", e.code, e.message);
        abort();
    }
    source_write(m, &o, NULL);
    arena_destroy(a);
    return o.hash;
}

void memory_source_lose(struct memory_source *m, const struct hash *hash)
{
    hash_map_remove(m->texts, hash);
}

bool memory_source_text(const struct memory_source *m, const struct hash *hash, struct span *out)
{
    const struct memory_text *t = hash_map_get(m->texts, hash);
    if (t != NULL)
        *out = t->text;
    return t != NULL;
}

bool memory_source_head(const struct memory_source *m, const struct hash *id_hash, struct hash *node)
{
    const struct hash *head = hash_map_get(m->heads, id_hash);
    if (head != NULL)
        *node = *head;
    return head != NULL;
}

void memory_source_copy(struct memory_source *to, const struct memory_source *from)
{
    size_t cursor = 0;
    struct hash hash;
    void *t;
    while (hash_map_next(from->texts, &cursor, &hash, &t))
        put(to, &hash, ((struct memory_text *)t)->text);
}
