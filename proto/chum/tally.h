// The giving side of CHUM_SUMS and CHUM_RANGES (docs/sums.md). Store thread, but for the life.
#pragma once

#include "chum/chum.h"
#include "chum/sums.h"
#include "store/summing.h"

struct chum_tally { // of one session; zero-initialised = nothing was asked yet
    struct store_summing *summing;
    struct store_walk walk; // through the roots of the ranges that were asked for
    uint8_t *leaves;        // of these ranges, a bit each; NULL: none were asked for
    struct buf page;        // found so far, as a list that has no end yet
    size_t count;           // in it
    uint64_t until;         // kept until then, if nobody goes on with it; 0: a job has it, or there is nothing
    bool given_up;          // nobody did
};

struct chum_tally_asked { // one question, and its answer
    const struct chum_policy *policy;
    const struct hash *person;
    bool own;                         // another node of ours
    bool begins;                      // sums: everything is added up anew; roots: of these ranges
    struct store_sum_key key;         // of sums, if they begin
    const struct store_range *ranges; // unless roots go on
    size_t count;
    struct buf *text;        // as the inside of a JSON string
    struct buf *packed;      // or packed, if that pays; NULL: the peer knows no such thing
    struct hash_list *shown; // roots; gone on with if it is unfinished
    bool unfinished;         // ask again, there is no text yet
};

// STATUS_REFUSED "BUSY" (sums; what was given up), STATUS_INVALID "BAD-INPUT" (a question that belongs to none before
// it).
enum status chum_tally_sums(struct store *s, struct chum_tally *t, struct chum_tally_asked *q, struct error *e);
enum status chum_tally_roots(struct store *s, struct chum_tally *t, struct chum_tally_asked *q, struct error *e);
void chum_tally_end(struct chum_tally *t);
// Loop thread: from its time on it is given up, and what would go on with it is refused for this time.
void chum_tally_on_time(struct chum_tally *t, uint64_t now);
