// A run of a scenario: everything its parts share. Each part (meet, talk, trouble, harvest) does its own and counts
// what it has under way; simulate.c looks when a part is over and begins the next, so that no part knows another.
#pragma once

#include <jansson.h>
#include <uv.h>

#include "crypto/secret.h"
#include "supervisor/simulate/front.h"
#include "supervisor/simulate/launch.h"
#include "supervisor/simulate/plan.h"
#include "supervisor/simulate/rpc.h"
#include "supervisor/simulate/timeline.h"

struct world;
struct ongoing; // of trouble.c

enum user_state { USER_ABSENT, USER_STARTING, USER_OPENING, USER_THERE };

struct user {
    struct world *world;
    size_t number;
    const char *name;
    char *dir;
    enum user_state state;
    struct launch *supervisor;
    struct rpc *rpc;
    struct front *front;
    struct secret secret;
    pid_t archive_pid, sparse_pid;
    char *archive_person, *sparse_person;
    char keys[2][FRONT_KEY + 1]; // of the instances: archive, sparse
    uint64_t asked_at;           // when provision was
    int64_t federated_ms;        // how long it took first; 0 = not yet
    bool dies;                   // it was killed on purpose
    int opening;                 // 1 first time, 2 later
    int64_t shift_s;             // how far its clocks are off
};

struct relay {
    struct world *world;
    size_t number;
    struct launch *program;
    struct front *front;
    bool listens;
};

struct bond { // a pair of the scenario
    struct world *world;
    const struct scenario_pair *pair;
    bool begun, done;
    uint64_t began;
    int64_t took_ms;
};

struct circle { // a group of the scenario
    struct world *world;
    const struct scenario_group *group;
    char *topic;
    bool begun;
    size_t there, asked; // members that have it; that are being asked
    bool *has;
    uint64_t looked_at;
};

enum said_state { SAID_PLANNED, SAID_UNDER_WAY, SAID_AGAIN, SAID_DONE, SAID_REFUSED };

struct said { // a message of the plan
    struct world *world;
    const struct plan_message *plan;
    enum said_state state;
    char *id;
    uint64_t first_at, again_at;
    size_t missing;     // recipients that do not have it yet
    int64_t slowest_ms; // of those who have
};

struct haul { // what one node has of one talk, oldest first
    struct world *world;
    size_t talk, user;
    bool sparse;
    size_t *said; // indices; SIZE_MAX: nobody said that
    size_t count;
};

struct link { // what a trouble does to one
    size_t one, other;
    int cut, stalled; // how many do
    int64_t delay_ms;
};

struct world {
    uv_loop_t *loop;
    uint64_t began; // of the loop's clock; all times here count from it, in milliseconds
    const struct scenario *scenario;
    const struct plan *plan;
    struct timeline *timeline;
    uint64_t seed;
    char *dir;
    char *program, *relay_program;
    char *clock_library; // NULL: no clock runs off
    bool disks;          // the stores lie on some of their own
    struct user *users;
    struct relay *relays;
    struct bond *bonds;
    struct circle *circles;
    struct said *said;
    json_t *sayings;  // id → index of said
    json_t *received; // "id/user" → when
    json_t *keys;     // public key → user
    struct link *links;
    size_t link_count;
    uint64_t talk_began; // 0 = not yet
    size_t next_said, next_trouble;
    struct ongoing *ongoing; // troubles that have not ended
    size_t under_way;        // calls of the present part
    struct haul *hauls;      // what everybody has in the end
    size_t haul_count, harvested;
    int64_t memory, node_memory; // most at a time
    struct error failure;        // what ended the run early; status OK = nothing
};

uint64_t world_now(const struct world *w);
void world_fail(struct world *w, const struct error *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_tell(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
