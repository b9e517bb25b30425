#include "node/news.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/chat.h"
#include "node/job.h"

enum { MESSAGES_PAGE = 100 };

struct news {
    struct node *node;
    struct hash_map *cursors; // of chat_arrivals, by channel; texts
    struct hash_list changed; // channels to be read
    struct hash_list senders; // and who brought the last change of each; zero = it was made here
    struct hash_map *ahead;   // persons whose clock was told of
    bool reading;
};

// ---- Reading channels ----------------------------------------------------------------------------------------------

struct told_message {
    struct hash id;
    struct hash sender;
};

struct channel_news {
    struct hash channel;
    struct hash sender;
    int64_t latest; // the time that the newest of what was read tells
    char *cursor;   // before and, after the reading, behind what was read; NULL = before everything
    bool more;
    struct told_message *messages;
    size_t count;
};

struct reading {
    struct news *news;
    const struct identity *self;
    struct channel_news *items;
    size_t count;
};

static enum status read_channel(struct model *m, struct channel_news *c, struct error *e)
{
    struct chat_messages messages;
    struct span next;
    enum status st = chat_arrivals(m, &c->channel, span_of(c->cursor), MESSAGES_PAGE, &messages, &next, e);
    if (st != STATUS_OK)
        return st;
    c->more = messages.more;
    c->latest = messages.latest;
    c->messages = mem_array(messages.count + 1, sizeof *c->messages);
    for (size_t i = 0; i < messages.count; i++) {
        const struct chat_message *from = &messages.items[i];
        if (!hash_eq(&from->sender, &m->self->person))
            c->messages[c->count++] = (struct told_message){from->id, from->sender};
    }
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
            LOG(LOG_WARN, "news.unreadable", LOG_HASH("channel", &r->items[i].channel), LOG_TEXT("code", e->code));
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
    while (i < news->changed.count && !hash_eq(&news->changed.items[i], channel))
        i++;
    if (i == news->changed.count) {
        hash_list_add(&news->changed, channel);
        hash_list_add(&news->senders, sender);
    } else if (!hash_is_zero(sender)) {
        news->senders.items[i] = *sender;
    }
}

static void tell_clock(struct news *news, const struct channel_news *c)
{
    if (hash_is_zero(&c->sender) || c->latest <= clock_wall_ms() + CHANNEL_AHEAD_MS ||
        !hash_map_add(news->ahead, &c->sender))
        return;
    LOG(LOG_WARN, "clock.ahead", LOG_HASH("person", &c->sender), LOG_HASH("channel", &c->channel));
    node_tell(news->node, "clock.ahead",
              json_pack("{s:o, s:o, s:I}", "personId", node_json_hash(&c->sender), "channel",
                        node_json_hash(&c->channel), "timestamp", (json_int_t)c->latest));
}

static void tell_messages(struct news *news, struct channel_news *c)
{
    tell_clock(news, c);
    for (size_t i = 0; i < c->count; i++)
        node_tell(news->node, "chat.received",
                  json_pack("{s:o, s:o, s:o}", "id", node_json_hash(&c->messages[i].id), "sender",
                            node_json_hash(&c->messages[i].sender), "channel", node_json_hash(&c->channel)));
    free(c->messages);
    if (c->cursor != NULL)
        set_cursor(news, &c->channel, c->cursor);
    if (c->more)
        add_changed(news, &c->channel, &c->sender);
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
    if (news->reading || news->changed.count == 0 || queue == NULL)
        return;
    struct reading *r = mem_alloc(sizeof *r);
    *r = (struct reading){.news = news, .self = node_self(news->node)};
    r->items = mem_array(news->changed.count, sizeof *r->items);
    for (size_t i = 0; i < news->changed.count; i++) {
        struct channel_news *c = &r->items[r->count++];
        const char *cursor = hash_map_get(news->cursors, &news->changed.items[i]);
        c->channel = news->changed.items[i];
        c->sender = news->senders.items[i];
        c->latest = INT64_MIN;
        c->cursor = cursor != NULL ? mem_text(span_of(cursor)) : NULL;
    }
    news->changed.count = 0;
    news->senders.count = 0;
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

static void tell_object(struct node *n, const struct store_change *c)
{
    bool is_file = c->content == STORE_BLOB || c->content == STORE_CLOB;
    bool is_ours = hash_is_zero(&c->from);
    if (is_file && !is_ours)
        node_tell(n, "blob.received",
                  json_pack("{s:o, s:I, s:o}", "hash", node_json_hash(&c->hash), "size", (json_int_t)c->size,
                            "personId", node_json_hash(&c->from)));
    else if (!is_ours && is_worth_telling(c))
        node_tell(n, "object.received",
                  json_pack("{s:o, s:s, s:o}", "hash", node_json_hash(&c->hash), "type", c->type, "personId",
                            node_json_hash(&c->from)));
    else if (is_ours && is_worth_telling(c))
        node_tell(n, "object.stored", json_pack("{s:o, s:s}", "hash", node_json_hash(&c->hash), "type", c->type));
    if (strcmp(c->type, "Topic") == 0 && !c->part)
        node_tell(n, "topic.added", json_pack("{s:o}", "hash", node_json_hash(&c->hash)));
}

static void tell_head(struct news *news, const struct store_change *c)
{
    node_tell(news->node, "version.changed",
              json_pack("{s:o, s:o, s:s}", "idHash", node_json_hash(&c->id_hash), "hash", node_json_hash(&c->hash),
                        "type", c->type));
    if (strcmp(c->type, "ChannelInfo") != 0)
        return;
    node_tell(news->node, "channel.changed", json_pack("{s:o}", "channel", node_json_hash(&c->id_hash)));
    add_changed(news, &c->id_hash, &c->from);
}

void news_tell(struct news *news, const struct store_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == STORE_CHANGE_HEAD)
            tell_head(news, &changes[i]);
        else
            tell_object(news->node, &changes[i]);
    }
    read_changed(news);
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct news *news_create(struct node *n)
{
    struct news *news = mem_alloc(sizeof *news);
    *news = (struct news){.node = n, .cursors = hash_map_create(), .ahead = hash_map_create(), .reading = true};
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
    hash_list_free(&news->changed);
    hash_list_free(&news->senders);
    free(news);
}
