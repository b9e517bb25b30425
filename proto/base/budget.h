// The one account of what a peer causes: bytes it makes us hold, work it makes us do, growth it makes the store take.
//
// A tree of three levels: a connection, the person behind it, and all of that person's class. A connection begins as a
// stranger's; strangers have one common account in the place of a person. budget_reclass moves it under its person once
// that is proved. What is taken is taken at every level or not at all. Classes do not share an account: whatever
// contacts do, the own node has its room. Nor do persons who use little: an eighth of a person's own rates, and a 128th
// of what it may have at a time, is there for it also when others use up what all have.
//
// Two sorts of kinds: gauges say how much there is at a time and are given back; rates are buckets that may fill up to
// the limit at once and leak so much a second. An account of a person outlives its connections for as long as its
// buckets are not empty, so that dialling again resets nothing; their number is bounded.
//
// Beyond a limit the owner of a connection first stops reading (budget_room), then refuses (budget_take). Every refusal
// is counted by person and kind; budgets_report hands the counts to whoever tells of them, so that a flood of refusals
// is one event now and then.
//
// Threads: every function may be called on any thread; one lock guards the whole tree and is held for a few
// instructions only. A budget is used by reference: whoever hands it to another thread takes budget_use for it.
#pragma once

#include "base/error.h"
#include "base/hash.h"

enum budget_class { BUDGET_STRANGER, BUDGET_CONTACT, BUDGET_OWN, BUDGET_CLASSES };
enum budget_level { BUDGET_CONNECTION, BUDGET_PERSON, BUDGET_ALL, BUDGET_LEVELS };

enum budget_kind {
    BUDGET_HELD,     // bytes of messages that are not whole yet, or not yet worked on
    BUDGET_QUEUED,   // bytes queued to it
    BUDGET_REQUESTS, // requests of its under way
    BUDGET_VALUES,   // JSON values and entries of lists parsed; a rate, like all that follow
    BUDGET_WORK,     // milliseconds of the store's thread
    BUDGET_DIALS,    // attempts to dial its addresses
    BUDGET_VERSIONS, // versions taken over from it
    BUDGET_GROWTH,   // bytes the store grew by because of it, beyond 16 times what it ever sent
    BUDGET_KINDS,
};

struct budget_limit {
    uint64_t most;       // at a time; of a rate: at once
    uint64_t per_second; // a rate leaks that much
};

// The table of all limits; docs/security.md shows it. BUDGET_NO_LIMIT: not bounded at this level.
#define BUDGET_NO_LIMIT UINT64_MAX
struct budget_limit budget_limit(enum budget_class class, enum budget_kind kind, enum budget_level level);
const char *budget_kind_name(enum budget_kind kind); // "bytesHeld"
const char *budget_class_name(enum budget_class class);
bool budget_is_rate(enum budget_kind kind);

enum { BUDGET_PERSONS_MAX = 1024 }; // accounts of persons; beyond, those used longest ago are forgotten first

struct budgets; // the tree
struct budget;  // the account of a connection or a person, by reference

// now: monotonic ms; NULL = clock_monotonic_ms.
struct budgets *budgets_create(uint64_t (*now)(void *ctx), void *ctx);
void budgets_destroy(struct budgets *bs); // NULL-safe; every reference has been released

// Functions on a budget allow NULL: nothing is bounded then.
struct budget *budget_of_connection(struct budgets *bs); // a stranger's
struct budget *budget_of_person(struct budgets *bs, const struct hash *person, enum budget_class class);
void budget_reclass(struct budget *connection, const struct hash *person, enum budget_class class);
struct budget *budget_use(struct budget *b);
void budget_release(struct budget *b); // with the last reference to a connection what it holds is given back

// STATUS_FULL, "OVER-BUDGET": the message names class and kind. Nothing was taken then.
enum status budget_take(struct budget *b, enum budget_kind kind, uint64_t amount, struct error *e);
// What cannot be refused any more. false: a limit is passed now. A rate is passed by ten minutes' worth at most, so
// that whoever did one big thing is not left waiting for hours.
bool budget_charge(struct budget *b, enum budget_kind kind, uint64_t amount);
void budget_give(struct budget *b, enum budget_kind kind, uint64_t amount); // of gauges
void budget_set(struct budget *b, enum budget_kind kind, uint64_t amount);  // a connection's gauge is this now
uint64_t budget_room(struct budget *b, enum budget_kind kind);              // the least of all levels; 0 = stop
// Until a rate has that much room at every level; UINT64_MAX: never, or not by waiting.
uint64_t budget_wait_ms(struct budget *b, enum budget_kind kind, uint64_t amount);
// Counts what its owner refused for another reason that concerns this kind.
void budget_note_refusal(struct budget *b, enum budget_kind kind);

struct budget_account { // what somebody uses now
    enum budget_class class;
    struct hash person; // zero: of all strangers, or of a class
    size_t connections;
    uint64_t use[BUDGET_KINDS];
    uint64_t refused[BUDGET_KINDS]; // since the start, or since the account exists
};

void budgets_of_class(struct budgets *bs, enum budget_class class, struct budget_account *out);
// The persons who use most of their limits, most first. Returns how many.
size_t budgets_top(struct budgets *bs, struct budget_account *out, size_t max);

struct budget_report { // of refusals since the last report
    enum budget_class class;
    struct hash person; // zero: strangers
    enum budget_kind kind;
    uint64_t count;
};
// The next one; false when there is none. Call it at intervals until false.
bool budgets_report(struct budgets *bs, struct budget_report *out);
