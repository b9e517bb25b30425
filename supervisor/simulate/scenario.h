// A scenario of 'tandem simulate': who is there, who knows whom, what is said, what goes wrong, and what must hold.
// docs/simulate.md tells the format, a JSON file; here is what comes of it, every name resolved to a number.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum { SCENARIO_USERS_MAX = 250, SCENARIO_RELAYS_MAX = 8, SCENARIO_NAME_MAX = 24, SCENARIO_FILE_MAX = 1 << 20 };

enum scenario_target { TARGET_CONTACTS, TARGET_PERSON, TARGET_GROUP, TARGET_OWN };
enum scenario_node { NODE_ANY, NODE_ARCHIVE, NODE_SPARSE };

enum scenario_act { ACT_KILL, ACT_FREEZE, ACT_RESTART, ACT_FILL, ACT_SHIFT, ACT_CUT, ACT_STALL, ACT_SLOW };

// What a trouble is done to: a process, the machine of a user, or a link between two ends. SOME: chosen when the plan
// is made.
enum scenario_process { PROCESS_SUPERVISOR, PROCESS_ARCHIVE, PROCESS_SPARSE, PROCESS_SOME_NODE, PROCESS_MACHINE };
#define SCENARIO_SOME SIZE_MAX

struct scenario_pair {
    size_t one, other; // the one invites
    bool relay;
};

struct scenario_group {
    const char *name;
    size_t *members; // the first one makes it
    size_t count;
};

struct scenario_talk {
    size_t *from;
    size_t from_count;
    enum scenario_target target;
    size_t to; // a user or a group
    enum scenario_node node;
    int64_t count; // of messages, for each who speaks
    int64_t start_ms, every_ms;
    int64_t bytes;
};

struct scenario_trouble {
    enum scenario_act act;
    int64_t at_ms, for_ms, by_ms, every_ms;
    int64_t times;
    bool link;
    size_t one, other; // users; from user_count on: relays; SCENARIO_SOME
    enum scenario_process process;
};

struct scenario_expect { // durations and bytes; 0 = nothing is expected
    int64_t federated_ms, paired_ms, delivered_ms, finished_ms;
    int64_t memory, node_memory;
    bool nothing_lost, nothing_twice, all_equal;
};

struct scenario {
    struct arena *memory;
    const char *name, *about;
    uint64_t seed;
    int64_t limit_ms;    // for all of it
    int64_t patience_ms; // for what is still on its way when everything is said
    const char **users;
    size_t user_count;
    size_t relay_count;
    struct scenario_pair *pairs;
    size_t pair_count;
    struct scenario_group *groups;
    size_t group_count;
    struct scenario_talk *talk;
    size_t talk_count;
    struct scenario_trouble *trouble;
    size_t trouble_count;
    struct scenario_expect expect;
};

// text is the content of a file that messages call file. BAD-INPUT with "FILE:LINE: KEY: what is wrong"; *out is NULL
// then, else destroyed by the caller.
enum status scenario_parse(const char *file, struct span text, struct scenario **out, struct error *e);
void scenario_destroy(struct scenario *s); // NULL-safe

bool scenario_does(const struct scenario *s, enum scenario_act act); // among its troubles
// Whether the two know each other.
bool scenario_paired(const struct scenario *s, size_t one, size_t other);
