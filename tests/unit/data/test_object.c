#include "crypto/sha256.h"
#include "data/object.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ALICE                                                                                                          \
    "<div itemscope itemtype=\"//refin.io/Person\"><span itemprop=\"email\">alice@example.com</span>"                  \
    "<span itemprop=\"name\">Alice</span></div>"
#define ALICE_ID                                                                                                       \
    "<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/Person\">"                                           \
    "<span itemprop=\"email\">alice@example.com</span></div>"

static struct value *alice(struct arena *a)
{
    struct value *v = value_object(a, SPAN("Person"));
    value_set_member(a, v, SPAN("name"), value_text(a, "Alice"));
    value_set_member(a, v, SPAN("email"), value_text(a, "alice@example.com"));
    return v;
}

static void an_object_has_its_hashes(void **state)
{
    struct fixture *f = *state;
    struct object o;
    struct hash id;
    assert_int_equal(object_make(f->recipes, f->a, alice(f->a), MICRODATA_OBJECT, &o, &f->e), STATUS_OK);
    assert_true(span_eq_text(o.microdata, ALICE));
    assert_true(span_eq_text(o.id_microdata, ALICE_ID));
    assert_string_equal(hash_text(&o.hash).s, "04cf557ffbf2f128a7f61cbb28ba7a42cc22bb59f2f6793f81feff0a64b8ff41");
    assert_string_equal(hash_text(&o.id_hash).s, "0f69db43a925bc5509c37143ffe18e9c11895ad6ec7c50386bcd4c87100b7152");
    assert_int_equal(object_id_hash(f->recipes, o.value, &id, &f->e), STATUS_OK);
    assert_true(hash_eq(&id, &o.id_hash));
    assert_true(object_is_type(&o, "Person"));
    assert_int_equal(o.link_count, 0);
}

static void an_id_object_is_its_own_id(void **state)
{
    struct fixture *f = *state;
    struct object o;
    assert_int_equal(object_make(f->recipes, f->a, alice(f->a), MICRODATA_ID_OBJECT, &o, &f->e), STATUS_OK);
    assert_true(span_eq_text(o.microdata, ALICE_ID));
    assert_true(hash_eq(&o.hash, &o.id_hash));
    assert_true(span_eq(o.microdata, o.id_microdata));
}

static void bytes_must_have_the_expected_hash(void **state)
{
    struct fixture *f = *state;
    struct object o;
    struct hash good = sha256(SPAN(ALICE));
    struct hash bad = {{1}};
    assert_int_equal(object_read(f->recipes, f->a, SPAN(ALICE), MICRODATA_OBJECT, &good, &o, &f->e), STATUS_OK);
    assert_int_equal(object_read(f->recipes, f->a, SPAN(ALICE), MICRODATA_OBJECT, &bad, &o, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "CIEC-FO2");
    assert_int_equal(object_read(f->recipes, f->a, SPAN(ALICE_ID), MICRODATA_ID_OBJECT, &bad, &o, &f->e),
                     STATUS_INVALID);
    assert_string_equal(f->e.code, "CIEC-FIDO2");
}

static void unversioned_objects_have_no_id(void **state)
{
    struct fixture *f = *state;
    struct object o;
    struct span text = SPAN("<div itemscope itemtype=\"//refin.io/CreationTime\"><span itemprop=\"timestamp\">1</span>"
                            "<a itemprop=\"data\" data-type=\"obj\">" HASH_A "</a></div>");
    assert_int_equal(object_read(f->recipes, f->a, text, MICRODATA_OBJECT, NULL, &o, &f->e), STATUS_OK);
    assert_true(hash_is_zero(&o.id_hash));
    assert_int_equal(o.id_microdata.len, 0);
    assert_int_equal(object_id_hash(f->recipes, o.value, &o.id_hash, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "O2M-COBJ1");
}

static void links_stand_in_the_order_of_the_text(void **state)
{
    struct fixture *f = *state;
    struct object o;
    struct span text =
        SPAN("<div itemscope itemtype=\"//refin.io/Access\"><a itemprop=\"object\" data-type=\"obj\">" HASH_B
             "</a><ul itemprop=\"person\"><li><a data-type=\"id\">" HASH_B "</a></li><li><a data-type=\"id\">" HASH_A
             "</a></li></ul><ul itemprop=\"group\"></ul></div>");
    static const struct {
        enum link_kind kind;
        const char *hash;
        const char *path;
    } wanted[] = {{LINK_OBJECT, HASH_B, "object"}, {LINK_ID, HASH_B, "person.0"}, {LINK_ID, HASH_A, "person.1"}};
    assert_int_equal(object_read(f->recipes, f->a, text, MICRODATA_OBJECT, NULL, &o, &f->e), STATUS_OK);
    assert_int_equal(o.link_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(o.links[i].kind, wanted[i].kind);
        assert_string_equal(hash_text(&o.links[i].target).s, wanted[i].hash);
        assert_true(span_eq_text(o.links[i].path, wanted[i].path));
    }
}

static void texts_with_zero_bytes_keep_them(void **state)
{
    struct fixture *f = *state;
    struct object o;
    struct value *v = value_object(f->a, SPAN("Group"));
    value_set_member(f->a, v, SPAN("name"), value_string(f->a, SPAN("a\0b")));
    value_set_member(f->a, v, SPAN("person"), value_list(f->a));
    assert_int_equal(object_make(f->recipes, f->a, v, MICRODATA_OBJECT, &o, &f->e), STATUS_OK);
    assert_non_null(memmem(o.id_microdata.ptr, o.id_microdata.len, "a\0b", 3));
    struct hash id = sha256(o.id_microdata);
    assert_true(hash_eq(&id, &o.id_hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_has_its_hashes),
        cmocka_unit_test(an_id_object_is_its_own_id),
        cmocka_unit_test(bytes_must_have_the_expected_hash),
        cmocka_unit_test(unversioned_objects_have_no_id),
        cmocka_unit_test(links_stand_in_the_order_of_the_text),
        cmocka_unit_test(texts_with_zero_bytes_keep_them),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
