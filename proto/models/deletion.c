#include "models/deletion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "models/channel.h"
#include "models/chat.h"
#include "models/kinds.h"
#include "models/reach.h"
#include "models/settings.h"
#include "store/outbox.h"

#define LIST_PREFIX "deleted."
#define LIST_KEY SPAN("list")
#define UNTIL "deletedUntil"
#define AGAIN "deletedNot"
#define CURRENT_SETTING "deletion.list" // the list that is being filled

enum {
    WORD = 1 + HASH_HEX + 1, // with the blank behind it
    SHORT_LIST = 32 * WORD,  // each addition makes a version, so a list that is added to stays short
    LONG_LIST = 60000,       // bytes of what is added at once
    LIST_NAME = 24,          // random characters
    GIVEN_MAX = 20000,
};

// ---- Lists ----------------------------------------------------------------------------------------------------------

static void add_word(struct buf *words, char kind, const struct hash *hash)
{
    buf_printf(words, "%c%s ", kind, hash_text(hash).s);
}

static void add_timed_word(struct buf *words, char kind, const struct hash *hash, double time)
{
    buf_printf(words, "%c%s:%lld ", kind, hash_text(hash).s, (long long)time_clamp(time));
}

static struct span begin_list(struct model *m)
{
    struct span name = model_random_text(m, LIST_NAME);
    return arena_printf(m->arena, LIST_PREFIX SPAN_FMT, SPAN_ARG(name));
}

// The list that is to be added to, and what is in it.
static struct span current_list(struct model *m, size_t more, struct span *words)
{
    struct span name;
    *words = (struct span){0};
    if (store_setting_get(m->store, CURRENT_SETTING, m->arena, &name, NULL) == STATUS_OK &&
        settings_get(m, name, LIST_KEY, words, NULL) == STATUS_OK && words->len + more <= SHORT_LIST)
        return name;
    *words = (struct span){0};
    return begin_list(m);
}

static enum status write_list(struct model *m, struct span name, struct span before, struct span words, struct error *e)
{
    struct span all = arena_printf(m->arena, SPAN_FMT SPAN_FMT, SPAN_ARG(before), SPAN_ARG(words));
    enum status status = settings_set(m, name, LIST_KEY, all, e);
    return status == STATUS_OK ? store_setting_set(m->store, CURRENT_SETTING, name, e) : status;
}

// How much of the words goes into one list.
static size_t whole_words(struct span words)
{
    size_t n = words.len < LONG_LIST ? words.len : LONG_LIST;
    while (n > 0 && words.ptr[n - 1] != ' ')
        n--;
    return n;
}

static enum status write_words(struct model *m, struct span words, struct error *e)
{
    struct span before;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && words.len != 0) {
        size_t n = whole_words(words);
        struct span name = current_list(m, n, &before);
        status = write_list(m, name, before, (struct span){words.ptr, n}, e);
        words = span_from(words, n);
    }
    return status;
}

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
    add_word(words, 'o', data);
    reach_files(m, data, &files);
    for (size_t i = 0; i < files.count; i++)
        add_word(words, 'o', &files.items[i]);
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
        add_word(&words, 'm', id);
        if (!reach_is_needed(m, &data, batch))
            add_objects(m, &data, &words);
        status = stop_sending(m, id, e);
    }
    if (status == STATUS_OK)
        status = write_words(m, buf_span(&words), e);
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

bool deletion_hides(struct model *m, const struct hash *channel, const struct hash *message, double time)
{
    double until = deletion_until(m, channel);
    return store_is_hidden(m->store, message) || (until > 0 && time <= until);
}

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
        add_timed_word(&words, 'c', &channels->items[i], until);
        status = delete_ahead(m, &channels->items[i], until, e);
    }
    if (status == STATUS_OK)
        status = write_words(m, buf_span(&words), e);
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
        add_timed_word(words, 'd', &shells->items[i], (double)m->now_ms);
    add_timed_word(words, info->kind == STORE_ID_OBJECT ? 'i' : 'd', hash, (double)m->now_ms);
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
        status = write_words(m, buf_span(&words), e);
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
        status = write_words(m, buf_span(&words), e);
    hash_list_free(&given);
    buf_free(&words);
    return status;
}

// ---- Taking effect --------------------------------------------------------------------------------------------------

static enum status forget_unknown(struct model *m, const struct hash *hash, struct error *e)
{
    bool here = store_presence(m->store, hash) != STORE_ABSENT;
    return here || reach_is_needed(m, hash, NULL) ? STATUS_OK : store_delete(m->store, hash, e);
}

// What is noted about a hash is a time.
static double noted_time(struct model *m, const char *kind, const struct hash *hash)
{
    struct span text;
    const struct store_setting_name name = store_setting_about(kind, hash);
    if (store_setting_get(m->store, name.s, m->arena, &text, NULL) != STATUS_OK)
        return 0;
    return (double)strtoll(arena_printf(m->arena, SPAN_FMT, SPAN_ARG(text)).ptr, NULL, 10);
}

// *later: it was not noted before, or with an earlier time.
static enum status note_time(struct model *m, const char *kind, const struct hash *hash, double time, bool *later,
                             struct error *e)
{
    const struct store_setting_name name = store_setting_about(kind, hash);
    *later = time > noted_time(m, kind, hash);
    struct span digits = arena_printf(m->arena, "%lld", (long long)time);
    return *later ? store_setting_set(m->store, name.s, digits, e) : STATUS_OK;
}

enum status deletion_taken_back(struct model *m, const struct hash *hash, struct error *e)
{
    struct buf words = {0};
    bool later;
    add_timed_word(&words, 'a', hash, (double)m->now_ms);
    enum status status = note_time(m, AGAIN, hash, (double)m->now_ms, &later, e); // or the list would delete it
    if (status == STATUS_OK)
        status = write_words(m, buf_span(&words), e);
    buf_free(&words);
    return status;
}

static enum status set_until(struct model *m, const struct hash *channel, double time, struct error *e)
{
    bool later;
    const struct store_setting_name at = store_setting_about(DELETION_AT, channel);
    enum status status = note_time(m, UNTIL, channel, time, &later, e);
    if (status != STATUS_OK || !later)
        return status;
    status = store_hide(m->store, channel, NULL, e); // until its messages are
    if (status == STATUS_OK)
        status = store_hidden_again(m->store, channel, e);
    return status == STATUS_OK ? store_setting_set(m->store, at.s, SPAN(""), e) : status; // from the newest
}

static enum status take_back(struct model *m, const struct hash *hash, double time, struct error *e)
{
    bool later;
    enum status status = note_time(m, AGAIN, hash, time, &later, e);
    return status == STATUS_OK && later ? store_undelete(m->store, hash, e) : status;
}

static enum status apply_word(struct model *m, struct span word, bool is_news, struct error *e)
{
    struct hash hash;
    if (word.len < 1 + HASH_HEX || !hash_parse((struct span){word.ptr + 1, HASH_HEX}, &hash))
        return STATUS_OK;
    struct span rest = span_from(word, 1 + HASH_HEX);
    double time =
        rest.len > 1 ? (double)strtoll(arena_printf(m->arena, SPAN_FMT, SPAN_ARG(rest)).ptr + 1, NULL, 10) : 0;
    switch (word.ptr[0]) {
    case 'm':
        return store_hide(m->store, &hash, NULL, e);
    case 'o':
        return forget_unknown(m, &hash, e);
    case 'd':
        if (time <= noted_time(m, AGAIN, &hash))
            return STATUS_OK;
        return is_news ? store_delete(m->store, &hash, e) : forget_unknown(m, &hash, e);
    case 'i':
        if (time <= noted_time(m, AGAIN, &hash))
            return STATUS_OK;
        return is_news ? store_delete_id(m->store, &hash, e) : forget_unknown(m, &hash, e);
    case 'a':
        return take_back(m, &hash, time, e);
    case 'c':
        return set_until(m, &hash, time, e);
    default:
        return STATUS_OK;
    }
}

static enum status apply(struct model *m, struct span words, bool is_news, struct error *e)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && words.len != 0) {
        const char *blank = memchr(words.ptr, ' ', words.len);
        size_t n = blank != NULL ? (size_t)(blank - words.ptr) : words.len;
        status = apply_word(m, (struct span){words.ptr, n}, is_news, e);
        words = span_from(words, n < words.len ? n + 1 : n);
    }
    return status;
}

static enum status read_list(struct model *m, const struct hash *id_hash, struct span *words, bool *is_list,
                             struct error *e)
{
    struct value *object;
    struct span id;
    *words = (struct span){0};
    enum status status = model_current(m, id_hash, "Settings", &object, NULL, e);
    *is_list = status == STATUS_OK && value_get_string(object, "id", &id) && span_starts_with(id, SPAN(LIST_PREFIX));
    const struct value *properties = *is_list ? value_get(object, SPAN("properties")) : NULL;
    const struct value *list = properties != NULL ? value_map_get(properties, LIST_KEY) : NULL;
    if (list != NULL && list->kind == VALUE_STRING)
        *words = list->string;
    return status;
}

double deletion_until(struct model *m, const struct hash *channel)
{
    return noted_time(m, UNTIL, channel);
}

enum status deletion_notice(struct model *m, const struct hash *id_hash, bool *is_list, struct error *e)
{
    struct span words;
    bool found;
    enum status status = read_list(m, id_hash, &words, &found, e);
    if (is_list != NULL)
        *is_list = found;
    return status == STATUS_OK ? apply(m, words, true, e) : status;
}

enum status deletion_again(struct model *m, struct error *e)
{
    struct hash_list ids = {0};
    enum status status = store_ids_of_type(m->store, SPAN("Settings"), &ids, e);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++) {
        struct span words;
        bool found;
        status = read_list(m, &ids.items[i], &words, &found, e);
        if (status == STATUS_OK)
            status = apply(m, words, false, e);
    }
    hash_list_free(&ids);
    return status;
}
