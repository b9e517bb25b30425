// An entry that is lost has no bytes, but the links of an object outlive them in the store, so the list can be walked
// across it and what lay behind is found. Every channel is walked whole: this is for a store that is damaged, and for
// nothing else.
#include "models/conversations.h"

#include "data/linkedlist.h"
#include "models/channel.h"
#include "models/topic.h"

struct looking {
    struct model *m;
    struct hash_map *lost;
    struct hash_map *out;
};

static void note(struct looking *l, const struct hash *hash, const struct hash *channel)
{
    if (hash_map_has(l->lost, hash) && !hash_map_has(l->out, hash))
        hash_map_set(l->out, hash, (struct hash *)(uintptr_t)channel);
}

// Of an entry that is lost its links are still known, so it names its time, and that what was posted.
static void look_at(struct looking *l, const struct hash *entry, const struct hash *channel, struct hash *previous)
{
    const struct version_source *s = store_versions(l->m->store);
    struct hash_list links = {0};
    struct hash_list data = {0};
    struct hash ignored;
    *previous = (struct hash){{0}};
    note(l, entry, channel);
    if (s->links(s->ctx, entry, &links, previous) && links.count != 0) {
        note(l, &links.items[0], channel);
        if (s->links(s->ctx, &links.items[0], &data, &ignored) && data.count != 0)
            note(l, &data.items[0], channel);
    }
    hash_list_free(&data);
    hash_list_free(&links);
}

void conversations_of(struct model *m, const struct hash_list *lost, struct hash_map *out)
{
    struct looking l = {.m = m, .lost = hash_map_create(), .out = out};
    struct channels channels = {0};
    for (size_t i = 0; i < lost->count; i++)
        hash_map_add(l.lost, &lost->items[i]);
    if (channel_list(m, &channels, NULL) != STATUS_OK)
        channels.count = 0;
    for (size_t i = 0; i < channels.count; i++) {
        struct hash *id = arena_alloc(m->arena, sizeof *id);
        struct hash entry = channels.items[i].head;
        *id = channels.items[i].id_hash;
        while (!hash_is_zero(&entry)) {
            struct hash previous;
            look_at(&l, &entry, id, &previous);
            entry = previous;
        }
    }
    hash_map_destroy(l.lost);
}

static bool has_channel(struct model *m, const struct topic *topic, const struct hash *channel)
{
    struct hash_list channels = {0};
    bool found = topic_channels(m, topic, &channels, NULL) == STATUS_OK && hash_list_has(&channels, channel);
    hash_list_free(&channels);
    return found;
}

struct span conversations_name(struct model *m, const struct hash *channel)
{
    struct topics topics = {0};
    struct channel c;
    if (topic_list(m, &topics, NULL) != STATUS_OK)
        topics.count = 0;
    for (size_t i = 0; i < topics.count; i++)
        if (has_channel(m, &topics.items[i], channel))
            return topics.items[i].name.len != 0 ? topics.items[i].name : topics.items[i].id;
    return channel_get(m, channel, &c, NULL) == STATUS_OK ? c.id : span_of(hash_text(channel).s);
}
