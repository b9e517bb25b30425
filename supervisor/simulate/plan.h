// What happens when: a scenario and a seed give one plan, the same whoever asks, with every choice made.
#pragma once

#include <jansson.h>

#include "supervisor/simulate/scenario.h"

// Where something is said. Of two users, of a group, or of one user's two nodes.
struct plan_talk {
    enum scenario_target kind; // PERSON, GROUP or OWN
    size_t one, other;         // users of PERSON, one ≤ other; the user of OWN
    size_t group;
};

struct plan_message {
    int64_t at_ms; // after everybody met
    size_t from;
    size_t talk; // index
    enum scenario_node node;
    size_t bytes;
};

struct plan_trouble {
    int64_t at_ms;
    enum scenario_act act;
    bool link;
    size_t one, other;
    enum scenario_process process;
    int64_t for_ms, by_ms;
};

struct plan {
    struct plan_talk *talks;
    size_t talk_count;
    struct plan_message *messages; // by time
    size_t message_count;
    struct plan_trouble *troubles; // by time
    size_t trouble_count;
};

struct plan *plan_make(const struct scenario *s, uint64_t seed);
void plan_destroy(struct plan *p); // NULL-safe
json_t *plan_show(const struct plan *p, const struct scenario *s);

// "anna.archive", "anna-bob", "team"
void plan_name_trouble(const struct scenario *s, const struct plan_trouble *t, struct buf *out);
void plan_name_talk(const struct scenario *s, const struct plan_talk *t, struct buf *out);
const char *plan_act_name(enum scenario_act act);
