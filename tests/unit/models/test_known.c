// Whom a pairing may change, what is believed of devices, and the text that two people compare.
#include "by_topic.h"
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

static void put_key(struct model *m, const struct hash *owner, const struct public_key *key,
                    const struct sign_public *sign, struct hash *out)
{
    char hex[2 * BOX_KEY + 1];
    struct value *keys = model_object(m, "Keys");
    model_set_hash(m, keys, "owner", owner);
    hex_encode(key->b, BOX_KEY, hex);
    model_set_text(m, keys, "publicKey", span_of(hex));
    hex_encode(sign->b, SIGN_PUBLIC, hex);
    model_set_text(m, keys, "publicSignKey", span_of(hex));
    MUST(model_put(m, keys, out, &e));
}

// A version of the node's own profile with one more device, which it says has this instance key.
static void claim(struct model_node *n, struct model_node *to, const char *device,
                  const struct public_key *instance_key)
{
    struct profile p;
    struct hash id;
    struct model *m = model_node_begin(n);
    struct profile_endpoint endpoint = {.person = n->self->person};
    struct value *instance = model_object(m, "Instance");
    model_set_text(m, instance, "name", span_of(device));
    model_set_hash(m, instance, "owner", &n->self->person);
    MUST(model_put_id(m, instance, &endpoint.instance, &e));
    put_key(m, &endpoint.person, &n->self->person_keys.public_key, &n->self->person_keys.sign_public,
            &endpoint.person_keys);
    put_key(m, &endpoint.instance, instance_key, &n->self->instance_keys.sign_public, &endpoint.instance_keys);
    MUST(profile_own(m, &id, &e));
    MUST(profile_load(m, &id, &p, &e));
    MUST(profile_replace_endpoint(m, &p, &endpoint, &e));
    MUST(profile_save(m, &p, &e));
    profile_free(&p);
    MUST(sharing_apply(m, &to->self->person, &e));
    model_node_end(n);
    model_node_sync(n, to);
}

// Whose the instance key is; zero: nobody's.
static struct hash owner_of(struct model_node *n, const struct public_key *instance_key)
{
    struct contact_endpoints rows;
    MUST(contact_endpoints(&n->m, &rows, &e));
    for (size_t i = 0; i < rows.count; i++)
        if (public_key_eq(&rows.items[i].instance_public, instance_key))
            return rows.items[i].person;
    return (struct hash){{0}};
}

static void a_profile_takes_nobody_a_key(void **state)
{
    struct model_pair *p = *state;
    struct model_node carl;
    struct contact_paired paired;
    const struct public_key device = {{7}};
    model_node_open_plain(&carl, "carl@test", "carl", NULL);
    const struct public_key *key = &carl.self->instance_keys.public_key;
    model_node_pair(&p->a, &p->b);
    claim(&p->a, &p->b, "phone", key);
    claim(&p->a, &p->b, "tablet", &p->b.self->instance_keys.public_key);
    struct hash owner = owner_of(&p->b, key);
    assert_true(hash_eq(&owner, &p->a.self->person)); // as long as nobody else has it
    owner = owner_of(&p->b, &p->b.self->instance_keys.public_key);
    assert_true(hash_is_zero(&owner));
    struct contact_identity identity = model_node_identity(&carl, NULL);
    struct model *m = model_node_begin(&p->b);
    MUST(contact_pair(m, &identity, &paired, &e));
    model_node_end(&p->b);
    owner = owner_of(&p->b, key);
    assert_true(hash_eq(&owner, &carl.self->person));
    model_node_pair(&p->b, &carl);
    claim(&carl, &p->b, "laptop", &device); // carl's second device; ann hears of it and says that it is hers
    claim(&p->a, &p->b, "watch", &device);
    owner = owner_of(&p->b, &device);
    assert_true(hash_eq(&owner, &carl.self->person));
    model_node_close(&carl);
}

static void nobody_else_has_the_own_nodes_key(void **state)
{
    struct model_pair *p = *state;
    const struct hash other = {{9}};
    const struct public_key key = {{9}};
    model_node_pair(&p->a, &p->b);
    claim(&p->a, &p->b, "phone", &key);
    struct model *m = model_node_begin(&p->b);
    MUST(sharing_set_own_node(m, &other, &key, &e));
    model_node_end(&p->b);
    struct hash owner = owner_of(&p->b, &key);
    assert_true(hash_is_zero(&owner));
}

static void a_pairing_anew_changes_no_key(void **state)
{
    struct model_pair *p = *state;
    model_node_pair(&p->a, &p->b);
    struct contact_identity identity = model_node_identity(&p->a, NULL);
    identity.instance_sign_public.b[0] ^= 1;
    assert_refused(&p->b, &identity, "UNKNOWN-INSTANCE");
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
        cmocka_unit_test_setup_teardown(a_profile_takes_nobody_a_key, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(nobody_else_has_the_own_nodes_key, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(a_pairing_anew_changes_no_key, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(both_sides_see_the_same_text, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(every_key_changes_the_text, model_pair_begin, model_pair_end),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
