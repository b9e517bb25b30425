#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "by_topic.h"
#include "tests/unit/cmocka_all.h"

int crowd_begin(void **state)
{
    struct crowd *w = mem_alloc(sizeof *w);
    static const char *const names[CROWD] = {"ann", "ben", "cid", "dan", "eve"};
    model_node_time = 1700000000000;
    for (size_t i = 0; i < CROWD; i++) {
        char email[32];
        snprintf(email, sizeof email, "%s@test", names[i]);
        model_node_open_plain(&w->nodes[i], email, names[i], NULL);
    }
    for (size_t i = 1; i < CROWD; i++) // ann knows everybody, nobody else anybody
        model_node_pair(&w->nodes[0], &w->nodes[i]);
    *state = w;
    return 0;
}

int crowd_end(void **state)
{
    struct crowd *w = *state;
    for (size_t i = 0; i < CROWD; i++)
        model_node_close(&w->nodes[i]);
    free(w);
    return 0;
}

const struct hash *crowd_person(struct crowd *w, size_t i)
{
    return &w->nodes[i].self->person;
}

void crowd_sync_all(struct crowd *w)
{
    for (int round = 0; round < 3; round++)
        for (size_t i = 1; i < CROWD; i++) {
            model_node_sync(&w->nodes[i], &w->nodes[0]);
            model_node_sync(&w->nodes[0], &w->nodes[i]);
        }
}

void crowd_sync_two(struct crowd *w, size_t a, size_t b)
{
    for (int i = 0; i < 2; i++) {
        model_node_sync(&w->nodes[a], &w->nodes[b]);
        model_node_sync(&w->nodes[b], &w->nodes[a]);
    }
}

struct topic crowd_create(struct crowd *w, size_t by, const char *name, const char *id, size_t count, bool history)
{
    struct hash persons[CROWD];
    struct topic topic;
    for (size_t i = 0; i < count; i++)
        persons[i] = *crowd_person(w, i + 1);
    struct model *m = model_node_begin(&w->nodes[by]);
    const struct topic_plan plan = {
        .name = span_of(name), .id = span_of(id), .persons = persons, .count = count, .history = history};
    MUST(topic_create_group(m, &plan, &topic, &e));
    model_node_end(&w->nodes[by]);
    return topic;
}

struct topic crowd_topic(struct crowd *w, size_t i, const char *name)
{
    struct topic topic;
    MUST(topic_named(&w->nodes[i].m, span_of(name), &topic, &e));
    return topic;
}

struct chat_sent crowd_say(struct crowd *w, size_t i, const char *name, const char *text)
{
    struct chat_sent sent;
    struct topic topic = crowd_topic(w, i, name);
    model_node_time += 1000;
    struct model *m = model_node_begin(&w->nodes[i]);
    MUST(chat_send(m, &topic, span_of(text), NULL, 0, &sent, &e));
    model_node_end(&w->nodes[i]);
    return sent;
}

const char *crowd_heard(struct crowd *w, size_t i, const char *name)
{
    static struct buf texts;
    struct chat_messages page;
    struct topic topic = crowd_topic(w, i, name);
    MUST(chat_page(&w->nodes[i].m, &topic, 0, NULL, &page, &e));
    buf_clear(&texts);
    for (size_t k = 0; k < page.count; k++) {
        assert_int_equal(page.items[k].verification, VERIFICATION_VERIFIED);
        buf_printf(&texts, "%s" SPAN_FMT, k != 0 ? " " : "", SPAN_ARG(page.items[k].text));
    }
    return buf_cstr(&texts);
}
