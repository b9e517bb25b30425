// The model layer at size: posting, the first page of a long conversation, what came since, verifying.
//   bench_models [messages]   (default 100,000)
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "by_topic.h"
#include "model_node.h"
#include "models/chat.h"

enum { PAGE = 50, ROUNDS = 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void report(const char *what, double ms)
{
    printf("%-44s %10.3f ms\n", what, ms);
}

// Returns the id of the fiftieth.
static struct hash post(struct model_node *n, const struct hash *to, size_t count)
{
    struct topic topic;
    struct chat_sent sent;
    struct hash fiftieth = {{0}};
    double begun = now();
    for (size_t i = 0; i < count; i++) {
        if (i % 1000 == 0)
            model_node_begin(n);
        model_node_time++;
        n->m.now_ms = model_node_time;
        if (i == 0)
            MUST(topic_open_one_to_one(&n->m, to, &topic, &e));
        MUST(chat_send(&n->m, &topic, SPAN("a message of ordinary length, as people write them"), NULL, 0, &sent, &e));
        if (i < PAGE)
            fiftieth = sent.id;
        if (i % 1000 == 999 || i + 1 == count)
            model_node_end(n);
        arena_reset(n->m.arena);
        if (i + 1 < count)
            MUST(chat_with(&n->m, to, &topic, &e)); // as every call of the control protocol does
    }
    report("a post (in transactions of 1,000)", (now() - begun) / (double)count);
    return fiftieth;
}

static void read(struct model_node *n, const struct hash *with, const struct hash *fiftieth)
{
    struct topic topic;
    struct chat_messages page;
    struct span cursor;
    double best = 1e9;
    model_node_begin(n);
    for (int i = 0; i < ROUNDS; i++) {
        double begun = now();
        MUST(chat_with(&n->m, with, &topic, &e));
        MUST(chat_page(&n->m, &topic, PAGE, NULL, &page, &e));
        best = now() - begun < best ? now() - begun : best;
    }
    report("first page of 50, verified", best);
    MUST(chat_cursor(&n->m, &topic, &cursor, &e));
    double begun = now();
    MUST(chat_since(&n->m, &topic, cursor, PAGE, &page, &cursor, &e));
    report("nothing new since", now() - begun);
    begun = now();
    for (int i = 0; i < 10; i++)
        MUST(chat_page(&n->m, &topic, PAGE, i != 0 ? &page.items[0].id : NULL, &page, &e));
    report("ten pages one after the other", now() - begun);
    for (int i = 0; i < 2; i++) {
        begun = now();
        MUST(chat_page(&n->m, &topic, PAGE, fiftieth, &page, &e));
        report(i == 0 ? "the oldest page" : "the oldest page again", now() - begun);
    }
    model_node_drop(n);
}

int main(int argc, char **argv)
{
    struct model_node a;
    struct model_node b;
    size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 100000;
    crypto_init();
    model_node_open_plain(&a, "ann@test", "ann", NULL);
    model_node_open_plain(&b, "ben@test", "ben", NULL);
    model_node_pair(&a, &b);
    printf("%zu messages\n", count);
    struct hash fiftieth = post(&a, &b.self->person, count);
    read(&a, &b.self->person, &fiftieth);
    model_node_close(&a);
    model_node_close(&b);
    return 0;
}
