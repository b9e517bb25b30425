// A message may arrive before its sender hears that it is stored, so both orders come to the same.
#include "supervisor/simulate/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_ROOM = 100 };

static void make_key(char *out, const char *id, size_t user)
{
    snprintf(out, KEY_ROOM, "%.64s/%zu", id, user);
}

bool mail_is_member(const struct world *w, const struct plan_talk *t, size_t user)
{
    if (t->kind != TARGET_GROUP)
        return t->one == user || t->other == user;
    const struct scenario_group *g = &w->scenario->groups[t->group];
    for (size_t i = 0; i < g->count; i++)
        if (g->members[i] == user)
            return true;
    return false;
}

static bool is_recipient(const struct world *w, const struct plan_message *m, size_t user)
{
    const struct plan_talk *t = &w->plan->talks[m->talk];
    return t->kind == TARGET_OWN ? user == t->one : user != m->from && mail_is_member(w, t, user);
}

size_t mail_recipients(const struct world *w, const struct plan_message *m)
{
    size_t count = 0;
    for (size_t i = 0; i < w->scenario->user_count; i++)
        count += is_recipient(w, m, i);
    return count;
}

static void count_one(struct said *said, uint64_t when)
{
    int64_t took = (int64_t)(when - said->first_at);
    said->missing--;
    if (took > said->slowest_ms)
        said->slowest_ms = took;
}

void mail_received(struct world *w, size_t user, const char *id)
{
    char key[KEY_ROOM];
    make_key(key, id, user);
    if (json_object_get(w->received, key) != NULL)
        return;
    json_object_set_new(w->received, key, json_integer((json_int_t)world_now(w)));
    const json_t *index = json_object_get(w->sayings, id);
    struct said *said = index != NULL ? &w->said[json_integer_value(index)] : NULL;
    if (said != NULL && is_recipient(w, said->plan, user))
        count_one(said, world_now(w));
}

void mail_stored(struct world *w, size_t index, const char *id)
{
    struct said *said = &w->said[index];
    char key[KEY_ROOM];
    said->state = SAID_DONE;
    said->id = mem_text(span_of(id));
    said->missing = mail_recipients(w, said->plan);
    json_object_set_new(w->sayings, id, json_integer((json_int_t)index));
    for (size_t i = 0; i < w->scenario->user_count; i++) {
        make_key(key, id, i);
        const json_t *when = json_object_get(w->received, key);
        if (when != NULL && is_recipient(w, said->plan, i))
            count_one(said, (uint64_t)json_integer_value(when));
    }
}
