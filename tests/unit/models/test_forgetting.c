// Contacts that are forgotten and paired again: what their old keys are still worth.
#include "by_topic.h"
#include "model_node.h"
#include "models/access.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/profile.h"
#include "models/sharing.h"
#include "models/trust.h"
#include "tests/unit/cmocka_all.h"

enum { PASSES = 4 };

struct world {
    struct model_node me;
    struct model_node ann;
    struct model_node ann_anew; // the same person after she lost her keys
};

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    model_node_time = 1700000000000;
    model_node_open_plain(&w->me, "me@test", "me", NULL);
    model_node_open_plain(&w->ann, "ann@test", "ann", "ws://localhost:1");
    model_node_open_plain(&w->ann_anew, "ann@test", "ann", "ws://localhost:1");
    model_node_pair(&w->me, &w->ann);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    model_node_close(&w->me);
    model_node_close(&w->ann);
    model_node_close(&w->ann_anew);
    free(w);
    return 0;
}

static void sync_both(struct model_node *a, struct model_node *b)
{
    for (int i = 0; i < PASSES; i++) {
        model_node_sync(a, b);
        model_node_sync(b, a);
    }
}

static void says(struct world *w, struct model_node *from, const char *text)
{
    struct chat_sent sent;
    model_node_time += 1000;
    struct model *m = model_node_begin(from);
    MUST(chat_send_to(m, &w->me.self->person, span_of(text), NULL, 0, &sent, &e));
    model_node_end(from);
    sync_both(from, &w->me);
}

static enum verification verdict_on(struct world *w, const char *text)
{
    struct topic topic;
    struct chat_messages page;
    MUST(chat_with(&w->me.m, &w->ann.self->person, &topic, &e));
    MUST(chat_page(&w->me.m, &topic, 0, NULL, &page, &e));
    for (size_t i = 0; i < page.count; i++)
        if (span_eq_text(page.items[i].text, text))
            return page.items[i].verification;
    fail_msg("%s did not arrive", text);
    return VERIFICATION_FORGED;
}

static void forget(struct model_node *n, const struct model_node *whom)
{
    struct model *m = model_node_begin(n);
    MUST(contact_forget(m, &whom->self->person, &e));
    model_node_end(n);
}

static struct trust_key decision(struct model_node *n, const struct model_node *about)
{
    struct trust_key key;
    trust_of_key(&n->m, &about->self->person, &about->self->person_keys.sign_public, &key);
    return key;
}

static void old_keys_are_not_trusted_after_pairing_with_new_ones(void **state)
{
    struct world *w = *state;
    says(w, &w->ann, "before");
    assert_int_equal(verdict_on(w, "before"), VERIFICATION_VERIFIED);
    forget(&w->me, &w->ann);
    model_node_pair(&w->me, &w->ann_anew);
    assert_true(decision(&w->me, &w->ann_anew).trusted);
    struct trust_key old = decision(&w->me, &w->ann);
    assert_false(old.trusted);
    assert_string_equal(trust_reason_text(old.reason), "the contact was forgotten since");
    says(w, &w->ann_anew, "it is me again");
    assert_int_equal(verdict_on(w, "it is me again"), VERIFICATION_VERIFIED);
    assert_int_equal(verdict_on(w, "before"), VERIFICATION_UNSIGNED); // not forged: nobody says so
}

static void who_has_the_old_keys_cannot_speak_for_the_contact(void **state)
{
    struct world *w = *state;
    says(w, &w->ann, "before");
    forget(&w->me, &w->ann);
    model_node_pair(&w->me, &w->ann_anew);
    struct model *m = model_node_begin(&w->me);
    MUST(sharing_apply(m, &w->ann.self->person, &e));
    model_node_end(&w->me);
    says(w, &w->ann, "made with the old keys");
    assert_int_equal(verdict_on(w, "made with the old keys"), VERIFICATION_UNSIGNED);
}

// Somebody who was forgotten by mistake proves the same keys again.
static void the_same_keys_are_trusted_again_once_they_are_paired_again(void **state)
{
    struct world *w = *state;
    says(w, &w->ann, "before");
    forget(&w->me, &w->ann);
    assert_int_equal(decision(&w->me, &w->ann).reason, TRUST_WITHDRAWN);
    model_node_pair(&w->me, &w->ann);
    assert_true(decision(&w->me, &w->ann).trusted);
    assert_int_equal(verdict_on(w, "before"), VERIFICATION_VERIFIED);
}

static void forgetting_twice_ends_like_forgetting_once(void **state)
{
    struct world *w = *state;
    forget(&w->me, &w->ann);
    model_node_pair(&w->me, &w->ann_anew);
    forget(&w->me, &w->ann_anew);
    model_node_pair(&w->me, &w->ann);
    assert_true(decision(&w->me, &w->ann).trusted);
    assert_false(decision(&w->me, &w->ann_anew).trusted);
}

// An old endpoint that comes back in a profile is not one we stand for.
static void old_endpoints_are_not_certified(void **state)
{
    struct world *w = *state;
    struct contact_endpoints rows;
    forget(&w->me, &w->ann);
    model_node_pair(&w->me, &w->ann_anew);
    struct model *m = model_node_begin(&w->ann);
    MUST(sharing_apply(m, &w->me.self->person, &e));
    model_node_end(&w->ann);
    sync_both(&w->ann, &w->me);
    MUST(contact_endpoints(&w->me.m, &rows, &e));
    for (size_t i = 0; i < rows.count; i++)
        assert_true(!rows.items[i].certified ||
                    public_key_eq(&rows.items[i].person_public, &w->ann_anew.self->person_keys.public_key));
}

// What a group may read is not for somebody who was forgotten, also not once paired again.
static void groups_are_left(void **state)
{
    struct world *w = *state;
    struct hash profile;
    struct hash group;
    struct model *m = model_node_begin(&w->me);
    MUST(profile_own(m, &profile, &e));
    const struct access_target target = {ACCESS_ID, profile};
    MUST(group_create(m, SPAN("friends"), true, &group, &e));
    MUST(group_add(m, &group, &w->ann.self->person, 1, &e));
    MUST(access_grant_group(m, target, &group, &e));
    assert_true(access_has(m, target, &w->ann.self->person));
    model_node_end(&w->me);
    forget(&w->me, &w->ann);
    model_node_pair(&w->me, &w->ann_anew);
    assert_false(access_has(&w->me.m, target, &w->ann.self->person));
}

static void the_own_other_node_follows(void **state)
{
    struct world *w = *state;
    struct model_node other;
    model_node_open_plain(&other, "other@test", "other", NULL);
    model_node_pair(&w->me, &other);
    model_node_become_own(&w->me, &other);
    model_node_become_own(&other, &w->me);
    sync_both(&w->me, &other);
    assert_true(decision(&other, &w->ann).trusted); // we vouch for her
    forget(&w->me, &w->ann);
    sync_both(&w->me, &other);
    assert_false(decision(&other, &w->ann).trusted);
    model_node_pair(&w->me, &w->ann_anew);
    sync_both(&w->me, &other);
    assert_true(decision(&other, &w->ann_anew).trusted);
    assert_false(decision(&other, &w->ann).trusted);
    model_node_close(&other);
}

static void sets_name(struct model_node *n, const char *name)
{
    model_node_time += 1000;
    struct model *m = model_node_begin(n);
    MUST(profile_set_name(m, span_of(name), &e));
    model_node_end(n);
}

// The other node still knows her and passes on what she says of herself.
static void news_of_whom_we_forgot_do_not_bring_her_back(void **state)
{
    struct world *w = *state;
    struct model_node other;
    struct contacts all;
    model_node_open_plain(&other, "other@test", "other", NULL);
    model_node_pair(&w->me, &other);
    model_node_pair(&w->ann, &other);
    model_node_become_own(&w->me, &other);
    model_node_become_own(&other, &w->me);
    struct model *m = model_node_begin(&w->ann);
    MUST(sharing_apply(m, &other.self->person, &e));
    model_node_end(&w->ann);
    sync_both(&w->me, &other);
    forget(&w->me, &w->ann);
    for (int i = 0; i < 3; i++) {
        sets_name(&w->ann, i % 2 == 0 ? "Ann" : "Anna");
        sync_both(&w->ann, &other);
        sync_both(&w->me, &other);
    }
    assert_true(contact_exists(&other.m, &w->ann.self->person));
    assert_false(contact_exists(&w->me.m, &w->ann.self->person));
    MUST(contact_list(&w->me.m, &all, &e));
    assert_int_equal(all.count, 1);
    model_node_pair(&w->me, &w->ann_anew);
    assert_true(contact_exists(&w->me.m, &w->ann.self->person));
    model_node_close(&other);
}

// Pairing at the other node is another thing than news: it lists her there and here.
static void who_pairs_with_the_other_node_is_listed_at_both(void **state)
{
    struct world *w = *state;
    struct model_node other;
    model_node_open_plain(&other, "other@test", "other", NULL);
    model_node_pair(&w->me, &other);
    model_node_become_own(&w->me, &other);
    model_node_become_own(&other, &w->me);
    forget(&w->me, &w->ann);
    model_node_pair(&w->ann_anew, &other);
    sync_both(&w->me, &other);
    assert_true(contact_exists(&w->me.m, &w->ann.self->person));
    model_node_close(&other);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(old_keys_are_not_trusted_after_pairing_with_new_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(who_has_the_old_keys_cannot_speak_for_the_contact, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_keys_are_trusted_again_once_they_are_paired_again, setup, teardown),
        cmocka_unit_test_setup_teardown(forgetting_twice_ends_like_forgetting_once, setup, teardown),
        cmocka_unit_test_setup_teardown(old_endpoints_are_not_certified, setup, teardown),
        cmocka_unit_test_setup_teardown(groups_are_left, setup, teardown),
        cmocka_unit_test_setup_teardown(the_own_other_node_follows, setup, teardown),
        cmocka_unit_test_setup_teardown(news_of_whom_we_forgot_do_not_bring_her_back, setup, teardown),
        cmocka_unit_test_setup_teardown(who_pairs_with_the_other_node_is_listed_at_both, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
