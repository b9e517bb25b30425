// What a user deletes, and with that what else goes: words for the lists of deletion_list.c. Nothing is taken away
// here. A word takes effect when its list is noticed, on this node as on the other; only what waits to be sent is
// stopped at once.
#include "models/deletion.h"

#include <string.h>

#include "models/channel.h"
#include "models/deletion_list.h"
#include "models/kinds.h"
#include "models/reach.h"
#include "store/outbox.h"

enum { GIVEN_MAX = 20000 };

// ---- Messages -------------------------------------------------------------------------------------------------------

static enum status check_message(struct model *m, const struct hash *id, struct hash *data, struct error *e)
{
    struct store_info info;
    enum status status = reach_message(m, id, data, e);
    if (status != STATUS_OK || store_is_hidden(m->store, id))
        return status;
    if (store_info(m->store, data, &info, NULL) == STATUS_OK && strcmp(info.type, "ChatMessage") == 0)
        return STATUS_OK;
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not a message", hash_text(id).s);
}

static void add_objects(struct model *m, const struct hash *data, struct buf *words)
{
    struct hash_list files = {0};
    deletion_add_word(words, 'o', data);
    reach_files(m, data, &files);
    for (size_t i = 0; i < files.count; i++)
        deletion_add_word(words, 'o', &files.items[i]);
    hash_list_free(&files);
}

// It need not be posted any more; what the archive has been given already it learns from the list.
static enum status stop_sending(struct model *m, const struct hash *id, struct error *e)
{
    struct store_intent row;
    enum status status = store_outbox_by_message(m->store, m->arena, id, &row, NULL);
    if (status != STATUS_OK || row.state != INTENT_WAITING)
        return STATUS_OK;
    const struct store_intent outcome = {
        .seq = row.seq, .state = INTENT_FAILED, .code = SPAN("CANCELLED"), .why = SPAN("it was deleted")};
    return store_outbox_settle(m->store, &outcome, e);
}

enum status deletion_of_messages(struct model *m, const struct hash_list *ids, size_t *count, struct error *e)
{
    struct buf words = {0};
    struct hash_map *batch = hash_map_create();
    size_t found = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ids->count; i++)
        hash_map_add(batch, &ids->items[i]);
    for (size_t i = 0; status == STATUS_OK && i < ids->count; i++) {
        struct hash data;
        const struct hash *id = &ids->items[i];
        status = check_message(m, id, &data, e);
        if (status != STATUS_OK || store_is_hidden(m->store, id))
            continue;
        found++;
        deletion_add_word(&words, 'm', id);
        if (!reach_is_needed(m, &data, batch))
            add_objects(m, &data, &words);
        status = stop_sending(m, id, e);
    }
    if (status == STATUS_OK)
        status = deletion_write_words(m, buf_span(&words), e);
    if (count != NULL)
        *count = found;
    hash_map_destroy(batch);
    buf_free(&words);
    return status;
}

enum status deletion_of_newest(struct model *m, const struct hash_list *channels, const struct hash *before,
                               size_t *count, bool *more, struct hash *last, struct error *e)
{
    struct channel_entries entries = {0};
    struct hash_list ids = {0};
    const struct channel_query query = {.channels = channels->items,
                                        .channel_count = channels->count,
                                        .limit = DELETION_SLICE,
                                        .before = before,
                                        .type = "ChatMessage",
                                        .unverified = true};
    *count = 0;
    enum status status = channels->count != 0 ? channel_read(m, &query, &entries, e) : STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < entries.count; i++)
        hash_list_add(&ids, &entries.items[i].creation_time);
    *more = entries.more;
    if (entries.count != 0)
        *last = entries.items[entries.count - 1].creation_time;
    if (status == STATUS_OK)
        status = deletion_of_messages(m, &ids, count, e);
    hash_list_free(&ids);
    return status;
}

// ---- Channels -------------------------------------------------------------------------------------------------------

// Now, or the newest message, if a clock may have been ahead.
static double until_now(struct model *m, const struct hash *channel)
{
    struct channel_entries entries;
    const struct channel_query query = {.channels = channel, .channel_count = 1, .limit = 1, .unverified = true};
    bool any = channel_read(m, &query, &entries, NULL) == STATUS_OK && entries.count != 0;
    double now = (double)m->now_ms;
    double newest = any ? entries.items[0].timestamp : now;
    return newest > now && newest <= now + CHANNEL_AHEAD_MS ? newest : now;
}

// What is of a time far ahead, some of it, by itself: else what has yet to be said would be deleted with it.
static enum status delete_ahead(struct model *m, const struct hash *channel, double until, struct error *e)
{
    struct channel_entries entries;
    struct hash_list ids = {0};
    const struct channel_query query = {.channels = channel,
                                        .channel_count = 1,
                                        .limit = DELETION_SLICE,
                                        .from = until + 1,
                                        .type = "ChatMessage",
                                        .unverified = true};
    enum status status = channel_read(m, &query, &entries, e);
    for (size_t i = 0; status == STATUS_OK && i < entries.count; i++)
        hash_list_add(&ids, &entries.items[i].creation_time);
    if (status == STATUS_OK)
        status = deletion_of_messages(m, &ids, NULL, e);
    hash_list_free(&ids);
    return status;
}

enum status deletion_of_channels(struct model *m, const struct hash_list *channels, struct error *e)
{
    struct buf words = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < channels->count; i++) {
        double until = until_now(m, &channels->items[i]);
        deletion_add_timed_word(&words, 'c', &channels->items[i], until);
        status = delete_ahead(m, &channels->items[i], until, e);
    }
    if (status == STATUS_OK)
        status = deletion_write_words(m, buf_span(&words), e);
    buf_free(&words);
    return status;
}

// ---- Objects --------------------------------------------------------------------------------------------------------

static bool is_file(const struct store_info *info)
{
    return info->kind == STORE_BLOB || info->kind == STORE_CLOB;
}

static bool is_users_own(const struct store_info *info)
{
    bool object = info->kind == STORE_ID_OBJECT || (info->kind == STORE_OBJECT && hash_is_zero(&info->id_hash));
    return is_file(info) || (object && policy_is_application(span_of(info->type)));
}

static void add_deletion(struct model *m, struct buf *words, const struct store_info *info, const struct hash *hash,
                         const struct hash_list *shells)
{
    for (size_t i = 0; i < shells->count; i++)
        deletion_add_timed_word(words, 'd', &shells->items[i], (double)m->now_ms);
    deletion_add_timed_word(words, info->kind == STORE_ID_OBJECT ? 'i' : 'd', hash, (double)m->now_ms);
}

enum status deletion_of_object(struct model *m, const struct hash *hash, struct error *e)
{
    struct store_info info;
    struct hash_list above = {0};
    struct hash_list shells = {0};
    struct buf words = {0};
    enum status status = store_info(m->store, hash, &info, e);
    if (status == STATUS_OK && !is_users_own(&info))
        status = error_set(e, STATUS_REFUSED, "REFUSED", "only files and objects of applications can be deleted");
    if (status == STATUS_OK)
        status = reach_referrers(m, hash, &above, &shells, e);
    if (status == STATUS_OK && above.count != 0)
        status = error_set(e, STATUS_REFUSED, "REFUSED", "%s refers to it", hash_text(&above.items[0]).s);
    if (status == STATUS_OK) {
        add_deletion(m, &words, &info, hash, &shells);
        status = deletion_write_words(m, buf_span(&words), e);
    }
    hash_list_free(&shells);
    buf_free(&words);
    hash_list_free(&above);
    return status;
}

// Of what the person's node brought: what nobody else needs.
static void add_given(struct model *m, const struct hash *hash, struct buf *words)
{
    struct store_info info;
    struct hash_list above = {0};
    struct hash_list shells = {0};
    if (store_info(m->store, hash, &info, NULL) == STATUS_OK && is_users_own(&info) &&
        reach_referrers(m, hash, &above, &shells, NULL) == STATUS_OK && above.count == 0)
        add_deletion(m, words, &info, hash, &shells);
    hash_list_free(&above);
    hash_list_free(&shells);
}

enum status deletion_of_given(struct model *m, const struct hash *person, struct error *e)
{
    int64_t after = 0;
    struct hash_list given = {0};
    struct buf words = {0};
    enum status status = store_given_by(m->store, person, &after, GIVEN_MAX, &given, e);
    for (size_t i = 0; status == STATUS_OK && i < given.count; i++)
        add_given(m, &given.items[i], &words);
    if (status == STATUS_OK)
        status = deletion_write_words(m, buf_span(&words), e);
    hash_list_free(&given);
    buf_free(&words);
    return status;
}
