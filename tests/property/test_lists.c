// Random linked lists: inserting keeps them sorted; merging sorted lists is commutative, associative and idempotent.
#include <stdio.h>

#include "data/linkedlist.h"
#include "fixture.h"
#include "property.h"
#include "tests/unit/cmocka_all.h"

enum { CASES = 10000 };

static struct recipes *recipes;
static const struct hash empty;

static struct hash insert(struct memory_source *m, struct hash head, double time)
{
    static const char *const texts[] = {"a", "b", "c"};
    struct hash message = fixture_message(m, texts[property_below(3)], time);
    assert_int_equal(list_insert(&m->source, &head, &message, NULL, &head, NULL), STATUS_OK);
    return head;
}

static struct hash merge(struct memory_source *m, struct hash a, struct hash b)
{
    struct error e = {0};
    struct hash head;
    if (list_merge(&m->source, &a, &b, &head, &e) != STATUS_OK)
        fail_msg("%s: %s", e.code, e.message);
    return head;
}

// Each new element is newer than the head.
static struct hash extend(struct memory_source *m, struct hash head, double *time)
{
    for (uint32_t n = property_below(6); n > 0; n--) {
        *time += 1 + property_below(3);
        head = insert(m, head, *time);
    }
    return head;
}

static void expect_sorted(struct memory_source *m, struct hash head)
{
    struct list_iterator *it = list_iterator_create(&m->source, &head, 1, false);
    struct list_element last;
    struct list_element next;
    bool end;
    assert_int_equal(list_iterator_next(it, &last, &end, NULL), STATUS_OK);
    while (!end) {
        assert_int_equal(list_iterator_next(it, &next, &end, NULL), STATUS_OK);
        if (end)
            break;
        assert_true(next.timestamp < last.timestamp ||
                    (next.timestamp == last.timestamp && hash_compare(&next.creation_time, &last.creation_time) < 0));
        last = next;
    }
    list_iterator_destroy(it);
}

static void expect_same(struct hash a, struct hash b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static void merging_sorted_lists_is_a_union(void **state)
{
    (void)state;
    for (long i = property_cases(CASES); i > 0; i--) {
        struct memory_source *m = memory_source_create(recipes);
        double start = 100;
        struct hash common = extend(m, empty, &start);
        struct hash lists[3];
        for (size_t k = 0; k < 3; k++) {
            double time = start;
            lists[k] = extend(m, property_chance(5) ? empty : common, &time);
        }
        struct hash ab = merge(m, lists[0], lists[1]);
        struct hash bc = merge(m, lists[1], lists[2]);
        struct hash abc = merge(m, ab, lists[2]);
        expect_sorted(m, abc);
        expect_same(ab, merge(m, lists[1], lists[0]));
        expect_same(abc, merge(m, lists[0], bc));
        expect_same(abc, merge(m, merge(m, lists[0], lists[2]), lists[1]));
        expect_same(abc, merge(m, abc, lists[1]));
        expect_same(abc, merge(m, lists[1], abc));
        expect_same(abc, merge(m, abc, abc));
        memory_source_destroy(m);
    }
}

static void inserting_anywhere_but_at_the_end_keeps_order(void **state)
{
    (void)state;
    for (long i = property_cases(CASES / 4); i > 0; i--) {
        struct memory_source *m = memory_source_create(recipes);
        struct hash head = insert(m, empty, 10);
        for (uint32_t n = property_below(10); n > 0; n--)
            head = insert(m, head, 11 + property_below(8));
        expect_sorted(m, head);
        memory_source_destroy(m);
    }
}

// Unsorted lists, as older peers make them, only have to be merged without harm and always alike.
static void merging_unsorted_lists_ends(void **state)
{
    (void)state;
    for (long i = property_cases(CASES / 4); i > 0; i--) {
        struct memory_source *m = memory_source_create(recipes);
        struct hash lists[2] = {empty, empty};
        for (uint32_t n = property_below(10); n > 0; n--) {
            size_t k = property_below(2);
            lists[k] = insert(m, lists[k], property_below(8));
            if (property_chance(4))
                lists[1 - k] = lists[k];
        }
        expect_same(merge(m, lists[0], lists[1]), merge(m, lists[0], lists[1]));
        memory_source_destroy(m);
    }
}

enum { LISTS = 3, LENGTH = 400, BOUNDS = 100 };

// Lists that share tails, mostly sorted, with elements of other ages on top.
static void make_lists(struct memory_source *m, struct hash *lists)
{
    for (size_t k = 0; k < LISTS; k++)
        lists[k] = k > 0 && property_chance(2) ? lists[k - 1] : empty;
    double time = 1000;
    for (uint32_t n = property_below(LENGTH); n > 0; n--) {
        size_t k = property_below(LISTS);
        time += property_below(3);
        lists[k] = insert(m, lists[k], property_chance(50) ? property_below(2000) : time);
        if (property_chance(100))
            lists[k] = merge(m, lists[0], lists[LISTS - 1]);
    }
}

static struct list_key random_bound(const struct list_element *all, size_t count)
{
    if (count != 0 && !property_chance(4))
        return list_element_key(&all[property_below((uint32_t)count)]);
    return (struct list_key){property_below(2500), {{(uint8_t)property_below(256)}}};
}

static size_t emit_all(struct list_iterator *it, struct list_element *out)
{
    size_t count = 0;
    bool end = false;
    while (!end) {
        assert_true(count < LISTS * 2 * LENGTH);
        assert_int_equal(list_iterator_next(it, &out[count], &end, NULL), STATUS_OK);
        count += !end;
    }
    return count;
}

static size_t read_all(struct memory_source *m, const struct hash *lists, const struct list_key *bound,
                       struct list_element *out)
{
    struct list_iterator *it = list_iterator_create(&m->source, lists, LISTS, false);
    if (bound != NULL)
        assert_int_equal(list_iterator_skip(it, bound, NULL), STATUS_OK);
    size_t count = emit_all(it, out);
    list_iterator_destroy(it);
    return count;
}

static void skipping_is_walking_there(void **state)
{
    static struct list_element walked[LISTS * 2 * LENGTH + 1];
    static struct list_element skipped[LISTS * 2 * LENGTH + 1];
    (void)state;
    for (long i = property_cases(CASES / BOUNDS); i > 0; i--) {
        struct memory_source *m = memory_source_create(recipes);
        struct hash lists[LISTS];
        make_lists(m, lists);
        size_t count = read_all(m, lists, NULL, walked); // without marks
        m->source.marks = list_marks_create();
        for (int n = 0; n < BOUNDS; n++) {
            struct list_key bound = random_bound(walked, count);
            size_t from = 0;
            while (from < count) {
                struct list_key key = list_element_key(&walked[from]);
                if (list_key_compare(&key, &bound) < 0)
                    break;
                from++;
            }
            assert_int_equal(read_all(m, lists, &bound, skipped), count - from);
            for (size_t k = from; k < count; k++)
                expect_same(walked[k].creation_time, skipped[k - from].creation_time);
        }
        list_marks_destroy(m->source.marks);
        memory_source_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_sorted_lists_is_a_union),
        cmocka_unit_test(inserting_anywhere_but_at_the_end_keeps_order),
        cmocka_unit_test(merging_unsorted_lists_ends),
        cmocka_unit_test(skipping_is_walking_there),
    };
    property_begin();
    recipes = fixture_recipes();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    recipes_destroy(recipes);
    return failed;
}
