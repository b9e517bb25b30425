// Choices are made in the order of the file, so that what is added behind leaves those before as they were.
#include "supervisor/simulate/plan.h"

#include <stdlib.h>
#include <string.h>

struct maker {
    const struct scenario *s;
    struct plan *plan;
    uint64_t state; // of splitmix64
};

static uint64_t draw(struct maker *m, uint64_t below)
{
    m->state += 0x9e3779b97f4a7c15ULL;
    uint64_t z = m->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return below != 0 ? (z ^ (z >> 31)) % below : 0;
}

static size_t find_talk(struct plan *p, struct plan_talk wanted)
{
    for (size_t i = 0; i < p->talk_count; i++) {
        const struct plan_talk *t = &p->talks[i];
        if (t->kind == wanted.kind && t->one == wanted.one && t->other == wanted.other && t->group == wanted.group)
            return i;
    }
    p->talks = mem_resize(p->talks, (p->talk_count + 1) * sizeof *p->talks);
    p->talks[p->talk_count] = wanted;
    return p->talk_count++;
}

static struct plan_talk between(size_t one, size_t other)
{
    return (struct plan_talk){
        .kind = TARGET_PERSON, .one = one < other ? one : other, .other = one < other ? other : one};
}

static size_t some_contact(struct maker *m, size_t user)
{
    size_t count = 0;
    for (size_t i = 0; i < m->s->user_count; i++)
        count += i != user && scenario_paired(m->s, user, i);
    size_t chosen = draw(m, count);
    for (size_t i = 0;; i++)
        if (i != user && scenario_paired(m->s, user, i) && chosen-- == 0)
            return i;
}

static size_t choose_talk(struct maker *m, const struct scenario_talk *t, size_t from)
{
    switch (t->target) {
    case TARGET_OWN:
        return find_talk(m->plan, (struct plan_talk){.kind = TARGET_OWN, .one = from, .other = from});
    case TARGET_GROUP:
        return find_talk(m->plan, (struct plan_talk){.kind = TARGET_GROUP, .group = t->to});
    case TARGET_PERSON:
        return find_talk(m->plan, between(from, t->to));
    default:
        return find_talk(m->plan, between(from, some_contact(m, from)));
    }
}

// Up to half an interval late, so that not everybody speaks at once.
static void plan_talks(struct maker *m, const struct scenario_talk *t)
{
    struct plan *p = m->plan;
    size_t more = t->from_count * (size_t)t->count;
    p->messages = mem_resize(p->messages, (p->message_count + more) * sizeof *p->messages);
    for (size_t i = 0; i < t->from_count; i++)
        for (int64_t n = 0; n < t->count; n++)
            p->messages[p->message_count++] = (struct plan_message){
                .at_ms = t->start_ms + n * t->every_ms + (int64_t)draw(m, (uint64_t)t->every_ms / 2 + 1),
                .from = t->from[i],
                .talk = choose_talk(m, t, t->from[i]),
                .node = t->target == TARGET_OWN && t->node == NODE_ANY ? NODE_SPARSE : t->node,
                .bytes = (size_t)t->bytes,
            };
}

static struct plan_trouble choose_trouble(struct maker *m, const struct scenario_trouble *t, int64_t at_ms)
{
    struct plan_trouble out = {at_ms, t->act, t->link, t->one, t->other, t->process, t->for_ms, t->by_ms};
    if (t->link && t->one == SCENARIO_SOME) {
        const struct scenario_pair *pair = &m->s->pairs[draw(m, m->s->pair_count)];
        out.one = pair->one;
        out.other = pair->other;
        if (pair->relay)
            out.other = m->s->user_count + pair->one % m->s->relay_count;
    }
    if (!t->link && t->one == SCENARIO_SOME)
        out.one = draw(m, m->s->user_count);
    if (!t->link && t->process == PROCESS_SOME_NODE)
        out.process = draw(m, 2) == 0 ? PROCESS_ARCHIVE : PROCESS_SPARSE;
    return out;
}

static void plan_troubles(struct maker *m, const struct scenario_trouble *t)
{
    struct plan *p = m->plan;
    p->troubles = mem_resize(p->troubles, (p->trouble_count + (size_t)t->times) * sizeof *p->troubles);
    for (int64_t n = 0; n < t->times; n++)
        p->troubles[p->trouble_count++] = choose_trouble(m, t, t->at_ms + n * t->every_ms);
}

static int message_order(const void *a, const void *b)
{
    const struct plan_message *x = a;
    const struct plan_message *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->talk < y->talk ? -1 : x->talk > y->talk;
}

static int trouble_order(const void *a, const void *b)
{
    const struct plan_trouble *x = a;
    const struct plan_trouble *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

struct plan *plan_make(const struct scenario *s, uint64_t seed)
{
    struct maker m = {.s = s, .plan = mem_alloc(sizeof *m.plan), .state = seed};
    for (size_t i = 0; i < s->talk_count; i++)
        plan_talks(&m, &s->talk[i]);
    for (size_t i = 0; i < s->trouble_count; i++)
        plan_troubles(&m, &s->trouble[i]);
    if (m.plan->message_count > 0)
        qsort(m.plan->messages, m.plan->message_count, sizeof *m.plan->messages, message_order);
    if (m.plan->trouble_count > 0)
        qsort(m.plan->troubles, m.plan->trouble_count, sizeof *m.plan->troubles, trouble_order);
    return m.plan;
}

void plan_destroy(struct plan *p)
{
    if (p == NULL)
        return;
    free(p->talks);
    free(p->messages);
    free(p->troubles);
    free(p);
}

// --- names -----------------------------------------------------------------------------------------------------------

const char *plan_act_name(enum scenario_act act)
{
    static const char *const names[] = {"kill", "freeze", "restart", "fill", "shift", "cut", "stall", "slow"};
    return names[act];
}

static void name_end(const struct scenario *s, size_t end, struct buf *out)
{
    if (end < s->user_count)
        buf_add_text(out, s->users[end]);
    else
        buf_printf(out, "relay%zu", end - s->user_count + 1);
}

void plan_name_trouble(const struct scenario *s, const struct plan_trouble *t, struct buf *out)
{
    static const char *const processes[] = {"supervisor", "archive", "sparse", "node"};
    name_end(s, t->one, out);
    if (t->link) {
        buf_add_char(out, '-');
        name_end(s, t->other, out);
    } else if (t->process != PROCESS_MACHINE) {
        buf_printf(out, ".%s", processes[t->process]);
    }
}

void plan_name_talk(const struct scenario *s, const struct plan_talk *t, struct buf *out)
{
    if (t->kind == TARGET_GROUP)
        buf_add_text(out, s->groups[t->group].name);
    else if (t->kind == TARGET_OWN)
        buf_printf(out, "%s's own", s->users[t->one]);
    else
        buf_printf(out, "%s-%s", s->users[t->one], s->users[t->other]);
}

static json_t *show_message(const struct plan *p, const struct scenario *s, const struct plan_message *m)
{
    struct buf name = {0};
    plan_name_talk(s, &p->talks[m->talk], &name);
    json_t *shown = json_pack("{s:I, s:s, s:s, s:I}", "atMs", (json_int_t)m->at_ms, "from", s->users[m->from], "in",
                              buf_cstr(&name), "bytes", (json_int_t)m->bytes);
    buf_free(&name);
    return shown;
}

static json_t *show_trouble(const struct scenario *s, const struct plan_trouble *t)
{
    struct buf name = {0};
    plan_name_trouble(s, t, &name);
    json_t *shown = json_pack("{s:I, s:s, s:s, s:I}", "atMs", (json_int_t)t->at_ms, "do", plan_act_name(t->act), "what",
                              buf_cstr(&name), "forMs", (json_int_t)t->for_ms);
    buf_free(&name);
    return shown;
}

json_t *plan_show(const struct plan *p, const struct scenario *s)
{
    json_t *messages = json_array();
    json_t *troubles = json_array();
    for (size_t i = 0; i < p->message_count; i++)
        json_array_append_new(messages, show_message(p, s, &p->messages[i]));
    for (size_t i = 0; i < p->trouble_count; i++)
        json_array_append_new(troubles, show_trouble(s, &p->troubles[i]));
    return json_pack("{s:o, s:o}", "messages", messages, "trouble", troubles);
}
