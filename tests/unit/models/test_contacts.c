// Instances, the contact book, pairing, forgetting, names, trust.
#include <stdio.h>
#include <unistd.h>

#include "model_node.h"
#include "models/access.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/history.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/sharing.h"
#include "models/trust.h"
#include "tests/unit/cmocka_all.h"

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        struct error e = {0};                                                                                          \
        model_node_check((call), &e, #call);                                                                           \
    } while (0)

struct pair {
    struct model_node a;
    struct model_node b;
};

static int setup(void **state)
{
    struct pair *p = mem_alloc(sizeof *p);
    model_node_time = 1700000000000;
    model_node_open_plain(&p->a, "ann@test", "ann", "ws://localhost:1");
    model_node_open_plain(&p->b, "ben@test", "ben", NULL);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    model_node_close(&p->a);
    model_node_close(&p->b);
    free(p);
    return 0;
}

// ---- Instances ------------------------------------------------------------------------------------------------------

static void opens_again_with_the_same_keys(void **state)
{
    struct pair *p = *state;
    struct identity *again;
    bool created;
    const struct instance_options options = {.email = SPAN("ann@test"), .instance_name = SPAN("ann")};
    OK(instance_open(p->a.store, p->a.keys, &options, 1, &again, &created, &e));
    assert_false(created);
    assert_true(hash_eq(&again->person_keys.keys, &p->a.self->person_keys.keys));
    assert_true(secret_eq(&again->instance_keys.secret, &p->a.self->instance_keys.secret));
    identity_destroy(again);
    OK(instance_reopen(p->a.store, p->a.keys, &again, &e));
    assert_string_equal(again->email, "ann@test");
    assert_string_equal(again->instance_name, "ann");
    identity_destroy(again);
}

static void belongs_to_one_user(void **state)
{
    struct pair *p = *state;
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

static void says_when_the_secret_keys_are_gone(void **state)
{
    struct pair *p = *state;
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
    struct pair *p = *state;
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
    OK(store_open(&so, &s, &report, &e));
    snprintf(path, sizeof path, "%s/secondkeys", p->a.dir);
    OK(keychain_open(path, &key, true, &k, &e));
    OK(store_begin(s, &e));
    OK(instance_open(s, k, &options, 1, &i, &created, &e));
    identity_destroy(i);
    store_rollback(s);
    OK(store_begin(s, &e));
    OK(instance_open(s, k, &options, 1, &i, &created, &e));
    OK(store_commit(s, &e));
    assert_true(created);
    identity_destroy(i);
    OK(instance_reopen(s, k, &i, &e));
    identity_destroy(i);
    store_close(s);
    keychain_close(k);
    secret_destroy(&key);
    recipes_destroy(recipes);
}

static void has_room_for_more_identities(void **state)
{
    struct pair *p = *state;
    struct identity *second;
    struct identity **all;
    size_t count;
    struct trust_keys keys;
    const struct instance_options options = {.email = SPAN("ann2@test"), .instance_name = SPAN("ann-two")};
    struct model *m = model_node_begin(&p->a);
    OK(instance_add_identity(m, p->a.keys, &options, (struct span){0}, &second, &e));
    model_node_end(&p->a);
    assert_true(leute_is_me(m, &second->person));
    OK(trust_keys_of(m, &second->person, &keys, &e));
    assert_int_equal(keys.count, 1);
    assert_true(keys.items[0].trusted);
    OK(instance_identities(m, p->a.keys, &all, &count, &e));
    assert_int_equal(count, 1);
    assert_true(hash_eq(&all[0]->instance, &second->instance));
    assert_true(secret_eq(&all[0]->person_keys.sign_secret, &second->person_keys.sign_secret));
    identity_destroy(all[0]);
    free(all);
    identity_destroy(second);
    OK(instance_reopen(p->a.store, p->a.keys, &second, &e)); // still the main one
    assert_string_equal(second->email, "ann@test");
    identity_destroy(second);
}

static void starts_once(void **state)
{
    struct pair *p = *state;
    struct hash id;
    struct hash before;
    struct hash after;
    struct model *m = model_node_begin(&p->a);
    OK(leute_id(m, &id, &e));
    OK(store_head(m->store, &id, &before, &e));
    m->now_ms += 1000;
    OK(leute_init(m, SPAN("ws://localhost:1"), &e));
    OK(store_head(m->store, &id, &after, &e));
    model_node_end(&p->a);
    assert_true(hash_eq(&before, &after));
}

// ---- Pairing --------------------------------------------------------------------------------------------------------

static void pairing_makes_contacts(void **state)
{
    struct pair *p = *state;
    struct contacts list;
    model_node_pair(&p->a, &p->b);
    OK(contact_list(&p->b.m, &list, &e));
    assert_int_equal(list.count, 1);
    assert_true(hash_eq(&list.items[0].person, &p->a.self->person));
    assert_true(span_eq_text(list.items[0].name, "ann@test")); // nobody gave a name yet
    assert_true(list.items[0].trusted);
    assert_int_equal(list.items[0].instance_count, 1);
    assert_true(group_has(&p->b.m, GROUP_EVERYONE, &p->a.self->person));
    model_node_pair(&p->a, &p->b);
    OK(contact_list(&p->b.m, &list, &e));
    assert_int_equal(list.count, 1);
}

static void names_travel_with_the_profile(void **state)
{
    struct pair *p = *state;
    struct contact ann;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    OK(sharing_apply(m, &p->b.self->person, &e));
    OK(profile_set_name(m, SPAN("Ann of Green Gables"), &e));
    model_node_end(&p->a);
    model_node_sync(&p->a, &p->b);
    OK(contact_get(&p->b.m, &p->a.self->person, &ann, &e));
    assert_true(span_eq_text(ann.name, "Ann of Green Gables"));
    assert_true(span_eq_text(ann.email, "ann@test"));
    assert_true(ann.trusted);
    struct span own;
    OK(profile_name_of(&p->a.m, &p->a.self->person, &own, &e));
    assert_true(span_eq_text(own, "Ann of Green Gables"));
}

static void set_urls(struct model_node *n, const char *listener, const char *relay)
{
    const struct profile_urls urls = {{span_of(listener), span_of(relay)}, relay != NULL ? 2 : 1};
    struct model *m = model_node_begin(n);
    OK(profile_set_urls(m, &urls, &e));
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
    struct pair *p = *state;
    struct contact_endpoints rows;
    struct profile_urls bad = {{SPAN("\xff")}, 1};
    struct error why;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    OK(sharing_apply(m, &p->b.self->person, &e));
    model_node_end(&p->a);
    set_urls(&p->a, "ws://localhost:2", NULL);
    model_node_sync(&p->a, &p->b);
    OK(contact_endpoints(&p->b.m, &rows, &e));
    assert_true(rows.count >= 1);
    assert_true(span_eq_text(rows.items[0].url, "ws://localhost:2")); // the latest first
    assert_true(rows.items[0].certified);
    assert_true(public_key_eq(&rows.items[0].instance_public, &p->a.self->instance_keys.public_key));
    assert_int_equal(profile_set_urls(m, &bad, &why), STATUS_INVALID);
}

static void several_addresses_of_an_instance_arrive(void **state)
{
    struct pair *p = *state;
    struct contact_endpoints rows;
    struct profile_urls urls;
    struct hash id, before, after;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    OK(sharing_apply(m, &p->b.self->person, &e));
    model_node_end(&p->a);
    set_urls(&p->a, "ws://localhost:1", "wss://relay");
    model_node_sync(&p->a, &p->b);
    OK(contact_endpoints(&p->b.m, &rows, &e));
    assert_true(has_url(&rows, "ws://localhost:1") && has_url(&rows, "wss://relay"));
    OK(profile_urls(m, &urls, &e));
    assert_int_equal(urls.count, 2);
    OK(profile_own(m, &id, &e));
    OK(store_head(m->store, &id, &before, &e));
    set_urls(&p->a, "ws://localhost:1", "wss://relay"); // nothing new: no new version
    OK(store_head(m->store, &id, &after, &e));
    assert_true(hash_eq(&before, &after));
}

static void other_keys_need_forgetting(void **state)
{
    struct pair *p = *state;
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
    OK(contact_forget(m, &p->a.self->person, &e));
    model_node_end(&p->b);
    struct contacts list;
    OK(contact_list(m, &list, &e));
    assert_int_equal(list.count, 0);
    OK(contact_endpoints(m, &rows, &e));
    assert_int_equal(rows.count, 0);
    m = model_node_begin(&p->b);
    OK(contact_pair(m, &identity, &paired, &e));
    model_node_end(&p->b);
    assert_true(paired.is_new);
    OK(contact_endpoints(m, &rows, &e));
    assert_int_equal(rows.count, 1);
    assert_true(public_key_eq(&rows.items[0].person_public, &impostor.self->person_keys.public_key));
    model_node_close(&impostor);
}

static void forgetting_takes_grants_back(void **state)
{
    struct pair *p = *state;
    struct access_grants grants;
    struct error why;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    OK(sharing_apply(m, &p->b.self->person, &e));
    OK(access_list(m, &p->b.self->person, &grants, &e));
    assert_true(grants.count >= 3); // profile, topic, channel
    OK(contact_forget(m, &p->b.self->person, &e));
    OK(access_list(m, &p->b.self->person, &grants, &e));
    assert_int_equal(grants.count, 0);
    assert_int_equal(contact_forget(m, &p->b.self->person, &why), STATUS_NOT_FOUND);
    assert_int_equal(contact_forget(m, &p->a.self->person, &why), STATUS_NOT_FOUND);
    model_node_end(&p->a);
}

static void contacts_can_be_switched_off(void **state)
{
    struct pair *p = *state;
    struct contact ben;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    OK(contact_set_disabled(m, &p->b.self->person, true, &e));
    OK(contact_get(m, &p->b.self->person, &ben, &e));
    assert_true(ben.disabled);
    OK(contact_set_disabled(m, &p->b.self->person, false, &e));
    OK(contact_get(m, &p->b.self->person, &ben, &e));
    assert_false(ben.disabled);
    model_node_end(&p->a);
}

static void refuses_ourselves_and_nonsense(void **state)
{
    struct pair *p = *state;
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
    struct pair *p = *state;
    struct trust_key key;
    model_node_pair(&p->a, &p->b);
    struct model *m = &p->a.m;
    trust_of_key(m, &p->a.self->person, &p->a.self->person_keys.sign_public, &key);
    assert_int_equal(key.reason, TRUST_ROOT_KEY);
    trust_of_key(m, &p->b.self->person, &p->b.self->person_keys.sign_public, &key);
    assert_true(key.trusted);
    assert_string_equal(trust_reason_text(key.reason), "");
    assert_false(hash_is_zero(&key.certificate));
    trust_of_key(m, &p->b.self->person, &p->b.self->instance_keys.sign_public, &key);
    assert_int_equal(key.reason, TRUST_NO_PROFILE);
    assert_false(trust_person(m, &(struct hash){{3}}));
}

// A key that a contact adds to its own profile is known at once, but not trusted.
static void new_keys_are_not_trusted_by_themselves(void **state)
{
    struct pair *p = *state;
    struct hash id;
    struct hash key;
    struct profile own;
    struct trust_keys keys;
    model_node_pair(&p->a, &p->b);
    struct model *m = model_node_begin(&p->a);
    OK(sharing_apply(m, &p->b.self->person, &e));
    OK(profile_own(m, &id, &e));
    OK(profile_load(m, &id, &own, &e));
    OK(profile_put_sign_key(m, &p->a.self->instance_keys.sign_public, &key, &e));
    hash_list_add(&own.descriptions, &key);
    OK(profile_save(m, &own, &e));
    profile_free(&own);
    model_node_end(&p->a);
    model_node_sync(&p->a, &p->b);
    OK(trust_keys_of(&p->b.m, &p->a.self->person, &keys, &e));
    assert_int_equal(keys.count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool paired = memcmp(keys.items[i].key.b, p->a.self->person_keys.sign_public.b, SIGN_PUBLIC) == 0;
        assert_int_equal(keys.items[i].trusted, paired);
        assert_int_equal(keys.items[i].reason, paired ? TRUST_BY_CERTIFICATE : TRUST_NO_CERTIFICATE);
    }
}

static void shows_the_versions_of_an_object(void **state)
{
    struct pair *p = *state;
    struct hash id;
    struct history history;
    struct model *m = model_node_begin(&p->a);
    m->now_ms += 5;
    OK(profile_set_name(m, SPAN("Ann"), &e));
    OK(profile_own(m, &id, &e));
    OK(history_of(m, &id, &history, &e));
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
        cmocka_unit_test_setup_teardown(opens_again_with_the_same_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(belongs_to_one_user, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_the_secret_keys_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(finishes_an_interrupted_creation, setup, teardown),
        cmocka_unit_test_setup_teardown(has_room_for_more_identities, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(pairing_makes_contacts, setup, teardown),
        cmocka_unit_test_setup_teardown(names_travel_with_the_profile, setup, teardown),
        cmocka_unit_test_setup_teardown(a_moved_endpoint_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown(several_addresses_of_an_instance_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(other_keys_need_forgetting, setup, teardown),
        cmocka_unit_test_setup_teardown(forgetting_takes_grants_back, setup, teardown),
        cmocka_unit_test_setup_teardown(contacts_can_be_switched_off, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_ourselves_and_nonsense, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_reasons_for_trust, setup, teardown),
        cmocka_unit_test_setup_teardown(new_keys_are_not_trusted_by_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(shows_the_versions_of_an_object, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
