// Page by page, newest first as the nodes give them, each page oldest first.
#include "supervisor/simulate/harvest.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/simulate/mail.h"
#include "supervisor/simulate/talk.h"

enum { ASK_MS = 30000, PAGE = 500, AT_ONCE = 32 };

static void ask(struct haul *h, const char *before);

static void put_in_front(struct haul *h, const json_t *items)
{
    size_t more = json_array_size(items);
    h->said = mem_resize(h->said, (h->count + more + 1) * sizeof *h->said);
    memmove(h->said + more, h->said, h->count * sizeof *h->said);
    h->count += more;
    for (size_t i = 0; i < more; i++) {
        const json_t *item = json_array_get(items, i);
        size_t index = talk_recognise(h->world, json_string_value(json_object_get(item, "text")));
        h->said[i] = index;
        if (index != SIZE_MAX && h->world->said[index].id != NULL)
            mail_received(h->world, h->user, h->world->said[index].id); // an event may have been lost with a process
    }
}

static void on_page(void *arg, const json_t *result, const struct error *e)
{
    struct haul *h = arg;
    const json_t *items = json_object_get(result, "items");
    const char *next = json_string_value(json_object_get(result, "next"));
    put_in_front(h, items);
    if (e->status == STATUS_OK && next != NULL && json_array_size(items) > 0) {
        ask(h, next);
        return;
    }
    h->world->under_way--; // of a node that does not answer there is nothing, and it is asked again
}

static void ask(struct haul *h, const char *before)
{
    struct world *w = h->world;
    const struct plan_talk *t = &w->plan->talks[h->talk];
    const struct user *u = &w->users[h->user];
    const char *with = h->sparse ? u->archive_person : u->sparse_person; // of OWN
    if (t->kind == TARGET_PERSON)
        with = w->users[t->one == h->user ? t->other : t->one].archive_person;
    json_t *params = t->kind == TARGET_GROUP ? json_pack("{s:s}", "topic", w->circles[t->group].topic)
                                             : json_pack("{s:s}", "with", with);
    json_object_set_new(params, "limit", json_integer(PAGE));
    if (t->kind == TARGET_OWN || !h->sparse) // asked without a name, the sparse node answers for both own persons
        json_object_set_new(params, "node", json_string(h->sparse ? "sparse" : "archive"));
    if (before != NULL)
        json_object_set_new(params, "before", json_string(before));
    rpc_call(u->rpc, t->kind == TARGET_GROUP ? "topic.read" : "chat.list", params, ASK_MS, on_page, h);
}

static void add_haul(struct world *w, size_t talk, size_t user, bool sparse)
{
    w->hauls[w->haul_count++] = (struct haul){.world = w, .talk = talk, .user = user, .sparse = sparse};
}

void harvest_begin(struct world *w)
{
    size_t users = w->scenario->user_count;
    size_t room = 0;
    harvest_destroy(w);
    for (size_t t = 0; t < w->plan->talk_count; t++)
        for (size_t u = 0; u < users; u++)
            room += 2 * mail_is_member(w, &w->plan->talks[t], u);
    w->hauls = mem_array(room + 1, sizeof *w->hauls);
    for (size_t t = 0; t < w->plan->talk_count; t++)
        for (size_t u = 0; u < users; u++)
            if (mail_is_member(w, &w->plan->talks[t], u)) {
                add_haul(w, t, u, false);
                add_haul(w, t, u, true);
            }
    w->harvested = 0;
}

bool harvest_tick(struct world *w)
{
    while (w->harvested < w->haul_count && w->under_way < AT_ONCE) {
        w->under_way++;
        ask(&w->hauls[w->harvested++], NULL);
    }
    return w->harvested == w->haul_count && w->under_way == 0;
}

void harvest_destroy(struct world *w)
{
    for (size_t i = 0; i < w->haul_count; i++)
        free(w->hauls[i].said);
    free(w->hauls);
    w->hauls = NULL;
    w->haul_count = 0;
}
