// One loop, one timer: at each tick the present part goes on, and when it is over the next begins.
#include "supervisor/simulate/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/folder.h"
#include "supervisor/simulate/harvest.h"
#include "supervisor/simulate/machine.h"
#include "supervisor/simulate/meet.h"
#include "supervisor/simulate/people.h"
#include "supervisor/simulate/talk.h"
#include "supervisor/simulate/trouble.h"
#include "supervisor/simulate/verdict.h"
#include "supervisor/simulate/weigh.h"

enum { TICK_MS = 5, WEIGH_MS = 500, PROGRESS_MS = 200, QUIET_MS = 300 };

enum part { PART_OPEN, PART_PAIR, PART_GROUP, PART_TALK, PART_ARRIVE, PART_READ, PART_PAUSE, PART_OVER };

struct run {
    struct world world;
    const struct simulate_options *options;
    uv_timer_t timer;
    enum part part;
    uint64_t since; // when the part began
    uint64_t calm;  // when the last word was said and the last trouble was over
    uint64_t weighed, shown;
};

// --- one part after the other ----------------------------------------------------------------------------------------

static void enter(struct run *r, enum part part)
{
    struct world *w = &r->world;
    r->part = part;
    r->since = world_now(w);
    if (part == PART_PAIR)
        world_tell(w, "%zu installations are federated", w->scenario->user_count);
    if (part == PART_GROUP)
        world_tell(w, "%zu pairs are made", w->scenario->pair_count);
    if (part == PART_TALK) {
        w->talk_began = world_now(w);
        if (w->scenario->group_count > 0)
            world_tell(w, "%zu groups are made", w->scenario->group_count);
    }
    if (part == PART_ARRIVE) {
        r->calm = world_now(w);
        world_tell(w, "%zu messages are said, all trouble is over", w->plan->message_count);
    }
    if (part == PART_READ)
        harvest_begin(w);
    if (part == PART_OVER)
        uv_stop(w->loop);
}

static bool is_out_of_patience(const struct run *r)
{
    const struct world *w = &r->world;
    return world_now(w) - r->calm > (uint64_t)w->scenario->patience_ms;
}

static bool go_talk(struct run *r)
{
    struct world *w = &r->world;
    bool said = talk_tick(w);
    bool calm = trouble_tick(w);
    bool there = people_tick(w);
    return said && calm && there;
}

static void after_reading(struct run *r)
{
    struct world *w = &r->world;
    bool clean = talk_missing(w) == 0 && verdict_is_clean(w);
    if (clean)
        world_tell(w, "everything has arrived");
    else if (is_out_of_patience(r))
        world_tell(w, "not everything has arrived");
    enter(r, clean || is_out_of_patience(r) ? PART_OVER : PART_PAUSE);
}

static void go_on(struct run *r)
{
    struct world *w = &r->world;
    bool waited = world_now(w) - r->since > QUIET_MS;
    if (r->part == PART_OPEN && people_tick(w))
        enter(r, PART_PAIR);
    else if (r->part == PART_PAIR && meet_pairs(w))
        enter(r, PART_GROUP);
    else if (r->part == PART_GROUP && meet_groups(w))
        enter(r, PART_TALK);
    else if (r->part == PART_TALK && go_talk(r))
        enter(r, PART_ARRIVE);
    else if (r->part == PART_ARRIVE && (talk_missing(w) == 0 || world_now(w) - r->since > 2 * QUIET_MS))
        enter(r, PART_READ);
    else if (r->part == PART_READ && harvest_tick(w))
        after_reading(r);
    else if (r->part == PART_PAUSE && waited)
        enter(r, PART_READ);
}

static void show_progress(struct run *r)
{
    static const char *const names[] = {"opening",  "pairing",   "making groups", "talking",
                                        "arriving", "comparing", "comparing",     "over"};
    struct world *w = &r->world;
    size_t there = 0;
    size_t said = 0;
    size_t delivered = 0;
    char text[160];
    for (size_t i = 0; i < w->scenario->user_count; i++)
        there += w->users[i].state == USER_THERE;
    talk_progress(w, &said, &delivered);
    snprintf(text, sizeof text, "%s: %zu of %zu there, %zu of %zu said, %zu delivered, %.0f MB", names[r->part], there,
             w->scenario->user_count, said, w->plan->message_count, delivered, (double)w->memory / 1e6);
    timeline_progress(w->timeline, text);
}

static void on_tick(uv_timer_t *timer)
{
    struct run *r = timer->data;
    struct world *w = &r->world;
    uint64_t now = world_now(w);
    if (r->options->interrupted())
        world_fail(w, NULL, "interrupted");
    else if (now > (uint64_t)w->scenario->limit_ms)
        world_fail(w, NULL, "the limit of %lld s is over", (long long)w->scenario->limit_ms / 1000);
    if (w->failure.status != STATUS_OK) {
        uv_stop(w->loop);
        return;
    }
    if (now - r->weighed >= WEIGH_MS) {
        r->weighed = now;
        weigh_tick(w);
    }
    go_on(r);
    if (now - r->shown >= PROGRESS_MS) {
        r->shown = now;
        show_progress(r);
    }
}

// --- the whole -------------------------------------------------------------------------------------------------------

static enum status make_dir(struct world *w, const char *place, struct error *e)
{
    struct buf path = {0};
    buf_printf(&path, "%s/tandem-simulate-XXXXXX", place);
    w->dir = mem_text(buf_span(&path));
    buf_free(&path);
    return mkdtemp(w->dir) != NULL ? STATUS_OK : error_errno(e, "cannot make %s", w->dir);
}

// Of a run that failed the logs stay, not the stores.
static void clear_away(struct world *w, const struct simulate_options *o, bool passed)
{
    static const char *const stores[] = {"archive", "sparse", "run"};
    struct error ignored = {0};
    if (o->keep)
        return;
    if (passed) {
        folder_remove_tree(w->dir, &ignored);
        return;
    }
    for (size_t i = 0; i < w->scenario->user_count; i++)
        for (size_t k = 0; k < sizeof stores / sizeof *stores; k++) {
            struct buf path = {0};
            buf_printf(&path, "%s/%s/%s", w->dir, w->scenario->users[i], stores[k]);
            folder_remove_tree(buf_cstr(&path), &ignored);
            buf_free(&path);
        }
}

static json_t *measured(const struct world *w)
{
    int64_t slowest = 0;
    for (size_t i = 0; i < w->plan->message_count; i++)
        slowest = w->said[i].slowest_ms > slowest ? w->said[i].slowest_ms : slowest;
    return json_pack("{s:I, s:I, s:I, s:I}", "messages", (json_int_t)w->plan->message_count, "slowestDeliveryMs",
                     (json_int_t)slowest, "memory", (json_int_t)w->memory, "nodeMemory", (json_int_t)w->node_memory);
}

static bool all_passed(const json_t *checks)
{
    size_t i;
    const json_t *check;
    json_array_foreach(checks, i, check) if (!json_is_true(json_object_get(check, "passed"))) return false;
    return true;
}

static json_t *sum_up(struct run *r)
{
    struct world *w = &r->world;
    json_t *checks = verdict_checks(w);
    bool passed = all_passed(checks);
    json_t *result = json_pack("{s:b, s:s, s:I, s:I, s:o, s:o, s:O}", "passed", passed, "name", w->scenario->name,
                               "seed", (json_int_t)w->seed, "milliseconds", (json_int_t)world_now(w), "checks", checks,
                               "measured", measured(w), "timeline", (json_t *)timeline_events(w->timeline));
    if (!passed || r->options->keep)
        json_object_set_new(result, "kept", json_string(w->dir));
    return result;
}

static void destroy(struct run *r)
{
    struct world *w = &r->world;
    trouble_destroy(w);
    harvest_destroy(w);
    people_destroy(w);
    meet_destroy(w);
    talk_destroy(w);
    uv_close((uv_handle_t *)&r->timer, NULL);
    uv_run(w->loop, UV_RUN_DEFAULT); // lets go of the handles
    uv_loop_close(w->loop);
    json_decref(w->sayings);
    json_decref(w->received);
    json_decref(w->keys);
    timeline_destroy(w->timeline);
    plan_destroy((struct plan *)w->plan);
    free(w->dir);
}

enum status simulate_run(const struct scenario *s, const struct simulate_options *o, json_t **result, struct error *e)
{
    uv_loop_t loop;
    struct run r = {.options = o};
    struct world *w = &r.world;
    uv_loop_init(&loop);
    *w = (struct world){.loop = &loop,
                        .began = uv_now(&loop),
                        .scenario = s,
                        .plan = plan_make(s, o->seed),
                        .timeline = timeline_create(o->show),
                        .seed = o->seed,
                        .program = (char *)o->program,
                        .relay_program = (char *)o->relay_program,
                        .sayings = json_object(),
                        .received = json_object(),
                        .keys = json_object()};
    uv_timer_init(&loop, &r.timer);
    r.timer.data = &r;
    talk_create(w);
    meet_create(w);
    if (make_dir(w, o->place, e) == STATUS_OK && machine_prepare(w, e) == STATUS_OK &&
        people_create(w, e) == STATUS_OK) {
        uv_timer_start(&r.timer, on_tick, 0, TICK_MS);
        uv_run(&loop, UV_RUN_DEFAULT);
        *result = sum_up(&r);
    }
    bool passed = e->status == STATUS_OK && json_is_true(json_object_get(*result, "passed"));
    people_stop(w);
    machine_clear(w);
    clear_away(w, o, passed);
    destroy(&r);
    return e->status;
}
