// Replaying recorded steps of the models: one node that does what a step says, and the comparison of what it stored.
#pragma once

#include "model_node.h"
#include "runner.h"

struct replay { // of one node
    struct vector_run *run;
    struct model_node node;
    struct model *m;
    const json_t *step;
    struct hash_map *known;  // every object before the step
    struct identity *second; // another identity of the node, if a step made one
};

extern const struct model_fixed replay_fixed;      // the recorded licences and random texts
extern const struct model_fixed replay_fixed_text; // only the random texts, with our own licences

bool replay_load_licences(struct vector_run *run); // their hashes, from well-known.json
// The recorded keys of a person or instance; released with replay_free_keys.
bool replay_find_keys(struct vector_run *run, const struct hash *owner, struct keys_pair *out);
void replay_free_keys(struct keys_pair *pair);
bool replay_begin(struct replay *r, const char *email, const char *instance_name, const struct model_fixed *how);
void replay_end(struct replay *r);
void replay_check_records(struct vector_run *run); // hashes and round trips of all objects of the file

// Every recorded object of the step is stored, but for those of the types in without (ends with NULL).
void replay_expect_recorded(struct replay *r, const char *const *without);
void replay_expect_nothing_else(struct replay *r); // no object that is neither recorded nor older
void replay_expect_step(struct replay *r);         // both, and the version heads
void replay_accept_all(struct replay *r);          // whatever is stored now counts as older

// The parsed object of a type among those the step recorded (the last one), and a hash in it.
const json_t *replay_recorded(const struct replay *r, const char *type);
struct hash replay_recorded_hash(const struct replay *r, const char *type, const char *member);
void replay_fix_someone(struct replay *r); // the next random text is that of the recorded Someone

// Fails the case with the text of the error.
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        struct error e = {0};                                                                                          \
        enum status status = (call);                                                                                   \
        vector_expect(r->run, status == STATUS_OK, "%s: %s %s", #call, e.code, e.message);                             \
    } while (0)
