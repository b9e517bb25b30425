// Members are looked at one by one by reading.h; here is what they mean together.
#include "supervisor/simulate/scenario.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/simulate/scenario_parts.h"

enum { LIMIT_DEFAULT_MS = 300 * 1000, PATIENCE_MS = 60 * 1000, SEED_MAX = 0x7fffffff };

// --- users -----------------------------------------------------------------------------------------------------------

static bool is_name(const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;
    if (len == 0 || len > SCENARIO_NAME_MAX || name[0] < 'a' || name[0] > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

static bool is_reserved(const char *name)
{
    static const char *const words[] = {"any", "everyone", "contacts", "own"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return strncmp(name, "relay", 5) == 0;
}

static void add_user(struct scenario *s, struct span name)
{
    s->users[s->user_count++] = arena_copy(s->memory, name).ptr;
}

static void read_named_users(struct scenario *s, struct reading *r, const json_t *list)
{
    size_t i;
    const json_t *name;
    json_array_foreach(list, i, name)
    {
        const char *text = json_string_value(name);
        if (!is_name(text) || is_reserved(text))
            reading_fail(r, list, NULL, i,
                         "a name is up to %d of a-z and 0-9, a letter first, and no word of the format",
                         SCENARIO_NAME_MAX);
        else if (part_user(s, text) != SCENARIO_SOME)
            reading_fail(r, list, NULL, i, "'%s' is there already", text);
        else
            add_user(s, span_of(text));
        if (reading_failed(r))
            return;
    }
}

static void read_users(struct scenario *s, struct reading *r)
{
    const json_t *users = json_object_get(r->root, "users");
    size_t count = json_is_array(users) ? json_array_size(users) : (size_t)json_integer_value(users);
    if ((!json_is_array(users) && !json_is_integer(users)) || count < 1 || count > SCENARIO_USERS_MAX) {
        reading_fail(r, r->root, "users", 0, "wants 1 to %d names, or how many there are", SCENARIO_USERS_MAX);
        return;
    }
    s->users = arena_alloc(s->memory, count * sizeof *s->users);
    if (json_is_array(users)) {
        read_named_users(s, r, users);
        return;
    }
    for (size_t i = 1; i <= count; i++)
        add_user(s, arena_printf(s->memory, "user%zu", i));
}

// --- pairs -----------------------------------------------------------------------------------------------------------

enum shape { SHAPE_ALL, SHAPE_CHAIN, SHAPE_RING, SHAPE_STAR };

static void add_pair(struct scenario *s, size_t one, size_t other, bool relay)
{
    s->pairs[s->pair_count++] = (struct scenario_pair){one, other, relay};
}

static bool is_joined(enum shape shape, size_t i, size_t k, size_t count)
{
    switch (shape) {
    case SHAPE_CHAIN:
        return k == i + 1;
    case SHAPE_RING:
        return k == i + 1 || (count > 2 && i == 0 && k == count - 1);
    case SHAPE_STAR:
        return i == 0;
    default:
        return true;
    }
}

static void read_pair(struct scenario *s, struct reading *r, const json_t *list, size_t index)
{
    static const char *const known[] = {"who", "as", "via", NULL};
    static const char *const shapes[] = {"all", "chain", "ring", "star", NULL};
    static const char *const ways[] = {"direct", "relay", NULL};
    const json_t *pair = part_object(r, list, index, known);
    struct part_users who = part_users(s, r, pair, "who", 2);
    enum shape shape = (enum shape)reading_word(r, pair, "as", shapes, SHAPE_ALL);
    bool relay = reading_word(r, pair, "via", ways, 0) == 1;
    if (relay && s->relay_count == 0)
        reading_fail(r, pair, "via", 0, "there is no relay: say how many with \"relays\"");
    for (size_t i = 0; i < who.count; i++)
        for (size_t k = i + 1; k < who.count && !reading_failed(r); k++) {
            if (!is_joined(shape, i, k, who.count))
                continue;
            if (scenario_paired(s, who.list[i], who.list[k]))
                reading_fail(r, list, NULL, index, "%s and %s are paired already", s->users[who.list[i]],
                             s->users[who.list[k]]);
            else
                add_pair(s, who.list[i], who.list[k], relay);
        }
}

static void read_pairs(struct scenario *s, struct reading *r)
{
    const json_t *list = reading_list(r, r->root, "pairs");
    s->pairs = arena_alloc(s->memory, (s->user_count * (s->user_count - 1) / 2 + 1) * sizeof *s->pairs);
    for (size_t i = 0; i < json_array_size(list) && !reading_failed(r); i++)
        read_pair(s, r, list, i);
}

// --- groups ----------------------------------------------------------------------------------------------------------

static void check_group(struct scenario *s, struct reading *r, const json_t *group, const struct scenario_group *g)
{
    if (!is_name(g->name) || is_reserved(g->name) || part_user(s, g->name) != SCENARIO_SOME ||
        part_group(s, g->name) != SCENARIO_SOME)
        reading_fail(r, group, "name", 0, "wants a name of a-z and 0-9 that nobody else has");
    for (size_t i = 1; i < g->count; i++)
        if (!scenario_paired(s, g->members[0], g->members[i]))
            reading_fail(r, group, "members", 0, "%s makes the group and is not paired with %s",
                         s->users[g->members[0]], s->users[g->members[i]]);
}

static void read_groups(struct scenario *s, struct reading *r)
{
    static const char *const known[] = {"name", "members", NULL};
    const json_t *list = reading_list(r, r->root, "groups");
    s->groups = arena_alloc(s->memory, (json_array_size(list) + 1) * sizeof *s->groups);
    for (size_t i = 0; i < json_array_size(list) && !reading_failed(r); i++) {
        const json_t *group = part_object(r, list, i, known);
        struct part_users who = part_users(s, r, group, "members", 2);
        struct scenario_group g = {
            .name = reading_text(r, group, "name", NULL), .members = who.list, .count = who.count};
        if (!reading_failed(r))
            check_group(s, r, group, &g);
        if (reading_failed(r))
            return;
        g.name = arena_copy(s->memory, span_of(g.name)).ptr;
        s->groups[s->group_count++] = g;
    }
}

// --- expectations ----------------------------------------------------------------------------------------------------

static void read_expect(struct scenario *s, struct reading *r)
{
    static const char *const known[] = {
        "federatedWithin", "pairedWithin", "deliveredWithin", "finishedWithin",  "nothingLost",
        "nothingTwice",    "allEqual",     "memoryBelow",     "nodeMemoryBelow", NULL};
    const json_t *expect = json_object_get(r->root, "expect");
    struct scenario_expect *x = &s->expect;
    if (expect == NULL || reading_failed(r))
        return;
    if (!json_is_object(expect)) {
        reading_fail(r, r->root, "expect", 0, "wants an object: {…}");
        return;
    }
    reading_keys(r, expect, known);
    x->federated_ms = reading_duration(r, expect, "federatedWithin", 0);
    x->paired_ms = reading_duration(r, expect, "pairedWithin", 0);
    x->delivered_ms = reading_duration(r, expect, "deliveredWithin", 0);
    x->finished_ms = reading_duration(r, expect, "finishedWithin", 0);
    x->nothing_lost = reading_yes(r, expect, "nothingLost");
    x->nothing_twice = reading_yes(r, expect, "nothingTwice");
    x->all_equal = reading_yes(r, expect, "allEqual");
    x->memory = reading_size(r, expect, "memoryBelow");
    x->node_memory = reading_size(r, expect, "nodeMemoryBelow");
}

// --- the whole -------------------------------------------------------------------------------------------------------

static const char *kept_text(struct scenario *s, struct reading *r, const char *key, const char *otherwise)
{
    return arena_copy(s->memory, span_of(reading_text(r, r->root, key, otherwise))).ptr;
}

static void read_all(struct scenario *s, struct reading *r)
{
    static const char *const known[] = {"name",  "about",  "seed", "limit",   "patience", "users", "relays",
                                        "pairs", "groups", "talk", "trouble", "expect",   NULL};
    if (!json_is_object(r->root)) {
        error_set(r->error, STATUS_INVALID, "BAD-INPUT", "%s: a scenario is a JSON object: {…}", r->file);
        return;
    }
    reading_keys(r, r->root, known);
    s->name = kept_text(s, r, "name", r->file);
    s->about = kept_text(s, r, "about", "a scenario");
    s->seed = (uint64_t)reading_number(r, r->root, "seed", 0, SEED_MAX, 1);
    s->limit_ms = reading_duration(r, r->root, "limit", LIMIT_DEFAULT_MS);
    s->patience_ms = reading_duration(r, r->root, "patience", PATIENCE_MS);
    s->relay_count = (size_t)reading_number(r, r->root, "relays", 0, SCENARIO_RELAYS_MAX, 0);
    if (!reading_failed(r))
        read_users(s, r);
    if (!reading_failed(r))
        read_pairs(s, r);
    if (!reading_failed(r))
        read_groups(s, r);
    if (!reading_failed(r))
        part_read_talk(s, r);
    if (!reading_failed(r))
        part_read_trouble(s, r);
    read_expect(s, r);
}

enum status scenario_parse(const char *file, struct span text, struct scenario **out, struct error *e)
{
    json_error_t where;
    char *copy = mem_text(text);
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
    struct scenario *s = mem_alloc(sizeof *s);
    struct reading r = {.file = file, .text = copy, .root = root, .error = e};
    *s = (struct scenario){.memory = arena_create()};
    error_clear(e);
    if (root == NULL)
        error_set(e, STATUS_INVALID, "BAD-INPUT", "%s:%d: no JSON: %s", file, where.line, where.text);
    else
        read_all(s, &r);
    json_decref(root);
    free(copy);
    if (e->status != STATUS_OK) {
        scenario_destroy(s);
        s = NULL;
    }
    *out = s;
    return e->status;
}

void scenario_destroy(struct scenario *s)
{
    if (s == NULL)
        return;
    arena_destroy(s->memory);
    free(s);
}
