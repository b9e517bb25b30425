// Requests that the store answers, and making the answers. Part of the exporter, which owns the requests on the loop's
// thread and lends a batch of them to a store job.
#pragma once

#include "chum/export.h"
#include "chum/outflow.h"
#include "chum/requests.h"
#include "chum/tally.h"

struct chum_answer { // a request that the store answers
    struct chum_answer *next;
    int64_t id;
    enum chum_service service;
    struct hash hash;
    bool worked;    // on it; otherwise it waits for another batch
    bool unchanged; // the root list of that version is known
    uint64_t version;
    uint64_t held;   // version of the root list that the peer says it has; 0 = it names none
    bool spared;     // it is an own node, and needs no other one
    struct buf json; // a JSON string with its quotes
    struct hash_list shown;
    struct chum_cursor since; // CHUM_FEED
    bool packs;               // the peer takes packed batches
    struct buf packed;        // instead of json; empty: it is not
    size_t bytes;             // of the batch
    enum chum_word word;      // of what the peer was given before
    bool end;                 // there is no more
    struct chum_outflow flow;
    struct chum_tally tally; // CHUM_SUMS, CHUM_RANGES
    bool begins;
    struct store_sum_key key;
    struct store_range *ranges;
    size_t range_count;
    struct hash_list given;
    struct hash_list files; // CHUM_HOLDS
    enum status status;
    struct error error;
};

// On the store thread: answers one after another until they are big enough together; what is left has worked false.
// Returns the milliseconds it took.
uint64_t chum_answers_work(struct store *s, const struct chum_policy *policy, const struct hash *person,
                           struct chum_answer *answers);
void chum_answer_free(struct chum_answer *a);
// Of a service beyond the reference's: what the arguments ask for. Otherwise what is wrong with them.
enum status chum_answer_asked(const json_t *args, struct chum_answer *a, struct error *e);
bool chum_answer_tells_all(const struct chum_answer *a); // what may be seen, by its list or by what it comes to
void chum_answer_forget_asked(struct chum_answer *a);    // it will not be answered
