// Meetings are kept in memory and bounded. When there are MEETINGS_MAX all are forgotten: a copy is then noticed a
// meeting later.
#include "conn/runs.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/sha256.h"

enum { RUNS_KEPT = 4, MEETINGS_MAX = 8192 };
enum { TIME_BYTES = 6, MARK_BYTES = CONN_RUN / 2 - TIME_BYTES };

struct run {
    char s[CONN_RUN + 1]; // "" = none
};

struct meeting {                  // of a local and a remote instance
    struct run met[RUNS_KEPT];    // of the remote one, newest first
    struct run former[RUNS_KEPT]; // of ours before this one, as the remote one says
    bool heard;                   // it has said before whom of us it met
    bool knows_us;
};

struct runs {
    uint64_t began;
    struct hash_map *meetings;
};

struct runs *runs_create(int64_t began_ms)
{
    struct runs *r = mem_alloc(sizeof *r);
    r->began = began_ms > 0 ? (uint64_t)began_ms : 0;
    r->meetings = hash_map_create();
    return r;
}

void runs_destroy(struct runs *r)
{
    if (r == NULL)
        return;
    hash_map_free_values(r->meetings);
    hash_map_destroy(r->meetings);
    free(r);
}

static struct hash hash_of(const uint8_t one[BOX_KEY], const uint8_t two[BOX_KEY])
{
    char both[2 * BOX_KEY];
    memcpy(both, one, BOX_KEY);
    memcpy(both + BOX_KEY, two, BOX_KEY);
    return sha256((struct span){both, sizeof both});
}

// ---- What a run is --------------------------------------------------------------------------------------------------

static struct hash keyed(const struct secret *key, const uint8_t *bytes, size_t len)
{
    struct sha256 *sha = sha256_create();
    sha256_update(sha, (struct span){(const char *)key->data, key->len});
    sha256_update(sha, (struct span){(const char *)bytes, len});
    struct hash h = sha256_finish(sha);
    sha256_destroy(sha);
    return h;
}

// mark · time: the mark is made of the time, and the time hidden by the mark.
static void hide(const struct secret *key, uint8_t run[CONN_RUN / 2])
{
    struct hash veil = keyed(key, run, MARK_BYTES);
    for (size_t i = 0; i < TIME_BYTES; i++)
        run[MARK_BYTES + i] ^= veil.b[i];
}

void runs_name(const struct runs *r, const struct conn_identity *local, char out[CONN_RUN + 1])
{
    uint8_t run[CONN_RUN / 2];
    struct secret key = {0};
    kdf_subkey(&local->instance_secret, "run", &key);
    for (size_t i = 0; i < TIME_BYTES; i++)
        run[MARK_BYTES + i] = (uint8_t)(r->began >> 8 * i);
    struct hash mark = keyed(&key, run + MARK_BYTES, TIME_BYTES);
    memcpy(run, mark.b, MARK_BYTES);
    hide(&key, run);
    hex_encode(run, sizeof run, out);
    secret_destroy(&key);
}

// Did a process that has our key and began after this one name itself so?
static bool is_later_one_of_ours(const struct runs *r, const struct conn_identity *local, const char *name)
{
    uint8_t run[CONN_RUN / 2];
    uint64_t began = 0;
    struct secret key = {0};
    if (!hex_decode(span_of(name), run, sizeof run))
        return false;
    kdf_subkey(&local->instance_secret, "run", &key);
    hide(&key, run);
    struct hash mark = keyed(&key, run + MARK_BYTES, TIME_BYTES);
    secret_destroy(&key);
    for (size_t i = 0; i < TIME_BYTES; i++)
        began |= (uint64_t)run[MARK_BYTES + i] << 8 * i;
    return memcmp(run, mark.b, MARK_BYTES) == 0 && began > r->began;
}

// ---- Meetings -------------------------------------------------------------------------------------------------------

static struct meeting *find(const struct runs *r, const struct conn_identity *local, const struct public_key *remote)
{
    struct hash key = hash_of(local->instance_public.b, remote->b);
    return hash_map_get(r->meetings, &key);
}

static struct meeting *get(struct runs *r, const struct conn_identity *local, const struct public_key *remote)
{
    struct hash key = hash_of(local->instance_public.b, remote->b);
    struct meeting *m = hash_map_get(r->meetings, &key);
    if (m == NULL && hash_map_count(r->meetings) >= MEETINGS_MAX)
        hash_map_free_values(r->meetings); // begins anew
    if (m == NULL) {
        m = mem_alloc(sizeof *m);
        hash_map_set(r->meetings, &key, m);
    }
    return m;
}

const char *runs_met(const struct runs *r, const struct conn_identity *local, const struct public_key *remote)
{
    const struct meeting *m = find(r, local, remote);
    return m != NULL ? m->met[0].s : "";
}

static bool is_among(const struct run *list, const char *run) // RUNS_KEPT of them, as below
{
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (strcmp(list[i].s, run) == 0)
            return true;
    return false;
}

static void put_first(struct run *list, const char *run)
{
    memmove(list + 1, list, (RUNS_KEPT - 1) * sizeof *list);
    memcpy(list[0].s, run, CONN_RUN + 1);
}

static unsigned take_theirs(struct meeting *m, const char *run)
{
    if (run[0] == '\0' || strcmp(m->met[0].s, run) == 0)
        return RUNS_NOTHING;
    bool came_back = is_among(m->met, run);
    put_first(m->met, run);
    return came_back ? RUNS_PEER : RUNS_NOTHING;
}

// What it names the first time may be the run before this one, and may stay so until it must have met this one.
static unsigned take_ours(struct meeting *m, const char *own, const char *met)
{
    bool heard = m->heard;
    m->heard = true;
    if (strcmp(met, own) == 0)
        m->knows_us = true;
    if (met[0] == '\0' || strcmp(met, own) == 0)
        return RUNS_NOTHING;
    if (m->knows_us || (heard && !is_among(m->former, met)))
        return RUNS_OURS;
    if (!heard)
        put_first(m->former, met);
    return RUNS_NOTHING;
}

unsigned runs_take(struct runs *r, const struct conn_identity *local, const struct conn_peer *peer)
{
    struct meeting *m = peer->run[0] != '\0' ? get(r, local, &peer->long_term) : NULL;
    unsigned ours = m != NULL ? take_ours(m, local->run, peer->met) : RUNS_NOTHING;
    if (ours != RUNS_NOTHING && !is_later_one_of_ours(r, local, peer->met))
        ours = RUNS_NOTHING;
    return m != NULL ? take_theirs(m, peer->run) | ours : RUNS_NOTHING;
}

void runs_lasted(struct runs *r, const struct conn_identity *local, const struct public_key *remote)
{
    struct meeting *m = find(r, local, remote);
    if (m != NULL)
        m->knows_us = true;
}
