// The counters are a setting of the store and survive a restart, as what waits does. `most` is a quarter of the
// registry as it was written last, so there are few versions however long it grows. A clock that was set back makes it
// due.
#include "models/lag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PART = 4, WHILE_MS = 60 * 60 * 1000 }; // a quarter of it; an hour

struct lag {
    uint64_t waiting, most; // most: when it is due
    int64_t written_ms;
};

struct name {
    char s[64];
};

static struct name name_of(const char *registry)
{
    struct name name;
    snprintf(name.s, sizeof name.s, "lag.%s", registry);
    return name;
}

static void load(struct model *m, const char *registry, struct lag *lag)
{
    struct span text;
    char copy[96];
    *lag = (struct lag){0};
    if (store_setting_get(m->store, name_of(registry).s, m->arena, &text, NULL) != STATUS_OK || text.len >= sizeof copy)
        return;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (sscanf(copy, "%" SCNu64 " %" SCNu64 " %" SCNd64, &lag->waiting, &lag->most, &lag->written_ms) != 3)
        *lag = (struct lag){0};
}

static enum status save(struct model *m, const char *registry, const struct lag *lag, struct error *e)
{
    struct span text =
        arena_printf(m->arena, "%" PRIu64 " %" PRIu64 " %" PRId64, lag->waiting, lag->most, lag->written_ms);
    return store_setting_set(m->store, name_of(registry).s, text, e);
}

enum status lag_note(struct model *m, const char *registry, bool *due, struct error *e)
{
    struct lag lag;
    load(m, registry, &lag);
    lag.waiting++;
    int64_t since = m->now_ms - lag.written_ms;
    *due = lag.waiting >= lag.most || since > WHILE_MS || since < 0;
    return *due ? STATUS_OK : save(m, registry, &lag, e);
}

enum status lag_caught_up(struct model *m, const char *registry, size_t entries, struct error *e)
{
    return save(m, registry, &(struct lag){.most = entries / PART, .written_ms = m->now_ms}, e);
}

bool lag_exists(struct model *m, const char *registry)
{
    struct lag lag;
    load(m, registry, &lag);
    return lag.waiting != 0;
}
