// A contact asks a sparse node for a file that lies at the archive: it waits until the file is fetched (docs/feeds.md).
// Alice is the archive, Bob the sparse node, Carol the contact.
#include "gallery.h"

#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

enum { SIZE = 2000 };

struct scene {
    struct stage stage;
    struct hash file, root;
    unsigned asked;
    chum_fetched done; // of the last question
    void *done_ctx;
    char bytes[SIZE];
};

static bool is_own(void *ctx, struct store *s, const struct hash *person)
{
    (void)ctx, (void)s, (void)person;
    return true;
}

static void fetch(void *ctx, const struct hash *file, chum_fetched done, void *done_ctx)
{
    struct scene *s = ctx;
    assert_true(hash_eq(file, &s->file));
    s->asked++;
    s->done = done;
    s->done_ctx = done_ctx;
}

static bool is_asked(void *ctx)
{
    return ((struct scene *)ctx)->done != NULL;
}

static void answer(struct scene *s, enum status status)
{
    struct error e = {0};
    chum_fetched done = s->done;
    s->done = NULL;
    if (status != STATUS_OK)
        error_set(&e, status, status == STATUS_TIMEOUT ? "STILL-FETCHING" : "NOT-HERE", "it did not come");
    done(s->done_ctx, status, &e);
}

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    struct side *alice = &s->stage.sides[0], *bob = &s->stage.sides[1], *carol = &s->stage.sides[2];
    atomic_uint_least64_t takes = SIZE - 1;
    memset(s->bytes, 'a', SIZE);
    stage_begin(&s->stage, 3, gallery_recipes, NULL);
    s->file = side_file(alice, (struct span){s->bytes, SIZE});
    s->root = side_put(alice, "{'$type$':'Album','title':'a','image':'%s'}", hash_text(&s->file).s);
    side_grant(alice, &s->root, bob);
    alice->policy.is_own = bob->policy.is_own = is_own;
    alice->options = (struct chum_options){.peer_is_own = true, .feeds = true};
    bob->options = (struct chum_options){.peer_is_own = true, .takes = &takes};
    stage_connect(&s->stage, alice, bob, NULL);
    stage_wait_passes(&s->stage, bob, 1);
    stage_disconnect(&s->stage, bob);
    assert_int_equal(side_presence(bob, &s->file), STORE_REMOTE);
    bob->policy.is_own = NULL;
    bob->options = (struct chum_options){0};
    bob->elsewhere = (struct chum_elsewhere){fetch, s};
    side_grant(bob, &s->root, carol);
    stage_connect(&s->stage, carol, bob, NULL);
    stage_wait(&s->stage, is_asked, s, "Bob to be asked for the file");
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    stage_end(&s->stage);
    free(s);
    return 0;
}

static void it_comes_when_it_is_fetched(void **state)
{
    struct scene *s = *state;
    struct side *bob = &s->stage.sides[1], *carol = &s->stage.sides[2];
    stage_sleep(&s->stage, 1000);
    assert_int_equal(side_presence(carol, &s->file), STORE_ABSENT);
    side_file(bob, (struct span){s->bytes, SIZE});
    answer(s, STATUS_OK);
    stage_wait_passes(&s->stage, carol, 1);
    assert_string_equal(carol->last_failure.code, "");
    assert_int_equal(side_presence(carol, &s->file), STORE_PRESENT);
    assert_int_equal(s->asked, 1);
}

static void it_fails_where_it_cannot_be_fetched(void **state)
{
    struct scene *s = *state;
    struct side *carol = &s->stage.sides[2];
    answer(s, STATUS_CLOSED);
    stage_wait_passes(&s->stage, carol, 1);
    assert_string_equal(carol->last_failure.code, "BLOB-UNAVAILABLE");
    assert_int_equal(carol->closed, 0);
    assert_int_equal(s->asked, 1);
}

static void one_that_takes_long_is_waited_for_again(void **state)
{
    struct scene *s = *state;
    struct side *bob = &s->stage.sides[1], *carol = &s->stage.sides[2];
    answer(s, STATUS_TIMEOUT);
    stage_wait(&s->stage, is_asked, s, "Bob to be asked again");
    side_file(bob, (struct span){s->bytes, SIZE});
    answer(s, STATUS_OK);
    stage_wait_passes(&s->stage, carol, 1);
    assert_int_equal(side_presence(carol, &s->file), STORE_PRESENT);
    assert_int_equal(s->asked, 2);
}

// There is no room for it, so that it goes as soon as it is here.
static void it_is_not_fetched_for_ever(void **state)
{
    struct scene *s = *state;
    struct side *carol = &s->stage.sides[2];
    for (unsigned i = 0; i < 3; i++) {
        stage_wait(&s->stage, is_asked, s, "Bob to be asked again");
        answer(s, STATUS_OK);
    }
    stage_wait_passes(&s->stage, carol, 1);
    assert_string_equal(carol->last_failure.code, "BLOB-UNAVAILABLE");
    assert_int_equal(s->asked, 3);
}

static void the_session_may_end_before(void **state)
{
    struct scene *s = *state;
    stage_disconnect(&s->stage, &s->stage.sides[2]);
    stage_wait_closed(&s->stage, &s->stage.sides[1]);
    answer(s, STATUS_OK);
    assert_int_equal(s->asked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_comes_when_it_is_fetched, begin, end),
        cmocka_unit_test_setup_teardown(it_fails_where_it_cannot_be_fetched, begin, end),
        cmocka_unit_test_setup_teardown(one_that_takes_long_is_waited_for_again, begin, end),
        cmocka_unit_test_setup_teardown(it_is_not_fetched_for_ever, begin, end),
        cmocka_unit_test_setup_teardown(the_session_may_end_before, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
