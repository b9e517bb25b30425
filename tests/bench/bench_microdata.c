// How fast microdata of chat-like objects is read and written, and how that compares with hashing the same bytes.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "data/object.h"

enum { OBJECTS = 3000, ROUNDS = 20 };

struct sample {
    struct span text;
    struct value *value;
};

struct bench {
    struct recipes *recipes;
    struct arena *arena; // of the samples
    struct arena *scratch;
    struct buf out;
    struct sample samples[OBJECTS];
    size_t bytes;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct value *hash_value(struct bench *b, size_t i, const char *what)
{
    struct hash hash = sha256(arena_printf(b->arena, "%s %zu", what, i));
    return value_hash(b->arena, &hash);
}

static struct value *chat_message(struct bench *b, size_t i)
{
    struct arena *a = b->arena;
    struct buf text = {0};
    for (size_t words = 20 + i % 60; words > 0; words--)
        buf_printf(&text, "%s ", words % 7 == 0 ? "Grüße & <so weiter>" : "message");
    struct value *attachments = value_list(a);
    for (size_t k = 0; k < i % 3; k++)
        value_add(a, attachments, hash_value(b, k, "attachment"));
    struct value *v = value_object(a, SPAN("ChatMessage"));
    value_set_member(a, v, SPAN("text"), value_string(a, buf_span(&text)));
    value_set_member(a, v, SPAN("attachments"), attachments);
    value_set_member(a, v, SPAN("sender"), hash_value(b, i % 5, "person"));
    buf_free(&text);
    return v;
}

static struct value *creation_time(struct bench *b, size_t i)
{
    struct value *v = value_object(b->arena, SPAN("CreationTime"));
    value_set_member(b->arena, v, SPAN("timestamp"), value_number(b->arena, 1700000000000.0 + (double)i * 1234));
    value_set_member(b->arena, v, SPAN("data"), hash_value(b, i, "message"));
    return v;
}

static struct value *list_entry(struct bench *b, size_t i)
{
    struct value *metadata = value_list(b->arena);
    value_add(b->arena, metadata, hash_value(b, i, "certificate"));
    value_add(b->arena, metadata, hash_value(b, i, "signature"));
    struct value *v = value_object(b->arena, SPAN("LinkedListEntry"));
    value_set_member(b->arena, v, SPAN("data"), hash_value(b, i, "time"));
    value_set_member(b->arena, v, SPAN("metadata"), metadata);
    value_set_member(b->arena, v, SPAN("previous"), hash_value(b, i - 1, "entry"));
    return v;
}

static void make_samples(struct bench *b)
{
    struct value *(*const kinds[])(struct bench *, size_t) = {chat_message, creation_time, list_entry};
    for (size_t i = 0; i < OBJECTS; i++) {
        struct error e = {0};
        struct object o;
        if (object_make(b->recipes, b->arena, kinds[i % 3](b, i), MICRODATA_OBJECT, &o, &e) != STATUS_OK) {
            fprintf(stderr, "%s: %s\n", e.code, e.message);
            exit(1);
        }
        b->samples[i] = (struct sample){o.microdata, o.value};
        b->bytes += o.microdata.len;
    }
}

static void read_one(struct bench *b, const struct sample *s)
{
    struct value *v;
    if (microdata_read(b->recipes, b->scratch, s->text, MICRODATA_OBJECT, (struct span){0}, &v, NULL) != STATUS_OK)
        abort();
    arena_reset(b->scratch);
}

static void write_one(struct bench *b, const struct sample *s)
{
    buf_clear(&b->out);
    if (microdata_write(b->recipes, s->value, MICRODATA_OBJECT, &b->out, NULL) != STATUS_OK)
        abort();
}

static void object_one(struct bench *b, const struct sample *s)
{
    struct object o;
    if (object_read(b->recipes, b->scratch, s->text, MICRODATA_OBJECT, NULL, &o, NULL) != STATUS_OK)
        abort();
    arena_reset(b->scratch);
}

static void hash_one(struct bench *b, const struct sample *s)
{
    (void)b;
    sha256(s->text);
}

static double measure(struct bench *b, void (*one)(struct bench *, const struct sample *))
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds();
        for (size_t i = 0; i < OBJECTS; i++)
            one(b, &b->samples[i]);
        double took = seconds() - start;
        best = took < best ? took : best;
    }
    return best;
}

int main(void)
{
    struct bench b = {.recipes = recipes_create(true), .arena = arena_create(), .scratch = arena_create()};
    crypto_init();
    make_samples(&b);
    static const struct {
        const char *name;
        void (*one)(struct bench *, const struct sample *);
    } steps[] = {{"sha256", hash_one},
                 {"microdata read", read_one},
                 {"microdata write", write_one},
                 {"object read", object_one}};
    double hash = 0;
    printf("%d objects, %zu bytes each on average\n", OBJECTS, b.bytes / OBJECTS);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        double took = measure(&b, steps[i].one);
        hash = i == 0 ? took : hash;
        printf("%-16s %8.1f MB/s %8.0f ns/object  %.2f × the time of sha256\n", steps[i].name,
               (double)b.bytes / took / 1e6, took * 1e9 / OBJECTS, took / hash);
    }
    buf_free(&b.out);
    arena_destroy(b.scratch);
    arena_destroy(b.arena);
    recipes_destroy(b.recipes);
    return 0;
}
