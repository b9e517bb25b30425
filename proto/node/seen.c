// Times between writes are measured by the monotonic clock and what is written is of the wall: a clock that is set back
// must not stop the writing. A connection that begins and ends at once is written at most once a second.
#include "node/seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum { OFTEN_MS = 1000, SELDOM_MS = 5 * 60 * 1000 };

struct seen {
    struct peers *peers;
    struct hash_map *written; // person → monotonic time, of those who came since the start
};

struct writing {
    struct hash_list persons;
    int64_t at;
};

int64_t seen_last(struct store *s, struct arena *a, const struct hash *person)
{
    struct span text;
    if (store_setting_get(s, store_setting_about("seen", person).s, a, &text, NULL) != STATUS_OK)
        return 0;
    return strtoll(arena_printf(a, SPAN_FMT, SPAN_ARG(text)).ptr, NULL, 10);
}

static enum status write_work(struct store *s, void *arg, struct error *e)
{
    const struct writing *w = arg;
    char text[24];
    enum status st = STATUS_OK;
    snprintf(text, sizeof text, "%" PRId64, w->at);
    for (size_t i = 0; st == STATUS_OK && i < w->persons.count; i++)
        st = store_setting_set(s, store_setting_about("seen", &w->persons.items[i]).s, span_of(text), e);
    return st;
}

static void write_done(void *arg, enum status status, const struct error *e)
{
    struct writing *w = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "seen.failed", LOG_TEXT("code", e->code), LOG_TEXT("reason", e->message));
    hash_list_free(&w->persons);
    free(w);
}

static void write_now(struct seen *s, const struct hash_list *persons)
{
    struct writing *w = mem_alloc(sizeof *w);
    w->at = clock_wall_ms();
    for (size_t i = 0; i < persons->count; i++)
        hash_list_add(&w->persons, &persons->items[i]);
    store_submit(node_queue(s->peers->node), write_work, write_done, w);
}

static bool is_due(struct seen *s, const struct hash *person, uint64_t after_ms)
{
    uint64_t now = clock_monotonic_ms();
    uint64_t *at = hash_map_get(s->written, person);
    if (at != NULL && now - *at < after_ms)
        return false;
    if (at == NULL) {
        at = mem_alloc(sizeof *at);
        hash_map_set(s->written, person, at);
    }
    *at = now;
    return true;
}

void seen_note(struct seen *s, const struct hash *person)
{
    struct hash_list one = {0};
    if (!is_due(s, person, OFTEN_MS))
        return;
    hash_list_add(&one, person);
    write_now(s, &one);
    hash_list_free(&one);
}

static bool is_served(const struct connection *l)
{
    return l->conn != NULL && l->state == CONN_ACTIVE && conn_group(l->conn) == CONN_CHUM;
}

void seen_tick(struct seen *s)
{
    struct hash_list due = {0};
    for (const struct connection *l = s->peers->connections.open; l != NULL; l = l->next)
        if (is_served(l) && is_due(s, &conn_peer(l->conn)->person_id, SELDOM_MS))
            hash_list_add(&due, &conn_peer(l->conn)->person_id);
    if (due.count != 0)
        write_now(s, &due);
    hash_list_free(&due);
}

struct seen *seen_create(struct peers *p)
{
    struct seen *s = mem_alloc(sizeof *s);
    s->peers = p;
    s->written = hash_map_create();
    return s;
}

void seen_destroy(struct seen *s)
{
    if (s == NULL)
        return;
    hash_map_free_values(s->written);
    hash_map_destroy(s->written);
    free(s);
}
