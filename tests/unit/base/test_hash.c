#include "base/hash.h"

#include "base/siphash.h"
#include "tests/unit/cmocka_all.h"

static struct hash numbered(uint32_t n)
{
    struct hash h = {{0}};
    uint64_t mixed = (n % 97) * 0x9E3779B97F4A7C15U; // few distinct home slots: long clusters
    memcpy(h.b, &mixed, sizeof mixed);
    memcpy(h.b + 8, &n, sizeof n);
    return h;
}

static void hex_is_strict(void **state)
{
    (void)state;
    const char *good = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct hash h;
    assert_true(hash_parse(span_of(good), &h));
    assert_string_equal(hash_text(&h).s, good);
    assert_false(hash_parse(SPAN("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"), &h));
    assert_false(hash_parse(SPAN("0123456789abcdef"), &h));
    assert_false(hash_parse((struct span){good, 63}, &h));
    uint8_t two[2];
    assert_true(hex_decode(SPAN("Ff00"), two, 2));
    assert_int_equal(two[0], 255);
    assert_false(hex_decode(SPAN("fg00"), two, 2));
}

// The map against a plain array, over random insertions and removals.
static void map_agrees_with_an_array(void **state)
{
    (void)state;
    enum { KEYS = 400 };
    bool there[KEYS] = {false};
    struct hash_map *m = hash_map_create();
    srand(1);
    for (int step = 0; step < 50000; step++) {
        uint32_t n = (uint32_t)rand() % KEYS;
        struct hash key = numbered(n);
        if (rand() % 2 != 0) {
            assert_int_equal(hash_map_add(m, &key), !there[n]);
            there[n] = true;
        } else {
            assert_int_equal(hash_map_remove(m, &key), there[n]);
            there[n] = false;
        }
    }
    size_t count = 0;
    for (uint32_t n = 0; n < KEYS; n++) {
        struct hash key = numbered(n);
        assert_int_equal(hash_map_has(m, &key), there[n]);
        count += there[n];
    }
    assert_int_equal(hash_map_count(m), count);
    size_t cursor = 0;
    size_t seen = 0;
    while (hash_map_next(m, &cursor, NULL, NULL))
        seen++;
    assert_int_equal(seen, count);
    hash_map_destroy(m);
}

static void map_frees_values_it_is_told_to(void **state)
{
    (void)state;
    struct hash_map *m = hash_map_create();
    for (uint32_t i = 0; i < 20; i++) {
        struct hash key = numbered(i);
        hash_map_set(m, &key, mem_alloc(8)); // the leak checker sees what is left
    }
    hash_map_free_values(m);
    assert_int_equal(hash_map_count(m), 0);
    hash_map_destroy(m);
}

static void map_keeps_values_and_lists_keep_order(void **state)
{
    (void)state;
    struct hash_map *m = hash_map_create();
    int values[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct hash key = numbered(i);
        hash_map_set(m, &key, &values[i]);
    }
    struct hash key = numbered(1);
    assert_ptr_equal(hash_map_get(m, &key), &values[1]);
    key = numbered(9);
    assert_null(hash_map_get(m, &key));
    hash_map_destroy(m);

    struct hash_list l = {0};
    for (uint32_t i = 0; i < 20; i++) {
        key = numbered(i);
        hash_list_add(&l, &key);
    }
    key = numbered(19);
    assert_true(hash_list_has(&l, &key));
    assert_true(hash_eq(&l.items[19], &key));
    hash_list_free(&l);
}

// Keys that agree in what used to decide their place: the beginning, the end, everything but one byte.
static void no_choice_of_keys_makes_long_ways(void **state)
{
    (void)state;
    enum { KEYS = 20000, LONGEST = 500 };
    for (size_t varying = 0; varying + sizeof(uint32_t) <= HASH_SIZE; varying += 7) {
        struct hash_map *m = hash_map_create();
        for (uint32_t i = 0; i < KEYS; i++) {
            struct hash key = {{0}};
            memcpy(key.b + varying, &i, 3);
            hash_map_add(m, &key);
        }
        assert_int_equal(hash_map_count(m), KEYS);
        assert_in_range(hash_map_longest_way(m), 1, LONGEST);
        hash_map_destroy(m);
    }
}

// As CPython hashes bytes with PYTHONHASHSEED=0, which is SipHash-1-3 under a key of zeros.
static void siphash_is_as_published(void **state)
{
    (void)state;
    static const uint8_t zeros[SIPHASH_KEY];
    char numbers[32];
    for (size_t i = 0; i < sizeof numbers; i++)
        numbers[i] = (char)i;
    assert_true(siphash_with(zeros, SPAN("a")) == 0x407448d2b89b1813u);
    assert_true(siphash_with(zeros, SPAN("tandem!")) == 0x4ed19f2ed11e5d32u);
    assert_true(siphash_with(zeros, SPAN("tandem!!")) == 0xc6d4dc4072b747adu);
    assert_true(siphash_with(zeros, (struct span){numbers, sizeof numbers}) == 0x31ef8061c910629bu);
    assert_true(siphash(SPAN("a")) == siphash(SPAN("a")));
    assert_true(siphash(SPAN("a")) != siphash_with(zeros, SPAN("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(map_agrees_with_an_array),
        cmocka_unit_test(map_frees_values_it_is_told_to),
        cmocka_unit_test(map_keeps_values_and_lists_keep_order),
        cmocka_unit_test(no_choice_of_keys_makes_long_ways),
        cmocka_unit_test(siphash_is_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
