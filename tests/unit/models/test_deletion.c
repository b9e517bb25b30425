// What is deleted of a conversation: hidden at once, freed when nobody waits for it, back only when it is said again.
#include "conversation.h"
#include "models/deletion.h"
#include "store/delivery.h"
#include "tests/unit/cmocka_all.h"

static void assert_texts(struct model_node *n, const struct model_node *with, const char *const *texts, size_t count)
{
    struct chat_messages page = read_all(n, with);
    assert_int_equal(page.count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(span_eq_text(page.items[i].text, texts[i]));
}

static void delete (struct model_node *n, const struct hash *id)
{
    struct hash_list ids = {0};
    size_t count;
    hash_list_add(&ids, id);
    MUST(deletion_of_messages(model_node_begin(n), &ids, &count, &e));
    model_node_end(n);
    assert_int_equal(count, 1);
    hash_list_free(&ids);
}

static size_t sweep(struct model_node *n)
{
    struct deletion_work work = {0};
    for (bool changed = true; changed;) {
        struct hash at = {{0}};
        work.changed = false;
        for (bool more = true; more;) {
            MUST(deletion_sweep(model_node_begin(n), &at, &more, &work, &e));
            model_node_end(n);
        }
        changed = work.changed;
    }
    return work.freed;
}

static void delivered(struct model_node *n, const struct hash *id, const struct hash *person)
{
    bool changed;
    const struct store_delivery d = {.message = *id, .person = *person, .state = DELIVERY_DELIVERED, .at_ms = 1};
    MUST(store_delivery_set(model_node_begin(n)->store, &d, &changed, &e));
    model_node_end(n);
}

static bool is_here(struct model_node *n, const struct hash *message)
{
    return store_presence(n->store, message) == STORE_PRESENT;
}

// Otherwise a peer of the reference would ask for what is not there any more, and end its session each time.
static void bytes_stay_until_everybody_has_them(void **state)
{
    struct model_pair *p = *state;
    static const char *const rest[] = {"it stays"};
    struct chat_sent sent = say(&p->a, &p->b, "for the shredder");
    say(&p->a, &p->b, "it stays");
    delete (&p->a, &sent.id);
    assert_texts(&p->a, &p->b, rest, 1);
    assert_int_equal(sweep(&p->a), 0);
    assert_true(is_here(&p->a, &sent.message));
    sync_both(p);
    assert_int_equal(read_all(&p->b, &p->a).count, 2);
    delivered(&p->a, &sent.id, &p->b.self->person);
    assert_int_equal(sweep(&p->a), 1);
    assert_false(is_here(&p->a, &sent.message));
    sync_both(p);
    assert_texts(&p->a, &p->b, rest, 1);
    assert_int_equal(sweep(&p->a), 0);
}

static void what_is_said_twice_is_needed_by_both(void **state)
{
    struct model_pair *p = *state;
    struct chat_sent first = say(&p->b, &p->a, "ok");
    struct chat_sent second = say(&p->b, &p->a, "ok");
    sync_both(p);
    assert_true(hash_eq(&first.message, &second.message));
    delete (&p->a, &first.id);
    sweep(&p->a);
    assert_true(is_here(&p->a, &first.message));
    assert_int_equal(read_all(&p->a, &p->b).count, 1);
    delete (&p->a, &second.id);
    assert_int_equal(sweep(&p->a), 1);
    assert_false(is_here(&p->a, &first.message));
}

static void the_conversation_goes_on(void **state)
{
    struct model_pair *p = *state;
    static const char *const rest[] = {"one", "three", "four"};
    say(&p->a, &p->b, "one");
    struct chat_sent two = say(&p->b, &p->a, "two");
    sync_both(p);
    delete (&p->a, &two.id);
    sweep(&p->a);
    say(&p->b, &p->a, "three");
    sync_both(p);
    say(&p->a, &p->b, "four");
    sync_both(p);
    assert_texts(&p->a, &p->b, rest, 3);
    assert_int_equal(read_all(&p->b, &p->a).count, 4);
    assert_false(is_here(&p->a, &two.message));
}

static void a_channel_is_deleted_up_to_now(void **state)
{
    struct model_pair *p = *state;
    static const char *const rest[] = {"later"};
    struct chat_sent sent = {0};
    struct hash_list channels = {0};
    for (int i = 0; i < DELETION_SLICE + 10; i++)
        sent = say(&p->b, &p->a, "before");
    sync_both(p);
    hash_list_add(&channels, &sent.channel);
    MUST(deletion_of_channels(model_node_begin(&p->a), &channels, &e));
    model_node_end(&p->a);
    assert_int_equal(read_all(&p->a, &p->b).count, 0);
    assert_int_equal(sweep(&p->a), 1); // of one object for all
    assert_false(is_here(&p->a, &sent.message));
    model_node_time += 1000;
    sent = say(&p->b, &p->a, "later");
    sync_both(p);
    assert_texts(&p->a, &p->b, rest, 1);
    model_node_time += 1000;
    MUST(deletion_of_channels(model_node_begin(&p->a), &channels, &e));
    model_node_end(&p->a);
    assert_int_equal(sweep(&p->a), 1); // a second time
    assert_false(is_here(&p->a, &sent.message));
    hash_list_free(&channels);
}

static void a_clock_far_ahead_deletes_nothing_to_come(void **state)
{
    static const int64_t ahead_ms = (int64_t)40 * 24 * 3600 * 1000;
    struct model_pair *p = *state;
    static const char *const rest[] = {"later"};
    struct hash_list channels = {0};
    model_node_time += ahead_ms;
    struct chat_sent sent = say(&p->b, &p->a, "from the future");
    model_node_time -= ahead_ms;
    sync_both(p);
    assert_int_equal(read_all(&p->a, &p->b).count, 1);
    hash_list_add(&channels, &sent.channel);
    MUST(deletion_of_channels(model_node_begin(&p->a), &channels, &e));
    model_node_end(&p->a);
    assert_int_equal(read_all(&p->a, &p->b).count, 0);
    model_node_time += 1000;
    say(&p->a, &p->b, "later");
    assert_texts(&p->a, &p->b, rest, 1);
    assert_int_equal(sweep(&p->a), 1);
    assert_false(is_here(&p->a, &sent.message));
    hash_list_free(&channels);
}

static void only_messages_are_deleted(void **state)
{
    struct model_pair *p = *state;
    struct hash_list ids = {0};
    struct error e = {0};
    struct chat_sent sent = say(&p->a, &p->b, "hello");
    hash_list_add(&ids, &sent.message);
    assert_int_equal(deletion_of_messages(model_node_begin(&p->a), &ids, NULL, &e), STATUS_INVALID);
    model_node_drop(&p->a);
    assert_int_equal(deletion_of_object(model_node_begin(&p->a), &sent.message, &e), STATUS_REFUSED);
    model_node_drop(&p->a);
    assert_int_equal(deletion_of_object(model_node_begin(&p->a), &p->a.self->person, &e), STATUS_REFUSED);
    model_node_drop(&p->a);
    hash_list_free(&ids);
}

#define PAIR(test) cmocka_unit_test_setup_teardown(test, conversation_begin, model_pair_end)

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        PAIR(bytes_stay_until_everybody_has_them),
        PAIR(what_is_said_twice_is_needed_by_both),
        PAIR(the_conversation_goes_on),
        PAIR(a_channel_is_deleted_up_to_now),
        PAIR(a_clock_far_ahead_deletes_nothing_to_come),
        PAIR(only_messages_are_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
