// There is a row for each recipient, and on the sparse node one for the own archive, which is no recipient but where it
// is the only row (notes to oneself). A message that the archive posts for us has no rows here but an intent
// (store/outbox.h), and that is asked first. "failed" is only said once nobody is left who may get it still.
#include "models/delivery.h"

#include "models/access.h"
#include "models/own_node.h"
#include "store/outbox.h"

enum { GIVEN_UP_AT_A_TIME = 10000, RESTORED_AT_A_TIME = 1000, OLD_AT_A_TIME = 10000 };

// ---- Keeping --------------------------------------------------------------------------------------------------------

static enum status set(struct model *m, const struct hash *message, const struct hash *person,
                       enum delivery_state state, struct span why, struct error *e)
{
    bool changed;
    const struct store_delivery d = {
        .message = *message, .person = *person, .state = state, .at_ms = m->now_ms, .why = why};
    return store_delivery_set(m->store, &d, &changed, e);
}

enum status delivery_begin(struct model *m, const struct topic *topic, const struct hash *message, struct error *e)
{
    struct hash own;
    struct hash_list persons = {0};
    bool has_own = sharing_own_node(m, &own, NULL) == STATUS_OK;
    enum status status = topic_recipients(m, topic, &persons, e);
    for (size_t i = 0; status == STATUS_OK && i < persons.count; i++)
        status = set(m, message, &persons.items[i], DELIVERY_SENT, (struct span){0}, e);
    if (status == STATUS_OK && persons.count != 0 && has_own && store_kind(m->store) == STORE_SPARSE)
        status = set(m, message, &own, DELIVERY_SENT, (struct span){0}, e);
    hash_list_free(&persons);
    return status;
}

static bool is_own(struct model *m, const struct channel_entry *entry)
{
    struct value *object;
    struct hash sender;
    return model_read(m, &entry->data, "ChatMessage", &object, NULL) == STATUS_OK &&
           value_get_hash(object, "sender", &sender) && hash_eq(&sender, &m->self->person);
}

static enum status restore_message(struct model *m, const struct topic *topic, const struct hash *message,
                                   struct error *e)
{
    struct hash own;
    struct store_deliveries rows;
    enum status status = store_delivery_of(m->store, m->arena, message, &rows, e);
    if (status != STATUS_OK || rows.count != 0)
        return status;
    status = delivery_begin(m, topic, message, e);
    if (status == STATUS_OK)
        status = store_delivery_of(m->store, m->arena, message, &rows, e);
    if (status == STATUS_OK)
        status = sharing_own_node(m, &own, e);
    for (size_t i = 0; status == STATUS_OK && i < rows.count; i++)
        if (hash_eq(&rows.items[i].person, &own))
            status = set(m, message, &own, DELIVERY_DELIVERED, (struct span){0}, e);
    return status;
}

// *last: the oldest that was read. What cannot be read of a conversation is passed over.
static enum status restore_page(struct model *m, const struct topic *topic, const struct channel_query *query,
                                struct hash *last, bool *more, struct error *e)
{
    struct channel_entries page = {0};
    enum status status = STATUS_OK;
    *more = channel_read(m, query, &page, NULL) == STATUS_OK && page.count != 0;
    for (size_t i = 0; *more && status == STATUS_OK && i < page.count; i++)
        if (is_own(m, &page.items[i]))
            status = restore_message(m, topic, &page.items[i].creation_time, e);
    if (*more)
        *last = page.items[page.count - 1].creation_time;
    *more = *more && page.more;
    return status;
}

// Page by page, each in memory of its own: a conversation may be long.
static enum status restore_topic(struct model *m, const struct topic *topic, struct error *e)
{
    struct hash_list channels = {0};
    struct hash last;
    struct model page = *m;
    enum status status = STATUS_OK;
    bool more = topic_channels(m, topic, &channels, NULL) == STATUS_OK && channels.count != 0;
    struct channel_query query = {.channels = channels.items,
                                  .channel_count = channels.count,
                                  .limit = RESTORED_AT_A_TIME,
                                  .type = "ChatMessage",
                                  .unverified = true};
    while (status == STATUS_OK && more) {
        page.arena = arena_create();
        status = restore_page(&page, topic, &query, &last, &more, e);
        arena_destroy(page.arena);
        query.before = &last;
    }
    hash_list_free(&channels);
    return status;
}

enum status delivery_restore(struct model *m, struct error *e)
{
    struct topics topics;
    enum status status = topic_list(m, &topics, e);
    for (size_t i = 0; status == STATUS_OK && i < topics.count; i++)
        status = restore_topic(m, &topics.items[i], e);
    return status;
}

enum status delivery_give_up(struct model *m, const struct hash *person, struct span why, struct error *e)
{
    struct store_deliveries waiting;
    enum status status = store_delivery_to(m->store, m->arena, person, GIVEN_UP_AT_A_TIME, &waiting, e);
    for (size_t i = 0; status == STATUS_OK && i < waiting.count; i++)
        status = set(m, &waiting.items[i].message, person, DELIVERY_FAILED, why, e);
    return status;
}

enum status delivery_give_up_in(struct model *m, const struct hash_list *channels, const struct hash *person,
                                struct span why, struct error *e)
{
    struct store_deliveries waiting;
    struct channel_entries said = {0};
    struct hash_map *here = hash_map_create();
    const struct channel_query query = {.channels = channels->items,
                                        .channel_count = channels->count,
                                        .limit = GIVEN_UP_AT_A_TIME,
                                        .type = "ChatMessage",
                                        .unverified = true};
    enum status status = store_delivery_to(m->store, m->arena, person, GIVEN_UP_AT_A_TIME, &waiting, e);
    if (status == STATUS_OK && waiting.count != 0 && channels->count != 0)
        status = channel_read(m, &query, &said, e);
    for (size_t i = 0; i < said.count; i++)
        hash_map_add(here, &said.items[i].creation_time);
    for (size_t i = 0; status == STATUS_OK && i < waiting.count; i++)
        if (hash_map_has(here, &waiting.items[i].message))
            status = set(m, &waiting.items[i].message, person, DELIVERY_FAILED, why, e);
    hash_map_destroy(here);
    return status;
}

enum status delivery_older(struct store *s, const struct hash *person, const struct hash *self, int64_t before_ms,
                           struct arena *a, struct hash_list *out, struct error *e)
{
    struct store_deliveries rows;
    enum status st = store_delivery_to(s, a, person, OLD_AT_A_TIME, &rows, e);
    if (st != STATUS_OK || rows.count == 0)
        return st;
    struct store_knowledge *shown = store_knowledge_create(s, person, self, false);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.items[i].at_ms < before_ms &&
            store_knowledge_of(shown, LINK_OBJECT, &rows.items[i].message) == STORE_LINK_KNOWN)
            hash_list_add(out, &rows.items[i].message);
    store_knowledge_destroy(shown);
    return STATUS_OK;
}

// ---- In one word ----------------------------------------------------------------------------------------------------

struct counts {
    size_t all;
    size_t delivered;
    size_t failed;
    bool archived;
};

// The own other node keeps things and is a recipient only where it is the only one.
static bool is_recipient(const struct store_deliveries *rows, size_t i, const struct hash *own)
{
    return rows->count == 1 || !hash_eq(&rows->items[i].person, own);
}

static void count_rows(const struct store_deliveries *rows, const struct hash *own, struct counts *n,
                       struct delivery_summary *out)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct store_delivery *d = &rows->items[i];
        n->archived = n->archived || (hash_eq(&d->person, own) && d->state == DELIVERY_DELIVERED);
        if (!is_recipient(rows, i, own))
            continue;
        n->all++;
        if (d->state == DELIVERY_DELIVERED) {
            n->delivered++;
            out->delivered_to[out->delivered_count++] = d->person;
        } else if (d->state == DELIVERY_FAILED) {
            n->failed++;
            out->why = d->why;
        }
    }
}

static const char *word_for(const struct counts *n, bool is_of_other)
{
    if (n->all != 0 && n->delivered == n->all)
        return "delivered";
    if (n->failed != 0 && n->delivered + n->failed == n->all)
        return "failed";
    return is_of_other || n->archived ? "archived" : "sent";
}

enum status delivery_summary(struct model *m, const struct hash *message, const struct hash *sender,
                             struct delivery_summary *out, struct error *e)
{
    struct store_intent intent;
    struct store_deliveries rows;
    struct counts n = {0};
    struct hash own = {{0}};
    (void)sharing_own_node(m, &own, NULL);
    *out = (struct delivery_summary){.state = "pending"};
    enum status status = store_outbox_by_message(m->store, m->arena, message, &intent, NULL);
    if (status == STATUS_OK && intent.state != INTENT_CARRIED) {
        out->state = intent.state == INTENT_WAITING ? "pending" : "failed";
        out->why = intent.why;
        return STATUS_OK;
    }
    status = store_delivery_of(m->store, m->arena, message, &rows, e);
    out->delivered_to = arena_alloc(m->arena, (rows.count + 1) * sizeof *out->delivered_to);
    if (status == STATUS_OK)
        count_rows(&rows, &own, &n, out);
    out->state = word_for(&n, m->self->elsewhere || !hash_eq(sender, &m->self->person));
    if (n.failed == 0 || n.delivered + n.failed != n.all)
        out->why = (struct span){0};
    return status;
}
