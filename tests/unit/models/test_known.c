// Whom a pairing may change, what is believed of devices, and the text that two people compare.
#include "model_node.h"
#include "models/contact.h"
#include "models/profile.h"
#include "models/safety.h"
#include "models/sharing.h"
#include "tests/unit/cmocka_all.h"

// Ann, but on another device: her person keys, other instance keys.
static struct contact_identity new_device(const struct model_node *ann, const struct model_node *device)
{
    struct contact_identity i = model_node_identity(ann, "ws://localhost:9");
    i.instance_name = SPAN("phone");
    i.instance_public = device->self->instance_keys.public_key;
    i.instance_sign_public = device->self->instance_keys.sign_public;
    return i;
}

static void assert_refused(struct model_node *n, const struct contact_identity *identity, const char *code)
{
    struct contact_paired paired;
    struct error why = {0};
    struct model *m = model_node_begin(n);
    assert_int_equal(contact_pair(m, identity, &paired, &why), STATUS_REFUSED);
    assert_string_equal(why.code, code);
    model_node_drop(n);
}

static size_t instances(struct model_node *n, const struct hash *person)
{
    struct contact c;
    MUST(contact_get(&n->m, person, &c, &e));
    return c.instance_count;
}

static void a_pairing_gives_a_contact_no_device(void **state)
{
    struct model_pair *p = *state;
    struct model_node phone;
    struct contact_paired paired;
    model_node_open_plain(&phone, "phone@test", "phone", NULL);
    model_node_pair(&p->a, &p->b);
    struct contact_identity identity = new_device(&p->a, &phone);
    assert_refused(&p->b, &identity, "UNKNOWN-INSTANCE");
    identity.expected = true; // the user said so
    struct model *m = model_node_begin(&p->b);
    MUST(contact_pair(m, &identity, &paired, &e));
    model_node_end(&p->b);
    assert_false(paired.is_new);
    assert_true(instances(&p->b, &p->a.self->person) >= 1);
    struct contact_identity other = model_node_identity(&phone, NULL);
    other.email = SPAN("ann@test");
    other.expected = true; // the word is about the device, not about other keys
    assert_refused(&p->b, &other, "EP-KEYMISSMATCH");
    model_node_close(&phone);
}

static void our_own_keys_are_nobody_elses(void **state)
{
    struct model_pair *p = *state;
    struct contact_identity identity = model_node_identity(&p->a, NULL);
    identity.instance_public = p->b.self->instance_keys.public_key;
    assert_refused(&p->b, &identity, "OWN-PERSON");
}

static void the_own_node_has_the_key_we_were_told(void **state)
{
    struct model_pair *p = *state;
    struct model_node other;
    struct contact_paired paired;
    struct contact_endpoints rows;
    model_node_open_plain(&other, "other@test", "other", NULL);
    struct model *m = model_node_begin(&p->b);
    MUST(sharing_set_own_node(m, &p->a.self->person, &other.self->instance_keys.public_key, &e));
    model_node_end(&p->b);
    struct contact_identity ann = model_node_identity(&p->a, NULL);
    assert_refused(&p->b, &ann, "UNKNOWN-INSTANCE");
    struct contact_identity told = new_device(&p->a, &other);
    m = model_node_begin(&p->b);
    MUST(contact_pair(m, &told, &paired, &e));
    model_node_end(&p->b);
    MUST(contact_endpoints(&p->b.m, &rows, &e));
    assert_int_equal(rows.count, 1);
    m = model_node_begin(&p->b); // it was made anew: what is stored under the old key counts no more
    MUST(sharing_set_own_node(m, &p->a.self->person, &p->a.self->instance_keys.public_key, &e));
    model_node_end(&p->b);
    MUST(contact_endpoints(&p->b.m, &rows, &e));
    assert_int_equal(rows.count, 0);
    model_node_close(&other);
}

static void both_sides_see_the_same_text(void **state)
{
    struct model_pair *p = *state;
    struct contact ann, ben;
    model_node_pair(&p->a, &p->b);
    MUST(contact_get(&p->b.m, &p->a.self->person, &ann, &e));
    MUST(contact_get(&p->a.m, &p->b.self->person, &ben, &e));
    assert_int_equal(ann.safety.len, SAFETY_TEXT - 1);
    assert_true(span_eq(ann.safety, ben.safety));
    assert_true(span_eq(ann.safety, ann.instances[0].safety));
    for (size_t i = 0; i < ann.safety.len; i++)
        assert_true(i % 6 == 5 ? ann.safety.ptr[i] == ' ' : ann.safety.ptr[i] >= '0' && ann.safety.ptr[i] <= '9');
}

static void every_key_changes_the_text(void **state)
{
    struct model_pair *p = *state;
    struct safety_side a = safety_side_of(p->a.self), b = safety_side_of(p->b.self);
    struct safety_text text = safety_text(&a, &b);
    uint8_t *const keys[] = {a.person_public.b, a.instance_public.b, a.person_sign_public.b, a.instance_sign_public.b,
                             b.person_public.b, b.instance_public.b, b.person_sign_public.b, b.instance_sign_public.b};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        keys[i][31] ^= 1;
        assert_string_not_equal(safety_text(&a, &b).s, text.s);
        keys[i][31] ^= 1;
    }
    assert_string_equal(safety_text(&b, &a).s, text.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pairing_gives_a_contact_no_device, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(our_own_keys_are_nobody_elses, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(the_own_node_has_the_key_we_were_told, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(both_sides_see_the_same_text, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(every_key_changes_the_text, model_pair_begin, model_pair_end),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
