// A played peer that shows objects of any kind, whole or broken, to a session of ours.
#pragma once

#include "script.h"

struct gallery {
    struct stage stage;
    struct side *ours; // alice
    struct side *peer; // bob, who is played
    struct script script;
    json_t *exporter; // what the script shows
};

// fixture_recipes and Album (title; image: BLOB, text: CLOB, next: object, about: id, all optional). Fits stage_begin.
struct recipes *gallery_recipes(void *ctx);

void gallery_begin(struct gallery *g, size_t sides);
void gallery_end(struct gallery *g);
// Around a cmocka test, whose state it is: a gallery of two sides.
int gallery_set_up(void **state);
int gallery_tear_down(void **state);
#define GALLERY_TEST(name) cmocka_unit_test_setup_teardown(name, gallery_set_up, gallery_tear_down)
void gallery_connect(struct gallery *g);
void gallery_pass(struct gallery *g);                        // connects and waits for the first pass, or the end
void gallery_wait_pass(struct gallery *g);                   // nothing but the first pass will do
void gallery_greet(struct gallery *g, const char *greeting); // connects, asks for the version so, waits for the pass

// The peer has an object, in the JSON form with ' for ", and lists no children for it. Returns its hash.
struct hash gallery_object(struct gallery *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gallery_text(struct gallery *g, const struct hash *hash, struct span text); // any text under any hash
struct hash gallery_id_of(const struct gallery *g, const struct hash *hash);
struct hash gallery_hash(struct span bytes);
void gallery_child(struct gallery *g, const struct hash *parent, const char *type, const struct hash *child);
void gallery_root(struct gallery *g, const struct hash *hash, const char *type); // unversioned
// A version node of a Doc, with its children, as a root; prev may be NULL.
struct hash gallery_version(struct gallery *g, const struct hash *data, const struct hash *prev, int depth);
