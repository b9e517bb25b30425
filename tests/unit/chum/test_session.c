// Two sessions, two stores: what one grants, the other has after a pass.
#include "stage.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

static int begin(void **state)
{
    struct stage *s = mem_alloc(sizeof *s);
    stage_begin(s, 2, NULL, NULL);
    *state = s;
    return 0;
}

static int end(void **state)
{
    stage_end(*state);
    free(*state);
    return 0;
}

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

enum { MANY = 1000 };

static void a_thousand_objects_cross_both_ways(void **state)
{
    struct stage *s = *state;
    struct hash ours[MANY];
    for (size_t i = 0; i < MANY; i++) {
        struct side *from = &s->sides[i % 2];
        ours[i] = side_put(from, "{'$type$':'Child','x':'%zu'}", i);
        side_grant(from, &ours[i], &s->sides[1 - i % 2]);
    }
    stage_connect(s, &s->sides[0], &s->sides[1], NULL);
    stage_wait_passes(s, &s->sides[0], 1);
    stage_wait_passes(s, &s->sides[1], 1);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(side_presence(&s->sides[1 - i % 2], &ours[i]), STORE_PRESENT);
    struct chum_counts counts = chum_session_counts(s->sides[1].session);
    assert_int_equal(counts.objects_received, MANY / 2);
    assert_int_equal(counts.failed_roots, 0);
}

static void a_deep_tree_arrives_whole(void **state)
{
    struct stage *s = *state;
    struct side *alice = &s->sides[0];
    struct side *bob = &s->sides[1];
    struct hash h = side_put(alice, "{'$type$':'Link','text':'0'}");
    struct hash first = h;
    for (size_t i = 1; i < MANY; i++)
        h = side_put(alice, "{'$type$':'Link','text':'%zu','next':'%s'}", i, hash_text(&h).s);
    side_grant(alice, &h, bob);
    stage_connect(s, alice, bob, NULL);
    stage_wait_passes(s, bob, 1);
    assert_int_equal(side_presence(bob, &first), STORE_PRESENT);
    assert_int_equal(side_presence(bob, &h), STORE_PRESENT);
    assert_int_equal(chum_session_counts(bob->session).objects_received, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_granted_object_arrives, begin, end),
        cmocka_unit_test_setup_teardown(a_thousand_objects_cross_both_ways, begin, end),
        cmocka_unit_test_setup_teardown(a_deep_tree_arrives_whole, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
