#include <stdio.h>

#include "data/linkedlist.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

static const struct hash empty;

static struct hash insert(struct fixture *f, struct hash head, const char *text, double time)
{
    struct hash message = fixture_message(f->m, text, time);
    assert_int_equal(list_insert(&f->m->source, &head, &message, NULL, &head, &f->e), STATUS_OK);
    return head;
}

static struct hash merge(struct fixture *f, struct hash a, struct hash b)
{
    struct hash head;
    assert_int_equal(list_merge(&f->m->source, &a, &b, &head, &f->e), STATUS_OK);
    return head;
}

// Checks the timestamps of one list, newest first; 0 ends them.
static void expect_times(struct fixture *f, struct hash head, const double *times)
{
    struct list_iterator *it = list_iterator_create(&f->m->source, &head, 1, false);
    struct list_element element;
    bool end;
    for (;; times++) {
        assert_int_equal(list_iterator_next(it, &element, &end, &f->e), STATUS_OK);
        if (end)
            break;
        assert_true(element.timestamp == *times);
    }
    assert_true(*times == 0);
    list_iterator_destroy(it);
}

static void elements_are_inserted_in_order(void **state)
{
    struct fixture *f = *state;
    struct hash head = insert(f, empty, "a", 100);
    head = insert(f, head, "c", 300);
    head = insert(f, head, "b", 200);
    expect_times(f, head, (double[]){300, 200, 100, 0});
}

// As the reference does; callers clamp timestamps to avoid it.
static void what_is_older_than_everything_goes_on_top(void **state)
{
    struct fixture *f = *state;
    struct hash head = insert(f, empty, "b", 200);
    head = insert(f, head, "a", 100);
    expect_times(f, head, (double[]){100, 200, 0});
}

static void the_newest_is_put_on_top_without_reading_the_rest(void **state)
{
    struct fixture *f = *state;
    struct hash head = empty;
    for (int i = 0; i < 1000; i++)
        head = insert(f, head, "x", i + 1);
    struct hash message = fixture_message(f->m, "new", 5000);
    struct hash new_head;
    f->m->reads = 0;
    size_t written = f->m->written.count;
    assert_int_equal(list_insert(&f->m->source, &head, &message, NULL, &new_head, &f->e), STATUS_OK);
    assert_true(f->m->reads <= 5);
    assert_int_equal(f->m->written.count, written + 1);
}

static void merging_follows_the_longer_list(void **state)
{
    struct fixture *f = *state;
    struct hash old = insert(f, insert(f, empty, "a", 100), "b", 200);
    struct hash new = insert(f, insert(f, old, "c", 300), "d", 400);
    size_t writes = f->m->writes;
    struct hash head = merge(f, old, new);
    assert_memory_equal(&head, &new, sizeof new);
    head = merge(f, new, old);
    assert_memory_equal(&head, &new, sizeof new);
    head = merge(f, new, new);
    assert_memory_equal(&head, &new, sizeof new);
    head = merge(f, empty, new);
    assert_memory_equal(&head, &new, sizeof new);
    head = merge(f, empty, empty);
    assert_true(hash_is_zero(&head));
    assert_int_equal(f->m->writes, writes); // not even again
}

static void lists_without_anything_in_common_are_merged(void **state)
{
    struct fixture *f = *state;
    struct hash a = insert(f, insert(f, empty, "a", 100), "c", 300);
    struct hash b = insert(f, insert(f, empty, "b", 200), "d", 400);
    struct hash ab = merge(f, a, b);
    struct hash ba = merge(f, b, a);
    expect_times(f, ab, (double[]){400, 300, 200, 100, 0});
    assert_memory_equal(&ab, &ba, sizeof ab);
}

static struct value *metadata_of_head(struct fixture *f, const struct hash *head)
{
    struct span text;
    struct value *entry;
    assert_true(memory_source_text(f->m, head, &text));
    assert_int_equal(microdata_read(f->recipes, f->a, text, MICRODATA_OBJECT, SPAN("LinkedListEntry"), &entry, &f->e),
                     STATUS_OK);
    return value_get(entry, SPAN("metadata"));
}

static void metadata_stays_with_its_element(void **state)
{
    struct fixture *f = *state;
    struct hash newest = fixture_message(f->m, "newest", 300);
    struct hash tag = fixture_message(f->m, "tag", 1);
    struct hash_list tags = {0};
    struct hash head = insert(f, empty, "oldest", 100);
    hash_list_add(&tags, &tag);
    assert_int_equal(list_insert(&f->m->source, &head, &newest, &tags, &head, &f->e), STATUS_OK);
    head = insert(f, head, "between", 200); // makes a new entry for the newest
    struct value *metadata = metadata_of_head(f, &head);
    struct hash got;
    assert_non_null(metadata);
    assert_int_equal(metadata->list.count, 1);
    assert_true(value_as_hash(metadata->list.items[0], &got) && hash_eq(&got, &tag));
    hash_list_free(&tags);
}

// The same element twice, with and without metadata: the later list is taken when both are equal.
static void one_of_two_equal_elements_survives(void **state)
{
    struct fixture *f = *state;
    struct hash base = insert(f, empty, "base", 100);
    struct hash message = fixture_message(f->m, "both", 200);
    struct hash_list tags = {0};
    struct hash bare;
    struct hash tagged;
    hash_list_add(&tags, &message);
    assert_int_equal(list_insert(&f->m->source, &base, &message, NULL, &bare, &f->e), STATUS_OK);
    assert_int_equal(list_insert(&f->m->source, &base, &message, &tags, &tagged, &f->e), STATUS_OK);
    struct hash head = merge(f, bare, tagged);
    assert_memory_equal(&head, &tagged, sizeof head);
    expect_times(f, head, (double[]){200, 100, 0});
    hash_list_free(&tags);
}

static void several_lists_are_read_as_one(void **state)
{
    struct fixture *f = *state;
    struct hash heads[] = {insert(f, insert(f, empty, "a", 100), "c", 300), empty,
                           insert(f, insert(f, empty, "b", 200), "c", 300)};
    struct list_iterator *it = list_iterator_create(&f->m->source, heads, 3, false);
    static const double times[] = {300, 200, 100};
    static const size_t lists[] = {2, 2, 0};
    struct list_element element;
    bool end;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(list_iterator_next(it, &element, &end, &f->e), STATUS_OK);
        assert_false(end);
        assert_true(element.timestamp == times[i]);
        assert_int_equal(element.list, lists[i]);
    }
    assert_int_equal(list_iterator_next(it, &element, &end, &f->e), STATUS_OK);
    assert_true(end);
    assert_int_equal(list_iterator_next(it, &element, &end, &f->e), STATUS_OK);
    assert_true(end);
    list_iterator_destroy(it);
}

static void broken_lists_are_errors(void **state)
{
    struct fixture *f = *state;
    struct hash old = insert(f, empty, "a", 100);
    struct hash head = insert(f, old, "b", 200);
    struct hash other = insert(f, empty, "c", 150);
    struct hash result;
    struct hash message = fixture_message(f->m, "x", 1);
    assert_int_equal(list_merge(&f->m->source, &message, &head, &result, &f->e), STATUS_INVALID);
    assert_string_equal(f->e.code, "M2O-PHM1");
    assert_int_equal(list_insert(&f->m->source, &head, &old, NULL, &result, &f->e), STATUS_INVALID);
    memory_source_lose(f->m, &old);
    assert_int_equal(list_merge(&f->m->source, &head, &other, &result, &f->e), STATUS_NOT_FOUND);
    assert_non_null(strstr(f->e.message, hash_text(&old).s));
}

// The built-in recipes let no such entry in; a list does not rely on that.
static void entries_without_their_parts_are_errors(void **state)
{
    static const char *const entries[] = {
        "<div itemscope itemtype=\"//refin.io/LinkedListEntry\"></div>",
        "<div itemscope itemtype=\"//refin.io/LinkedListEntry\"><a itemprop=\"data\" data-type=\"obj\">%s</a></div>"};
    static const char *const lax_texts[] = {
        "{'$type$':'Recipe','name':'LinkedListEntry','rule':[{'itemprop':'data','optional':true,"
        "'itemtype':{'type':'referenceToObj','allowedTypes':{'$set':['CreationTime']}}}]}",
        "{'$type$':'Recipe','name':'CreationTime','rule':[{'itemprop':'timestamp','optional':true,"
        "'itemtype':{'type':'number'}}]}"};
    struct fixture *f = *state;
    struct recipes *lax = recipes_create(false);
    struct version_source source = f->m->source;
    struct span time = SPAN("<div itemscope itemtype=\"//refin.io/CreationTime\"></div>");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(recipes_add(lax, fixture_read(f->a, lax_texts[i]), &f->e), STATUS_OK);
    source.recipes = lax;
    struct hash without_timestamp = memory_source_put(f->m, time);
    for (size_t i = 0; i < 2; i++) {
        char text[300];
        struct list_element element;
        bool end;
        snprintf(text, sizeof text, entries[i], hash_text(&without_timestamp).s);
        struct hash head = memory_source_put(f->m, span_of(text));
        struct list_iterator *it = list_iterator_create(&source, &head, 1, false);
        assert_int_equal(list_iterator_next(it, &element, &end, &f->e), STATUS_CORRUPT);
        assert_string_equal(f->e.code, "BAD-LIST");
        list_iterator_destroy(it);
    }
    recipes_destroy(lax);
}

// The newest 50 elements older than bound; returns how many objects were read for them.
static size_t read_page(struct fixture *f, const struct hash *head, double before, struct list_element *out)
{
    const struct list_key bound = {before, {{0}}};
    struct list_iterator *it = list_iterator_create(&f->m->source, head, 1, false);
    bool end;
    size_t reads = f->m->reads;
    assert_int_equal(list_iterator_skip(it, &bound, &f->e), STATUS_OK);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(list_iterator_next(it, &out[i], &end, &f->e), STATUS_OK);
    list_iterator_destroy(it);
    return f->m->reads - reads;
}

static void a_page_far_back_costs_a_page(void **state)
{
    enum { LENGTH = 20000, A_PAGE = 1500 };
    struct fixture *f = *state;
    struct list_element page[50];
    struct hash head = empty;
    for (int i = 1; i <= LENGTH; i++)
        head = insert(f, head, "a", i);
    f->m->source.marks = list_marks_create();
    assert_in_range(read_page(f, &head, 101, page), LENGTH, 2 * LENGTH + 2);
    assert_in_range(read_page(f, &head, 101, page), 100, A_PAGE);
    assert_true(page[0].timestamp == 100 && page[49].timestamp == 51);
    for (int i = 0; i < 10; i++)
        head = insert(f, head, "newer", LENGTH + 1 + i);
    assert_in_range(read_page(f, &head, LENGTH / 2, page), 100, A_PAGE);
    assert_true(page[0].timestamp == LENGTH / 2 - 1);
    list_marks_destroy(f->m->source.marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(elements_are_inserted_in_order),
        FIXTURE_TEST(what_is_older_than_everything_goes_on_top),
        FIXTURE_TEST(the_newest_is_put_on_top_without_reading_the_rest),
        FIXTURE_TEST(merging_follows_the_longer_list),
        FIXTURE_TEST(lists_without_anything_in_common_are_merged),
        FIXTURE_TEST(metadata_stays_with_its_element),
        FIXTURE_TEST(one_of_two_equal_elements_survives),
        FIXTURE_TEST(several_lists_are_read_as_one),
        FIXTURE_TEST(broken_lists_are_errors),
        FIXTURE_TEST(entries_without_their_parts_are_errors),
        FIXTURE_TEST(a_page_far_back_costs_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
