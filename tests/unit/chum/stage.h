// Two or more nodes with stores on one stage: a virtual clock, pipes between them, store threads that answer.
//
// A side either runs a CHUM session of ours or plays a script (script.h). Everything here aborts or fails the test when
// something that has to work does not.
#pragma once

#include "../conn/fixture.h"
#include "chum/access_set.h"
#include "chum/session.h"

struct script;

typedef struct recipes *(*stage_recipes)(void *ctx); // a new set; called for the store thread and for the test

struct side {
    struct node node; // first: the connection's host finds the side by it
    char dir[64];
    struct recipes *recipes; // the test's
    struct recipes *store_recipes;
    struct arena *arena;
    struct mailbox *answers;
    struct store_queue *queue;
    struct chum_access *access;
    struct chum_policy policy;
    struct chum_options options;
    struct chum_elsewhere elsewhere; // set before its session begins
    struct script *script;           // plays instead of a session

    struct chum_session *session;                         // the running one
    unsigned importing, exporting, passed, stuck, closed; // how often each was told
    unsigned said_all, said_left;                         // by the peer, of what it was given
    struct buf failures;                                  // codes of failed roots, each with a blank
    struct error last_failure;
    struct error closed_why;
    struct chum_counts counts; // of the session that ended last
};

enum { STAGE_SIDES = 3 };

struct stage {
    struct pipe_world *world;
    struct side sides[STAGE_SIDES]; // 0 = alice, 1 = bob, 2 = carol
    size_t count;
    struct transport *ends[2]; // of the last connection
};

struct recipes *stage_recorded_recipes(void *ctx); // fixture_recipes and the type of the recorded peers; ctx unused
// recipes NULL: the built-in ones and those of fixture_recipes.
void stage_begin(struct stage *s, size_t sides, stage_recipes recipes, void *ctx);
void stage_end(struct stage *s);
// Opens a connection from a to b; the sessions start when it is authenticated. line may be NULL.
void stage_connect(struct stage *s, struct side *a, struct side *b, const struct pipe_line *line);
void stage_step(struct stage *s);               // delivers what is there and lets a little time pass
void stage_sleep(struct stage *s, uint64_t ms); // lets time pass, with all that happens meanwhile
// Steps until the condition holds; fails the program after a minute.
void stage_wait(struct stage *s, bool (*holds)(void *ctx), void *ctx, const char *what);
void stage_wait_passes(struct stage *s, struct side *side, uint64_t passes); // complete passes of its session
void stage_wait_closed(struct stage *s, struct side *side);
void stage_disconnect(struct stage *s, struct side *side); // closes its session and waits for the end of it

// Jobs on the side's store, waited for.
enum status side_do(struct side *side, store_run_fn run, void *arg, struct error *e);
void side_must(struct side *side, store_run_fn run, void *arg);

// Objects in the JSON form with ' for ", stored; the hash (side_change: the id hash, as a new version).
struct hash side_put(struct side *side, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct hash side_change(struct side *side, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct hash side_put_value(struct side *side, const struct value *object);
struct hash side_file(struct side *side, struct span bytes);
void side_grant(struct side *side, const struct hash *object, const struct side *to); // Access
// Stores count small objects without links and grants each, as one job.
void side_put_many(struct side *side, const struct side *to, size_t count, struct hash *hashes);
void side_grant_id(struct side *side, const struct hash *id_hash, const struct side *to); // IdAccess
enum store_presence side_presence(struct side *side, const struct hash *hash);
bool side_head(struct side *side, const struct hash *id_hash, struct hash *node);
struct hash side_current(struct side *side, const struct hash *id_hash); // the current version; zero = none
struct span side_text(struct side *side, const struct hash *hash);       // in the side's arena
uint64_t side_objects(struct side *side);                                // how many it has
