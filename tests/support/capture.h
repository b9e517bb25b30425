// Recorded connections of tests/vectors/wire, and the random bytes that make ours repeat them.
#pragma once

#include <jansson.h>

#include "crypto/secret.h"
#include "wire/random.h"

json_t *capture_load(const char *name); // tests/vectors/wire/NAME.json; aborts if it cannot. New reference
const char *capture_text(const json_t *object, const char *name); // NULL if there is none
struct buf capture_bytes(const json_t *object, const char *name); // of a hex member
void capture_fixed(const json_t *object, const char *name, void *out, size_t len);
struct secret capture_secret(const json_t *object, const char *name);

// A source that gives out exactly the bytes it was loaded with; asking for more aborts.
struct scripted_random {
    struct random_source source; // give its address away
    struct buf bytes;
    size_t used;
};

void scripted_random_begin(struct scripted_random *r);
void scripted_random_end(struct scripted_random *r);
// Appends what frame_seal drew for a recorded frame: the amount of filler and the filler.
void scripted_random_add_padding(struct scripted_random *r, const struct secret *key, uint64_t counter,
                                 struct span frame);
