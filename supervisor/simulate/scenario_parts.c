// What is wrong is told with its place in the file (reading_fail). After the first fault nothing more is taken, so
// whoever reads a part asks once, at its end.
#include "supervisor/simulate/scenario_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 100000, MESSAGE_BYTES = 40, MESSAGE_BYTES_MAX = 1 << 20, TIMES_MAX = 10000 };

size_t part_user(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->user_count; i++)
        if (strcmp(s->users[i], name) == 0)
            return i;
    return SCENARIO_SOME;
}

size_t part_group(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->group_count; i++)
        if (strcmp(s->groups[i].name, name) == 0)
            return i;
    return SCENARIO_SOME;
}

bool scenario_paired(const struct scenario *s, size_t one, size_t other)
{
    for (size_t i = 0; i < s->pair_count; i++) {
        const struct scenario_pair *p = &s->pairs[i];
        if ((p->one == one && p->other == other) || (p->one == other && p->other == one))
            return true;
    }
    return false;
}

bool scenario_does(const struct scenario *s, enum scenario_act act)
{
    for (size_t i = 0; i < s->trouble_count; i++)
        if (s->trouble[i].act == act)
            return true;
    return false;
}

const json_t *part_object(struct reading *r, const json_t *list, size_t index, const char *const *known)
{
    const json_t *object = json_array_get(list, index);
    if (!json_is_object(object))
        reading_fail(r, list, NULL, index, "wants an object: {…}");
    else
        reading_keys(r, object, known);
    return reading_failed(r) ? NULL : object;
}

// --- who -------------------------------------------------------------------------------------------------------------

static void add_named(struct scenario *s, struct reading *r, struct part_users *out, const json_t *list, size_t i)
{
    const char *name = json_string_value(json_array_get(list, i));
    size_t user = name != NULL ? part_user(s, name) : SCENARIO_SOME;
    if (user == SCENARIO_SOME)
        reading_fail(r, list, NULL, i, "'%.40s' is not one of the users", name != NULL ? name : "this");
    for (size_t k = 0; k < out->count; k++)
        if (out->list[k] == user)
            reading_fail(r, list, NULL, i, "'%s' is there already", name);
    if (!reading_failed(r))
        out->list[out->count++] = user;
}

static void add_word(struct scenario *s, struct reading *r, struct part_users *out, const json_t *object,
                     const char *key, const char *word)
{
    size_t user = part_user(s, word);
    bool all = strcmp(word, "everyone") == 0;
    if (!all && user == SCENARIO_SOME)
        reading_fail(r, object, key, 0, "'%.40s' is neither one of the users nor everyone", word);
    for (size_t i = 0; all && i < s->user_count; i++)
        out->list[out->count++] = i;
    if (!all)
        out->list[out->count++] = user;
}

struct part_users part_users(struct scenario *s, struct reading *r, const json_t *object, const char *key, size_t least)
{
    struct part_users out = {.list = arena_alloc(s->memory, (s->user_count + 1) * sizeof(size_t))};
    const json_t *value = reading_failed(r) ? NULL : json_object_get(object, key);
    if (json_is_string(value))
        add_word(s, r, &out, object, key, json_string_value(value));
    for (size_t i = 0; i < json_array_size(value) && !reading_failed(r); i++)
        add_named(s, r, &out, value, i);
    if (!reading_failed(r) && out.count < least)
        reading_fail(r, object, key, 0, "is wanted: everyone, or a list of at least %zu of the users", least);
    if (reading_failed(r))
        out.count = 0;
    return out;
}

// --- talk ------------------------------------------------------------------------------------------------------------

static bool has_contact(const struct scenario *s, size_t user)
{
    for (size_t i = 0; i < s->user_count; i++)
        if (i != user && scenario_paired(s, user, i))
            return true;
    return false;
}

static bool is_member(const struct scenario_group *g, size_t user)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->members[i] == user)
            return true;
    return false;
}

static void read_target(struct scenario *s, struct reading *r, const json_t *talk, struct scenario_talk *t)
{
    const char *to = reading_text(r, talk, "to", "contacts");
    if (strcmp(to, "contacts") == 0) {
        t->target = TARGET_CONTACTS;
    } else if (strcmp(to, "own") == 0) {
        t->target = TARGET_OWN;
    } else if ((t->to = part_user(s, to)) != SCENARIO_SOME) {
        t->target = TARGET_PERSON;
    } else if ((t->to = part_group(s, to)) != SCENARIO_SOME) {
        t->target = TARGET_GROUP;
    } else {
        reading_fail(r, talk, "to", 0, "'%.40s' is neither a user nor a group, nor contacts, nor own", to);
    }
}

static void check_talk(struct scenario *s, struct reading *r, const json_t *talk, const struct scenario_talk *t)
{
    for (size_t i = 0; i < t->from_count && !reading_failed(r); i++) {
        const char *name = s->users[t->from[i]];
        if (t->target == TARGET_CONTACTS && !has_contact(s, t->from[i]))
            reading_fail(r, talk, "from", 0, "%s is paired with nobody", name);
        if (t->target == TARGET_PERSON && !scenario_paired(s, t->from[i], t->to))
            reading_fail(r, talk, "to", 0, "%s is not paired with %s", name, s->users[t->to]);
        if (t->target == TARGET_GROUP && !is_member(&s->groups[t->to], t->from[i]))
            reading_fail(r, talk, "to", 0, "%s is not in %s", name, s->groups[t->to].name);
    }
}

void part_read_talk(struct scenario *s, struct reading *r)
{
    static const char *const known[] = {"from", "to", "messages", "start", "every", "bytes", "node", NULL};
    static const char *const nodes[] = {"any", "archive", "sparse", NULL};
    const json_t *list = reading_list(r, r->root, "talk");
    s->talk = arena_alloc(s->memory, (json_array_size(list) + 1) * sizeof *s->talk);
    for (size_t i = 0; i < json_array_size(list) && !reading_failed(r); i++) {
        const json_t *talk = part_object(r, list, i, known);
        struct part_users who = part_users(s, r, talk, "from", 1);
        struct scenario_talk t = {.from = who.list, .from_count = who.count};
        if (!reading_failed(r))
            read_target(s, r, talk, &t);
        t.count = reading_number(r, talk, "messages", 1, MESSAGES_MAX, 1);
        t.start_ms = reading_duration(r, talk, "start", 0);
        t.every_ms = reading_duration(r, talk, "every", 0);
        t.bytes = reading_number(r, talk, "bytes", MESSAGE_BYTES, MESSAGE_BYTES_MAX, MESSAGE_BYTES);
        t.node = (enum scenario_node)reading_word(r, talk, "node", nodes, NODE_ANY);
        check_talk(s, r, talk, &t);
        s->talk[s->talk_count++] = t;
    }
}

// --- trouble ---------------------------------------------------------------------------------------------------------

// A user, or a relay as the number behind them. False: neither.
static bool find_end(const struct scenario *s, const char *name, size_t *end)
{
    unsigned relay = 0;
    int used = 0;
    *end = part_user(s, name);
    if (*end == SCENARIO_SOME && sscanf(name, "relay%u%n", &relay, &used) == 1 && name[used] == '\0' && relay >= 1 &&
        relay <= s->relay_count)
        *end = s->user_count + relay - 1;
    return *end != SCENARIO_SOME;
}

static void read_link(struct scenario *s, struct reading *r, const json_t *trouble, struct scenario_trouble *t)
{
    const char *what = reading_text(r, trouble, "what", "");
    char one[2 * SCENARIO_NAME_MAX];
    char other[2 * SCENARIO_NAME_MAX];
    int used = 0;
    t->one = t->other = SCENARIO_SOME;
    if (strcmp(what, "any-link") == 0 && s->pair_count > 0)
        return;
    bool two = sscanf(what, "%30[a-z0-9]-%30[a-z0-9]%n", one, other, &used) == 2 && what[used] == '\0';
    if (!two || !find_end(s, one, &t->one) || !find_end(s, other, &t->other) || t->one == t->other)
        reading_fail(r, trouble, "what", 0,
                     "'%.60s' is no link: two users, or a user and a relay, as in anna-bob and "
                     "anna-relay1, or any-link",
                     what);
    else if (t->one < s->user_count && t->other < s->user_count && !scenario_paired(s, t->one, t->other))
        reading_fail(r, trouble, "what", 0, "%s and %s are not paired", one, other);
}

static void read_process(struct scenario *s, struct reading *r, const json_t *trouble, struct scenario_trouble *t)
{
    static const char *const names[] = {"supervisor", "archive", "sparse", "node"};
    const char *what = reading_text(r, trouble, "what", "");
    const char *dot = strchr(what, '.');
    char user[SCENARIO_NAME_MAX + 1] = "";
    bool known = false;
    if (dot != NULL && (size_t)(dot - what) < sizeof user)
        memcpy(user, what, (size_t)(dot - what));
    for (size_t i = 0; dot != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(dot + 1, names[i]) == 0) {
            t->process = (enum scenario_process)i;
            known = true;
        }
    t->one = part_user(s, user);
    if (!known || (t->one == SCENARIO_SOME && strcmp(user, "any") != 0))
        reading_fail(r, trouble, "what", 0,
                     "'%.60s' is no process: a user or any, then .supervisor, .archive, .sparse "
                     "or .node, as in anna.archive",
                     what);
    else if (t->act == ACT_RESTART && t->process == PROCESS_SUPERVISOR)
        reading_fail(r, trouble, "what", 0, "a supervisor is killed, not restarted");
    else if (t->act == ACT_FILL && t->process == PROCESS_SUPERVISOR)
        reading_fail(r, trouble, "what", 0, "a node has a disk to be filled, as in anna.archive");
}

static void read_machine(struct scenario *s, struct reading *r, const json_t *trouble, struct scenario_trouble *t)
{
    const char *what = reading_text(r, trouble, "what", "");
    t->process = PROCESS_MACHINE;
    t->one = part_user(s, what);
    if (t->one == SCENARIO_SOME && strcmp(what, "any") != 0)
        reading_fail(r, trouble, "what", 0, "'%.60s' is neither one of the users nor any", what);
}

static void check_trouble(struct reading *r, const json_t *trouble, const struct scenario_trouble *t)
{
    bool lasts = t->act != ACT_KILL && t->act != ACT_RESTART;
    if (lasts && t->for_ms <= 0)
        reading_fail(r, trouble, "for", 0, "is wanted: how long it lasts");
    if (!lasts && t->for_ms > 0)
        reading_fail(r, trouble, "for", 0, "is for what lasts: freeze, fill, shift, cut, stall, slow");
    if ((t->act == ACT_SLOW || t->act == ACT_SHIFT) != (t->by_ms != 0))
        reading_fail(r, trouble, "by", 0, "is what slow and shift want, and nothing else");
    if (t->act == ACT_SHIFT && t->by_ms % 1000 != 0)
        reading_fail(r, trouble, "by", 0, "wants whole seconds");
    if (t->times > 1 && t->every_ms <= 0)
        reading_fail(r, trouble, "every", 0, "is wanted with times");
}

void part_read_trouble(struct scenario *s, struct reading *r)
{
    static const char *const known[] = {"at", "do", "what", "for", "by", "times", "every", NULL};
    static const char *const acts[] = {"kill", "freeze", "restart", "fill", "shift", "cut", "stall", "slow", NULL};
    const json_t *list = reading_list(r, r->root, "trouble");
    s->trouble = arena_alloc(s->memory, (json_array_size(list) + 1) * sizeof *s->trouble);
    for (size_t i = 0; i < json_array_size(list) && !reading_failed(r); i++) {
        const json_t *trouble = part_object(r, list, i, known);
        struct scenario_trouble t = {.at_ms = reading_duration(r, trouble, "at", 0)};
        if (!reading_failed(r) && json_object_get(trouble, "do") == NULL)
            reading_fail(r, trouble, "do", 0, "is wanted: kill, freeze, restart, fill, shift, cut, stall or slow");
        t.act = (enum scenario_act)reading_word(r, trouble, "do", acts, 0);
        t.link = t.act >= ACT_CUT;
        t.for_ms = reading_duration(r, trouble, "for", 0);
        t.by_ms = t.act == ACT_SHIFT ? reading_offset(r, trouble, "by") : reading_duration(r, trouble, "by", 0);
        t.times = reading_number(r, trouble, "times", 1, TIMES_MAX, 1);
        t.every_ms = reading_duration(r, trouble, "every", 0);
        if (!reading_failed(r))
            (t.link ? read_link : t.act == ACT_SHIFT ? read_machine : read_process)(s, r, trouble, &t);
        if (!reading_failed(r))
            check_trouble(r, trouble, &t);
        s->trouble[s->trouble_count++] = t;
    }
}
