#include "by_topic.h"

enum status chat_page(struct model *m, const struct topic *topic, size_t limit, const struct hash *before,
                      struct chat_messages *out, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = topic_channels(m, topic, &channels, e);
    if (status == STATUS_OK)
        status = chat_page_of(m, &channels, limit, before, out, e);
    hash_list_free(&channels);
    return status;
}

enum status chat_since(struct model *m, const struct topic *topic, struct span cursor, size_t limit,
                       struct chat_messages *out, struct span *next, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = topic_channels(m, topic, &channels, e);
    if (status == STATUS_OK)
        status = chat_since_of(m, &channels, cursor, limit, out, next, e);
    hash_list_free(&channels);
    return status;
}

enum status chat_cursor(struct model *m, const struct topic *topic, struct span *cursor, struct error *e)
{
    struct hash_list channels = {0};
    enum status status = topic_channels(m, topic, &channels, e);
    if (status == STATUS_OK)
        status = channel_cursor(m, channels.items, channels.count, cursor, e);
    hash_list_free(&channels);
    return status;
}

enum status contact_get(struct model *m, const struct hash *person, struct contact *out, struct error *e)
{
    struct contacts all;
    enum status status = contact_list(m, &all, e);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < all.count; i++) {
        *out = all.items[i];
        if (hash_eq(&out->person, person))
            return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
