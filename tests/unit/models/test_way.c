// The two nodes of an installation and a contact: which of them leads where, and messages that one writes for the
// other.
#include <stdlib.h>
#include <string.h>

#include "by_topic.h"
#include "model_node.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/delivery.h"
#include "models/sharing.h"
#include "models/way.h"
#include "store/outbox.h"
#include "tests/unit/cmocka_all.h"

enum { PASSES = 4, HOUR_MS = 3600000 };

struct world {
    struct model_node archive;
    struct model_node sparse;
    struct model_node bob;
};

static void meet(struct model_node *a, struct model_node *b)
{
    model_node_pair(a, b);
    struct model *m = model_node_begin(a);
    MUST(sharing_apply(m, &b->self->person, &e));
    model_node_end(a);
    m = model_node_begin(b);
    MUST(sharing_apply(m, &a->self->person, &e));
    model_node_end(b);
}

static void sync_all(struct world *w)
{
    for (int i = 0; i < PASSES; i++) {
        model_node_sync(&w->sparse, &w->archive);
        model_node_sync(&w->archive, &w->bob);
        model_node_sync(&w->bob, &w->archive);
        model_node_sync(&w->archive, &w->sparse);
    }
}

static int setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    model_node_time = 1700000000000;
    model_node_open_plain(&w->archive, "archive@test", "archive", "ws://localhost:1");
    model_node_open_plain(&w->sparse, "sparse@test", "sparse", NULL);
    model_node_open_plain(&w->bob, "bob@test", "bob", NULL);
    model_node_pair(&w->archive, &w->sparse);
    model_node_become_own(&w->archive, &w->sparse);
    model_node_become_own(&w->sparse, &w->archive);
    meet(&w->archive, &w->bob);
    sync_all(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    model_node_close(&w->archive);
    model_node_close(&w->sparse);
    model_node_close(&w->bob);
    free(w);
    return 0;
}

// ---- Ways -----------------------------------------------------------------------------------------------------------

static enum way way(struct world *w, const struct hash *person)
{
    enum way found;
    MUST(way_to(&w->sparse.m, person, &found, &e));
    return found;
}

static void ways_follow_the_pairings(void **state)
{
    struct world *w = *state;
    const struct hash *bob = &w->bob.self->person;
    const struct hash stranger = {{1}};
    assert_int_equal(way(w, bob), WAY_ARCHIVE);
    assert_int_equal(way(w, &w->archive.self->person), WAY_DIRECT);
    assert_int_equal(way(w, &stranger), WAY_NONE);
    meet(&w->sparse, &w->bob);
    assert_int_equal(way(w, bob), WAY_DIRECT);
}

static void a_way_ends_when_the_archive_forgets(void **state)
{
    struct world *w = *state;
    struct model *m = model_node_begin(&w->archive);
    MUST(contact_forget(m, &w->bob.self->person, &e));
    model_node_end(&w->archive);
    sync_all(w);
    assert_int_equal(way(w, &w->bob.self->person), WAY_NONE);
}

static enum way into(struct world *w, const struct hash *one, const struct hash *two)
{
    enum way found;
    struct topic t = {.id = topic_one_to_one_id(w->sparse.m.arena, one, two), .kind = TOPIC_ONE_TO_ONE};
    MUST(way_into(&w->sparse.m, &t, &found, &e));
    return found;
}

static void a_conversation_is_written_into_by_whose_it_is(void **state)
{
    struct world *w = *state;
    const struct hash stranger = {{1}};
    const struct hash *self = &w->sparse.self->person;
    const struct hash *archive = &w->archive.self->person;
    const struct hash *bob = &w->bob.self->person;
    assert_int_equal(into(w, archive, bob), WAY_ARCHIVE);
    assert_int_equal(into(w, self, archive), WAY_DIRECT);
    assert_int_equal(into(w, self, bob), WAY_NONE); // it was never ours
    assert_int_equal(into(w, archive, &stranger), WAY_NONE);
    assert_int_equal(into(w, bob, &stranger), WAY_NONE);
}

// ---- Messages -------------------------------------------------------------------------------------------------------

static struct chat_sent written(struct world *w, const char *text, double behind, const struct chat_attachment *files,
                                size_t count)
{
    struct chat_sent sent;
    struct way_topics topics;
    struct hash_list channels = {0};
    struct model *m = model_node_begin(&w->sparse);
    MUST(way_conversation(m, &w->bob.self->person, &topics, &e));
    MUST(way_channels(m, topics.items, topics.count, &channels, &e));
    MUST(chat_write_for(m, &w->archive.self->person, &channels, behind, span_of(text), files, count, &sent, &e));
    model_node_end(&w->sparse);
    hash_list_free(&channels);
    return sent;
}

static enum status post(struct world *w, const char *text, const struct chat_sent *sent, const struct hash_list *files,
                        struct chat_sent *out, struct error *why)
{
    struct topic topic;
    struct chat_written message = {.text = span_of(text), .timestamp = (double)sent->timestamp};
    if (files != NULL)
        message.attachments = *files;
    struct model *m = model_node_begin(&w->archive);
    MUST(topic_open_one_to_one(m, &w->bob.self->person, &topic, &e));
    enum status st = chat_post_written(m, &topic, &message, out, why);
    model_node_end(&w->archive);
    return st;
}

static void posts(struct world *w, const char *text, const struct chat_sent *sent)
{
    struct chat_sent out;
    MUST(post(w, text, sent, NULL, &out, &e));
    assert_true(hash_eq(&out.id, &sent->id));
    assert_true(hash_eq(&out.message, &sent->message));
}

static void assert_reads(struct model_node *n, const struct hash *self, const struct hash *other, const char *texts)
{
    struct topic topic;
    struct chat_messages page;
    struct buf found = {0};
    MUST(chat_between(&n->m, self, other, &topic, &e));
    MUST(chat_page(&n->m, &topic, 0, NULL, &page, &e));
    for (size_t i = 0; i < page.count; i++) {
        buf_add_span(&found, page.items[i].text);
        buf_add_char(&found, '.');
        assert_int_equal(page.items[i].verification, VERIFICATION_VERIFIED);
    }
    assert_string_equal(buf_cstr(&found), texts);
    buf_free(&found);
}

static void assert_all_read(struct world *w, const char *texts)
{
    const struct hash *archive = &w->archive.self->person;
    const struct hash *bob = &w->bob.self->person;
    assert_reads(&w->archive, archive, bob, texts);
    assert_reads(&w->bob, bob, archive, texts);
    assert_reads(&w->sparse, archive, bob, texts);
}

static void bob_says(struct world *w, const char *text)
{
    struct chat_sent sent;
    struct model *m = model_node_begin(&w->bob);
    MUST(chat_send_to(m, &w->archive.self->person, span_of(text), NULL, 0, &sent, &e));
    model_node_end(&w->bob);
}

static void a_message_keeps_its_id_and_is_posted_once(void **state)
{
    struct world *w = *state;
    struct chat_sent first = written(w, "one", 0, NULL, 0);
    struct chat_sent second = written(w, "two", (double)first.timestamp, NULL, 0);
    assert_true(second.timestamp > first.timestamp);
    posts(w, "two", &second); // in whatever order they come
    posts(w, "one", &first);
    for (int i = 0; i < 2; i++)
        posts(w, "one", &first);
    sync_all(w);
    assert_all_read(w, "one.two.");
}

static void a_message_stands_where_it_was_written(void **state)
{
    struct world *w = *state;
    bob_says(w, "a");
    sync_all(w);
    model_node_time -= HOUR_MS; // the clock of the sparse node is slow
    struct chat_sent behind = written(w, "b", 0, NULL, 0);
    model_node_time += 2 * HOUR_MS;
    bob_says(w, "c");
    sync_all(w);
    posts(w, "b", &behind);
    sync_all(w);
    assert_all_read(w, "a.b.c.");
}

static void files_come_before_the_message(void **state)
{
    struct world *w = *state;
    struct store_writer *writer;
    struct chat_attachment file = {.name = SPAN("f")};
    struct hash_list files = {0};
    struct hash_list previews = {0};
    struct chat_sent out;
    struct error why;
    bool is_new;
    model_node_begin(&w->sparse);
    MUST(store_writer_create(w->sparse.store, false, &writer, &e));
    MUST(store_writer_add(writer, SPAN("bytes"), &e));
    MUST(store_writer_finish(writer, NULL, &file.hash, &is_new, &e));
    store_writer_destroy(writer);
    model_node_end(&w->sparse);
    struct chat_sent sent = written(w, "look", 0, &file, 1);
    MUST(chat_files(&w->sparse.m, &sent.message, &files, &previews, &e));
    assert_int_equal(files.count, 1);
    assert_int_equal(post(w, "look", &sent, &files, &out, &why), STATUS_NOT_FOUND);
    assert_string_equal(why.code, "BLOB-UNAVAILABLE");
    sync_all(w);
    MUST(post(w, "look", &sent, &files, &out, &e));
    assert_true(hash_eq(&out.id, &sent.id));
    hash_list_free(&files);
    hash_list_free(&previews);
}

// ---- States ---------------------------------------------------------------------------------------------------------

static struct delivery_summary summary(struct model_node *n, const struct hash *message, const struct hash *sender)
{
    struct delivery_summary s;
    MUST(delivery_summary(&n->m, message, sender, &s, &e));
    return s;
}

static void set(struct model_node *n, const struct hash *message, const struct hash *person, enum delivery_state state)
{
    bool changed;
    const struct store_delivery d = {.message = *message, .person = *person, .state = state};
    struct model *m = model_node_begin(n);
    MUST(store_delivery_set(m->store, &d, &changed, &e));
    model_node_end(n);
}

static void what_is_written_for_the_archive_is_pending_then_archived(void **state)
{
    struct world *w = *state;
    int64_t seq;
    const struct hash *archive = &w->archive.self->person;
    struct chat_sent sent = written(w, "one", 0, NULL, 0);
    const struct store_intent row = {
        .op = SPAN("op"), .method = SPAN("node.post"), .params = SPAN("{}"), .topic = SPAN("t"), .message = sent.id};
    struct model *m = model_node_begin(&w->sparse);
    MUST(store_outbox_add(m->store, &row, &seq, &e));
    model_node_end(&w->sparse);
    assert_string_equal(summary(&w->sparse, &sent.id, archive).state, "pending");
    m = model_node_begin(&w->sparse);
    MUST(store_outbox_settle(m->store, &(struct store_intent){.seq = seq, .state = INTENT_CARRIED}, &e));
    model_node_end(&w->sparse);
    assert_string_equal(summary(&w->sparse, &sent.id, archive).state, "archived");
    set(&w->sparse, &sent.id, &w->bob.self->person, DELIVERY_DELIVERED);
    struct delivery_summary s = summary(&w->sparse, &sent.id, archive);
    assert_string_equal(s.state, "delivered");
    assert_true(s.delivered_count == 1 && hash_eq(&s.delivered_to[0], &w->bob.self->person));
}

static void it_is_delivered_when_all_have_it_and_failed_when_nobody_else_will(void **state)
{
    struct world *w = *state;
    const struct hash message = {{5}};
    const struct hash ann = {{6}};
    const struct hash *self = &w->archive.self->person;
    const struct hash *bob = &w->bob.self->person;
    assert_string_equal(summary(&w->archive, &message, self).state, "sent"); // from before there were states
    set(&w->archive, &message, bob, DELIVERY_SENT);
    set(&w->archive, &message, &ann, DELIVERY_SENT);
    set(&w->archive, &message, &ann, DELIVERY_DELIVERED);
    struct delivery_summary s = summary(&w->archive, &message, self);
    assert_string_equal(s.state, "sent");
    assert_true(s.delivered_count == 1 && hash_eq(&s.delivered_to[0], &ann));
    struct model *m = model_node_begin(&w->archive);
    MUST(contact_forget(m, bob, &e));
    model_node_end(&w->archive);
    s = summary(&w->archive, &message, self);
    assert_string_equal(s.state, "failed");
    assert_true(span_eq_text(s.why, "the contact was forgotten") && s.delivered_count == 1);
}

// And with the other own node, whose having it makes it archived.
static void sending_begins_with_everybody_it_is_for(void **state)
{
    struct world *w = *state;
    struct chat_sent sent;
    struct store_deliveries rows;
    const struct hash *self = &w->archive.self->person;
    struct model *m = model_node_begin(&w->archive);
    MUST(chat_send_to(m, &w->bob.self->person, SPAN("x"), NULL, 0, &sent, &e));
    MUST(store_delivery_of(m->store, m->arena, &sent.id, &rows, &e));
    assert_int_equal(rows.count, 2);
    for (size_t i = 0; i < rows.count; i++)
        assert_true(rows.items[i].state == DELIVERY_SENT && (hash_eq(&rows.items[i].person, &w->bob.self->person) ||
                                                             hash_eq(&rows.items[i].person, &w->sparse.self->person)));
    model_node_end(&w->archive);
    assert_string_equal(summary(&w->archive, &sent.id, self).state, "sent");
    set(&w->archive, &sent.id, &w->sparse.self->person, DELIVERY_DELIVERED);
    struct delivery_summary s = summary(&w->archive, &sent.id, self);
    assert_string_equal(s.state, "archived");
    assert_int_equal(s.delivered_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ways_follow_the_pairings),
        TEST(a_way_ends_when_the_archive_forgets),
        TEST(a_conversation_is_written_into_by_whose_it_is),
        TEST(a_message_keeps_its_id_and_is_posted_once),
        TEST(a_message_stands_where_it_was_written),
        TEST(files_come_before_the_message),
        TEST(what_is_written_for_the_archive_is_pending_then_archived),
        TEST(it_is_delivered_when_all_have_it_and_failed_when_nobody_else_will),
        TEST(sending_begins_with_everybody_it_is_for),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
