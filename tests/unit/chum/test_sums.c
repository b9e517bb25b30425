// A cursor that is not known costs what has changed and not what there is: sums are compared (docs/sums.md). What
// differs comes, whatever happened; and whatever a peer answers, something asks for its list in the end.
#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "chum/export.h"
#include "chum/intake.h"
#include "chum/plan.h"
#include "chum/sums.h"
#include "store/settled.h"
#include "tests/support/property.h"

enum { MANY = 2500, FEW = 10, SMALL = 64 << 10, STEPS = 40, WALKS = 6, OBJECTS = 16 };

// ---- Two nodes ------------------------------------------------------------------------------------------------------

static bool person_is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)ctx, (void)s, (void)person;
    return true;
}

static int begin_contacts(void **state)
{
    struct stage *s = mem_alloc(sizeof *s);
    property_begin();
    stage_begin(s, 2, gallery_recipes, NULL);
    for (size_t i = 0; i < 2; i++)
        s->sides[i].options.feeds = true;
    *state = s;
    return 0;
}

static int begin_own(void **state)
{
    begin_contacts(state);
    struct stage *s = *state;
    for (size_t i = 0; i < 2; i++) {
        s->sides[i].options.peer_is_own = true;
        s->sides[i].policy.is_own = person_is_own;
    }
    return 0;
}

static int end_two(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

static void connect(struct stage *s)
{
    stage_connect(s, &s->sides[0], &s->sides[1], NULL);
    stage_wait_passes(s, &s->sides[0], 1);
    stage_wait_passes(s, &s->sides[1], 1);
}

// Whatever was postponed has its passes.
static void catch_up(struct stage *s)
{
    for (size_t round = 0; round < 4; round++)
        for (size_t i = 0; i < 2; i++) {
            uint64_t passes = chum_session_counts(s->sides[i].session).passes;
            chum_session_poke(s->sides[i].session);
            stage_wait_passes(s, &s->sides[i], passes + 1);
        }
}

static uint64_t bytes(const struct stage *s)
{
    return s->ends[0]->bytes_sent + s->ends[1]->bytes_sent;
}

struct cursor_job {
    struct chum_pair pair;
    struct chum_cursor cursor;
};

// One of another epoch, as after a store was made anew at the other side.
static enum status spoil_cursor(struct store *s, void *arg, struct error *e)
{
    struct cursor_job *job = arg;
    enum status st = chum_cursor_read(s, &job->pair, &job->cursor, e);
    job->cursor.epoch ^= 1;
    return st == STATUS_OK ? chum_cursor_keep(s, &job->pair, &job->cursor, e) : st;
}

static void lose_cursors(struct stage *s)
{
    for (size_t i = 0; i < 2; i++) {
        struct cursor_job job = {
            .pair = {s->sides[1 - i].node.identity.person_id, s->sides[i].node.identity.person_id}};
        side_must(&s->sides[i], spoil_cursor, &job);
    }
}

struct list_job {
    struct hash person;
    const struct chum_policy *policy;
    struct buf list;
    size_t wanted;
};

// As a JSON string without its quotes.
static enum status list_roots(struct store *s, void *arg, struct error *e)
{
    struct list_job *job = arg;
    struct hash_list shown = {0};
    enum status st = chum_export(s, job->policy, &job->person, CHUM_GET_ACCESSIBLE_ROOTS, NULL, &job->list, &shown, e);
    hash_list_free(&shown);
    return st;
}

static enum status plan_roots(struct store *s, void *arg, struct error *e)
{
    struct list_job *job = arg;
    struct hash_map *waiting = hash_map_create();
    struct chum_plan plan;
    enum status st = chum_plan_make(s, job->policy, &job->person, waiting, buf_span(&job->list), &plan, e);
    job->wanted = plan.count;
    chum_plan_free(&plan);
    hash_map_destroy(waiting);
    return st;
}

// Of what the other one lists, how many a pass through the list would fetch.
static size_t missing_at(struct stage *s, size_t side)
{
    struct list_job job = {.person = s->sides[side].node.identity.person_id, .policy = &s->sides[1 - side].policy};
    side_must(&s->sides[1 - side], list_roots, &job);
    struct buf quoted = {0};
    buf_printf(&quoted, "\"" SPAN_FMT "\"", SPAN_ARG(buf_span(&job.list)));
    json_t *list = json_loadb(quoted.data, quoted.len, JSON_DECODE_ANY, NULL);
    buf_clear(&job.list);
    buf_add(&job.list, json_string_value(list), json_string_length(list));
    job.person = s->sides[1 - side].node.identity.person_id;
    job.policy = &s->sides[side].policy;
    side_must(&s->sides[side], plan_roots, &job);
    json_decref(list);
    buf_free(&quoted);
    buf_free(&job.list);
    return job.wanted;
}

static struct hash grant_child(struct stage *s, size_t from, const char *x)
{
    struct hash root = side_put(&s->sides[from], "{'$type$':'Child','x':'%s'}", x);
    side_grant(&s->sides[from], &root, &s->sides[1 - from]);
    return root;
}

static void fill(struct stage *s)
{
    struct hash *ignored = mem_array(MANY, sizeof *ignored);
    side_put_many(&s->sides[0], &s->sides[1], MANY, ignored);
    free(ignored);
}

static void a_lost_cursor_costs_what_has_changed(void **state)
{
    struct stage *s = *state;
    char name[20];
    fill(s);
    connect(s);
    catch_up(s);
    stage_disconnect(s, &s->sides[0]);
    for (size_t i = 0; i < FEW; i++) {
        snprintf(name, sizeof name, "new %zu", i);
        grant_child(s, i % 2, name);
    }
    lose_cursors(s);
    connect(s);
    catch_up(s);
    assert_int_equal(missing_at(s, 0) + missing_at(s, 1), 0);
    print_message("%llu bytes\n", (unsigned long long)bytes(s));
    assert_in_range(bytes(s), 1, SMALL);
}

// The first comparison is the dearest: nothing was ever counted. What comes in a feed is, as it comes.
static void what_came_by_the_feed_is_counted(void **state)
{
    struct stage *s = *state;
    fill(s);
    connect(s);
    stage_disconnect(s, &s->sides[0]);
    connect(s);
    catch_up(s);
    assert_in_range(bytes(s), 1, SMALL);
}

static enum status crowd_out(struct store *s, void *arg, struct error *e)
{
    const struct chum_pair *pair = arg;
    enum status st = STATUS_OK;
    struct store_settled other;
    bool found;
    for (unsigned i = 0; i < STORE_SETTLED_PEERS && st == STATUS_OK; i++) {
        const struct hash peer = {{3, (uint8_t)i, (uint8_t)(i >> 8)}};
        st = store_settled_find(s, &peer, &pair->self, true, &found, &other, e);
    }
    return st;
}

static uint64_t cost_of_a_comparison(struct stage *s)
{
    uint64_t before = bytes(s);
    stage_wait_passes(s, &s->sides[1], chum_session_recheck(s->sides[1].session));
    return bytes(s) - before;
}

// What was counted may be forgotten in a session: the next comparison counts anew, and the others cost nothing again.
static void who_was_crowded_out_is_counted_again(void **state)
{
    struct stage *s = *state;
    struct chum_pair pair = {s->sides[0].node.identity.person_id, s->sides[1].node.identity.person_id};
    fill(s);
    connect(s);
    catch_up(s);
    assert_in_range(cost_of_a_comparison(s), 1, SMALL);
    side_must(&s->sides[1], crowd_out, &pair);
    assert_in_range(cost_of_a_comparison(s), SMALL, SIZE_MAX);
    assert_in_range(cost_of_a_comparison(s), 1, SMALL);
}

static void what_is_taken_back_is_no_difference_for_long(void **state)
{
    struct stage *s = *state;
    struct hash roots[FEW];
    char name[20];
    fill(s);
    for (size_t i = 0; i < FEW; i++) {
        snprintf(name, sizeof name, "%zu", i);
        roots[i] = grant_child(s, 0, name);
    }
    connect(s);
    catch_up(s);
    stage_disconnect(s, &s->sides[0]);
    for (size_t i = 0; i < FEW; i++)
        side_change(&s->sides[0], "{'$type$':'Access','object':'%s','person':[],'group':[]}", hash_text(&roots[i]).s);
    connect(s);
    catch_up(s);
    uint64_t first = bytes(s);
    stage_disconnect(s, &s->sides[0]);
    connect(s);
    catch_up(s);
    assert_in_range(first, bytes(s) + 500, SMALL);
}

// ---- Whatever happens -----------------------------------------------------------------------------------------------

struct model {
    struct hash objects[OBJECTS];
    size_t count;
    struct hash id;
    unsigned version;
};

struct hash_job {
    struct hash hash;
    bool undelete;
};

static enum status lose(struct store *s, void *arg, struct error *e)
{
    struct hash_job *job = arg;
    enum status st = store_delete(s, &job->hash, e);
    return st == STATUS_OK && job->undelete ? store_undelete(s, &job->hash, e) : st;
}

static enum status delete_id(struct store *s, void *arg, struct error *e)
{
    return store_delete_id(s, arg, e);
}

static void change_doc(struct stage *s, struct model *m, size_t from)
{
    struct side *side = &s->sides[from];
    m->id = side_change(side, "{'$type$':'Doc','id':'%s','n':%u}", side->dir, m->version++);
    if (property_chance(2))
        side_grant_id(side, &m->id, &s->sides[1 - from]);
}

static void do_something(struct stage *s, struct model *models, size_t step)
{
    size_t from = property_below(2);
    struct side *side = &s->sides[from];
    struct model *m = &models[from];
    const struct hash *one = m->count != 0 ? &m->objects[property_below((uint32_t)m->count)] : NULL;
    uint32_t what = property_below(10);
    if (what <= 2 && m->count < OBJECTS) {
        m->objects[m->count++] = side_put(side, "{'$type$':'Album','title':'%s %zu'}", side->dir, step);
    } else if (what <= 4 && one != NULL) {
        side_grant(side, one, &s->sides[1 - from]);
    } else if (what == 5 && one != NULL) {
        side_change(side, "{'$type$':'Access','object':'%s','person':[],'group':[]}", hash_text(one).s);
    } else if (what == 6) {
        change_doc(s, m, from);
    } else if (what == 7 && one != NULL) { // the other one loses it, or deletes it
        struct hash_job job = {*one, property_chance(2)};
        side_must(&s->sides[1 - from], lose, &job);
    } else if (what == 8 && m->version != 0 && property_chance(3)) {
        side_must(&s->sides[1 - from], delete_id, &m->id);
    } else if (side->session != NULL) {
        stage_disconnect(s, side);
        if (property_chance(2))
            lose_cursors(s);
    } else {
        connect(s);
    }
}

static void whatever_happens_what_is_shown_arrives(void **state)
{
    struct stage *s = *state;
    struct model models[2] = {0};
    for (size_t step = 0; step < (size_t)property_cases(STEPS); step++)
        do_something(s, models, step);
    if (s->sides[0].session != NULL)
        stage_disconnect(s, &s->sides[0]);
    connect(s);
    catch_up(s);
    assert_int_equal(missing_at(s, 0), 0);
    assert_int_equal(missing_at(s, 1), 0);
}

static void walks_at_random(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WALKS; i++) {
        void *stage;
        if (i % 2 == 0)
            begin_own(&stage);
        else
            begin_contacts(&stage);
        property_seed(4711 + i);
        whatever_happens_what_is_shown_arrives(&stage);
        end_two(&stage);
    }
}

static enum status undelete(struct store *s, void *arg, struct error *e)
{
    return store_undelete(s, arg, e);
}

static enum status delete_one(struct store *s, void *arg, struct error *e)
{
    return store_delete(s, arg, e);
}

// Its leaf was the same as the peer's before, while it was deleted, and has to differ when it is wanted again.
static void what_was_deleted_and_is_wanted_again_comes_again(void **state)
{
    struct stage *s = *state;
    struct hash root = grant_child(s, 0, "comes, goes, and comes");
    connect(s);
    catch_up(s);
    side_must(&s->sides[1], delete_one, &root);
    catch_up(s);
    assert_int_equal(side_presence(&s->sides[1], &root), STORE_ABSENT);
    side_must(&s->sides[1], undelete, &root);
    chum_session_recheck(s->sides[1].session);
    catch_up(s);
    assert_int_equal(side_presence(&s->sides[1], &root), STORE_PRESENT);
}

static unsigned docs; // of which it was asked whether they are wanted

static bool notes_docs(void *ctx, struct store *s, const struct hash *sender, struct span type,
                       const struct hash *id_hash)
{
    (void)ctx, (void)s, (void)sender, (void)id_hash;
    docs += span_eq_text(type, "Doc");
    return true;
}

// As long as it is deleted they are passed over. Nothing of them may count as settled meanwhile.
static void versions_of_an_id_that_comes_back_are_listed_again(void **state)
{
    struct stage *s = *state;
    struct hash id = {{0}};
    for (unsigned i = 0; i < FEW; i++)
        id = side_change(&s->sides[0], "{'$type$':'Doc','id':'d','n':%u}", i);
    side_grant_id(&s->sides[0], &id, &s->sides[1]);
    connect(s);
    catch_up(s);
    side_must(&s->sides[1], delete_id, &id);
    s->sides[1].policy.wants = notes_docs;
    docs = 0;
    for (unsigned i = 0; i < FEW; i++)
        side_change(&s->sides[0], "{'$type$':'Doc','id':'d','n':%u}", FEW + i);
    catch_up(s);
    stage_disconnect(s, &s->sides[0]);
    lose_cursors(s);
    connect(s);
    catch_up(s);
    assert_int_equal(docs, 0);
    side_change(&s->sides[1], "{'$type$':'Doc','id':'d','n':99}");
    stage_disconnect(s, &s->sides[0]);
    lose_cursors(s);
    connect(s);
    catch_up(s);
    assert_true(docs >= FEW);
}

static unsigned unwanted;
static bool wants_children;

static bool wants_no_child(void *ctx, struct store *s, const struct hash *sender, struct span type,
                           const struct hash *id_hash)
{
    (void)ctx, (void)s, (void)sender, (void)id_hash;
    unwanted += span_eq_text(type, "Child");
    return !span_eq_text(type, "Child") || wants_children;
}

struct awaited {
    struct stage *stage;
    struct hash root;
    unsigned asked;
};

static bool is_here(void *ctx)
{
    const struct awaited *a = ctx;
    return side_presence(&a->stage->sides[1], &a->root) == STORE_PRESENT;
}

static bool was_listed_again(void *ctx)
{
    const struct awaited *a = ctx;
    return unwanted >= a->asked && chum_session_counts(a->stage->sides[1].session).skipped_roots >= MANY;
}

static bool has_all(void *ctx)
{
    const struct awaited *a = ctx;
    return missing_at(a->stage, 1) == 0;
}

// However many they are, they are not remembered: each comparison asks for them again, and ends.
static void what_is_not_wanted_is_listed_each_time_and_comes_when_it_is(void **state)
{
    struct stage *s = *state;
    struct awaited a = {.stage = s};
    s->sides[1].policy.wants = wants_no_child;
    unwanted = 0;
    wants_children = false;
    fill(s);
    a.root = side_put(&s->sides[0], "{'$type$':'Album','title':'t'}");
    side_grant(&s->sides[0], &a.root, &s->sides[1]);
    connect(s);
    stage_wait(s, is_here, &a, "what is wanted");
    stage_disconnect(s, &s->sides[0]);
    a.asked = unwanted + MANY;
    connect(s);
    stage_wait(s, was_listed_again, &a, "what is not wanted is looked at again");
    wants_children = true;
    stage_disconnect(s, &s->sides[0]);
    connect(s);
    stage_wait(s, has_all, &a, "what is wanted now");
}

// ---- What is answered -----------------------------------------------------------------------------------------------

#define KEY "'000102030405060708090a0b0c0d0e0f'"

static void meet_gallery(struct gallery *g)
{
    g->ours->options.feeds = true;
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
}

// The text that was answered, with its escapes; empty: an error was.
static const char *ask(struct gallery *g, enum chum_service service, const char *args)
{
    script_ask(&g->stage, &g->script, service, args);
    return g->script.error.status == STATUS_OK ? script_data(&g->script) : "";
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static size_t sum_of_counts(const char *text)
{
    size_t n = 0;
    for (const char *at = strchr(text, '\n') != NULL ? strchr(text, '\n') : strstr(text, "\\n") + 1; at != NULL;
         at = strchr(at + 1, ','))
        n += strtoul(at + 1, NULL, 10);
    return n;
}

static void sums_and_ranges_are_of_what_is_shown(void **state)
{
    struct gallery *g = *state;
    struct hash shown = side_put(g->ours, "{'$type$':'Child','x':'shown'}");
    struct hash hidden = side_put(g->ours, "{'$type$':'Child','x':'hidden'}");
    side_grant(g->ours, &shown, g->peer);
    meet_gallery(g);
    assert_int_equal(sum_of_counts(ask(g, CHUM_SUMS, "[" KEY ",['']]")), 1);
    ask(g, CHUM_GET_OBJECT, "['x']");
    char args[100];
    snprintf(args, sizeof args, "['%s']", hash_text(&shown).s);
    assert_string_equal(ask(g, CHUM_GET_OBJECT, args), "");
    const char *list = ask(g, CHUM_RANGES, "[['']]");
    assert_int_equal(count_of(list, "unversioned"), 1);
    assert_non_null(strstr(list, hash_text(&shown).s));
    assert_null(strstr(list, hash_text(&hidden).s));
    assert_string_not_equal(ask(g, CHUM_GET_OBJECT, args), "");
    snprintf(args, sizeof args, "['%s']", hash_text(&hidden).s);
    assert_string_equal(ask(g, CHUM_GET_OBJECT, args), "");
    char other[40];
    snprintf(other, sizeof other, "[['%c']]", hash_text(&shown).s[0] == 'a' ? 'b' : 'a');
    assert_int_equal(count_of(ask(g, CHUM_RANGES, other), "unversioned"), 0);
    snprintf(other, sizeof other, "[['%.4s','a']]", hash_text(&shown).s);
    assert_int_equal(count_of(ask(g, CHUM_RANGES, other), "unversioned"), 1);
}

static void long_ranges_come_in_pages(void **state)
{
    struct gallery *g = *state;
    struct hash *ignored = mem_array(MANY, sizeof *ignored);
    side_put_many(g->ours, g->peer, MANY, ignored);
    free(ignored);
    meet_gallery(g);
    assert_int_equal(sum_of_counts(ask(g, CHUM_SUMS, "[" KEY ",['']]")), MANY);
    size_t count = 0;
    size_t pages = 1;
    const char *page = ask(g, CHUM_RANGES, "[['']]");
    for (; count_of(page, "more\\n") != 0; pages++) {
        assert_in_range(count_of(page, "unversioned"), 1, CHUM_RANGES_PAGE);
        count += count_of(page, "unversioned");
        page = ask(g, CHUM_RANGES, "[]");
    }
    assert_int_equal(count + count_of(page, "unversioned"), MANY);
    assert_in_range(pages, 3, 10);
    assert_int_equal(count_of(page, "end\\n"), 1);
    assert_string_equal(ask(g, CHUM_RANGES, "[]"), ""); // there is nothing to go on with
}

// What changes while pages are given may make one miss something.
static void pages_say_that_something_has_changed(void **state)
{
    struct gallery *g = *state;
    struct hash *ignored = mem_array(MANY, sizeof *ignored);
    side_put_many(g->ours, g->peer, MANY, ignored);
    free(ignored);
    struct hash late = side_put(g->ours, "{'$type$':'Child','x':'late'}");
    meet_gallery(g);
    assert_int_equal(count_of(ask(g, CHUM_RANGES, "[['']]"), "more\\n"), 1);
    side_grant(g->ours, &late, g->peer);
    const char *page = ask(g, CHUM_RANGES, "[]");
    while (count_of(page, "more\\n") != 0)
        page = ask(g, CHUM_RANGES, "[]");
    assert_int_equal(count_of(page, "moved\\n"), 1);
}

static void other_questions_are_refused(void **state)
{
    static const struct {
        enum chum_service service;
        const char *args;
    } wrong[] = {
        {CHUM_SUMS, "[]"},
        {CHUM_SUMS, "[" KEY "]"},
        {CHUM_SUMS, "[" KEY ",[]]"},
        {CHUM_SUMS, "[" KEY ",['A']]"},
        {CHUM_SUMS, "[" KEY ",['0000']]"}, // nothing was added up yet, and it has no parts
        {CHUM_SUMS, "[" KEY ",['00000']]"},
        {CHUM_SUMS, "[" KEY ",[0]]"},
        {CHUM_SUMS, "['00',['']]"},
        {CHUM_SUMS, "[7,['']]"},
        {CHUM_RANGES, "[]"},
        {CHUM_RANGES, "[[]]"},
        {CHUM_RANGES, "['']"},
        {CHUM_RANGES, "[[null]]"},
        {CHUM_RANGES, "[['g']]"},
    };
    struct gallery *g = *state;
    struct buf many = {0};
    meet_gallery(g);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_string_equal(ask(g, wrong[i].service, wrong[i].args), "");
        assert_string_equal(g->script.error.code, "BAD-INPUT");
    }
    for (size_t i = 0; i <= CHUM_SUMS_ASKED; i++)
        buf_printf(&many, "%s'0'", i == 0 ? "[" KEY ",[" : ",");
    buf_add_text(&many, "]]");
    assert_string_equal(ask(g, CHUM_SUMS, buf_cstr(&many)), "");
    buf_clear(&many);
    for (size_t i = 0; i <= CHUM_RANGES_ASKED; i++)
        buf_printf(&many, "%s'0'", i == 0 ? "[[" : ",");
    buf_add_text(&many, "]]");
    assert_string_equal(ask(g, CHUM_RANGES, buf_cstr(&many)), "");
    buf_free(&many);
    assert_string_not_equal(ask(g, CHUM_SUMS, "[" KEY ",['']]"), "");
    assert_string_equal(ask(g, CHUM_SUMS, "[" KEY ",['000']]"), ""); // of so many digits nothing is known
    assert_string_not_equal(ask(g, CHUM_SUMS, "[" KEY ",['00']]"), "");
    assert_int_equal(g->ours->closed, 0);
}

// The memory is given back though the session goes on; who asks later begins anew.
static void what_nobody_goes_on_with_is_forgotten(void **state)
{
    enum { LONG_MS = 310000 };
    struct gallery *g = *state;
    meet_gallery(g);
    assert_string_not_equal(ask(g, CHUM_SUMS, "[" KEY ",['']]"), "");
    stage_sleep(&g->stage, LONG_MS / 2);
    assert_string_not_equal(ask(g, CHUM_SUMS, "[" KEY ",['0']]"), "");
    stage_sleep(&g->stage, LONG_MS / 2);
    assert_string_not_equal(ask(g, CHUM_SUMS, "[" KEY ",['0']]"), "");
    stage_sleep(&g->stage, LONG_MS);
    assert_string_equal(ask(g, CHUM_SUMS, "[" KEY ",['0']]"), "");
    assert_string_equal(g->script.error.code, "BUSY");
    assert_string_equal(ask(g, CHUM_RANGES, "[]"), "");
    assert_string_equal(g->script.error.code, "BUSY");
    assert_string_not_equal(ask(g, CHUM_SUMS, "[" KEY ",['']]"), "");
    assert_string_equal(ask(g, CHUM_RANGES, "[]"), "");
    assert_string_equal(g->script.error.code, "BAD-INPUT");
}

// As who asks for the list does.
static void who_asks_for_sums_instead_of_the_feed_has_stored_nothing_for_sure(void **state)
{
    struct gallery *g = *state;
    struct hash one = side_put(g->ours, "{'$type$':'Child','x':'1'}");
    side_grant(g->ours, &one, g->peer);
    meet_gallery(g);
    ask(g, CHUM_FEED, "['0',0]");
    assert_int_equal(g->ours->said_left, 0);
    ask(g, CHUM_SUMS, "[" KEY ",['']]");
    assert_int_equal(g->ours->said_left, 1);
    ask(g, CHUM_SUMS, "[" KEY ",['0']]");
    ask(g, CHUM_SUMS, "[" KEY ",['']]");
    assert_int_equal(g->ours->said_left, 1);
    ask(g, CHUM_SUMS, "[" KEY ",[''],'left']");
    assert_int_equal(g->ours->said_left, 2);
    ask(g, CHUM_FEED, "['0',0]"); // it compares no more
    assert_string_equal(ask(g, CHUM_SUMS, "[" KEY ",['0']]"), "");
}

// ---- Who answers something else -------------------------------------------------------------------------------------

struct play {
    struct gallery g;
    const char *sums;    // the answer to all questions; NULL: the usual one, that it knows no such thing
    const char *ranges;  // likewise
    const char *refusal; // the code of an error instead
    unsigned asked, pages, lists, feeds;
    bool sums_left, list_left; // the last question about them said that something was not stored
    bool holds;                // what is asked for by its hash has no answer yet,
    int64_t held;              // this question
    bool holds_feed;           // likewise the next question for the feed
    int64_t held_feed;
};

static bool says_left(const struct rpc_request *r, size_t at)
{
    const char *word = json_string_value(json_array_get(r->args, at));
    return word != NULL && strcmp(word, "left") == 0;
}

static void note(struct play *p, const struct rpc_request *r)
{
    p->lists += r->service == CHUM_GET_ACCESSIBLE_ROOTS;
    p->asked += r->service == CHUM_SUMS;
    p->pages += r->service == CHUM_RANGES;
    p->feeds += r->service == CHUM_FEED;
    if (r->service == CHUM_GET_ACCESSIBLE_ROOTS)
        p->list_left = says_left(r, 1);
    if (r->service == CHUM_SUMS)
        p->sums_left = says_left(r, 2);
}

static bool is_held(struct play *p, const struct rpc_request *r)
{
    bool object = p->holds && r->service == CHUM_GET_OBJECT;
    bool feed = p->holds_feed && r->service == CHUM_FEED;
    if (object)
        p->held = r->id;
    if (feed)
        p->held_feed = r->id;
    return object || feed;
}

static bool answer(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct play *p = ctx;
    const char *text = r->service == CHUM_SUMS ? p->sums : p->ranges;
    note(p, r);
    if (is_held(p, r))
        return true;
    if (r->service == CHUM_FEED) {
        rpc_answer_string(script->rpc, r->id, SPAN("7 2 end\n"));
        return true;
    }
    if (r->service != CHUM_SUMS && r->service != CHUM_RANGES)
        return false;
    if (p->refusal != NULL)
        rpc_answer_error(script->rpc, r->id, "Error", "not now", p->refusal);
    else if (text != NULL)
        rpc_answer_string(script->rpc, r->id, span_of(text));
    return p->refusal != NULL || text != NULL;
}

static int begin_play(void **state)
{
    struct play *p = mem_alloc(sizeof *p);
    gallery_begin(&p->g, 2);
    p->g.script.serve = answer;
    p->g.script.ctx = p;
    p->g.ours->options.feeds = true;
    *state = p;
    return 0;
}

static int end_play(void **state)
{
    struct play *p = *state;
    gallery_end(&p->g);
    free(p);
    return 0;
}

static struct hash meet(struct play *p, const char *greeting)
{
    struct hash root = gallery_object(&p->g, "{'$type$':'Child','x':'1'}");
    gallery_root(&p->g, &root, "Child");
    gallery_greet(&p->g, greeting);
    return root;
}

#define KNOWS_SUMS "[{'news':1,'feeds':1,'sums':1}]"
#define NOTHING "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
#define ONE                                                                                                            \
    "1 0000000000000001"                                                                                               \
    "0000000000000002"

static void only_who_says_so_is_asked(void **state)
{
    static const char *const greetings[] = {"[{'news':1,'feeds':1}]", "[{'news':1,'sums':1}]",
                                            "[{'news':1,'feeds':1,'sums':0}]", "[{'news':1,'feeds':1,'sums':'1'}]"};
    (void)state;
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        void *play;
        begin_play(&play);
        struct play *p = play;
        struct hash root = meet(p, greetings[i]);
        assert_int_equal(p->asked, 0);
        assert_int_equal(p->lists, 1);
        assert_int_equal(side_presence(p->g.ours, &root), STORE_PRESENT);
        end_play(&play);
    }
}

// Each of these leads to the list, at once; also an own node from before is asked once, as nobody waits for what it
// says of itself.
static void what_is_no_answer_leads_to_the_list(void **state)
{
    static const struct {
        const char *sums, *ranges, *refusal;
    } wrong[] = {
        {NULL, NULL, NULL},
        {NULL, NULL, "BUSY"},
        {NULL, NULL, "BAD-INPUT"},
        {"", NULL, NULL},
        {"3\n", NULL, NULL},
        {"0\n" NOTHING, NULL, NULL},
        {"5\n" NOTHING, NULL, NULL},
        {"3\n" NOTHING NOTHING, NULL, NULL},
        {"3\n0,0\n", NULL, NULL},
        {"3\n01,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", NULL, NULL},
        {"3\n1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", NULL, NULL},
        {"3\n1 ffffffffffffffffffffffffffffffff,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", NULL, NULL},
        {"3\n9999999999999999 00000000000000000000000000000000,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", NULL, NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", NULL, NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", "", NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", "end\n", NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", "maybe\n[]", NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", "end\n{}", NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", "end\n[{\"type\":\"other\"}]", NULL},
        {"3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", "end\nZ 1\nno frame", NULL},
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof wrong / sizeof *wrong); i++) {
        void *play;
        begin_play(&play);
        struct play *p = play;
        p->sums = wrong[i / 2].sums;
        p->ranges = wrong[i / 2].ranges;
        p->refusal = wrong[i / 2].refusal;
        p->g.ours->options.peer_is_own = i % 2 == 0;
        p->g.ours->policy.is_own = i % 2 == 0 ? person_is_own : NULL;
        struct hash root = meet(p, KNOWS_SUMS);
        assert_int_equal(p->asked, 1);
        assert_int_equal(p->lists, 1);
        assert_int_equal(p->g.ours->closed, 0);
        assert_int_equal(side_presence(p->g.ours, &root), STORE_PRESENT);
        end_play(&play);
    }
}

// A refusal passes, the others do not: the next time everything is looked at, sums are asked for again, or not.
static void only_who_refused_is_asked_again(void **state)
{
    (void)state;
    for (int passes = 0; passes < 2; passes++) {
        void *play;
        begin_play(&play);
        struct play *p = play;
        p->refusal = passes ? "BUSY" : "UNKNOWN-SERVICE";
        meet(p, KNOWS_SUMS);
        chum_session_recheck(p->g.ours->session);
        stage_wait_passes(&p->g.stage, p->g.ours, 2);
        assert_int_equal(p->asked, passes ? 2 : 1);
        assert_int_equal(p->lists, 2);
        end_play(&play);
    }
}

// As docs/sums.md says; what is counted are the questions that begin a comparison.
static void quiet_peers_are_compared_every_five_minutes(void **state)
{
    enum { TIMES = 6, FIVE_MINUTES = 300000 };
    struct play *p = *state;
    p->sums = "3\n" NOTHING;
    meet(p, "[{'news':2,'feeds':1,'sums':1}]");
    unsigned before = p->asked;
    stage_sleep(&p->g.stage, (uint64_t)TIMES * FIVE_MINUTES);
    assert_in_range(p->asked - before, TIMES, TIMES + TIMES / 2);
    assert_int_equal(p->lists, 0);
}

// What lingers is over at some time, and then the peer is told.
static void a_peer_is_asked_often_while_something_lingers(void **state)
{
    enum { LINGERS_MS = 50000, AT_LEAST = 3 };
    struct play *p = *state;
    p->holds = true;
    meet(p, "[{'news':2,'feeds':1,'sums':1}]");
    assert_true(chum_session_counts(p->g.ours->session).failed_roots == 0 && p->held != 0);
    unsigned before = p->feeds;
    stage_sleep(&p->g.stage, LINGERS_MS);
    assert_in_range(p->feeds - before, AT_LEAST, 2 * AT_LEAST);
}

// One from before does not read what the question about sums says.
static void what_is_not_stored_is_said_to_who_knows_no_sums(void **state)
{
    struct play *p = *state;
    p->holds = true;
    p->refusal = "BUSY";
    meet(p, KNOWS_SUMS);
    assert_false(p->list_left);
    p->holds_feed = true;
    p->refusal = "UNKNOWN-SERVICE";
    chum_session_poke(p->g.ours->session);
    stage_sleep(&p->g.stage, 200);
    rpc_answer_error(p->g.script.rpc, p->held, "Error", "it is gone", "GONE"); // while the feed is asked
    stage_sleep(&p->g.stage, 200);
    p->holds_feed = false;
    rpc_answer_string(p->g.script.rpc, p->held_feed, SPAN("7 2 end\n"));
    stage_sleep(&p->g.stage, 200);
    assert_int_equal(p->asked, 2);
    assert_true(p->sums_left);
    assert_int_equal(p->lists, 2);
    assert_true(p->list_left);
}

// It says that there are roots and gives none, or others, or the same again and again: there is an end.
static void pages_without_end_end(void **state)
{
    struct play *p = *state;
    p->sums = "3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n";
    p->ranges = "more\n[]";
    struct hash root = meet(p, KNOWS_SUMS);
    assert_int_equal(p->lists, 1);
    assert_in_range(p->pages, 2, CHUM_ROOTS_MAX / CHUM_RANGES_PAGE + 1);
    assert_int_equal(side_presence(p->g.ours, &root), STORE_PRESENT);
}

static void one_that_always_moves_is_asked_for_its_list(void **state)
{
    struct play *p = *state;
    p->sums = "3\n" ONE ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n";
    p->ranges = "moved\n[]";
    struct hash root = meet(p, KNOWS_SUMS);
    for (unsigned i = 1; i <= 3 && p->lists == 0; i++) {
        chum_session_poke(p->g.ours->session);
        stage_wait_passes(&p->g.stage, p->g.ours, i + 1);
    }
    assert_int_equal(p->asked, 3);
    assert_int_equal(p->lists, 1);
    assert_int_equal(side_presence(p->g.ours, &root), STORE_PRESENT);
}

// Of each question all parts differ, and are many.
static bool answer_differences(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct play *p = ctx;
    struct buf text = {0};
    if (r->service == CHUM_SUMS) {
        p->asked++;
        buf_add_text(&text, "4\n");
        for (size_t i = 0; i < json_array_size(json_array_get(r->args, 1)); i++)
            for (size_t k = 0; k < STORE_SUM_FAN; k++)
                buf_printf(&text, "999999999999999 %032zx%c", i + k + 7, k + 1 == STORE_SUM_FAN ? '\n' : ',');
        rpc_answer_string(script->rpc, r->id, buf_span(&text));
        buf_free(&text);
        return true;
    }
    return answer(ctx, script, r);
}

struct counted_job {
    struct chum_pair pair;
};

// One root in each range of two digits is settled here, so that none is asked for without being told apart.
static enum status settle_some(struct store *s, void *arg, struct error *e)
{
    static const struct hash none;
    struct counted_job *job = arg;
    struct store_settled peer;
    bool found;
    struct hash_list all = {0};
    enum status st = store_settled_find(s, &job->pair.sender, &job->pair.self, true, &found, &peer, e);
    if (st == STATUS_OK)
        st = store_find_prefix(s, SPAN(""), &all, 10000, e);
    for (size_t i = 0; i < all.count && st == STATUS_OK; i++)
        st = store_settled_add(s, &peer, &all.items[i], &none, e);
    hash_list_free(&all);
    return st;
}

static void differences_without_end_end(void **state)
{
    struct play *p = *state;
    struct hash *ignored = mem_array(MANY, sizeof *ignored);
    side_put_many(p->g.ours, p->g.peer, MANY, ignored);
    free(ignored);
    struct counted_job job = {{p->g.peer->node.identity.person_id, p->g.ours->node.identity.person_id}};
    side_must(p->g.ours, settle_some, &job);
    p->g.script.serve = answer_differences;
    p->ranges = "end\n[]";
    meet(p, KNOWS_SUMS);
    assert_int_equal(p->lists, 0);
    assert_in_range(p->asked, 1 + 1 + 8, 1 + 1 + 8 + 128);
    assert_in_range(p->pages, 1, 40);
    assert_int_equal(p->g.ours->closed, 0);
}

#define TWO(name)                                                                                                      \
    {"own_" #name, name, begin_own, end_two, NULL},                                                                    \
    {                                                                                                                  \
        "contacts_" #name, name, begin_contacts, end_two, NULL                                                         \
    }
#define PLAY(name) cmocka_unit_test_setup_teardown(name, begin_play, end_play)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO(a_lost_cursor_costs_what_has_changed),
        TWO(what_came_by_the_feed_is_counted),
        TWO(who_was_crowded_out_is_counted_again),
        TWO(what_is_taken_back_is_no_difference_for_long),
        cmocka_unit_test(walks_at_random),
        TWO(what_was_deleted_and_is_wanted_again_comes_again),
        TWO(versions_of_an_id_that_comes_back_are_listed_again),
        TWO(what_is_not_wanted_is_listed_each_time_and_comes_when_it_is),
        GALLERY_TEST(sums_and_ranges_are_of_what_is_shown),
        GALLERY_TEST(long_ranges_come_in_pages),
        GALLERY_TEST(pages_say_that_something_has_changed),
        GALLERY_TEST(other_questions_are_refused),
        GALLERY_TEST(what_nobody_goes_on_with_is_forgotten),
        GALLERY_TEST(who_asks_for_sums_instead_of_the_feed_has_stored_nothing_for_sure),
        cmocka_unit_test(only_who_says_so_is_asked),
        cmocka_unit_test(what_is_no_answer_leads_to_the_list),
        cmocka_unit_test(only_who_refused_is_asked_again),
        PLAY(quiet_peers_are_compared_every_five_minutes),
        PLAY(a_peer_is_asked_often_while_something_lingers),
        PLAY(what_is_not_stored_is_said_to_who_knows_no_sums),
        PLAY(pages_without_end_end),
        PLAY(one_that_always_moves_is_asked_for_its_list),
        PLAY(differences_without_end_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
