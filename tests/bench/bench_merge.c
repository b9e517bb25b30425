// How long channels take: merging two long ones, posting to a very long one, taking in a version of a long history.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/secret.h"
#include "data/linkedlist.h"
#include "fixture.h"

enum { MERGED = 10000, LONG = 100000, POSTS = 1000 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(enum status status, const struct error *e)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s\n", e->code, e->message);
    exit(1);
}

static struct hash insert(struct memory_source *m, struct hash head, double time)
{
    char text[32];
    struct error e = {0};
    snprintf(text, sizeof text, "message %.0f", time);
    struct hash message = fixture_message(m, text, time);
    struct hash_list metadata = {0};
    hash_list_add(&metadata, &message);
    must(list_insert(&m->source, &head, &message, &metadata, &head, &e), &e);
    hash_list_free(&metadata);
    return head;
}

static struct hash make_list(struct memory_source *m, size_t count, double start, double step)
{
    struct hash head = {{0}};
    for (size_t i = 0; i < count; i++)
        head = insert(m, head, start + step * (double)i);
    return head;
}

static void bench_merge(struct memory_source *m)
{
    struct error e = {0};
    struct hash a = make_list(m, MERGED, 1, 2);
    struct hash b = make_list(m, MERGED, 2, 2);
    struct hash merged;
    double start = seconds();
    must(list_merge(&m->source, &a, &b, &merged, &e), &e);
    printf("merge two lists of %d entries    %8.1f ms\n", MERGED, (seconds() - start) * 1e3);
    start = seconds();
    must(list_merge(&m->source, &merged, &a, &merged, &e), &e);
    printf("merge again with one of them        %8.1f ms\n", (seconds() - start) * 1e3);
}

static struct value *channel(struct arena *a, const struct hash *head)
{
    struct value *info = value_object(a, SPAN("ChannelInfo"));
    value_set_member(a, info, SPAN("id"), value_text(a, "bench"));
    value_set_member(a, info, SPAN("head"), value_hash(a, head));
    return info;
}

static struct version_result post(struct memory_source *m, struct arena *a, struct hash *head, double time)
{
    struct error e = {0};
    struct version_result r;
    *head = insert(m, *head, time);
    must(version_store(&m->source, channel(a, head), VERSION_CHANGE, time, &r, &e), &e);
    arena_reset(a);
    return r;
}

static void bench_post(struct memory_source *m, struct arena *a)
{
    struct error e = {0};
    struct hash head = {{0}};
    struct version_result r;
    double start = seconds();
    for (int i = 0; i < LONG; i++)
        post(m, a, &head, 1e6 + i);
    printf("post %d entries                %8.1f ms\n", LONG, (seconds() - start) * 1e3);
    start = seconds();
    for (int i = 0; i < POSTS; i++)
        post(m, a, &head, 2e6 + i);
    printf("post one more on top                %8.1f us\n", (seconds() - start) * 1e6 / POSTS);
    struct hash other = insert(m, head, 3e6);
    struct hash data = memory_source_add(m, channel(a, &other));
    start = seconds();
    must(version_merge_foreign(&m->source, &data, 3e6, &r, &e), &e);
    printf("take in one foreign post            %8.1f us\n", (seconds() - start) * 1e6);
}

int main(void)
{
    crypto_init();
    struct recipes *r = recipes_create(true);
    struct arena *a = arena_create();
    struct memory_source *m = memory_source_create(r);
    bench_merge(m);
    bench_post(m, a);
    memory_source_destroy(m);
    arena_destroy(a);
    recipes_destroy(r);
    return 0;
}
