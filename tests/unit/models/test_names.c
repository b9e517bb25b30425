#include "models/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "model_node.h"
#include "models/contact.h"
#include "models/profile.h"
#include "models/settings.h"
#include "models/sharing.h"
#include "tests/unit/cmocka_all.h"

static struct hash meet(struct model_pair *p, const char *email)
{
    struct contact_identity identity = model_node_identity(&p->b, NULL);
    struct contact_paired paired;
    identity.email = span_of(email);
    static uint8_t next;
    identity.person_public.b[0] = ++next;
    identity.instance_public.b[0] = next;
    MUST(contact_pair(&p->a.m, &identity, &paired, &e));
    return paired.person;
}

static void call(struct model_pair *p, const struct hash *person, const char *name)
{
    struct model *m = &p->a.m;
    struct profile about = {.profile_id = SPAN("default"), .person = *person, .owner = *person};
    struct hash hash;
    struct value *object = model_object(m, "PersonName");
    model_set_text(m, object, "name", span_of(name));
    MUST(model_put(m, object, &hash, &e));
    hash_list_add(&about.descriptions, &hash);
    MUST(profile_save(m, &about, &e));
    profile_free(&about);
}

static struct hash found(struct model_pair *p, const char *text)
{
    struct hash person;
    struct error e = {0};
    if (names_find(&p->a.m, span_of(text), &person, &e) != STATUS_OK)
        fail_msg("%s: %s: %s", text, e.code, e.message);
    return person;
}

static void assert_found(struct model_pair *p, const char *text, const struct hash *person)
{
    struct hash is = found(p, text);
    assert_true(hash_eq(&is, person));
}

static void assert_not_found(struct model_pair *p, const char *text, const char *code, const char *said)
{
    struct hash person;
    struct error e = {0};
    assert_int_not_equal(names_find(&p->a.m, span_of(text), &person, &e), STATUS_OK);
    assert_string_equal(e.code, code);
    assert_non_null(strstr(e.message, said));
}

static void ids_are_read_as_they_are_typed(void **state)
{
    struct model_pair *p = *state;
    struct hash ben = p->b.self->person;
    struct hash_text text = hash_text(&ben);
    char typed[80];
    model_node_begin(&p->a);
    snprintf(typed, sizeof typed, " %.32s\t%s\n", text.s, text.s + 32);
    for (char *at = typed; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    assert_found(p, typed, &ben);
    for (int len = 8; len < 64; len += 7) {
        snprintf(typed, sizeof typed, "%.*s\n", len, text.s);
        assert_found(p, typed, &ben);
    }
    assert_not_found(p, "00000000", "NOT-FOUND", "begins with 00000000");
    snprintf(typed, sizeof typed, "%.7s", text.s);
    assert_not_found(p, typed, "NOT-FOUND", "nobody here is called");
    struct hash id;
    struct error why;
    assert_int_equal(names_complete(&p->a.m, span_of(typed), &id, &why), STATUS_INVALID);
    assert_string_equal(why.code, "BAD-ID");
    model_node_end(&p->a);
}

static void names_are_looked_up(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    struct hash ben = p->b.self->person;
    struct hash carl = meet(p, "carl@test");
    struct hash dora = meet(p, "dora@test");
    assert_found(p, "ben@test", &ben);
    assert_found(p, " BEN@Test\n", &ben);
    call(p, &ben, "Ben");
    call(p, &carl, "carla");
    call(p, &dora, "Ben");
    assert_found(p, "carla", &carl);
    assert_not_found(p, "ben", "AMBIGUOUS-ID", "ben is the name of several: ");
    assert_not_found(p, "eve", "NOT-FOUND", "nobody here is called 'eve'");
    MUST(names_set_local(m, &dora, SPAN("carla"), &e)); // our own word counts
    assert_found(p, "Carla", &dora);
    MUST(names_set_local(m, &dora, SPAN(""), &e));
    assert_found(p, "Carla", &carl);
    struct span name;
    MUST(names_local(m, &dora, &name, &e));
    assert_int_equal(name.len, 0);
    call(p, &ben, "me"); // it is nobody's name but ours
    MUST(names_set_local(m, &carl, SPAN("me"), &e));
    for (const char *const *at = (const char *const[]){"me", " Me\n", NULL}; *at != NULL; at++)
        assert_found(p, *at, &p->a.self->person);
    MUST(names_set_local(m, &dora, SPAN("deadbeef"), &e)); // looks like an id
    assert_found(p, "deadbeef", &dora);
    char long_name[600];
    memset(long_name, 'x', sizeof long_name);
    struct error why;
    assert_int_equal(names_set_local(m, &dora, (struct span){long_name, sizeof long_name}, &why), STATUS_INVALID);
    assert_string_equal(why.code, "BAD-TEXT");
    model_node_end(&p->a);
}

static void own_nodes_come_last(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    struct hash other = p->b.self->person;
    MUST(sharing_set_own_node(m, &other, &p->b.self->instance_keys.public_key, &e));
    MUST(profile_set_name(m, SPAN("Ann"), &e));
    assert_found(p, "ann", &m->self->person);
    call(p, &other, "Ann");
    assert_found(p, "ann", &other);
    struct hash friend = meet(p, "carl@test");
    call(p, &friend, "Ann");
    assert_found(p, "ann", &friend);
    model_node_end(&p->a);
}

static int begin(void **state)
{
    int result = model_pair_begin(state);
    struct model_pair *p = *state;
    model_node_pair(&p->a, &p->b);
    return result;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_are_read_as_they_are_typed, begin, model_pair_end),
        cmocka_unit_test_setup_teardown(names_are_looked_up, begin, model_pair_end),
        cmocka_unit_test_setup_teardown(own_nodes_come_last, begin, model_pair_end),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
