// Nothing is indexed: messages are read and folded, newest first, and the bounds of one call (messages, bytes, time)
// keep it from holding up the store thread. Who wrote a message, and whether that is true, is found out only for those
// that are shown.
#include "models/search.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/clock.h"
#include "base/text.h"

enum { CHUNK = 128, MESSAGES_MAX = 4096, BYTES_MAX = 4 << 20, WORK_MS = 100 };

struct search {
    struct model *m;
    struct span wanted; // folded
    struct topics topics;
    struct hash_map *owners; // channel → its topic
    struct hash_list channels;
    size_t messages; // looked at
    size_t bytes;
    uint64_t until;
};

// ---- Text -----------------------------------------------------------------------------------------------------------

// As it is compared, into *out, which the caller frees. false: not UTF-8.
static bool fold(struct span text, struct span *out, char **memory)
{
    static const utf8proc_option_t how =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &folded, how);
    *memory = (char *)folded;
    *out = (struct span){*memory, len > 0 ? (size_t)len : 0};
    return len >= 0;
}

bool search_holds(struct span text, struct span wanted)
{
    struct span folded;
    char *memory;
    bool found = fold(text, &folded, &memory) && folded.len >= wanted.len &&
                 memmem(folded.ptr, folded.len, wanted.ptr, wanted.len) != NULL;
    free(memory);
    return found;
}

enum status search_wanted(struct model *m, struct span text, struct span *wanted, struct error *e)
{
    char *memory;
    struct span folded;
    bool good = utf8_valid(text) && fold(text, &folded, &memory);
    *wanted = (struct span){0};
    if (good) {
        *wanted = arena_copy(m->arena, folded);
        free(memory);
    }
    return good && wanted->len != 0 ? STATUS_OK
                                    : error_set(e, STATUS_INVALID, "BAD-INPUT", "there is nothing to look for");
}

// ---- Where to look --------------------------------------------------------------------------------------------------

static enum status find_channels(struct search *s, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < s->topics.count; i++) {
        struct hash_list channels = {0};
        status = topic_channels(s->m, &s->topics.items[i], &channels, e);
        for (size_t k = 0; k < channels.count; k++) {
            if (hash_map_get(s->owners, &channels.items[k]) == NULL)
                hash_list_add(&s->channels, &channels.items[k]);
            hash_map_set(s->owners, &channels.items[k], &s->topics.items[i]);
        }
        hash_list_free(&channels);
    }
    return status;
}

static bool is_tired(const struct search *s)
{
    return s->messages >= MESSAGES_MAX || s->bytes >= BYTES_MAX || clock_monotonic_ms() >= s->until;
}

static bool is_hit(struct search *s, const struct channel_entry *entry)
{
    struct value *object;
    struct span text;
    s->messages++;
    if (model_read(s->m, &entry->data, "ChatMessage", &object, NULL) != STATUS_OK ||
        !value_get_string(object, "text", &text))
        return false;
    s->bytes += text.len;
    return search_holds(text, s->wanted);
}

static enum status take(struct search *s, struct channel_entry *entry, struct search_hit *out, struct error *e)
{
    struct chat_messages one;
    struct channel_entries entries = {.items = entry, .count = 1};
    enum status status = channel_judge(s->m, &entries, e);
    if (status == STATUS_OK)
        chat_show(s->m, &entries, &one);
    if (status == STATUS_OK && one.count == 1)
        *out = (struct search_hit){one.items[0], hash_map_get(s->owners, &entry->channel)};
    return status;
}

// Looks through one chunk; *end: there is nothing behind it.
static enum status look(struct search *s, size_t limit, struct search_result *out, bool *started, bool *end,
                        struct error *e)
{
    struct channel_entries entries;
    const struct channel_query query = {.channels = s->channels.items,
                                        .channel_count = s->channels.count,
                                        .limit = CHUNK,
                                        .before = *started ? &out->last : NULL,
                                        .type = "ChatMessage",
                                        .unverified = true};
    enum status status = channel_read(s->m, &query, &entries, e);
    *end = status != STATUS_OK || !entries.more;
    for (size_t i = 0; status == STATUS_OK && i < entries.count && out->count < limit; i++) {
        *started = true;
        out->last = entries.items[i].creation_time;
        *end = !entries.more && i + 1 == entries.count;
        if (is_hit(s, &entries.items[i]))
            status = take(s, &entries.items[i], &out->items[out->count++], e);
        if (is_tired(s))
            break;
    }
    return status;
}

enum status search_messages(struct model *m, const struct topics *topics, struct span text, const struct hash *before,
                            size_t limit, struct search_result *out, struct error *e)
{
    struct search s = {.m = m, .topics = *topics, .owners = hash_map_create(), .until = clock_monotonic_ms() + WORK_MS};
    bool started = before != NULL;
    bool end = false;
    *out = (struct search_result){.items = arena_alloc(m->arena, (limit + 1) * sizeof *out->items)};
    if (started)
        out->last = *before;
    enum status status = search_wanted(m, text, &s.wanted, e);
    if (status == STATUS_OK)
        status = find_channels(&s, e);
    do { // at least once, however long it took to come here
        if (status == STATUS_OK)
            status = look(&s, limit, out, &started, &end, e);
    } while (status == STATUS_OK && !end && out->count < limit && !is_tired(&s));
    out->more = status == STATUS_OK && !end && started;
    hash_map_destroy(s.owners);
    hash_list_free(&s.channels);
    return status;
}
