// Feeds between own nodes and between contacts: what is new comes by itself, in few messages, whatever there was
// before; and what a feed cannot give is found in the list of roots as ever.
#include "gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "chum/batch.h"
#include "chum/intake.h"
#include "crypto/sha256.h"

enum { MINUTE = 60000, SMALL = 5000, STEPS = 60, WALKS = 8 };

static bool person_is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)ctx, (void)s, (void)person;
    return true;
}

static int begin_contacts(void **state)
{
    struct stage *s = mem_alloc(sizeof *s);
    stage_begin(s, 2, gallery_recipes, NULL);
    for (size_t i = 0; i < 2; i++)
        s->sides[i].options.feeds = true;
    *state = s;
    return 0;
}

static int begin_two(void **state)
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

static void catch_up(struct stage *s)
{
    for (size_t i = 0; i < 2; i++) {
        for (uint64_t passes = chum_session_counts(s->sides[i].session).passes, more = 1; more <= 2; more++) {
            chum_session_poke(s->sides[i].session);
            stage_wait_passes(s, &s->sides[i], passes + more);
        }
    }
}

struct cursor_job {
    struct chum_pair pair;
    struct chum_cursor cursor;
};

static enum status read_cursor(struct store *s, void *arg, struct error *e)
{
    struct cursor_job *job = arg;
    return chum_cursor_read(s, &job->pair, &job->cursor, e);
}

static struct chum_pair pair_of(const struct stage *s, size_t side)
{
    return (struct chum_pair){s->sides[1 - side].node.identity.person_id, s->sides[side].node.identity.person_id};
}

// Where the side is in the feed of the other one.
static int64_t place(struct stage *s, size_t side)
{
    struct cursor_job job = {.pair = pair_of(s, side)};
    side_must(&s->sides[side], read_cursor, &job);
    return job.cursor.place;
}

static uint64_t bytes(const struct stage *s)
{
    return s->ends[0]->bytes_sent + s->ends[1]->bytes_sent;
}

static struct hash grant_child(struct stage *s, size_t from, const char *x)
{
    struct hash root = side_put(&s->sides[from], "{'$type$':'Child','x':'%s'}", x);
    side_grant(&s->sides[from], &root, &s->sides[1 - from]);
    return root;
}

// ---- What comes -----------------------------------------------------------------------------------------------------

static void what_is_there_and_what_is_new_comes_by_the_feed(void **state)
{
    struct stage *s = *state;
    struct hash first = grant_child(s, 0, "first");
    connect(s);
    assert_int_equal(side_presence(&s->sides[1], &first), STORE_PRESENT);
    int64_t before = place(s, 1);
    assert_true(before > 0);
    struct hash second = grant_child(s, 0, "second");
    catch_up(s);
    assert_int_equal(side_presence(&s->sides[1], &second), STORE_PRESENT);
    assert_int_not_equal(place(s, 1), before);
}

static void one_change_costs_the_same_after_many(void **state)
{
    struct stage *s = *state;
    enum { MANY = 2000 };
    struct hash *ignored = mem_array(MANY, sizeof *ignored);
    side_put_many(&s->sides[0], &s->sides[1], MANY, ignored);
    free(ignored);
    connect(s);
    catch_up(s);
    uint64_t before = bytes(s);
    struct hash late = grant_child(s, 0, "late");
    catch_up(s);
    assert_int_equal(side_presence(&s->sides[1], &late), STORE_PRESENT);
    assert_in_range(bytes(s) - before, 1, SMALL);
}

static void a_new_session_goes_on_where_the_last_one_ended(void **state)
{
    struct stage *s = *state;
    enum { MANY = 500 };
    struct hash *ignored = mem_array(MANY, sizeof *ignored);
    side_put_many(&s->sides[0], &s->sides[1], MANY, ignored);
    free(ignored);
    connect(s);
    catch_up(s);
    stage_disconnect(s, &s->sides[0]);
    struct hash late = grant_child(s, 0, "late");
    connect(s);
    assert_int_equal(side_presence(&s->sides[1], &late), STORE_PRESENT);
    assert_in_range(chum_session_counts(s->sides[1].session).objects_received, 1, 10);
}

// It has a number from before the walk, so that the feed takes it for known.
static void what_is_old_and_was_never_shown_comes_by_the_list(void **state)
{
    struct stage *s = *state;
    struct hash old = side_put(&s->sides[0], "{'$type$':'Child','x':'old'}");
    grant_child(s, 0, "newer");
    connect(s);
    catch_up(s);
    struct hash root = side_put(&s->sides[0], "{'$type$':'Link','text':'a','next':'%s'}", hash_text(&old).s);
    stage_disconnect(s, &s->sides[0]);
    connect(s);
    side_grant(&s->sides[0], &root, &s->sides[1]);
    catch_up(s);
    catch_up(s);
    assert_int_equal(side_presence(&s->sides[1], &old), STORE_PRESENT);
    assert_int_equal(side_presence(&s->sides[1], &root), STORE_PRESENT);
}

static void a_file_comes_with_its_object(void **state)
{
    struct stage *s = *state;
    connect(s);
    struct hash image = side_file(&s->sides[0], SPAN("\x01\x02 an image"));
    struct hash album = side_put(&s->sides[0], "{'$type$':'Album','title':'t','image':'%s'}", hash_text(&image).s);
    side_grant(&s->sides[0], &album, &s->sides[1]);
    catch_up(s);
    catch_up(s);
    assert_int_equal(side_presence(&s->sides[1], &album), STORE_PRESENT);
    assert_int_equal(side_presence(&s->sides[1], &image), STORE_PRESENT);
}

static void nothing_goes_back_to_where_it_came_from(void **state)
{
    struct stage *s = *state;
    connect(s);
    catch_up(s);
    uint64_t sent = chum_session_counts(s->sides[1].session).objects_sent;
    struct hash root = grant_child(s, 0, "there");
    catch_up(s);
    side_grant(&s->sides[1], &root, &s->sides[0]);
    catch_up(s);
    catch_up(s);
    struct chum_counts counts = chum_session_counts(s->sides[1].session);
    assert_in_range(counts.objects_sent - sent, 0, 3); // the grant, which is bob's
}

// The giver of a lot has it all: in the next session nothing of it is given back.
static void what_was_given_does_not_come_back_in_the_next_session(void **state)
{
    struct stage *s = *state;
    enum { MANY = 40 };
    struct hash given[MANY];
    side_put_many(&s->sides[0], &s->sides[1], MANY, given);
    connect(s);
    catch_up(s);
    for (size_t i = 0; i < MANY; i++)
        side_grant(&s->sides[1], &given[i], &s->sides[0]);
    catch_up(s);
    stage_disconnect(s, &s->sides[0]);
    connect(s);
    catch_up(s);
    assert_in_range(chum_session_counts(s->sides[1].session).objects_sent, 0, 10);
    assert_in_range(chum_session_counts(s->sides[0].session).objects_sent, 0, 10);
}

// As the reference writes it: an entry on top of the last one, and a version of the channel with it.
static struct hash post(struct side *side, unsigned number, struct hash *head)
{
    char before[100] = "";
    struct hash data = side_put(side, "{'$type$':'Child','x':'%u'}", number);
    struct hash time =
        side_put(side, "{'$type$':'CreationTime','timestamp':%u,'data':'%s'}", number, hash_text(&data).s);
    if (!hash_is_zero(head))
        snprintf(before, sizeof before, ",'previous':'%s'", hash_text(head).s);
    *head = side_put(side, "{'$type$':'LinkedListEntry','data':'%s'%s}", hash_text(&time).s, before);
    return side_change(side, "{'$type$':'ChannelInfo','id':'c','head':'%s'}", hash_text(head).s);
}

// What the other one makes of our posts comes back: it is stored, but is no version that we have not.
static void posts_that_come_back_are_not_merged(void **state)
{
    struct stage *s = *state;
    struct hash head = {{0}};
    struct hash ours;
    struct hash now;
    connect(s);
    for (unsigned i = 1; i <= 20; i++) {
        struct hash id = post(&s->sides[0], i, &head);
        assert_true(side_head(&s->sides[0], &id, &ours));
        if (i == 1)
            side_grant_id(&s->sides[0], &id, &s->sides[1]);
        catch_up(s);
        if (i == 1)
            side_grant_id(&s->sides[1], &id, &s->sides[0]);
        catch_up(s);
        assert_true(side_head(&s->sides[0], &id, &now));
        assert_true(hash_eq(&now, &ours));
        struct hash there = side_current(&s->sides[1], &id);
        struct hash here = side_current(&s->sides[0], &id);
        assert_true(hash_eq(&here, &there));
    }
}

// The same of one that comes back when many more have been posted.
static void a_post_that_comes_back_late_is_not_merged(void **state)
{
    struct stage *s = *state;
    struct hash head = {{0}};
    struct hash ours;
    struct hash now;
    connect(s);
    struct hash id = post(&s->sides[0], 1, &head);
    side_grant_id(&s->sides[0], &id, &s->sides[1]);
    catch_up(s);
    stage_disconnect(s, &s->sides[0]);
    for (unsigned i = 2; i <= 200; i++)
        post(&s->sides[0], i, &head);
    assert_true(side_head(&s->sides[0], &id, &ours));
    side_grant_id(&s->sides[1], &id, &s->sides[0]);
    connect(s);
    catch_up(s);
    assert_true(side_head(&s->sides[0], &id, &now));
    assert_true(hash_eq(&now, &ours));
    struct hash there = side_current(&s->sides[1], &id);
    struct hash here = side_current(&s->sides[0], &id);
    assert_true(hash_eq(&here, &there));
}

static enum status forget_epoch(struct store *s, void *arg, struct error *e)
{
    struct cursor_job *job = arg;
    char name[100];
    struct hash both = sha256((struct span){(const char *)&job->pair, sizeof job->pair});
    snprintf(name, sizeof name, "feed.%s", hash_text(&both).s);
    return store_setting_set(s, name, SPAN("1 2 3"), e); // 3: of a store before this one
}

static void a_cursor_of_an_earlier_store_is_none(void **state)
{
    struct stage *s = *state;
    struct cursor_job job = {.pair = pair_of(s, 1)};
    grant_child(s, 0, "first");
    connect(s);
    catch_up(s);
    assert_true(place(s, 1) > 0);
    side_must(&s->sides[1], forget_epoch, &job);
    assert_int_equal(place(s, 1), -1);
}

// ---- At random ------------------------------------------------------------------------------------------------------

struct model { // of what one side made
    struct hash objects[STEPS];
    size_t count;
    unsigned version;
};

static uint32_t seed;

static unsigned number(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static void put_album(struct side *side, struct model *m, size_t step)
{
    char next[100] = "";
    char image[100] = "";
    if (m->count != 0 && number(2) == 0)
        snprintf(next, sizeof next, ",'next':'%s'", hash_text(&m->objects[number((unsigned)m->count)]).s);
    if (number(4) == 0) {
        char content[32];
        snprintf(content, sizeof content, "\x01 file %zu", step);
        struct hash file = side_file(side, span_of(content));
        snprintf(image, sizeof image, ",'image':'%s'", hash_text(&file).s);
    }
    m->objects[m->count++] = side_put(side, "{'$type$':'Album','title':'%s %zu'%s%s}", side->dir, step, image, next);
}

static void do_something(struct stage *s, struct model *models, size_t step)
{
    size_t from = number(2);
    struct side *side = &s->sides[from];
    struct side *other = &s->sides[1 - from];
    struct model *m = &models[from];
    unsigned what = number(6);
    if (what <= 1 || m->count == 0) {
        put_album(side, m, step);
    } else if (what <= 3) {
        side_grant(side, &m->objects[number((unsigned)m->count)], other);
    } else if (what == 4) {
        struct hash id = side_change(side, "{'$type$':'Doc','id':'%s','n':%u}", side->dir, m->version++);
        if (number(2) == 0)
            side_grant_id(side, &id, other);
    } else if (side->session != NULL) {
        stage_disconnect(s, side);
    } else {
        connect(s);
    }
}

struct shown_job {
    struct hash person;
    bool own;
    struct hash_list roots;
};

static enum status note_root(struct span fragment, const struct hash *hash, const struct hash *id_hash, void *arg)
{
    (void)fragment;
    hash_list_add(arg, hash != NULL ? hash : id_hash);
    return STATUS_OK;
}

static enum status list_shown(struct store *s, void *arg, struct error *e)
{
    struct shown_job *job = arg;
    uint64_t skipped;
    return job->own ? store_roots_own(s, &job->person, note_root, &job->roots, &skipped, e)
                    : store_roots(s, &job->person, note_root, &job->roots, &skipped, e);
}

static enum status check_admitted(struct store *s, void *arg, struct error *e)
{
    struct shown_job *job = arg;
    for (size_t i = 0; i < job->roots.count; i++)
        if (!store_is_admitted(s, &job->roots.items[i]) || !store_is_complete(s, &job->roots.items[i]))
            return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%zu of %zu did not come: %s", i, job->roots.count,
                             hash_text(&job->roots.items[i]).s);
    return STATUS_OK;
}

static void everything_shown_is_there(struct stage *s, size_t from)
{
    struct shown_job job = {.person = s->sides[1 - from].node.identity.person_id,
                            .own = s->sides[from].options.peer_is_own};
    side_must(&s->sides[from], list_shown, &job);
    side_must(&s->sides[1 - from], check_admitted, &job);
    hash_list_free(&job.roots);
}

static void whatever_happens_everything_shown_arrives(void **state)
{
    struct stage *s = *state;
    struct model models[2] = {{.count = 0}};
    print_message("seed %u\n", seed);
    connect(s);
    for (size_t step = 0; step < STEPS; step++)
        do_something(s, models, step);
    if (s->sides[0].session == NULL)
        connect(s);
    for (int i = 0; i < 3; i++)
        catch_up(s);
    everything_shown_is_there(s, 0);
    everything_shown_is_there(s, 1);
    assert_true(place(s, 0) >= 0 && place(s, 1) >= 0);
}

static void walks_at_random(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WALKS; i++) {
        void *stage;
        seed = 77 + i;
        if (i % 2 == 0)
            begin_two(&stage);
        else
            begin_contacts(&stage);
        whatever_happens_everything_shown_arrives(&stage);
        end_two(&stage);
    }
}

// ---- Who lies -------------------------------------------------------------------------------------------------------

static const char *batch; // what the played peer answers
static unsigned lists;

static bool serve_batch(void *ctx, struct script *script, const struct rpc_request *r)
{
    (void)ctx;
    lists += r->service == CHUM_GET_ACCESSIBLE_ROOTS;
    if (r->service != CHUM_FEED)
        return false;
    rpc_answer_string(script->rpc, r->id, span_of(batch));
    batch = "7 1 end\n";
    return true;
}

static void play(struct gallery *g, const char *answer)
{
    lists = 0;
    batch = answer;
    g->ours->options.peer_is_own = g->ours->options.feeds = true;
    g->ours->policy.is_own = person_is_own;
    g->script.serve = serve_batch;
    gallery_pass(g);
}

static const char *const broken[] = {
    "",
    "7 1 end",
    "7 -1 end\n",
    "7 1 maybe\n",
    "99999999999999999999 1 end\n",
    "7 1 end\nR 5\nabc\n",
    "7 1 end\nR -1\n\n",
    "7 1 end\nX 1\n",
    "7 1 end\nE\n", // these can be read, and say nothing
    "7 1 end\nR 3\nabc\nE\n",
    "7 1 end\nR 2\n{}\nE\n",
};
enum { UNREADABLE = 8, BROKEN = sizeof broken / sizeof *broken };

static void what_is_no_batch_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNREADABLE; i++) {
        struct span rest = span_of(broken[i]);
        struct chum_batch_head head;
        struct chum_batch_item item;
        struct error why = {0};
        bool found = true;
        enum status st = chum_batch_read_head(&rest, &head, &why);
        while (st == STATUS_OK && found)
            st = chum_batch_read(&rest, &item, &found, &why);
        assert_string_equal(why.code, "FEED-BROKEN");
    }
}

static void what_is_no_batch_leads_to_the_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < BROKEN; i++) {
        struct gallery one;
        gallery_begin(&one, 2);
        struct hash root = gallery_object(&one, "{'$type$':'Child','x':'1'}");
        gallery_root(&one, &root, "Child");
        play(&one, broken[i]);
        assert_int_equal(lists, 1);
        assert_int_equal(one.ours->closed, 0);
        assert_int_equal(side_presence(one.ours, &root), STORE_PRESENT);
        gallery_end(&one);
    }
}

static void a_false_hash_is_not_taken(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    struct hash other = gallery_object(g, "{'$type$':'Child','x':'2'}");
    const char *text = json_string_value(json_object_get(json_object_get(g->exporter, "objects"), hash_text(&other).s));
    struct buf b = {0};
    struct buf entry = {0};
    buf_printf(&entry, "{\"type\":\"unversioned\",\"hash\":\"%s\",\"oneType\":\"Child\"}", hash_text(&root).s);
    const struct chum_batch_head head = {.next = {7, 1}, .more = CHUM_BATCH_END};
    chum_batch_write_head(&head, &b);
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT, .text = buf_span(&entry)}, &b);
    chum_batch_write(
        &(struct chum_batch_item){.what = BATCH_OBJECT, .kind = LINK_OBJECT, .hash = root, .text = span_of(text)}, &b);
    chum_batch_write(&(struct chum_batch_item){.what = BATCH_ROOT_OVER}, &b);
    play(g, buf_cstr(&b));
    assert_int_equal(side_presence(g->ours, &root), STORE_ABSENT);
    assert_int_equal(side_presence(g->ours, &other), STORE_ABSENT);
    assert_int_equal(lists, 1); // it was asked what there is
    buf_free(&b);
    buf_free(&entry);
}

static void a_peer_without_feeds_is_asked_for_its_list(void **state)
{
    struct gallery *g = *state;
    struct hash root = gallery_object(g, "{'$type$':'Child','x':'1'}");
    gallery_root(g, &root, "Child");
    g->ours->options.peer_is_own = g->ours->options.feeds = true;
    g->ours->policy.is_own = person_is_own;
    gallery_pass(g);
    assert_int_equal(side_presence(g->ours, &root), STORE_PRESENT);
}

static void nobody_else_is_given_one(void **state)
{
    struct gallery *g = *state;
    gallery_connect(g);
    while (g->script.rpc == NULL)
        stage_step(&g->stage);
    script_ask(&g->stage, &g->script, CHUM_FEED, "['0',0]");
    assert_string_equal(g->script.error.code, "UNKNOWN-SERVICE");
}

#define TWO(name)                                                                                                      \
    cmocka_unit_test_setup_teardown(name, begin_two, end_two),                                                         \
    {                                                                                                                  \
        "contacts_" #name, name, begin_contacts, end_two, NULL                                                         \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO(what_is_there_and_what_is_new_comes_by_the_feed),
        TWO(one_change_costs_the_same_after_many),
        TWO(a_new_session_goes_on_where_the_last_one_ended),
        TWO(what_is_old_and_was_never_shown_comes_by_the_list),
        TWO(a_file_comes_with_its_object),
        TWO(nothing_goes_back_to_where_it_came_from),
        TWO(what_was_given_does_not_come_back_in_the_next_session),
        TWO(posts_that_come_back_are_not_merged),
        TWO(a_post_that_comes_back_late_is_not_merged),
        TWO(a_cursor_of_an_earlier_store_is_none),
        cmocka_unit_test(walks_at_random),
        cmocka_unit_test(what_is_no_batch_is_told),
        cmocka_unit_test(what_is_no_batch_leads_to_the_list),
        GALLERY_TEST(a_false_hash_is_not_taken),
        GALLERY_TEST(a_peer_without_feeds_is_asked_for_its_list),
        GALLERY_TEST(nobody_else_is_given_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
