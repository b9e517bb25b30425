// Reading members of a JSON object that a person wrote: each is taken by name, checked, and what nobody took is an
// error with its place. The first error stays; after it everything reads as absent.
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"

struct reading {
    const char *file;
    const char *text;
    const json_t *root;
    struct error *error;
};

// At a member, or where key is NULL at an element of an array.
enum status reading_fail(struct reading *r, const json_t *holder, const char *key, size_t index, const char *format,
                         ...) __attribute__((format(printf, 5, 6)));
bool reading_failed(const struct reading *r);

// Refuses members that are not in the list, which ends with NULL, and what is no object.
enum status reading_keys(struct reading *r, const json_t *object, const char *const *known);

// NULL or otherwise where it is absent.
const char *reading_text(struct reading *r, const json_t *object, const char *key, const char *otherwise);
int64_t reading_number(struct reading *r, const json_t *object, const char *key, int64_t least, int64_t most,
                       int64_t otherwise);
bool reading_yes(struct reading *r, const json_t *object, const char *key);
const json_t *reading_list(struct reading *r, const json_t *object, const char *key);
int64_t reading_duration(struct reading *r, const json_t *object, const char *key,
                         int64_t otherwise);                                      // "150ms", "2s", "1m"
int64_t reading_offset(struct reading *r, const json_t *object, const char *key); // "1h", "-20s"; 0 = absent
int64_t reading_size(struct reading *r, const json_t *object, const char *key);   // "500B", "64kB", "1.5GB"; 0 = absent
// The index of the word in the list, which ends with NULL.
size_t reading_word(struct reading *r, const json_t *object, const char *key, const char *const *words,
                    size_t otherwise);
