// Invitations that outlive a run, and the one transaction that stores a contact and uses its invitation up.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "harness.h"
#include "node/kept.h"
#include "tests/unit/cmocka_all.h"

struct scene {
    struct harness *h;
    struct kept *kept;
    struct tokens *tokens;
    struct pairing_token token;
    char *text; // to be stored
    bool fails; // the transaction does
    bool done;
};

static void end_wait(struct scene *s)
{
    s->done = true;
    loop_stop(s->h->node->loop);
}

static void wait_for(struct scene *s)
{
    while (!s->done)
        loop_run(s->h->node->loop);
    s->done = false;
}

static void added(void *ctx, const struct error *why)
{
    assert_null(why);
    end_wait(ctx);
}

static int begin(void **state)
{
    struct scene *s = mem_alloc(sizeof *s);
    s->h = harness_create();
    harness_provision(s->h);
    s->kept = kept_create(s->h->node);
    s->tokens = tokens_create(4, kept_hooks(s->kept));
    assert_int_equal(tokens_issue(s->tokens, &s->h->node->self->person, NULL, 0, clock_wall_ms(), &s->token, NULL),
                     STATUS_OK);
    kept_add(s->kept, &s->token, added, s);
    wait_for(s);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    tokens_destroy(s->tokens);
    kept_destroy(s->kept);
    harness_destroy(s->h);
    free(s);
    return 0;
}

// ---- The transaction of a pairing ----------------------------------------------------------------------------------

static enum status pair_work(struct store *store, void *arg, struct error *e)
{
    struct scene *s = arg;
    enum status st = store_setting_set(store, "test.contact", SPAN("stored"), e);
    if (st == STATUS_OK)
        st = kept_write(store, s->text, e);
    return st == STATUS_OK && s->fails ? error_set(e, STATUS_IO, "DISK-FULL", "no room") : st;
}

static void pair_done(void *arg, enum status status, const struct error *e)
{
    struct scene *s = arg;
    (void)e;
    kept_used(s->kept, &s->token, s->text, status == STATUS_OK);
    end_wait(s);
}

static void pair_with(struct scene *s, bool fails)
{
    s->fails = fails;
    s->text = kept_use(s->kept, &s->token);
    assert_non_null(s->text);
    store_submit(s->h->node->queue, pair_work, pair_done, s);
    wait_for(s);
}

struct found {
    struct scene *scene;
    bool contact, token;
};

static enum status look_work(struct store *store, void *arg, struct error *e)
{
    struct found *f = arg;
    struct arena *a = arena_create();
    struct span value;
    f->contact = store_setting_get(store, "test.contact", a, &value, e) == STATUS_OK;
    f->token = store_setting_get(store, "pairing.kept", a, &value, e) == STATUS_OK &&
               strstr(arena_copy(a, value).ptr, f->scene->token.text) != NULL;
    arena_destroy(a);
    return STATUS_OK;
}

static void look_done(void *arg, enum status status, const struct error *e)
{
    struct found *f = arg;
    (void)status, (void)e;
    end_wait(f->scene);
}

static struct found look(struct scene *s)
{
    struct found f = {.scene = s};
    store_submit(s->h->node->queue, look_work, look_done, &f); // behind what was submitted before
    wait_for(s);
    return f;
}

static void a_used_token_goes_with_the_contact(void **state)
{
    struct scene *s = *state;
    pair_with(s, false);
    struct found f = look(s);
    assert_true(f.contact && !f.token);
    assert_false(kept_has(s->kept, &s->token));
}

static void a_pairing_that_fails_leaves_it(void **state)
{
    struct scene *s = *state;
    pair_with(s, true);
    struct found f = look(s);
    assert_true(!f.contact && f.token);
    assert_true(kept_has(s->kept, &s->token));
    pair_with(s, false);
    f = look(s);
    assert_true(f.contact && !f.token);
}

// The node is asked for an invitation before it has read those of its last run.
static void what_is_added_at_once_replaces_nothing(void **state)
{
    struct scene *s = *state;
    struct pairing_token token;
    struct kept *kept = kept_create(s->h->node);
    struct tokens *tokens = tokens_create(4, kept_hooks(kept));
    assert_int_equal(tokens_issue(tokens, &s->h->node->self->person, NULL, 0, clock_wall_ms(), &token, NULL),
                     STATUS_OK);
    kept_load(kept, tokens);
    kept_add(kept, &token, added, s);
    wait_for(s);
    assert_true(look(s).token);
    assert_true(kept_has(kept, &s->token) && kept_has(kept, &token));
    s->token = token;
    assert_true(look(s).token);
    tokens_destroy(tokens);
    kept_destroy(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_used_token_goes_with_the_contact, begin, end),
        cmocka_unit_test_setup_teardown(a_pairing_that_fails_leaves_it, begin, end),
        cmocka_unit_test_setup_teardown(what_is_added_at_once_replaces_nothing, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
