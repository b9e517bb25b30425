// Two times are kept apart: what failed waits longer with every failure, but the versions that were not asked for yet
// wait with it only if the failure was news; else one version that stays broken would hold up all that come after it.
// What we refused ourselves waits too, and is not called stuck: nothing is wrong with the synchronisation then.
#include "chum/stalls.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "chum/fetch.h"

enum {
    FREE = 3, // a broken version hinders no other: as often it costs no more than a pass
    OLD_MS = 900000,
};

struct stall {
    unsigned times;
    bool refused;
    bool told;          // that it is stuck
    uint64_t until;     // for what failed
    uint64_t all_until; // for what was not asked for yet as well
};

void chum_stalls_free(struct chum_stalls *s)
{
    if (s->by_id == NULL)
        return;
    hash_map_free_values(s->by_id);
    hash_map_destroy(s->by_id);
    s->by_id = NULL;
}

static struct stall *find(const struct chum_stalls *s, const struct hash *id_hash)
{
    return s->by_id != NULL ? hash_map_get(s->by_id, id_hash) : NULL;
}

static bool is_stuck(const struct stall *stall)
{
    return stall->times > FREE && !stall->refused;
}

bool chum_stalls_failed(struct chum_stalls *s, const struct hash *id_hash, struct chum_setback setback, uint64_t now)
{
    struct stall *stall = find(s, id_hash);
    if (s->by_id == NULL)
        s->by_id = hash_map_create();
    if (stall == NULL) {
        stall = mem_alloc(sizeof *stall);
        *stall = (struct stall){0};
        hash_map_set(s->by_id, id_hash, stall);
    }
    stall->times++;
    stall->refused = setback.refused;
    stall->until = now + (stall->times > FREE ? chum_retry_pause(stall->times - FREE) : 0);
    if (setback.news)
        stall->all_until = stall->until;
    bool tell = is_stuck(stall) && !stall->told;
    stall->told = stall->told || tell;
    return tell;
}

void chum_stalls_taken(struct chum_stalls *s, const struct hash *id_hash)
{
    struct stall *stall = find(s, id_hash);
    if (stall == NULL)
        return;
    hash_map_remove(s->by_id, id_hash);
    free(stall);
}

uint64_t chum_stalls_until(const struct chum_stalls *s, const struct hash *id_hash)
{
    const struct stall *stall = find(s, id_hash);
    return stall != NULL ? stall->until : 0;
}

void chum_stalls_add_waiting(const struct chum_stalls *s, uint64_t now, struct hash_map *waiting)
{
    size_t cursor = 0;
    struct hash id_hash;
    void *value;
    while (s->by_id != NULL && hash_map_next(s->by_id, &cursor, &id_hash, &value)) {
        if (((const struct stall *)value)->all_until > now)
            hash_map_add(waiting, &id_hash);
    }
}

uint64_t chum_stalls_sum_up(struct chum_stalls *s, uint64_t now)
{
    struct hash_list old = {0};
    uint64_t stuck = 0;
    size_t cursor = 0;
    struct hash id_hash;
    void *value;
    while (s->by_id != NULL && hash_map_next(s->by_id, &cursor, &id_hash, &value)) {
        const struct stall *stall = value;
        stuck += is_stuck(stall);
        if (stall->until + OLD_MS < now)
            hash_list_add(&old, &id_hash);
    }
    for (size_t i = 0; i < old.count; i++)
        chum_stalls_taken(s, &old.items[i]);
    hash_list_free(&old);
    return stuck;
}
