// The trees that an importer fetches: those of the present pass, and those that linger from earlier ones. Tells the
// failures what becomes of each root. Loop thread.
#pragma once

#include "chum/failures.h"
#include "chum/fetch.h"

struct chum_running;

struct chum_underway { // the first five are set by whoever begins
    struct chum_fetch *fetch;
    struct chum_failures *failures;
    void *ctx;
    void (*over)(void *ctx);                                                       // a tree is
    void (*stuck)(void *ctx, const struct hash *id_hash, const struct error *why); // chum_importer_events.stuck
    struct chum_running *first;
    size_t trees; // of the present pass
    size_t lingering;
    uint64_t progress_at; // when a tree was over last
    bool again;           // a root failed that would have brought others
};

void chum_underway_begin(struct chum_underway *u, const struct chum_want *want);
// The roots under way, and ids of which versions are.
void chum_underway_add_roots(const struct chum_underway *u, struct hash_map *out);
void chum_underway_linger(struct chum_underway *u); // those of the present pass do from now on
void chum_underway_end(struct chum_underway *u);
