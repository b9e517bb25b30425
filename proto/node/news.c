// Channels are read and not the changes: one change may bring many messages, and a message may come by several changes.
// A cursor for each channel says what was told; it begins at what there was at the start, so nothing old is told as
// new. Changes that come while a reading is under way are noted, and read next.
#include "node/news.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/chat.h"
#include "models/sharing.h"
#include "node/deliveries.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/sweeper.h"

enum {
    MESSAGES_PAGE = 100,
    ONE_BY_ONE_MAX = 32, // objects that came or were made in one commit; of more it is told how many they are
};

struct changed_channel { // to be read
    struct hash channel;
    struct hash sender; // who brought the last change; zero = it was made here
    bool several;       // and another one before
};

struct news {
    struct node *node;
    struct hash_map *cursors; // of chat_arrivals, by channel; texts
    struct changed_channel *changed;
    size_t changed_count;
    struct hash_map *ahead; // persons whose clock was told of
    bool reading;
    unsigned holds;
    json_t *held; // data of topic.added
};

// ---- Reading channels ----------------------------------------------------------------------------------------------

struct told_message {
    struct hash id;
    struct hash sender;
};

struct channel_news {
    struct changed_channel changed;
    int64_t latest; // the time that the newest of what was read tells
    char *cursor;   // before and, after the reading, behind what was read; NULL = before everything
    bool more;
    struct told_message *messages;
    size_t count;
    struct hash_list returned; // messages of ours that somebody else brought
    struct hash_list late;     // of a time that is deleted
};

struct reading {
    struct news *news;
    const struct identity *self;
    struct channel_news *items;
    size_t count;
};

// Brought by one other person alone, who has then what it brought.
static bool is_brought(struct model *m, const struct changed_channel *c)
{
    return !hash_is_zero(&c->sender) && !c->several && !sharing_is_own_node(m, &c->sender);
}

static enum status read_channel(struct model *m, struct channel_news *c, struct error *e)
{
    struct chat_messages messages;
    struct span next;
    bool brought = is_brought(m, &c->changed);
    enum status st = chat_arrivals(m, &c->changed.channel, span_of(c->cursor), MESSAGES_PAGE, &messages, &next, e);
    if (st != STATUS_OK)
        return st;
    c->more = messages.more;
    c->latest = messages.latest;
    c->messages = mem_array(messages.count + 1, sizeof *c->messages);
    for (size_t i = 0; i < messages.count; i++) {
        const struct chat_message *from = &messages.items[i];
        if (!hash_eq(&from->sender, &m->self->person))
            c->messages[c->count++] = (struct told_message){from->id, from->sender};
        else if (brought)
            hash_list_add(&c->returned, &from->id);
    }
    for (size_t i = 0; i < messages.late_count; i++)
        hash_list_add(&c->late, &messages.late[i].creation_time);
    free(c->cursor);
    c->cursor = mem_text(next);
    return STATUS_OK;
}

static enum status read_work(struct store *s, void *arg, struct error *e)
{
    struct reading *r = arg;
    for (size_t i = 0; i < r->count; i++) {
        struct model m = {.store = s, .self = r->self, .arena = arena_create(), .now_ms = clock_wall_ms()};
        if (read_channel(&m, &r->items[i], e) != STATUS_OK)
            LOG(LOG_WARN, "news.unreadable", LOG_HASH("channel", &r->items[i].changed.channel),
                LOG_TEXT("code", e->code));
        arena_destroy(m.arena);
    }
    return STATUS_OK;
}

static void set_cursor(struct news *news, const struct hash *channel, char *cursor)
{
    free(hash_map_get(news->cursors, channel));
    hash_map_set(news->cursors, channel, cursor);
}

static void add_changed(struct news *news, const struct hash *channel, const struct hash *sender)
{
    size_t i = 0;
    while (i < news->changed_count && !hash_eq(&news->changed[i].channel, channel))
        i++;
    if (i == news->changed_count) {
        news->changed = mem_resize(news->changed, (i + 1) * sizeof *news->changed);
        news->changed[news->changed_count++] = (struct changed_channel){.channel = *channel, .sender = *sender};
    } else if (!hash_is_zero(sender)) {
        struct changed_channel *c = &news->changed[i];
        c->several = c->several || (!hash_is_zero(&c->sender) && !hash_eq(&c->sender, sender));
        c->sender = *sender;
    }
}

static void tell_clock(struct news *news, const struct channel_news *c)
{
    const struct hash *sender = &c->changed.sender;
    const struct hash *channel = &c->changed.channel;
    if (hash_is_zero(sender) || c->latest <= clock_wall_ms() + CHANNEL_AHEAD_MS || !hash_map_add(news->ahead, sender))
        return;
    node_tell(news->node, "clock.ahead",
              json_pack("{s:o, s:o, s:I}", "personId", node_json_hash(sender), "channel", node_json_hash(channel),
                        "timestamp", (json_int_t)c->latest));
}

// What of them we do not know of was said after the time of the backup that this store was restored from.
static void note_returned(struct news *news, struct channel_news *c)
{
    if (c->returned.count != 0)
        deliveries_returned(news->node->deliveries, &c->changed.sender, &c->returned);
    hash_list_free(&c->returned);
}

static void tell_messages(struct news *news, struct channel_news *c)
{
    tell_clock(news, c);
    note_returned(news, c);
    if (c->late.count != 0)
        sweeper_hide(news->node->sweeper, &c->late);
    hash_list_free(&c->late);
    for (size_t i = 0; i < c->count; i++)
        node_tell(news->node, "chat.received",
                  json_pack("{s:o, s:o, s:o}", "id", node_json_hash(&c->messages[i].id), "sender",
                            node_json_hash(&c->messages[i].sender), "channel", node_json_hash(&c->changed.channel)));
    free(c->messages);
    if (c->cursor != NULL)
        set_cursor(news, &c->changed.channel, c->cursor);
    if (c->more)
        add_changed(news, &c->changed.channel, &c->changed.sender);
}

static void read_changed(struct news *news);

static void read_done(void *arg, enum status status, const struct error *e)
{
    struct reading *r = arg;
    struct news *news = r->news;
    (void)status;
    (void)e;
    for (size_t i = 0; i < r->count; i++)
        tell_messages(news, &r->items[i]);
    free(r->items);
    free(r);
    news->reading = false;
    read_changed(news);
}

static void read_changed(struct news *news)
{
    struct store_queue *queue = node_queue(news->node);
    if (news->reading || news->changed_count == 0 || queue == NULL)
        return;
    struct reading *r = mem_alloc(sizeof *r);
    *r = (struct reading){.news = news, .self = node_self(news->node)};
    r->items = mem_array(news->changed_count, sizeof *r->items);
    for (size_t i = 0; i < news->changed_count; i++) {
        struct channel_news *c = &r->items[r->count++];
        const char *cursor = hash_map_get(news->cursors, &news->changed[i].channel);
        c->changed = news->changed[i];
        c->latest = INT64_MIN;
        c->cursor = cursor != NULL ? mem_text(span_of(cursor)) : NULL;
    }
    news->changed_count = 0;
    news->reading = true;
    store_submit_read(queue, read_work, read_done, r);
}

// ---- What there was at the beginning -------------------------------------------------------------------------------

struct beginning {
    struct news *news;
    const struct identity *self;
    struct arena *arena;
    struct channels channels;
    struct span *cursors;
};

static enum status begin_work(struct store *s, void *arg, struct error *e)
{
    struct beginning *b = arg;
    struct model m = {.store = s, .self = b->self, .arena = b->arena, .now_ms = clock_wall_ms()};
    enum status st = channel_list(&m, &b->channels, e);
    b->cursors = arena_alloc(b->arena, (b->channels.count + 1) * sizeof *b->cursors);
    for (size_t i = 0; st == STATUS_OK && i < b->channels.count; i++)
        st = channel_cursor(&m, &b->channels.items[i].id_hash, 1, &b->cursors[i], e);
    return st;
}

static void begin_done(void *arg, enum status status, const struct error *e)
{
    struct beginning *b = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "news.unreadable", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    for (size_t i = 0; status == STATUS_OK && i < b->channels.count; i++)
        set_cursor(b->news, &b->channels.items[i].id_hash, mem_text(b->cursors[i]));
    b->news->reading = false;
    read_changed(b->news);
    arena_destroy(b->arena);
    free(b);
}

// ---- Changes -------------------------------------------------------------------------------------------------------

// What every post and every version brings along says nothing of its own.
static bool is_worth_telling(const struct store_change *c)
{
    static const char *const bookkeeping[] = {"AffirmationCertificate", "CreationTime",    "License",
                                              "LinkedListEntry",        "Signature",       "VersionNodeChange",
                                              "VersionNodeEdge",        "VersionNodeMerge"};
    for (size_t i = 0; i < sizeof bookkeeping / sizeof *bookkeeping; i++) {
        if (strcmp(c->type, bookkeeping[i]) == 0)
            return false;
    }
    return c->content != STORE_ID_OBJECT;
}

static void tell_topic(struct news *news, const struct store_change *c)
{
    json_t *data = json_pack("{s:o}", "hash", node_json_hash(&c->hash));
    if (news->holds == 0)
        node_tell(news->node, "topic.added", data);
    else
        json_array_append_new(news->held, data);
}

void news_hold(struct news *news)
{
    news->holds++;
}

void news_release(struct news *news)
{
    size_t i;
    json_t *data;
    if (--news->holds != 0)
        return;
    json_array_foreach(news->held, i, data) node_tell(news->node, "topic.added", json_incref(data));
    json_array_clear(news->held);
}

static bool is_received(const struct store_change *c)
{
    return c->kind == STORE_CHANGE_OBJECT && c->content != STORE_BLOB && c->content != STORE_CLOB &&
           !hash_is_zero(&c->from) && is_worth_telling(c);
}

static bool is_stored(const struct store_change *c)
{
    return c->kind == STORE_CHANGE_OBJECT && hash_is_zero(&c->from) && is_worth_telling(c);
}

static size_t how_many(const struct store_change *changes, size_t count, bool (*is)(const struct store_change *c))
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += is(&changes[i]);
    return found;
}

// Those of one person that stand behind one another.
static void tell_many(struct node *n, const struct store_change *changes, size_t count)
{
    struct hash from = {{0}};
    json_int_t received = 0;
    for (size_t i = 0; i <= count; i++) {
        bool counts = i < count && is_received(&changes[i]);
        if (received != 0 && (i == count || (counts && !hash_eq(&from, &changes[i].from)))) {
            node_tell(n, "objects.received",
                      json_pack("{s:I, s:o}", "count", received, "personId", node_json_hash(&from)));
            received = 0;
        }
        if (counts)
            from = changes[i].from;
        received += counts;
    }
}

static void tell_object(struct news *news, const struct store_change *c, bool many_came, bool many_made)
{
    struct node *n = news->node;
    bool is_file = c->content == STORE_BLOB || c->content == STORE_CLOB;
    bool is_ours = hash_is_zero(&c->from);
    if (is_file && !is_ours)
        node_tell(n, "blob.received",
                  json_pack("{s:o, s:I, s:o}", "hash", node_json_hash(&c->hash), "size", (json_int_t)c->size,
                            "personId", node_json_hash(&c->from)));
    else if (!is_ours && !many_came && is_worth_telling(c))
        node_tell(n, "object.received",
                  json_pack("{s:o, s:s, s:o}", "hash", node_json_hash(&c->hash), "type", c->type, "personId",
                            node_json_hash(&c->from)));
    else if (!many_made && is_stored(c))
        node_tell(n, "object.stored", json_pack("{s:o, s:s}", "hash", node_json_hash(&c->hash), "type", c->type));
    if (strcmp(c->type, "Topic") == 0 && !c->part)
        tell_topic(news, c);
}

// Of several versions of one id in a commit the last is told of; the others were current for nobody.
static void tell_head(struct news *news, const struct store_change *c, bool is_last)
{
    bool is_channel = strcmp(c->type, "ChannelInfo") == 0;
    if (is_channel)
        add_changed(news, &c->id_hash, &c->from);
    if (!is_last)
        return;
    node_tell(news->node, "version.changed",
              json_pack("{s:o, s:o, s:s}", "idHash", node_json_hash(&c->id_hash), "hash", node_json_hash(&c->hash),
                        "type", c->type));
    if (is_channel)
        node_tell(news->node, "channel.changed", json_pack("{s:o}", "channel", node_json_hash(&c->id_hash)));
}

// By id the last change of its head.
static struct hash_map *last_heads(const struct store_change *changes, size_t count)
{
    struct hash_map *last = hash_map_create();
    for (size_t i = 0; i < count; i++)
        if (changes[i].kind == STORE_CHANGE_HEAD)
            hash_map_set(last, &changes[i].id_hash, (void *)&changes[i]);
    return last;
}

static void tell_loss(struct node *n, const struct store_change *c)
{
    node_tell(n, "version.overwritten",
              json_pack("{s:o, s:s, s:s, s:s, s:b, s:o}", "idHash", node_json_hash(&c->id_hash), "type", c->type,
                        "property", c->loss->property, "value", c->loss->value, "cut", c->loss->is_cut, "hash",
                        node_json_hash(&c->hash)));
}

void news_tell(struct news *news, const struct store_change *changes, size_t count)
{
    size_t made = how_many(changes, count, is_stored);
    bool many_came = how_many(changes, count, is_received) > ONE_BY_ONE_MAX;
    bool many_made = made > ONE_BY_ONE_MAX;
    struct hash_map *last = last_heads(changes, count);
    if (many_came)
        tell_many(news->node, changes, count);
    if (many_made)
        node_tell(news->node, "objects.stored", json_pack("{s:I}", "count", (json_int_t)made));
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == STORE_CHANGE_HEAD)
            tell_head(news, &changes[i], hash_map_get(last, &changes[i].id_hash) == &changes[i]);
        else if (changes[i].kind == STORE_CHANGE_LOSS)
            tell_loss(news->node, &changes[i]);
        else
            tell_object(news, &changes[i], many_came, many_made);
    }
    hash_map_destroy(last);
    read_changed(news);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct news *news_create(struct node *n)
{
    struct news *news = mem_alloc(sizeof *news);
    *news = (struct news){
        .node = n, .cursors = hash_map_create(), .ahead = hash_map_create(), .reading = true, .held = json_array()};
    struct beginning *b = mem_alloc(sizeof *b);
    *b = (struct beginning){.news = news, .self = node_self(n), .arena = arena_create()};
    store_submit_read(node_queue(n), begin_work, begin_done, b);
    return news;
}

void news_destroy(struct news *news)
{
    if (news == NULL)
        return;
    hash_map_free_values(news->cursors);
    hash_map_destroy(news->cursors);
    hash_map_destroy(news->ahead);
    json_decref(news->held);
    free(news->changed);
    free(news);
}
