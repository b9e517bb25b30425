// Two sessions, two stores: what one grants, the other has after a pass.
#include "stage.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_granted_object_arrives, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
