// Runs vector files against the libraries: a handler per kind of file, a case per thing checked.
//
// Handlers are chosen by the name of the file ("numbers" takes numbers.json and numbers-more.json; the longest name
// wins; several tables may have a handler of that name). To add some, write a table of handlers in a file of your own
// and name the table in tandem_vectors.c.
#pragma once

#include <jansson.h>

#include "crypto/sign.h"
#include "data/recipe.h"

struct vector_run { // one file being checked
    const char *path;
    const json_t *root;
    struct arena *arena; // lives as long as the run
    size_t passed;
    size_t failed;
    char name[160]; // of the current case
    bool open;      // a case has begun
    bool good;      // nothing in it failed so far
};

struct vector_handler {
    const char *name; // of the file, without .json
    void (*check)(struct vector_run *run);
};

// Tables end with a handler without a name.
extern const struct vector_handler vector_handlers_chum[];
extern const struct vector_handler vector_handlers_crypto[];
extern const struct vector_handler vector_handlers_instance[];
extern const struct vector_handler vector_handlers_microdata[];
extern const struct vector_handler vector_handlers_models[];
extern const struct vector_handler vector_handlers_objects[];
extern const struct vector_handler vector_handlers_pairing[];
extern const struct vector_handler vector_handlers_replay[];
extern const struct vector_handler vector_handlers_values[];
extern const struct vector_handler vector_handlers_version[];
extern const struct vector_handler vector_handlers_list[];
extern const struct vector_handler vector_handlers_store[];

// A case begins, expects things, and is counted as passed or failed when the next one begins or the file ends. Failures
// are explained on standard error.
void vector_case(struct vector_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool vector_expect(struct vector_run *run, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool vector_expect_text(struct vector_run *run, struct span got, struct span wanted, const char *what);
// The outcome of a function against the errorCode of a vector (NULL: any code will do).
bool vector_expect_error(struct vector_run *run, enum status s, const struct error *e, const char *code);

// Members of JSON objects: empty span or NULL if absent or of another kind.
struct span vector_text(const json_t *object, const char *name);
bool vector_hash(const json_t *object, const char *name, struct hash *out);
// Of a recorded seed of 32 bytes.
void vector_sign_keypair(const uint8_t *seed, struct sign_public *public_key, struct secret *secret);
struct span vector_hex(struct vector_run *run, const json_t *object, const char *name); // decoded
struct value *vector_value(struct vector_run *run, const json_t *form);                 // fails the case if unreadable
// The UTF-8 of a string or {"$utf16": …}, unpaired surrogates replaced.
struct span vector_utf8(struct vector_run *run, const json_t *form);

// The bytes of a case of blobs-clobs: hex, base64, text, or "00 repeated N times".
struct span vector_file_bytes(struct vector_run *run, const json_t *c);

// The built-in recipes plus those a vector file declares: {NAME: {"recipe": …}}, {NAME: recipe} or a list of recipes.
// The caller destroys them.
struct recipes *vector_recipes(struct vector_run *run, const json_t *declared);
// The file called name in the same folder, NULL if there is none. New reference.
json_t *vector_sibling(const struct vector_run *run, const char *name);

// Checks a record with microdata and hash, or idMicrodata and idHash, or both: the hashes, that reading and writing
// gives the same bytes, and the object if the record has it.
void vector_record(struct vector_run *run, const struct recipes *r, const json_t *record);
// The same for every record below json; each is a case.
void vector_records(struct vector_run *run, const struct recipes *r, const json_t *json);
