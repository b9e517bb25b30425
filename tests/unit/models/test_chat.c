// Conversations between two stores: messages, attachments, merging, cursors, verification.
#include "conversation.h"
#include "data/versionnode.h"
#include "models/channel_confirm.h"
#include "models/contact.h"
#include "models/sharing.h"
#include "tests/unit/cmocka_all.h"

static void assert_texts(const struct chat_messages *page, const char *const *texts, size_t count)
{
    assert_int_equal(page->count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(span_eq_text(page->items[i].text, texts[i]));
}

static struct hash channel_version(struct model_node *n, const struct hash *channel)
{
    struct hash hash;
    struct value *ignored;
    MUST(model_current(&n->m, channel, "ChannelInfo", &ignored, &hash, &e));
    return hash;
}

static void carries_messages_both_ways(void **state)
{
    struct model_pair *p = *state;
    struct chat_sent hello = say(&p->a, &p->b, "hello");
    sync_both(p);
    say(&p->b, &p->a, "hi <ann> & all");
    sync_both(p);
    static const char *const texts[] = {"hello", "hi <ann> & all"};
    struct chat_messages at_a = read_all(&p->a, &p->b);
    struct chat_messages at_b = read_all(&p->b, &p->a);
    assert_texts(&at_a, texts, 2);
    assert_texts(&at_b, texts, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(at_a.items[i].verification, VERIFICATION_VERIFIED);
        assert_int_equal(at_b.items[i].verification, VERIFICATION_VERIFIED);
        assert_true(hash_eq(&at_a.items[i].id, &at_b.items[i].id));
    }
    assert_true(hash_eq(&at_b.items[0].id, &hello.id));
    assert_true(hash_eq(&at_b.items[1].sender, &p->b.self->person));
}

static void merges_what_was_written_apart(void **state)
{
    struct model_pair *p = *state;
    struct chat_sent first = say(&p->a, &p->b, "together");
    sync_both(p);
    say(&p->a, &p->b, "a1");
    say(&p->b, &p->a, "b2");
    say(&p->a, &p->b, "a3");
    say(&p->b, &p->a, "b4");
    sync_both(p);
    static const char *const texts[] = {"together", "a1", "b2", "a3", "b4"};
    struct chat_messages at_a = read_all(&p->a, &p->b);
    struct chat_messages at_b = read_all(&p->b, &p->a);
    assert_texts(&at_a, texts, 5);
    assert_texts(&at_b, texts, 5);
    struct hash x = channel_version(&p->a, &first.channel);
    struct hash y = channel_version(&p->b, &first.channel);
    assert_true(hash_eq(&x, &y));
    assert_true(hash_eq(&at_b.items[0].id, &first.id)); // ids survive the rebuilt list
}

static void settles_after_a_merge(void **state)
{
    struct model_pair *p = *state;
    struct chat_sent first = say(&p->a, &p->b, "x");
    say(&p->b, &p->a, "y");
    sync_both(p);
    struct hash before;
    struct hash after;
    MUST(store_head(p->a.store, &first.channel, &before, &e));
    sync_both(p);
    MUST(store_head(p->a.store, &first.channel, &after, &e));
    assert_true(hash_eq(&before, &after));
}

// As a reference peer that answers while it takes in a word: the word is stored, and its list goes on without it.
static void answer_over(struct model_pair *p, const char *word, const char *answer)
{
    struct topic topic;
    struct channel before;
    struct channel after;
    MUST(chat_with(&p->b.m, &p->a.self->person, &topic, &e));
    MUST(channel_get(&p->b.m, &topic.channel, &before, &e));
    say(&p->a, &p->b, word);
    model_node_sync(&p->a, &p->b);
    say(&p->b, &p->a, answer);
    struct model *m = model_node_begin(&p->b);
    struct list_element newest;
    bool end;
    MUST(channel_get(m, &topic.channel, &after, &e));
    struct list_iterator *it = list_iterator_create(store_versions(m->store), &after.head, 1, false);
    MUST(list_iterator_next(it, &newest, &end, &e));
    list_iterator_destroy(it);
    struct hash_list metadata = {0};
    struct hash head;
    MUST(channel_entry_metadata(m, &newest.entry, &metadata, &e));
    MUST(list_insert(store_versions(m->store), &before.head, &newest.creation_time, &metadata, &head, &e));
    hash_list_free(&metadata);
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", topic.id);
    model_set_hash(m, info, "head", &head);
    MUST(model_change(m, info, NULL, &e));
    model_node_end(&p->b);
}

static size_t count_versions(struct model_node *n, const struct hash *channel)
{
    struct hash head;
    struct hash_list nodes = {0};
    MUST(store_head(n->store, channel, &head, &e));
    MUST(version_list(store_versions(n->store), &head, &nodes, &e));
    size_t count = nodes.count;
    hash_list_free(&nodes);
    return count;
}

static struct hash put_version(struct model *m, const struct topic *topic, const struct hash *list)
{
    struct object o;
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", topic->id);
    model_set_hash(m, info, "head", list);
    MUST(object_make(store_recipes(m->store), m->arena, info, MICRODATA_OBJECT, &o, &e));
    MUST(store_put(m->store, &o, NULL, &e));
    return o.hash;
}

static struct hash put_node(struct model *m, enum versionnode_kind kind, const struct hash *data, struct hash *before,
                            size_t count)
{
    struct versionnode node = {.kind = kind, .data = *data, .before = before, .before_count = count};
    node.depth = (double)count;
    MUST(versionnode_write(store_versions(m->store), &node, &e));
    return node.hash;
}

static void add_entry(struct model *m, struct hash *list, double time, const struct hash *data)
{
    struct hash id;
    struct hash longer;
    const struct hash_list none = {0};
    struct value *element = model_object(m, "CreationTime");
    model_set_number(m, element, "timestamp", time);
    model_set_hash(m, element, "data", data);
    MUST(model_put(m, element, &id, &e));
    MUST(list_insert(store_versions(m->store), list, &id, &none, &longer, &e));
    *list = longer;
}

// A merge of a list with so many entries on top and one with another entry below these.
static bool is_confirmed(struct model_pair *p, size_t deep)
{
    struct topic topic;
    struct channel channel;
    struct hash merged;
    struct hash after;
    struct chat_sent sent = say(&p->a, &p->b, "hello");
    struct model *m = model_node_begin(&p->a);
    MUST(chat_with(m, &p->b.self->person, &topic, &e));
    MUST(channel_get(m, &topic.channel, &channel, &e));
    struct hash one = channel.head;
    struct hash two = channel.head;
    add_entry(m, &two, (double)model_node_time + 1, &sent.message);
    for (size_t i = 0; i < deep; i++)
        add_entry(m, &one, (double)(model_node_time + 2 + (int64_t)i), &sent.message);
    MUST(list_merge(store_versions(m->store), &one, &two, &merged, &e));
    struct hash data[] = {put_version(m, &topic, &one), put_version(m, &topic, &two), put_version(m, &topic, &merged)};
    struct hash nodes[2];
    for (size_t i = 0; i < 2; i++)
        nodes[i] = put_node(m, VERSIONNODE_EDGE, &data[i], NULL, 0);
    const struct hash merge = put_node(m, VERSIONNODE_MERGE, &data[2], nodes, 2);
    MUST(store_versions(m->store)->set_head(m->store, &topic.channel, &merge, &e));
    MUST(channel_confirm(m, &topic.channel, &e));
    MUST(store_head(m->store, &topic.channel, &after, &e));
    model_node_drop(&p->a);
    return !hash_eq(&after, &merge);
}

// However somebody sorted a list, it is not read to its end each time that he sends a version.
static void a_list_is_looked_through_to_some_depth(void **state)
{
    assert_true(is_confirmed(*state, 100));
    assert_false(is_confirmed(*state, 4200));
}

static void a_word_that_was_written_over_comes_back(void **state)
{
    struct model_pair *p = *state;
    struct chat_sent first = say(&p->a, &p->b, "hello");
    sync_both(p);
    answer_over(p, "lost", "answer");
    static const char *const without[] = {"hello", "answer"};
    struct chat_messages at_b = read_all(&p->b, &p->a);
    assert_texts(&at_b, without, 2);
    sync_both(p);
    static const char *const texts[] = {"hello", "lost", "answer"};
    struct chat_messages at_a = read_all(&p->a, &p->b);
    at_b = read_all(&p->b, &p->a);
    assert_texts(&at_a, texts, 3);
    assert_texts(&at_b, texts, 3);
    size_t a = count_versions(&p->a, &first.channel);
    size_t b = count_versions(&p->b, &first.channel);
    sync_both(p);
    assert_int_equal(count_versions(&p->a, &first.channel), a); // both have come to rest
    assert_int_equal(count_versions(&p->b, &first.channel), b);
}

// A cursor tells of everything once, also of what merged in with older timestamps.
static void follows_without_gap_or_repetition(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct chat_messages news;
    struct span cursor;
    struct span next;
    say(&p->a, &p->b, "old");
    sync_both(p);
    MUST(chat_with(&p->a.m, &p->b.self->person, &topic, &e));
    MUST(chat_cursor(&p->a.m, &topic, &cursor, &e));
    say(&p->b, &p->a, "earlier elsewhere");
    say(&p->a, &p->b, "mine");
    MUST(chat_since(&p->a.m, &topic, cursor, 0, &news, &next, &e));
    static const char *const mine[] = {"mine"};
    assert_texts(&news, mine, 1);
    sync_both(p);
    cursor = next;
    MUST(chat_since(&p->a.m, &topic, cursor, 0, &news, &next, &e));
    static const char *const theirs[] = {"earlier elsewhere"};
    assert_texts(&news, theirs, 1);
    MUST(chat_since(&p->a.m, &topic, next, 0, &news, &cursor, &e));
    assert_int_equal(news.count, 0);
}

static void follows_in_pieces(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct span cursor = {0};
    size_t seen = 0;
    for (int i = 0; i < 7; i++) {
        char text[2] = {(char)('0' + i), '\0'};
        say(&p->a, &p->b, text);
    }
    MUST(chat_with(&p->a.m, &p->b.self->person, &topic, &e));
    for (;;) {
        struct chat_messages news;
        struct span next;
        MUST(chat_since(&p->a.m, &topic, cursor, 3, &news, &next, &e));
        for (size_t i = 0; i < news.count; i++)
            assert_int_equal(news.items[i].text.ptr[0], '0' + (int)seen++);
        cursor = next;
        if (!news.more)
            break;
        if (seen == 3) // what arrives meanwhile comes later
            say(&p->a, &p->b, "7");
    }
    struct chat_messages news;
    MUST(chat_since(&p->a.m, &topic, cursor, 3, &news, &cursor, &e));
    assert_int_equal(seen + news.count, 8);
    struct error why = {0};
    assert_int_equal(chat_since(&p->a.m, &topic, SPAN("nonsense"), 3, &news, &cursor, &why), STATUS_INVALID);
}

static void pages_backwards(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct chat_messages page;
    for (int i = 0; i < 5; i++)
        say(&p->a, &p->b, (const char *[]){"0", "1", "2", "3", "4"}[i]);
    MUST(chat_with(&p->a.m, &p->b.self->person, &topic, &e));
    MUST(chat_page(&p->a.m, &topic, 2, NULL, &page, &e));
    assert_texts(&page, (const char *[]){"3", "4"}, 2);
    assert_true(page.more);
    MUST(chat_page(&p->a.m, &topic, 2, &page.items[0].id, &page, &e));
    assert_texts(&page, (const char *[]){"1", "2"}, 2);
    MUST(chat_page(&p->a.m, &topic, 2, &page.items[0].id, &page, &e));
    assert_texts(&page, (const char *[]){"0"}, 1);
    assert_false(page.more);
}

static struct hash put_blob(struct model_node *n, struct span bytes)
{
    struct store_writer *w;
    struct hash hash;
    bool is_new;
    MUST(store_writer_create(n->store, false, &w, &e));
    MUST(store_writer_add(w, bytes, &e));
    MUST(store_writer_finish(w, NULL, &hash, &is_new, &e));
    store_writer_destroy(w);
    return hash;
}

static void carries_attachments_with_thumbnails(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct chat_sent sent;
    struct model *m = model_node_begin(&p->a);
    struct chat_attachment files[2] = {
        {.name = SPAN("notes.txt"), .type = SPAN("text/plain"), .last_modified_ms = 12345},
        {.name = SPAN("cat.png"), .type = SPAN("image/png")},
    };
    files[0].hash = put_blob(&p->a, SPAN("hello world\n"));
    files[1].hash = put_blob(&p->a, SPAN("a big picture"));
    files[1].thumbnail = put_blob(&p->a, SPAN("small"));
    MUST(topic_open_one_to_one(m, &p->b.self->person, &topic, &e));
    MUST(chat_send(m, &topic, SPAN("two files"), files, 2, &sent, &e));
    model_node_end(&p->a);
    sync_both(p);
    struct chat_messages page = read_all(&p->b, &p->a);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.items[0].attachment_count, 2);
    const struct chat_attachment *cat = &page.items[0].attachments[0]; // files with a preview come first
    const struct chat_attachment *notes = &page.items[0].attachments[1];
    assert_true(span_eq_text(cat->name, "cat.png"));
    assert_true(hash_eq(&cat->thumbnail, &files[1].thumbnail));
    assert_true(span_eq_text(notes->name, "notes.txt"));
    assert_int_equal(notes->size, 12);
    assert_int_equal(notes->last_modified_ms, 12345);
    assert_true(hash_is_zero(&notes->thumbnail));
    assert_true(notes->present && cat->present);
}

static void refuses_missing_files_and_broken_text(void **state)
{
    struct model_pair *p = *state;
    struct chat_sent sent;
    struct error why = {0};
    struct chat_attachment missing = {.hash = {{1}}, .name = SPAN("x")};
    struct model *m = model_node_begin(&p->a);
    assert_int_equal(chat_send_to(m, &p->b.self->person, SPAN("x"), &missing, 1, &sent, &why), STATUS_NOT_FOUND);
    assert_int_equal(chat_send_to(m, &p->b.self->person, SPAN("\xff"), NULL, 0, &sent, &why), STATUS_INVALID);
    assert_string_equal(why.code, "BAD-TEXT");
    assert_int_equal(chat_send_to(m, &(struct hash){{7}}, SPAN("x"), NULL, 0, &sent, &why), STATUS_REFUSED);
    assert_string_equal(why.code, "NOT-TRUSTED");
    model_node_drop(&p->a);
}

// ---- Timestamps -----------------------------------------------------------------------------------------------------

static void keeps_order_when_the_clock_goes_back(void **state)
{
    struct model_pair *p = *state;
    say(&p->a, &p->b, "one");
    model_node_time -= 50000;
    say(&p->a, &p->b, "two");
    struct chat_messages page = read_all(&p->a, &p->b);
    assert_texts(&page, (const char *[]){"one", "two"}, 2);
    assert_int_equal(page.items[1].timestamp, page.items[0].timestamp + 1);
}

static void post_at(struct model *m, const struct hash *channel, const char *text, double timestamp)
{
    struct channel_entry entry;
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", span_of(text));
    model_set_hash(m, message, "sender", &m->self->person);
    MUST(channel_post(m, channel, message, &(struct channel_post){.timestamp = timestamp}, &entry, &e));
}

static void puts_old_entries_where_they_belong(void **state)
{
    struct model_pair *p = *state;
    struct hash channel;
    struct channel_entries entries;
    struct model *m = model_node_begin(&p->a);
    MUST(channel_create(m, SPAN("history"), &m->self->person, &channel, &e));
    static const double times[] = {5000, 7000, 1000, 6000, 1000, 500};
    for (size_t i = 0; i < 6; i++)
        post_at(m, &channel, (const char *[]){"5", "7", "1", "6", "1", "0"}[i], times[i]);
    MUST(channel_read(m, &(struct channel_query){.channels = &channel, .channel_count = 1}, &entries, &e));
    static const double wanted[] = {7000, 6000, 5000, 1000, 500}; // the repeated one is there once
    assert_int_equal(entries.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(entries.items[i].timestamp - wanted[i] == 0);
        assert_int_equal(entries.items[i].verification, VERIFICATION_VERIFIED);
    }
    const struct channel_query part = {
        .channels = &channel, .channel_count = 1, .from = 1000, .to = 6000, .limit = 2, .ascending = true};
    MUST(channel_read(m, &part, &entries, &e));
    assert_int_equal(entries.count, 2);
    assert_true(entries.more);
    assert_true(entries.items[0].timestamp - 5000 == 0);
    model_node_end(&p->a);
}

// A new entry on top of the list, whatever its time.
static void put_on_top(struct model *m, const struct channel *channel, const struct hash *creation_time)
{
    struct hash entry;
    struct value *object = model_object(m, "LinkedListEntry");
    model_set_hash(m, object, "data", creation_time);
    model_set_hash(m, object, "previous", &channel->head);
    MUST(model_put(m, object, &entry, &e));
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", channel->id);
    model_set_hash(m, info, "head", &entry);
    MUST(model_change(m, info, NULL, &e));
}

// What the reference makes of a message older than all others: it is on top, and history is there twice.
static void lists_out_of_order_are_read_in_order(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct channel channel;
    struct chat_messages page;
    struct span cursor;
    struct chat_sent first = say(&p->a, &p->b, "0");
    struct chat_sent second = say(&p->a, &p->b, "1");
    say(&p->a, &p->b, "2");
    struct model *m = model_node_begin(&p->a);
    MUST(chat_with(m, &p->b.self->person, &topic, &e));
    MUST(chat_cursor(m, &topic, &cursor, &e));
    const struct hash *again[] = {&first.id, &second.id};
    for (size_t i = 0; i < 2; i++) {
        MUST(channel_get(m, &topic.channel, &channel, &e));
        put_on_top(m, &channel, again[i]);
    }
    model_node_end(&p->a);
    say(&p->a, &p->b, "3");
    page = read_all(&p->a, &p->b);
    assert_texts(&page, (const char *[]){"0", "1", "2", "3"}, 4);
    MUST(chat_page(&p->a.m, &topic, 3, NULL, &page, &e));
    assert_texts(&page, (const char *[]){"1", "2", "3"}, 3);
    MUST(chat_page(&p->a.m, &topic, 3, &page.items[0].id, &page, &e));
    assert_texts(&page, (const char *[]){"0"}, 1);
    MUST(chat_since(&p->a.m, &topic, cursor, 0, &page, &cursor, &e));
    assert_texts(&page, (const char *[]){"3"}, 1);
}

// ---- Verification ---------------------------------------------------------------------------------------------------

static void put_entry(struct model *m, const struct topic *topic, const char *text, const struct hash *sender,
                      const struct hash_list *metadata, struct hash *creation_time)
{
    struct hash data;
    struct hash head;
    struct channel channel;
    if (text != NULL) {
        struct value *message = model_object(m, "ChatMessage");
        model_set_text(m, message, "text", span_of(text));
        model_set_hash(m, message, "sender", sender);
        MUST(model_put(m, message, &data, &e));
        struct value *time = model_object(m, "CreationTime");
        model_set_number(m, time, "timestamp", (double)m->now_ms);
        model_set_hash(m, time, "data", &data);
        MUST(model_put(m, time, creation_time, &e));
    }
    MUST(channel_get(m, &topic->channel, &channel, &e));
    MUST(list_insert(store_versions(m->store), &channel.head, creation_time, metadata, &head, &e));
    struct value *info = model_object(m, "ChannelInfo");
    model_set_text(m, info, "id", topic->id);
    model_set_hash(m, info, "head", &head);
    MUST(model_change(m, info, NULL, &e));
}

static enum verification verdict_on_last(struct model_pair *p)
{
    sync_both(p);
    struct chat_messages page = read_all(&p->b, &p->a);
    return page.items[page.count - 1].verification;
}

static void shows_unsigned_entries(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct hash time;
    struct model *m = model_node_begin(&p->a);
    MUST(topic_open_one_to_one(m, &p->b.self->person, &topic, &e));
    put_entry(m, &topic, "who am I", &m->self->person, NULL, &time);
    model_node_end(&p->a);
    assert_int_equal(verdict_on_last(p), VERIFICATION_UNSIGNED);
}

static void shows_forged_entries(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct hash time;
    struct hash signature;
    struct hash_list metadata = {0};
    // A signature that is good, but about another entry.
    struct chat_sent first = say(&p->a, &p->b, "signed");
    model_node_time += 1000;
    struct model *m = model_node_begin(&p->a);
    MUST(topic_open_one_to_one(m, &p->b.self->person, &topic, &e));
    MUST(trust_affirm(m, m->self, &first.id, &signature, &e));
    hash_list_add(&metadata, &signature);
    put_entry(m, &topic, "not what I signed", &m->self->person, &metadata, &time);
    model_node_end(&p->a);
    assert_int_equal(verdict_on_last(p), VERIFICATION_FORGED);
    // A message that names another sender than its author.
    model_node_time += 1000;
    m = model_node_begin(&p->a);
    struct value *message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("I am Ben"));
    model_set_hash(m, message, "sender", &p->b.self->person);
    struct channel_entry entry;
    MUST(channel_post(m, &topic.channel, message, NULL, &entry, &e));
    model_node_end(&p->a);
    assert_int_equal(verdict_on_last(p), VERIFICATION_FORGED);
    // A signature made with a key that is not the issuer's.
    model_node_time += 1000;
    m = model_node_begin(&p->a);
    struct identity thief = *p->b.self;
    thief.person_keys = p->a.self->person_keys;
    message = model_object(m, "ChatMessage");
    model_set_text(m, message, "text", SPAN("Ben says so"));
    model_set_hash(m, message, "sender", &p->b.self->person);
    MUST(channel_post(m, &topic.channel, message, &(struct channel_post){.author = &thief}, &entry, &e));
    model_node_end(&p->a);
    assert_int_equal(verdict_on_last(p), VERIFICATION_FORGED);
    hash_list_free(&metadata);
    // The same of a time when Ben had other keys, for all that he knows.
    m = model_node_begin(&p->a);
    const struct channel_post before = {.author = &thief, .timestamp = 1000};
    MUST(channel_post(m, &topic.channel, message, &before, &entry, &e));
    model_node_end(&p->a);
    sync_both(p);
    struct chat_messages page = read_all(&p->b, &p->a);
    assert_int_equal(page.items[0].timestamp, 1000);
    assert_int_equal(page.items[0].verification, VERIFICATION_UNSIGNED);
    assert_int_equal(page.items[page.count - 1].verification, VERIFICATION_FORGED);
}

// ---- Groups ---------------------------------------------------------------------------------------------------------

static void talks_in_a_group(void **state)
{
    struct model_pair *p = *state;
    struct topic topic;
    struct topic same;
    struct chat_sent sent;
    struct chat_messages page;
    struct model *m = model_node_begin(&p->a);
    const struct topic_plan plan = {.name = SPAN("Tea Club"), .persons = &p->b.self->person, .count = 1};
    MUST(topic_create_group(m, &plan, &topic, &e));
    assert_true(span_starts_with(topic.id, SPAN("tea-club-")));
    MUST(chat_send(m, &topic, SPAN("welcome"), NULL, 0, &sent, &e));
    model_node_end(&p->a);
    sync_both(p);
    model_node_time += 1000;
    m = model_node_begin(&p->b);
    MUST(topic_named(m, SPAN("Tea Club"), &same, &e));
    assert_true(span_eq_text(same.name, "Tea Club"));
    MUST(chat_send(m, &same, SPAN("thanks"), NULL, 0, &sent, &e));
    model_node_end(&p->b);
    assert_false(hash_eq(&sent.channel, &topic.channel)); // everybody writes into an own channel
    sync_both(p);
    MUST(chat_page(&p->a.m, &topic, 0, NULL, &page, &e));
    assert_texts(&page, (const char *[]){"welcome", "thanks"}, 2);
    assert_int_equal(page.items[1].verification, VERIFICATION_VERIFIED);
    MUST(chat_page(&p->b.m, &same, 0, NULL, &page, &e));
    assert_int_equal(page.count, 2);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_messages_both_ways, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(merges_what_was_written_apart, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(settles_after_a_merge, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(a_word_that_was_written_over_comes_back, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(a_list_is_looked_through_to_some_depth, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(follows_without_gap_or_repetition, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(follows_in_pieces, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(pages_backwards, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(carries_attachments_with_thumbnails, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(refuses_missing_files_and_broken_text, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(keeps_order_when_the_clock_goes_back, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(puts_old_entries_where_they_belong, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(lists_out_of_order_are_read_in_order, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(shows_unsigned_entries, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(shows_forged_entries, conversation_begin, model_pair_end),
        cmocka_unit_test_setup_teardown(talks_in_a_group, conversation_begin, model_pair_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
