// Instances, the contact book, pairing, forgetting, names, trust.
#include <stdio.h>
#include <unistd.h>

#include "by_topic.h"
#include "model_node.h"
#include "models/access.h"
#include "models/apart.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/history.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/sharing.h"
#include "models/trust.h"
#include "tests/unit/cmocka_all.h"

// ---- Instances ------------------------------------------------------------------------------------------------------

static void opens_again_with_the_same_keys(void **state)
{
    struct model_pair *p = *state;
    struct identity *again;
    bool created;
    const struct instance_options options = {.email = SPAN("ann@test"), .instance_name = SPAN("ann")};
    MUST(instance_open(p->a.store, p->a.keys, &options, 1, &again, &created, &e));
    assert_false(created);
    assert_true(hash_eq(&again->person_keys.keys, &p->a.self->person_keys.keys));
    assert_true(secret_eq(&again->instance_keys.secret, &p->a.self->instance_keys.secret));
    identity_destroy(again);
    MUST(instance_reopen(p->a.store, p->a.keys, &again, &e));
    assert_string_equal(again->email, "ann@test");
    assert_string_equal(again->instance_name, "ann");
    identity_destroy(again);
}

static void belongs_to_one_user(void **state)
{
    struct model_pair *p = *state;
    struct identity *other;
    bool created;
    struct error why;
    const struct instance_options options = {.email = SPAN("eve@test"), .instance_name = SPAN("ann")};
    assert_int_equal(instance_open(p->a.store, p->a.keys, &options, 1, &other, &created, &why), STATUS_CONFLICT);
    assert_string_equal(why.code, "ALREADY-PROVISIONED");
    assert_null(other);
    const struct instance_options odd = {.email = SPAN("a<b@test"), .instance_name = SPAN("ann")};
    assert_int_equal(instance_open(p->a.store, p->a.keys, &odd, 1, &other, &created, &why), STATUS_INVALID);
}

static void an_object_of_another_type_is_not_read(void **state)
{
    struct model_pair *p = *state;
    struct value *v;
    struct error why;
    model_node_begin(&p->a);
    MUST(model_read(&p->a.m, &p->a.self->person_keys.keys, "Keys", &v, &e));
    assert_int_equal(model_read(&p->a.m, &p->a.self->person_keys.keys, "Profile", &v, &why), STATUS_INVALID);
    assert_string_equal(why.code, "BAD-OBJECT");
    model_node_end(&p->a);
}

static void says_when_the_secret_keys_are_gone(void **state)
{
    struct model_pair *p = *state;
    struct identity *again;
    struct error why;
    char path[200];
    snprintf(path, sizeof path, "%s/private/%s.sign", p->a.dir, hash_text(&p->a.self->person_keys.keys).s);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(instance_reopen(p->a.store, p->a.keys, &again, &why), STATUS_NOT_FOUND);
    assert_string_equal(why.code, "STORE-MISSING");
}

// The transaction of an interrupted creation is lost, its key files are not: creation runs again and ends well.
static void finishes_an_interrupted_creation(void **state)
{
    struct model_pair *p = *state;
    struct identity *i;
    bool created;
    struct secret key = secret_random(32);
    char path[100];
    snprintf(path, sizeof path, "%s/second", p->a.dir);
    struct recipes *recipes = recipes_create(true);
    struct store *s;
    struct keychain *k;
    struct store_report report;
    const struct store_options so = {.dir = path, .kind = STORE_SPARSE, .recipes = recipes};
    const struct instance_options options = {.email = SPAN("cy@test"), .instance_name = SPAN("cy")};
    MUST(store_open(&so, &s, &report, &e));
    snprintf(path, sizeof path, "%s/secondkeys", p->a.dir);
    MUST(keychain_open(path, &key, true, &k, &e));
    MUST(store_begin(s, &e));
    MUST(instance_open(s, k, &options, 1, &i, &created, &e));
    identity_destroy(i);
    store_rollback(s);
    MUST(store_begin(s, &e));
    MUST(instance_open(s, k, &options, 1, &i, &created, &e));
    MUST(store_commit(s, &e));
    assert_true(created);
    identity_destroy(i);
    MUST(instance_reopen(s, k, &i, &e));
    identity_destroy(i);
    store_close(s);
    keychain_close(k);
    secret_destroy(&key);
    recipes_destroy(recipes);
}

static void has_room_for_more_identities(void **state)
{
    struct model_pair *p = *state;
    struct identity *second;
    struct identity **all;
    size_t count;
    struct trust_keys keys;
    const struct instance_options options = {.email = SPAN("ann2@test"), .instance_name = SPAN("ann-two")};
    struct model *m = model_node_begin(&p->a);
    MUST(instance_add_identity(m, p->a.keys, &options, (struct span){0}, &second, &e));
    model_node_end(&p->a);
    assert_true(leute_is_me(m, &second->person));
    MUST(trust_keys_of(m, &second->person, &keys, &e));
    assert_int_equal(keys.count, 1);
    assert_true(keys.items[0].trusted);
    MUST(instance_identities(m, p->a.keys, &all, &count, &e));
    assert_int_equal(count, 1);
    assert_true(hash_eq(&all[0]->instance, &second->instance));
    assert_true(secret_eq(&all[0]->person_keys.sign_secret, &second->person_keys.sign_secret));
    identity_destroy(all[0]);
    free(all);
    identity_destroy(second);
    MUST(instance_reopen(p->a.store, p->a.keys, &second, &e)); // still the main one
    assert_string_equal(second->email, "ann@test");
    identity_destroy(second);
}

static void starts_once(void **state)
{
    struct model_pair *p = *state;
    struct hash id;
    struct hash before;
    struct hash after;
    struct model *m = model_node_begin(&p->a);
    MUST(leute_id(m, &id, &e));
    MUST(store_head(m->store, &id, &before, &e));
    m->now_ms += 1000;
    MUST(leute_init(m, SPAN("ws://localhost:1"), &e));
    MUST(store_head(m->store, &id, &after, &e));
    model_node_end(&p->a);
    assert_true(hash_eq(&before, &after));
}

// ---- Pairing --------------------------------------------------------------------------------------------------------

static void pairing_makes_contacts(void **state)
{
    struct model_pair *p = *state;
    struct contacts list;
    model_node_pair(&p->a, &p->b);
    MUST(contact_list(&p->b.m, &list, &e));
    assert_int_equal(list.count, 1);
    assert_true(hash_eq(&list.items[0].person, &p->a.self->person));
    assert_true(span_eq_text(list.items[0].name, "ann@test")); // nobody gave a name yet
    assert_true(list.items[0].trusted);
    assert_int_equal(list.items[0].instance_count, 1);
    assert_true(group_has(&p->b.m, GROUP_EVERYONE, &p->a.self->person));
    model_node_pair(&p->a, &p->b);
    MUST(contact_list(&p->b.m, &list, &e));
    assert_int_equal(list.count, 1);
}

// Bob is the contact of one identity; with other keys he is nobody's, and neither identity sees the other's people.
static void identities_keep_their_contacts_apart(void **state)
{
    struct model_pair *p = *state;
    struct identity *work;
    struct contact_paired paired;
    struct contacts list;
    struct error why = {0};
    const struct instance_options options = {.email = SPAN("ann@work"), .instance_name = SPAN("desk")};
    struct contact_identity bob = model_node_identity(&p->b, "ws://bob:1");
    struct model *m = model_node_begin(&p->a);
    MUST(instance_add_identity(m, p->a.keys, &options, (struct span){0}, &work, &e));
    struct model at_work = *m;
    at_work.self = work;
    MUST(apart_begin(&at_work, &e));
    MUST(contact_pair(&at_work, &bob, &paired, &e));
    MUST(contact_list(&at_work, &list, &e));
    assert_int_equal(list.count, 1);
    assert_true(list.items[0].trusted);
    assert_false(contact_exists(m, &p->b.self->person));
    assert_false(group_has(m, GROUP_EVERYONE, &p->b.self->person));
    MUST(contact_list(m, &list, &e));
    assert_int_equal(list.count, 0);

    bob.person_public.b[0] ^= 1; // the main identity takes nobody else for him
    assert_int_equal(contact_pair(m, &bob, &paired, &why), STATUS_REFUSED);
    assert_string_equal(why.code, "EP-KEYMISSMATCH");
    model_node_end(&p->a);

    m = model_node_begin(&p->a);
    bob = model_node_identity(&p->b, "ws://bob:1");
    MUST(contact_pair(m, &bob, &paired, &e));
    assert_true(contact_exists(m, &p->b.self->person) && contact_exists(&at_work, &p->b.self->person));
    MUST(contact_forget(m, &p->b.self->person, &e));
    assert_false(contact_exists(&at_work, &p->b.self->person));
    model_node_end(&p->a);
    identity_destroy(work);
}

static void names_travel_with_the_profile(void **state)
{
    struct model_pair *p = *state;
    struct contact ann;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_apply(m, &p->b.self->person, &e));
    MUST(profile_set_name(m, SPAN("Ann of Green Gables"), &e));
    model_node_end(&p->a);
    model_node_sync(&p->a, &p->b);
    MUST(contact_get(&p->b.m, &p->a.self->person, &ann, &e));
    assert_true(span_eq_text(ann.name, "Ann of Green Gables"));
    assert_true(span_eq_text(ann.email, "ann@test"));
    assert_true(ann.trusted);
    struct span own;
    MUST(profile_name_of(&p->a.m, &p->a.self->person, &own, &e));
    assert_true(span_eq_text(own, "Ann of Green Gables"));
}

static struct hash store_name(struct model *m, const char *text)
{
    struct hash hash;
    struct value *name = model_object(m, "PersonName");
    model_set_text(m, name, "name", span_of(text));
    MUST(model_put(m, name, &hash, &e));
    return hash;
}

// As an application does that adds a name to those the profile has, or replaces them.
static void write_names(struct model_node *n, int seconds, bool replace, const char *text)
{
    struct hash id;
    struct profile profile;
    struct model *m = model_node_begin(n);
    m->now_ms += seconds * 1000;
    MUST(profile_own(m, &id, &e));
    MUST(profile_load(m, &id, &profile, &e));
    struct hash added = store_name(m, text);
    if (replace)
        hash_list_free(&profile.descriptions);
    hash_list_add(&profile.descriptions, &added);
    MUST(profile_save(m, &profile, &e));
    profile_free(&profile);
    model_node_end(n);
}

static void of_several_names_the_last_counts(void **state)
{
    static const struct {
        const char *text;
        bool replace;
    } steps[] = {{"Zoe", true}, {"Ann", false}, {"Mia", false}, {"Bea", true}, {"Ann", true}, {"Cleo", false}};
    struct model_pair *p = *state;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_apply(m, &p->b.self->person, &e));
    model_node_end(&p->a);
    for (int i = 0; i < (int)(sizeof steps / sizeof *steps); i++) {
        struct contact ann;
        write_names(&p->a, i, steps[i].replace, steps[i].text);
        model_node_sync(&p->a, &p->b);
        MUST(contact_get(&p->b.m, &p->a.self->person, &ann, &e));
        assert_true(span_eq_text(ann.name, steps[i].text));
    }
}

static void set_urls(struct model_node *n, const char *listener, const char *relay)
{
    const struct profile_urls urls = {{span_of(listener), span_of(relay)}, relay != NULL ? 2 : 1};
    struct model *m = model_node_begin(n);
    MUST(profile_set_urls(m, &urls, &e));
    model_node_end(n);
}

static bool has_url(const struct contact_endpoints *rows, const char *url)
{
    for (size_t i = 0; i < rows->count; i++)
        if (span_eq_text(rows->items[i].url, url))
            return true;
    return false;
}

static void a_moved_endpoint_arrives(void **state)
{
    struct model_pair *p = *state;
    struct contact_endpoints rows;
    struct profile_urls bad = {{SPAN("\xff")}, 1};
    struct error why;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_apply(m, &p->b.self->person, &e));
    model_node_end(&p->a);
    set_urls(&p->a, "ws://localhost:2", NULL);
    model_node_sync(&p->a, &p->b);
    MUST(contact_endpoints(&p->b.m, &rows, &e));
    assert_true(rows.count >= 1);
    assert_true(span_eq_text(rows.items[0].url, "ws://localhost:2")); // the latest first
    assert_true(rows.items[0].certified);
    assert_true(public_key_eq(&rows.items[0].instance_public, &p->a.self->instance_keys.public_key));
    assert_int_equal(profile_set_urls(m, &bad, &why), STATUS_INVALID);
}

static void several_addresses_of_an_instance_arrive(void **state)
{
    struct model_pair *p = *state;
    struct contact_endpoints rows;
    struct profile_urls urls;
    struct hash id, before, after;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_apply(m, &p->b.self->person, &e));
    model_node_end(&p->a);
    set_urls(&p->a, "ws://localhost:1", "wss://relay");
    model_node_sync(&p->a, &p->b);
    MUST(contact_endpoints(&p->b.m, &rows, &e));
    assert_true(has_url(&rows, "ws://localhost:1") && has_url(&rows, "wss://relay"));
    MUST(profile_urls(m, &urls, &e));
    assert_int_equal(urls.count, 2);
    MUST(profile_own(m, &id, &e));
    MUST(store_head(m->store, &id, &before, &e));
    set_urls(&p->a, "ws://localhost:1", "wss://relay"); // nothing new: no new version
    MUST(store_head(m->store, &id, &after, &e));
    assert_true(hash_eq(&before, &after));
}

static void other_keys_need_forgetting(void **state)
{
    struct model_pair *p = *state;
    struct model_node impostor;
    struct contact_paired paired;
    struct contact_endpoints rows;
    struct error why;
    model_node_pair(&p->a, &p->b);
    model_node_open_plain(&impostor, "ann@test", "ann", NULL);
    struct contact_identity identity = model_node_identity(&impostor, NULL);
    struct model *m = model_node_begin(&p->b);
    assert_int_equal(contact_pair(m, &identity, &paired, &why), STATUS_REFUSED);
    assert_string_equal(why.code, "EP-KEYMISSMATCH");
    model_node_drop(&p->b);
    m = model_node_begin(&p->b);
    MUST(contact_forget(m, &p->a.self->person, &e));
    model_node_end(&p->b);
    struct contacts list;
    MUST(contact_list(m, &list, &e));
    assert_int_equal(list.count, 0);
    MUST(contact_endpoints(m, &rows, &e));
    assert_int_equal(rows.count, 0);
    m = model_node_begin(&p->b);
    MUST(contact_pair(m, &identity, &paired, &e));
    model_node_end(&p->b);
    assert_true(paired.is_new);
    MUST(contact_endpoints(m, &rows, &e));
    assert_int_equal(rows.count, 1);
    assert_true(public_key_eq(&rows.items[0].person_public, &impostor.self->person_keys.public_key));
    model_node_close(&impostor);
}

static void forgetting_takes_grants_back(void **state)
{
    struct model_pair *p = *state;
    struct access_grants grants;
    struct error why;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_apply(m, &p->b.self->person, &e));
    MUST(access_list(m, &p->b.self->person, &grants, &e));
    assert_true(grants.count >= 3); // profile, topic, channel
    MUST(contact_forget(m, &p->b.self->person, &e));
    MUST(access_list(m, &p->b.self->person, &grants, &e));
    assert_int_equal(grants.count, 0);
    assert_int_equal(contact_forget(m, &p->b.self->person, &why), STATUS_NOT_FOUND);
    assert_int_equal(contact_forget(m, &p->a.self->person, &why), STATUS_NOT_FOUND);
    model_node_end(&p->a);
}

static void contacts_can_be_switched_off(void **state)
{
    struct model_pair *p = *state;
    struct contact ben;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(contact_set_disabled(m, &p->b.self->person, true, &e));
    MUST(contact_get(m, &p->b.self->person, &ben, &e));
    assert_true(ben.disabled);
    MUST(contact_set_disabled(m, &p->b.self->person, false, &e));
    MUST(contact_get(m, &p->b.self->person, &ben, &e));
    assert_false(ben.disabled);
    model_node_end(&p->a);
}

static void refuses_ourselves_and_nonsense(void **state)
{
    struct model_pair *p = *state;
    struct contact_paired paired;
    struct error why;
    struct model *m = model_node_begin(&p->a);
    struct contact_identity self = model_node_identity(&p->a, NULL);
    assert_int_equal(contact_pair(m, &self, &paired, &why), STATUS_REFUSED);
    struct contact_identity nameless = model_node_identity(&p->b, NULL);
    nameless.email = (struct span){0};
    assert_int_equal(contact_pair(m, &nameless, &paired, &why), STATUS_INVALID);
    model_node_drop(&p->a);
}

// ---- Trust ----------------------------------------------------------------------------------------------------------

static void gives_reasons_for_trust(void **state)
{
    struct model_pair *p = *state;
    struct trust_key key;
    model_node_pair(&p->a, &p->b);
    struct model *m = &p->a.m;
    trust_of_key(m, &p->a.self->person, &p->a.self->person_keys.sign_public, &key);
    assert_int_equal(key.reason, TRUST_ROOT_KEY);
    trust_of_key(m, &p->b.self->person, &p->b.self->person_keys.sign_public, &key);
    assert_true(key.trusted);
    assert_string_equal(trust_reason_text(key.reason), "");
    assert_false(hash_is_zero(&key.voucher.certificate));
    trust_of_key(m, &p->b.self->person, &p->b.self->instance_keys.sign_public, &key);
    assert_int_equal(key.reason, TRUST_NO_PROFILE);
    assert_false(trust_person(m, &(struct hash){{3}}));
}

// A key that a contact adds to its own profile is known at once, but not trusted.
static void new_keys_are_not_trusted_by_themselves(void **state)
{
    struct model_pair *p = *state;
    struct hash id;
    struct hash key;
    struct profile own;
    struct trust_keys keys;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    MUST(sharing_apply(m, &p->b.self->person, &e));
    MUST(profile_own(m, &id, &e));
    MUST(profile_load(m, &id, &own, &e));
    MUST(profile_put_sign_key(m, &p->a.self->instance_keys.sign_public, &key, &e));
    hash_list_add(&own.descriptions, &key);
    MUST(profile_save(m, &own, &e));
    profile_free(&own);
    model_node_end(&p->a);
    model_node_sync(&p->a, &p->b);
    MUST(trust_keys_of(&p->b.m, &p->a.self->person, &keys, &e));
    assert_int_equal(keys.count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool paired = memcmp(keys.items[i].key.b, p->a.self->person_keys.sign_public.b, SIGN_PUBLIC) == 0;
        assert_int_equal(keys.items[i].trusted, paired);
        assert_int_equal(keys.items[i].reason, paired ? TRUST_BY_CERTIFICATE : TRUST_NO_CERTIFICATE);
    }
}

static void shows_the_versions_of_an_object(void **state)
{
    struct model_pair *p = *state;
    struct hash id;
    struct history history;
    struct model *m = model_node_begin(&p->a);
    m->now_ms += 5;
    MUST(profile_set_name(m, SPAN("Ann"), &e));
    MUST(profile_own(m, &id, &e));
    MUST(history_of(m, &id, &history, &e));
    assert_int_equal(history.count, 2);
    assert_string_equal(history.items[0].node_type, "VersionNodeChange");
    assert_int_equal(history.items[0].created_ms, 1700000000005);
    assert_string_equal(history.items[1].node_type, "VersionNodeEdge");
    model_node_end(&p->a);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens_again_with_the_same_keys, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(belongs_to_one_user, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(an_object_of_another_type_is_not_read, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(says_when_the_secret_keys_are_gone, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(finishes_an_interrupted_creation, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(has_room_for_more_identities, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(starts_once, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(pairing_makes_contacts, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(identities_keep_their_contacts_apart, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(names_travel_with_the_profile, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(of_several_names_the_last_counts, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(a_moved_endpoint_arrives, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(several_addresses_of_an_instance_arrive, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(other_keys_need_forgetting, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(forgetting_takes_grants_back, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(contacts_can_be_switched_off, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(refuses_ourselves_and_nonsense, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(gives_reasons_for_trust, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(new_keys_are_not_trusted_by_themselves, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(shows_the_versions_of_an_object, model_pair_begin, model_pair_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
