// Of each kind of finding the first is told and the others are counted.
#include "supervisor/simulate/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/simulate/talk.h"

enum { WHY = 240 };

struct finding {
    size_t count; // how often
    char first[WHY];
};

static void find(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void find(struct finding *f, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (f->count++ == 0)
        vsnprintf(f->first, sizeof f->first, format, ap);
    va_end(ap);
}

static void add_check(json_t *checks, const char *name, bool passed, const char *why)
{
    json_array_append_new(checks, json_pack("{s:s, s:b, s:s}", "name", name, "passed", passed, "why", why));
}

static void add_finding(json_t *checks, const char *name, const struct finding *f, const char *otherwise)
{
    char why[WHY + 40];
    if (f->count > 1)
        snprintf(why, sizeof why, "%s, and %zu more", f->first, f->count - 1);
    else
        snprintf(why, sizeof why, "%s", f->count == 1 ? f->first : otherwise);
    add_check(checks, name, f->count == 0, why);
}

// --- what was read ---------------------------------------------------------------------------------------------------

static const char *node_of(const struct haul *h)
{
    return h->sparse ? "sparse" : "archive";
}

static bool is_told(const struct world *w, const struct haul *h, size_t i)
{
    return w->said[i].state == SAID_DONE && w->plan->messages[i].talk == h->talk;
}

static void look_for_lost(const struct world *w, const struct haul *h, const unsigned *seen, struct finding *f)
{
    for (size_t i = 0; i < w->plan->message_count; i++)
        if (is_told(w, h, i) && seen[i] == 0)
            find(f, "%s's %s does not have message %zu of %s", w->users[h->user].name, node_of(h), i,
                 w->users[w->plan->messages[i].from].name);
}

static void look_for_twice(const struct world *w, const struct haul *h, const unsigned *seen, struct finding *f)
{
    for (size_t i = 0; i < w->plan->message_count; i++)
        if (seen[i] > 1)
            find(f, "%s's %s has message %zu of %s %u times", w->users[h->user].name, node_of(h), i,
                 w->users[w->plan->messages[i].from].name, seen[i]);
}

static void look_at_hauls(const struct world *w, struct finding *lost, struct finding *twice)
{
    unsigned *seen = mem_array(w->plan->message_count + 1, sizeof *seen);
    for (size_t k = 0; k < w->haul_count; k++) {
        const struct haul *h = &w->hauls[k];
        memset(seen, 0, (w->plan->message_count + 1) * sizeof *seen);
        for (size_t i = 0; i < h->count; i++)
            if (h->said[i] != SIZE_MAX)
                seen[h->said[i]]++;
        look_for_lost(w, h, seen, lost);
        look_for_twice(w, h, seen, twice);
    }
    free(seen);
}

// The hauls of a talk stand one behind the other.
static void look_for_difference(const struct world *w, struct finding *f)
{
    for (size_t k = 1; k < w->haul_count; k++) {
        const struct haul *a = &w->hauls[k - 1];
        const struct haul *b = &w->hauls[k];
        struct buf talk = {0};
        if (a->talk != b->talk ||
            (a->count == b->count && (a->count == 0 || memcmp(a->said, b->said, a->count * sizeof *a->said) == 0)))
            continue;
        plan_name_talk(w->scenario, &w->plan->talks[a->talk], &talk);
        find(f, "of %s, %s's %s and %s's %s show different things (%zu and %zu messages)", buf_cstr(&talk),
             w->users[a->user].name, node_of(a), w->users[b->user].name, node_of(b), a->count, b->count);
        buf_free(&talk);
    }
}

bool verdict_is_clean(const struct world *w)
{
    struct finding lost = {0};
    struct finding twice = {0};
    struct finding different = {0};
    look_at_hauls(w, &lost, &twice);
    look_for_difference(w, &different);
    return lost.count + different.count == 0;
}

static void check_hauls(const struct world *w, json_t *checks)
{
    const struct scenario_expect *x = &w->scenario->expect;
    struct finding lost = {0};
    struct finding twice = {0};
    struct finding different = {0};
    if (w->haul_count == 0 && w->plan->talk_count > 0) {
        find(&lost, "the run ended before anybody was asked");
        twice = different = lost;
    }
    look_at_hauls(w, &lost, &twice);
    look_for_difference(w, &different);
    if (x->nothing_lost)
        add_finding(checks, "nothingLost", &lost, "every message is on all nodes of those it is for");
    if (x->nothing_twice)
        add_finding(checks, "nothingTwice", &twice, "no message is anywhere twice");
    if (x->all_equal)
        add_finding(checks, "allEqual", &different, "all nodes show the same, in one order");
}

// --- times and sizes -------------------------------------------------------------------------------------------------

static void check_federated(const struct world *w, json_t *checks)
{
    int64_t most = w->scenario->expect.federated_ms;
    struct finding f = {0};
    char why[WHY];
    int64_t slowest = 0;
    for (size_t i = 0; most > 0 && i < w->scenario->user_count; i++) {
        const struct user *u = &w->users[i];
        slowest = u->federated_ms > slowest ? u->federated_ms : slowest;
        if (u->federated_ms == 0)
            find(&f, "%s was not federated", u->name);
        else if (u->federated_ms > most)
            find(&f, "%s took %lld ms, at most %lld were expected", u->name, (long long)u->federated_ms,
                 (long long)most);
    }
    snprintf(why, sizeof why, "the slowest took %lld ms", (long long)slowest);
    if (most > 0)
        add_finding(checks, "federatedWithin", &f, why);
}

static void check_paired(const struct world *w, json_t *checks)
{
    int64_t most = w->scenario->expect.paired_ms;
    struct finding f = {0};
    char why[WHY];
    int64_t slowest = 0;
    for (size_t i = 0; most > 0 && i < w->scenario->pair_count; i++) {
        const struct bond *b = &w->bonds[i];
        const char *one = w->scenario->users[b->pair->one];
        const char *other = w->scenario->users[b->pair->other];
        slowest = b->took_ms > slowest ? b->took_ms : slowest;
        if (!b->done)
            find(&f, "%s and %s did not pair", one, other);
        else if (b->took_ms > most)
            find(&f, "%s and %s took %lld ms, at most %lld were expected", one, other, (long long)b->took_ms,
                 (long long)most);
    }
    snprintf(why, sizeof why, "the slowest took %lld ms", (long long)slowest);
    if (most > 0)
        add_finding(checks, "pairedWithin", &f, why);
}

static void check_delivered(const struct world *w, json_t *checks)
{
    int64_t most = w->scenario->expect.delivered_ms;
    struct finding f = {0};
    char why[WHY];
    int64_t slowest = 0;
    for (size_t i = 0; most > 0 && i < w->plan->message_count; i++) {
        const struct said *s = &w->said[i];
        const char *from = w->users[s->plan->from].name;
        slowest = s->slowest_ms > slowest ? s->slowest_ms : slowest;
        if (s->state != SAID_DONE)
            find(&f, "message %zu of %s was not said", i, from);
        else if (s->missing > 0)
            find(&f, "message %zu of %s was not delivered", i, from);
        else if (s->slowest_ms > most)
            find(&f, "message %zu of %s took %lld ms, at most %lld were expected", i, from, (long long)s->slowest_ms,
                 (long long)most);
    }
    snprintf(why, sizeof why, "the slowest took %lld ms", (long long)slowest);
    if (most > 0)
        add_finding(checks, "deliveredWithin", &f, why);
}

static void check_most(json_t *checks, const char *name, int64_t most, int64_t measured, double factor,
                       const char *unit)
{
    char why[WHY];
    bool passed = measured <= most;
    snprintf(why, sizeof why, "it was %.1f %s%s", (double)measured / factor, unit,
             passed ? "" : ", more than expected");
    if (most > 0)
        add_check(checks, name, passed, why);
}

json_t *verdict_checks(const struct world *w)
{
    const struct scenario_expect *x = &w->scenario->expect;
    json_t *checks = json_array();
    bool failed = w->failure.status != STATUS_OK;
    add_check(checks, "finished", !failed, failed ? w->failure.message : "everybody met, and everything was said");
    check_federated(w, checks);
    check_paired(w, checks);
    check_delivered(w, checks);
    check_hauls(w, checks);
    check_most(checks, "finishedWithin", x->finished_ms, (int64_t)world_now(w), 1000, "s");
    check_most(checks, "memoryBelow", x->memory, w->memory, 1e6, "MB");
    check_most(checks, "nodeMemoryBelow", x->node_memory, w->node_memory, 1e6, "MB");
    return checks;
}
