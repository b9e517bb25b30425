// The lists of deletions: how they are written, and what follows from those that hold. Every version of a list repeats
// all its words, and lists come in any order: so each word may take effect any number of times, and of what is noted
// with a time only the latest counts. When all lists are gone through again (deletion_again), objects that are here
// stay.
#include "models/deletion_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "models/reach.h"
#include "models/settings.h"

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
};

// ---- Writing --------------------------------------------------------------------------------------------------------

void deletion_add_word(struct buf *words, char kind, const struct hash *hash)
{
    buf_printf(words, "%c%s ", kind, hash_text(hash).s);
}

void deletion_add_timed_word(struct buf *words, char kind, const struct hash *hash, double time)
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

enum status deletion_write_words(struct model *m, struct span words, struct error *e)
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
    deletion_add_timed_word(&words, 'a', hash, (double)m->now_ms);
    enum status status = note_time(m, AGAIN, hash, (double)m->now_ms, &later, e); // or the list would delete it
    if (status == STATUS_OK)
        status = deletion_write_words(m, buf_span(&words), e);
    buf_free(&words);
    return status;
}

double deletion_until(struct model *m, const struct hash *channel)
{
    return noted_time(m, UNTIL, channel);
}

bool deletion_hides(struct model *m, const struct hash *channel, const struct hash *message, double time)
{
    double until = deletion_until(m, channel);
    return store_is_hidden(m->store, message) || (until > 0 && time <= until);
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
