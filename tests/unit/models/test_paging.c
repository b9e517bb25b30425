// Pages of channels whose lists are in any order: together they are everything, once, newest first.
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "data/listorder.h"
#include "model_node.h"
#include "models/channel.h"
#include "property.h"
#include "tests/unit/cmocka_all.h"

enum { CHANNELS = 3, ENTRIES = 40, DISORDERS = 3 };

struct random_channels {
    struct hash ids[CHANNELS];
    size_t count;
    struct list_key keys[CHANNELS * ENTRIES]; // of all entries, each once, newest first
    size_t key_count;
};

static int newest_first(const void *a, const void *b)
{
    return list_key_compare(b, a);
}

static struct hash put_time(struct model *m, double timestamp, uint32_t text)
{
    struct hash data;
    struct hash creation_time;
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", text % 2 == 0 ? SPAN("a") : SPAN("b"));
    model_set_hash(m, message, "sender", &m->self->person);
    MUST(model_put(m, message, &data, &e));
    struct value *time = model_object(m, "CreationTime");
    model_set_number(m, time, "timestamp", timestamp);
    model_set_hash(m, time, "data", &data);
    MUST(model_put(m, time, &creation_time, &e));
    return creation_time;
}

static struct hash put_entry(struct model *m, const struct hash *creation_time, const struct hash *below)
{
    struct hash entry;
    struct value *object = model_object(m, "LinkedListEntry");
    model_set_hash(m, object, "data", creation_time);
    if (!hash_is_zero(below))
        model_set_hash(m, object, "previous", below);
    MUST(model_put(m, object, &entry, &e));
    return entry;
}

// As any program may write it: mostly rising, with earlier, equal and repeated times, or in order.
static double next_time(uint32_t disorder, double last)
{
    if (disorder == 0)
        return last + 1 + property_below(3);
    return property_chance(disorder == 1 ? 8 : 2) ? 1 + property_below(ENTRIES) : last + property_below(3);
}

static void fill(struct model *m, size_t which, struct random_channels *r)
{
    struct hash head = {{0}};
    uint32_t disorder = property_below(DISORDERS);
    double last = 1 + property_below(ENTRIES);
    for (uint32_t i = 0, n = property_below(ENTRIES + 1); i < n; i++) {
        last = next_time(disorder, last);
        struct hash creation_time = put_time(m, last, property_below(2));
        head = put_entry(m, &creation_time, &head);
        r->keys[r->key_count++] = list_key_of(last, &creation_time);
    }
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", (struct span){"xyz" + which, 1});
    if (!hash_is_zero(&head))
        model_set_hash(m, info, "head", &head);
    MUST(model_change(m, info, NULL, &e));
    MUST(channel_id_hash(m, (struct span){"xyz" + which, 1}, NULL, &r->ids[which], &e));
}

static void sort_keys(struct random_channels *r)
{
    size_t kept = 0;
    qsort(r->keys, r->key_count, sizeof *r->keys, newest_first);
    for (size_t i = 0; i < r->key_count; i++)
        if (kept == 0 || newest_first(&r->keys[kept - 1], &r->keys[i]) != 0)
            r->keys[kept++] = r->keys[i];
    r->key_count = kept;
}

static void make(struct model *m, struct random_channels *r)
{
    *r = (struct random_channels){.count = 1 + property_below(CHANNELS)};
    for (size_t i = 0; i < r->count; i++)
        fill(m, i, r);
    sort_keys(r);
}

static void read_in_pages(struct model *m, const struct random_channels *r)
{
    struct channel_query query = {.channels = r->ids, .channel_count = r->count, .unverified = true};
    struct channel_entries page = {.more = true};
    struct hash last;
    size_t at = 0;
    while (page.more) {
        query.limit = 1 + property_below(7);
        MUST(channel_read(m, &query, &page, &e));
        assert_true(page.count <= query.limit);
        for (size_t i = 0; i < page.count; i++, at++) {
            assert_true(at < r->key_count);
            assert_true(hash_eq(&page.items[i].creation_time, &r->keys[at].creation_time));
        }
        assert_true(page.count != 0 || !page.more);
        if (page.count != 0)
            last = page.items[page.count - 1].creation_time;
        query.before = &last;
    }
    assert_int_equal(at, r->key_count);
}

static void read_above(struct model *m, const struct random_channels *r)
{
    if (r->key_count == 0)
        return;
    struct channel_entries page;
    size_t at = property_below((uint32_t)r->key_count);
    const struct channel_query query = {
        .channels = r->ids, .channel_count = r->count, .after = &r->keys[at].creation_time, .unverified = true};
    MUST(channel_read(m, &query, &page, &e));
    assert_int_equal(page.count, at);
}

static void pages_together_are_everything_in_order(void **state)
{
    struct model_pair *p = *state;
    property_begin();
    for (long i = property_cases(100); i > 0; i--) {
        struct random_channels r;
        struct model *m = model_node_begin(&p->a);
        make(m, &r);
        for (int again = 0; again < 2; again++) // then much is known
            read_in_pages(m, &r);
        read_above(m, &r);
        model_node_drop(&p->a);
    }
}

static size_t reads;

static enum status counted_read(void *ctx, const struct hash *hash, struct arena *a, struct span *text, struct error *e)
{
    const struct version_source *real = ctx;
    reads++;
    return real->read(real->ctx, hash, a, text, e);
}

static bool judge(const struct version_source *s, const struct hash *head)
{
    bool in_order = false;
    size_t looked;
    reads = 0;
    MUST(list_is_in_order(s, head, &in_order, &looked, &e));
    return in_order;
}

static void a_long_list_is_read_once_to_know_its_order(void **state)
{
    struct model_pair *p = *state;
    struct model *m = model_node_begin(&p->a);
    struct version_source counting = *store_versions(m->store);
    counting.ctx = (void *)store_versions(m->store);
    counting.read = counted_read;
    counting.links = NULL;
    struct hash heads[2001] = {{{0}}};
    for (uint32_t i = 1; i <= 2000; i++) {
        struct hash time = put_time(m, i, i);
        heads[i] = put_entry(m, &time, &heads[i - 1]);
    }
    assert_true(judge(&counting, &heads[1990]));
    assert_int_equal(reads, 2 * 1990);
    assert_true(judge(&counting, &heads[2000])); // ten more
    assert_int_equal(reads, 2 * 11);
    struct hash early = put_time(m, 1500.5, 0);
    struct hash merged = put_entry(m, &early, &heads[1500]); // half of the list is another one from here on
    for (uint32_t i = 1501; i <= 1510; i++) {
        struct hash time = put_time(m, i, i);
        merged = put_entry(m, &time, &merged);
    }
    assert_true(judge(&counting, &merged));
    assert_true(reads < 2 * 800); // down to a mark
    struct hash late = put_time(m, 1, 0);
    struct hash wrong = put_entry(m, &late, &heads[2000]);
    assert_false(judge(&counting, &wrong));
    struct hash on_top = put_time(m, 5000, 0);
    struct hash over = put_entry(m, &on_top, &wrong);
    assert_false(judge(&counting, &over)); // what is below stays as it is
    assert_true(reads <= 2 * 2);
    model_node_drop(&p->a);
}

static void set_head(struct model *m, const struct hash *head)
{
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", SPAN("long"));
    model_set_hash(m, info, "head", head);
    MUST(model_change(m, info, NULL, &e));
}

enum { LONG = 300 };

static struct hash put_long_list(struct model *m, const struct hash *below)
{
    struct hash head = *below;
    for (uint32_t i = 1; i <= LONG; i++) {
        struct hash time = put_time(m, i, i);
        head = put_entry(m, &time, &head);
    }
    set_head(m, &head);
    return head;
}

// As pages are read: outside of a transaction. What is noted then is kept by the next maintenance.
static double newest_time(struct model_node *n, const struct hash *channel)
{
    const struct channel_query query = {.channels = channel, .channel_count = 1, .limit = 1, .unverified = true};
    struct channel_entries page;
    bool more = true;
    MUST(channel_read(&n->m, &query, &page, &e));
    while (more)
        MUST(store_maintain(n->store, 1, &more, &e));
    assert_int_equal(page.count, 1);
    return page.items[0].timestamp;
}

static void assert_kept(struct model_node *n, const struct store_setting_name *name, const struct hash *head,
                        int verdict)
{
    struct span kept;
    MUST(store_setting_get(n->store, name->s, n->m.arena, &kept, &e));
    assert_memory_equal(kept.ptr, head->b, HASH_SIZE);
    assert_int_equal(kept.ptr[HASH_SIZE], verdict);
}

static void forget_what_is_in_memory(struct model_node *n) // as another process
{
    struct version_source *source = (struct version_source *)(uintptr_t)store_versions(n->store);
    list_marks_destroy(source->marks);
    source->marks = list_marks_create();
}

static void what_is_known_of_a_long_list_outlives_the_process(void **state)
{
    struct model_pair *p = *state;
    struct model_node *n = &p->a;
    struct hash channel;
    struct span kept;
    struct model *m = model_node_begin(n);
    MUST(channel_id_hash(m, SPAN("long"), NULL, &channel, &e));
    const struct store_setting_name name = store_setting_about("order", &channel);
    struct hash head = put_long_list(m, &(struct hash){{0}});
    model_node_end(n);
    assert_true(newest_time(n, &channel) - LONG == 0);
    assert_kept(n, &name, &head, 1);
    m = model_node_begin(n);
    struct hash late = put_time(m, LONG + 0.5, 0);
    struct hash lowest = put_entry(m, &late, &(struct hash){{0}});
    head = put_long_list(m, &lowest); // the newest lies at the end
    model_node_end(n);
    assert_true(newest_time(n, &channel) - (LONG + 0.5) == 0);
    assert_kept(n, &name, &head, 0);
    forget_what_is_in_memory(n);
    assert_true(newest_time(n, &channel) - (LONG + 0.5) == 0);
    MUST(store_setting_get(n->store, name.s, n->m.arena, &kept, &e));
    char *wrong = arena_alloc(n->m.arena, kept.len);
    memcpy(wrong, kept.ptr, kept.len);
    wrong[HASH_SIZE] = 1;
    model_node_begin(n);
    MUST(store_setting_set(n->store, name.s, (struct span){wrong, kept.len}, &e));
    model_node_end(n);
    forget_what_is_in_memory(n);
    assert_true(newest_time(n, &channel) - LONG == 0); // it was believed, and nothing read to find out
    wrong[0] ^= 1;                                     // of another head
    model_node_begin(n);
    MUST(store_setting_set(n->store, name.s, (struct span){wrong, kept.len}, &e));
    model_node_end(n);
    forget_what_is_in_memory(n);
    assert_true(newest_time(n, &channel) - (LONG + 0.5) == 0);
    assert_kept(n, &name, &head, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_together_are_everything_in_order, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(a_long_list_is_read_once_to_know_its_order, model_pair_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(what_is_known_of_a_long_list_outlives_the_process, model_pair_begin,
                                        model_pair_end),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
