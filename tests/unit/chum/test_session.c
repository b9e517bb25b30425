// Two sessions, two stores: what one grants, the other has after a pass; edits on both sides come together and to
// rest; a cut line costs nothing but time.
#include "stage.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

static struct stage *begin_with(size_t sides)
{
    struct stage *s = mem_alloc(sizeof *s);
    stage_begin(s, sides, NULL, NULL);
    for (size_t i = 0; i < sides; i++)
        s->sides[i].options = (struct chum_options){.peer_is_own = true, .poll_ms = 100};
    return s;
}

static int begin(void **state)
{
    *state = begin_with(2);
    return 0;
}

static int begin_three(void **state)
{
    *state = begin_with(3);
    return 0;
}

static int end(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

// ---- Objects -------------------------------------------------------------------------------------------------------

static void a_granted_object_arrives(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    struct hash leaf = side_put(alice, "{'$type$':'Child','x':'1'}");
    struct hash root = side_put(alice, "{'$type$':'Link','text':'a','next':'%s'}", hash_text(&leaf).s);
    side_grant(alice, &root, bob);
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 1);
    assert_int_equal(side_presence(bob, &root), STORE_PRESENT);
    assert_int_equal(side_presence(bob, &leaf), STORE_PRESENT);
    stage_wait_passes(s, alice, 1);
    assert_int_equal(bob->importing, 1);
    assert_int_equal(bob->exporting, 1);
}

static void a_later_grant_arrives_with_a_later_pass(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 1);
    struct hash leaf = side_put(alice, "{'$type$':'Child','x':'1'}");
    side_grant(alice, &leaf, bob);
    stage_wait_passes(s, bob, chum_session_counts(bob->session).passes + 2);
    assert_int_equal(side_presence(bob, &leaf), STORE_PRESENT);
    assert_int_equal(bob->importing, 1);
    assert_int_equal(bob->passed, 2); // the first, and the one that brought something
}

static void nothing_is_given_to_others(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    struct hash leaf = side_put(alice, "{'$type$':'Child','x':'1'}");
    side_grant(alice, &leaf, alice);
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 2);
    assert_int_equal(side_presence(bob, &leaf), STORE_ABSENT);
    assert_int_equal(chum_session_counts(alice->session).objects_sent, 0);
}

enum { MANY = 1000, DEEP = 300 };

static void expect_many(struct side *side, const struct hash *hashes)
{
    for (size_t i = 0; i < MANY; i += 7)
        assert_int_equal(side_presence(side, &hashes[i]), STORE_PRESENT);
}

static void a_thousand_objects_cross_both_ways(void **state)
{
    struct stage *s = *state;
    struct hash hashes[2][MANY];
    for (size_t i = 0; i < 2; i++)
        side_put_many(&s->sides[i], &s->sides[1 - i], MANY, hashes[i]);
    stage_connect(s, &s->sides[0], &s->sides[1], NULL);
    for (size_t i = 0; i < 2; i++)
        stage_wait_passes(s, &s->sides[i], 1);
    for (size_t i = 0; i < 2; i++) {
        struct chum_counts counts = chum_session_counts(s->sides[i].session);
        expect_many(&s->sides[1 - i], hashes[i]);
        assert_int_equal(counts.objects_received, MANY);
        assert_int_equal(counts.objects_sent, MANY);
        assert_int_equal(counts.failed_roots, 0);
    }
}

static void a_deep_tree_arrives_whole(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    struct hash h = side_put(alice, "{'$type$':'Link','text':'0'}");
    struct hash first = h;
    for (size_t i = 1; i < DEEP; i++)
        h = side_put(alice, "{'$type$':'Link','text':'%zu','next':'%s'}", i, hash_text(&h).s);
    side_grant(alice, &h, bob);
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 1);
    assert_int_equal(side_presence(bob, &first), STORE_PRESENT);
    assert_int_equal(side_presence(bob, &h), STORE_PRESENT);
    assert_int_equal(chum_session_counts(bob->session).objects_received, DEEP);
}

// ---- A line that breaks --------------------------------------------------------------------------------------------

struct cut { // swallows everything behind so many messages
    unsigned left;
};

static bool pass_until_cut(void *ctx, int from, bool *text, struct buf *payload)
{
    struct cut *c = ctx;
    (void)from, (void)text, (void)payload;
    if (c->left == 0)
        return false;
    c->left--;
    return true;
}

static bool is_cut(void *ctx)
{
    return ((struct cut *)ctx)->left == 0;
}

static uint64_t sync_and_break(struct stage *s, unsigned messages)
{
    struct side *bob = &s->sides[1];
    struct cut c = {messages};
    struct pipe_line line = {pass_until_cut, &c};
    stage_connect(s, &s->sides[0], bob, &line);
    stage_wait(s, is_cut, &c, "the line's end");
    pipe_break(s->ends[0]);
    stage_wait_closed(s, bob);
    stage_wait_closed(s, &s->sides[0]);
    return bob->counts.objects_received;
}

static void a_broken_line_is_taken_up_where_it_broke(void **state)
{
    struct stage *s = *state;
    struct side *bob = &s->sides[1];
    struct hash hashes[MANY];
    uint64_t received = 0;
    side_put_many(&s->sides[0], bob, MANY, hashes);
    for (unsigned messages = 30; messages <= 1000; messages += 194)
        received += sync_and_break(s, messages);
    assert_in_range(received, 1, MANY - 1);
    stage_connect(s, &s->sides[0], bob, NULL);
    stage_wait_passes(s, bob, 1);
    expect_many(bob, hashes);
    assert_in_range(received + chum_session_counts(bob->session).objects_received, received + 1, MANY);
}

// ---- Versions ------------------------------------------------------------------------------------------------------

static struct hash edit(struct side *side, const char *member, const char *value)
{
    return side_change(side, "{'$type$':'Doc','id':'d','%s':%s}", member, value);
}

static void grant_to_all(struct stage *s, const struct hash *id)
{
    struct buf persons = {0};
    for (size_t i = 0; i < s->count; i++)
        buf_printf(&persons, "%s'%s'", i != 0 ? "," : "", hash_text(&s->sides[i].node.identity.person_id).s);
    for (size_t i = 0; i < s->count; i++)
        side_change(&s->sides[i], "{'$type$':'IdAccess','id':'%s','person':[%s],'group':[]}", hash_text(id).s,
                    buf_cstr(&persons));
    buf_free(&persons);
}

static bool agree(struct stage *s, const struct hash *id)
{
    struct hash first = side_current(&s->sides[0], id);
    for (size_t i = 1; i < s->count; i++) {
        struct hash other = side_current(&s->sides[i], id);
        if (!hash_eq(&first, &other))
            return false;
    }
    return true;
}

static void a_few_passes(struct stage *s)
{
    for (size_t i = 0; i < 2; i++) {
        stage_wait_passes(s, &s->sides[i], 1);
        stage_wait_passes(s, &s->sides[i], chum_session_counts(s->sides[i].session).passes + 4);
    }
}

static void a_version_becomes_the_current_one(void **state)
{
    struct stage *s = *state;
    struct side *bob = &s->sides[1];
    struct hash id = edit(&s->sides[0], "s", "'1'");
    side_grant_id(&s->sides[0], &id, bob);
    stage_connect(s, &s->sides[0], bob, NULL);
    stage_wait_passes(s, bob, 1);
    assert_true(agree(s, &id));
    edit(&s->sides[0], "s", "'2'");
    a_few_passes(s);
    assert_true(agree(s, &id));
    struct hash current = side_current(bob, &id);
    assert_non_null(strstr(side_text(bob, &current).ptr, ">2<"));
}

static void edits_of_both_come_together_and_to_rest(void **state)
{
    static const char *const values[] = {"{'$set':['a','b']}", "{'$set':['c']}", "{'$set':['a','d']}"};
    struct stage *s = *state;
    struct hash id = edit(&s->sides[0], "set", values[0]);
    edit(&s->sides[1], "t", "'bob'");
    grant_to_all(s, &id);
    stage_connect(s, &s->sides[0], &s->sides[1], NULL);
    for (size_t round = 0; round < 3; round++) {
        edit(&s->sides[0], "set", values[round]);
        edit(&s->sides[1], "set", values[2 - round]);
        a_few_passes(s);
        assert_true(agree(s, &id));
        uint64_t objects = side_objects(&s->sides[0]) + side_objects(&s->sides[1]);
        a_few_passes(s);
        assert_int_equal(side_objects(&s->sides[0]) + side_objects(&s->sides[1]), objects);
    }
}

static void meet(struct stage *s, size_t a, size_t b)
{
    stage_connect(s, &s->sides[a], &s->sides[b], NULL);
    for (size_t i = 0; i < 3; i++) {
        stage_wait_passes(s, &s->sides[a], i + 1);
        stage_wait_passes(s, &s->sides[b], i + 1);
    }
    stage_disconnect(s, &s->sides[a]);
}

static void three_that_meet_in_turn_agree(void **state)
{
    struct stage *s = *state;
    struct hash id = edit(&s->sides[0], "set", "{'$set':['a']}");
    edit(&s->sides[1], "set", "{'$set':['b']}");
    edit(&s->sides[2], "set", "{'$set':['c']}");
    grant_to_all(s, &id);
    for (size_t round = 0; round < 3; round++) {
        meet(s, 0, 1);
        meet(s, 1, 2);
        meet(s, 2, 0);
    }
    assert_true(agree(s, &id));
    struct hash current = side_current(&s->sides[0], &id);
    struct span text = side_text(&s->sides[0], &current);
    assert_non_null(strstr(text.ptr, "<li>a</li><li>b</li><li>c</li>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_granted_object_arrives, begin, end),
        cmocka_unit_test_setup_teardown(a_later_grant_arrives_with_a_later_pass, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_given_to_others, begin, end),
        cmocka_unit_test_setup_teardown(a_thousand_objects_cross_both_ways, begin, end),
        cmocka_unit_test_setup_teardown(a_deep_tree_arrives_whole, begin, end),
        cmocka_unit_test_setup_teardown(a_broken_line_is_taken_up_where_it_broke, begin, end),
        cmocka_unit_test_setup_teardown(a_version_becomes_the_current_one, begin, end),
        cmocka_unit_test_setup_teardown(edits_of_both_come_together_and_to_rest, begin, end),
        cmocka_unit_test_setup_teardown(three_that_meet_in_turn_agree, begin_three, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
