// The life of an instance (DATA-MODEL.md 12, MODELS.md 3.2): creation, opening, more identities.
//
// Creation writes Person, Keys, Recipe objects, Instance and Keys in the reference's order. Every step keeps what it
// finds, so an interrupted creation is finished by running it again.
#pragma once

#include "models/keys.h"

struct instance_setup {                 // what the Instance object lists; the nodes list all of one.models
    const struct value *const *recipes; // Recipe objects, already known to the store's recipe set
    size_t recipe_count;
    const struct value *reverse_maps; // map of type to set of properties; for objects and for id objects
    const struct value *id_reverse_maps;
};

struct instance_options {
    struct span email;                     // any text of 1 to 320 bytes without & < > (DATA-MODEL.md 12.2)
    struct span instance_name;             // likewise
    struct span person_name;               // Person.name; empty = none. The reference's register gives the e-mail
    const struct keys_pair *person_keys;   // NULL = new random keys
    const struct keys_pair *instance_keys; // likewise
    const struct instance_setup *setup;    // NULL = that of a node
};

// The e-mail and instance name this store was created for, into the arena. STATUS_NOT_FOUND "NOT-PROVISIONED" before.
enum status instance_recorded(struct store *s, struct arena *a, struct span *email, struct span *instance_name,
                              struct error *e);

// Opens the instance of the store; creates or completes it first where needed (*created). The caller destroys *out.
// Codes: ALREADY-PROVISIONED (the store belongs to another e-mail or instance name), STORE-MISSING (the instance
// exists, its secret keys do not), BAD-INPUT (names).
enum status instance_open(struct store *s, struct keychain *k, const struct instance_options *options, int64_t now_ms,
                          struct identity **out, bool *created, struct error *e);
// Opens the recorded instance without naming it.
enum status instance_reopen(struct store *s, struct keychain *k, struct identity **out, struct error *e);

// A further complete identity in the same node: person, instance, keys, a default profile under Someone "me", certified
// by the main identity. Existing: opened. The caller destroys *out. m->self is the main identity. url: as leute_init.
enum status instance_add_identity(struct model *m, struct keychain *k, const struct instance_options *options,
                                  struct span url, struct identity **out, struct error *e);
// All further identities, as an array of count pointers; the caller destroys each and frees the array.
enum status instance_identities(struct model *m, struct keychain *k, struct identity ***out, size_t *count,
                                struct error *e);

// After the store was lost: persons whose secret keys the keychain has kept are ours again, once their profile is here.
enum status instance_find_identities(struct model *m, struct keychain *k, struct error *e);

// Registers a Recipe object with the store's recipe set, stores it and enlarges the Instance's recipe set. The same one
// again is fine. Codes: URC-… (malformed), OR-ADDR1 (another one has the name).
enum status instance_add_recipe(struct model *m, const struct value *recipe, struct hash *hash, bool *is_new,
                                struct error *e);

// Ids without a store: of a person, and of an instance of it.
enum status instance_person_id(const struct recipes *r, struct span email, struct hash *out, struct error *e);
enum status instance_id(const struct recipes *r, struct span name, const struct hash *owner, struct hash *out,
                        struct error *e);
