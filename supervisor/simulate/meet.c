// Both functions are called again and again, begin what may begin, and say when they are over; nobody waits in them.
#include "supervisor/simulate/meet.h"

#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 60000, PAIRS_AT_ONCE = 8, LOOK_MS = 100 };

// --- pairs -----------------------------------------------------------------------------------------------------------

static struct user *inviter(const struct bond *b)
{
    return &b->world->users[b->pair->one];
}

static struct user *guest(const struct bond *b)
{
    return &b->world->users[b->pair->other];
}

static void on_accepted(void *arg, const json_t *result, const struct error *e)
{
    struct bond *b = arg;
    (void)result;
    b->world->under_way--;
    if (e->status != STATUS_OK) {
        world_fail(b->world, e, "%s did not pair with %s", guest(b)->name, inviter(b)->name);
        return;
    }
    b->done = true;
    b->took_ms = (int64_t)(world_now(b->world) - b->began);
}

static void on_invited(void *arg, const json_t *result, const struct error *e)
{
    struct bond *b = arg;
    if (e->status != STATUS_OK) {
        b->world->under_way--;
        world_fail(b->world, e, "%s could not invite %s", inviter(b)->name, guest(b)->name);
        return;
    }
    rpc_call(guest(b)->rpc, "pairing.accept", json_pack("{s:O}", "invitation", (json_t *)result), ASK_MS, on_accepted,
             b);
}

bool meet_pairs(struct world *w)
{
    size_t done = 0;
    for (size_t i = 0; i < w->scenario->pair_count; i++) {
        struct bond *b = &w->bonds[i];
        done += b->done;
        if (b->begun || w->under_way >= PAIRS_AT_ONCE)
            continue;
        b->begun = true;
        b->began = world_now(w);
        w->under_way++;
        rpc_call(inviter(b)->rpc, "pairing.invite", json_pack("{s:s}", "via", b->pair->relay ? "relay" : "direct"),
                 ASK_MS, on_invited, b);
    }
    return done == w->scenario->pair_count;
}

// --- groups ----------------------------------------------------------------------------------------------------------

struct look { // whether a member has a group
    struct circle *circle;
    size_t member;
};

static void on_created(void *arg, const json_t *result, const struct error *e)
{
    struct circle *c = arg;
    const char *topic = json_string_value(json_object_get(result, "topicId"));
    if (e->status != STATUS_OK || topic == NULL)
        world_fail(c->world, e, "the group %s could not be made", c->group->name);
    else
        c->topic = mem_text(span_of(topic));
}

static void create_group(struct circle *c)
{
    struct world *w = c->world;
    json_t *persons = json_array();
    for (size_t i = 1; i < c->group->count; i++)
        json_array_append_new(persons, json_string(w->users[c->group->members[i]].archive_person));
    c->begun = true;
    rpc_call(w->users[c->group->members[0]].rpc, "topic.create",
             json_pack("{s:s, s:o, s:b}", "name", c->group->name, "persons", persons, "history", 1), ASK_MS, on_created,
             c);
}

static void on_looked(void *arg, const json_t *result, const struct error *e)
{
    struct look *look = arg;
    struct circle *c = look->circle;
    (void)result;
    c->asked--;
    c->looked_at = world_now(c->world);
    if (e->status == STATUS_OK && !c->has[look->member]) {
        c->has[look->member] = true;
        c->there++;
    }
    free(look);
}

static void look_at_members(struct circle *c)
{
    struct world *w = c->world;
    if (c->asked > 0 || world_now(w) < c->looked_at + LOOK_MS)
        return;
    for (size_t i = 0; i < c->group->count; i++) {
        if (c->has[i])
            continue;
        struct look *look = mem_alloc(sizeof *look);
        *look = (struct look){c, i};
        c->asked++;
        rpc_call(w->users[c->group->members[i]].rpc, "topic.read",
                 json_pack("{s:s, s:i}", "topic", c->topic, "limit", 1), ASK_MS, on_looked, look);
    }
}

bool meet_groups(struct world *w)
{
    size_t done = 0;
    for (size_t i = 0; i < w->scenario->group_count; i++) {
        struct circle *c = &w->circles[i];
        done += c->there == c->group->count;
        if (!c->begun)
            create_group(c);
        else if (c->topic != NULL && c->there < c->group->count)
            look_at_members(c);
    }
    return done == w->scenario->group_count;
}

void meet_create(struct world *w)
{
    const struct scenario *s = w->scenario;
    w->bonds = mem_array(s->pair_count + 1, sizeof *w->bonds);
    w->circles = mem_array(s->group_count + 1, sizeof *w->circles);
    for (size_t i = 0; i < s->pair_count; i++)
        w->bonds[i] = (struct bond){.world = w, .pair = &s->pairs[i]};
    for (size_t i = 0; i < s->group_count; i++)
        w->circles[i] =
            (struct circle){.world = w, .group = &s->groups[i], .has = mem_array(s->groups[i].count, sizeof(bool))};
}

void meet_destroy(struct world *w)
{
    for (size_t i = 0; w->circles != NULL && i < w->scenario->group_count; i++) {
        free(w->circles[i].topic);
        free(w->circles[i].has);
    }
    free(w->circles);
    free(w->bonds);
}
