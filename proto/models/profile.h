// Profiles: what somebody says about a person (MODELS.md 2.2, 2.3). A profile has a person, an owner and an id text;
// the main one of everybody is called "default".
#pragma once

#include "models/model.h"

enum { PROFILE_URLS = 16 }; // addresses of one instance

struct profile {
    struct hash id_hash;
    struct hash hash; // current version
    struct span profile_id;
    struct hash person;
    struct hash owner;
    struct hash_list endpoints;    // communicationEndpoint
    struct hash_list descriptions; // personDescription
};

struct profiles {
    struct profile *items; // belongs to the arena
    size_t count;
};

struct profile_endpoint { // OneInstanceEndpoint
    struct hash person;
    struct hash instance;
    struct hash person_keys; // Keys objects
    struct hash instance_keys;
    struct span url; // empty = none
};

void profile_free(struct profile *p); // the lists; texts belong to the arena

enum status profile_id_hash(struct model *m, struct span profile_id, const struct hash *person,
                            const struct hash *owner, struct hash *out, struct error *e);
enum status profile_load(struct model *m, const struct hash *id_hash, struct profile *out, struct error *e);
enum status profile_save(struct model *m, struct profile *p, struct error *e); // updates hash
// Current profiles about a person, oldest first; each is read once, however much somebody writes into it. The caller
// frees them, also after an error.
enum status profiles_about(struct model *m, const struct hash *person, struct profiles *out, struct error *e);
void profiles_free(struct profiles *list);
// Our own main profile.
enum status profile_own(struct model *m, struct hash *id_hash, struct error *e);
// The first one of an identity of ours, with its endpoint and its SignKey (url empty = none). The caller frees *p, also
// after an error.
enum status profile_put_default(struct model *m, const struct identity *i, struct span url, struct profile *p,
                                struct error *e);

// OneInstanceEndpoint (url empty = none) and SignKey objects.
enum status profile_read_endpoint(struct model *m, const struct hash *hash, struct profile_endpoint *out,
                                  struct error *e);
enum status profile_put_sign_key(struct model *m, const struct sign_public *key, struct hash *out, struct error *e);
// Puts an endpoint into the loaded profile instead of those of the same instance, unless it is one of them. Not stored
// yet.
enum status profile_replace_endpoint(struct model *m, struct profile *p, const struct profile_endpoint *endpoint,
                                     struct error *e);

// The display name of a person: its PersonName in the profile we own, then in its own, then in any; then the e-mail;
// then empty (MODELS.md 7.4).
enum status profile_name_of(struct model *m, const struct hash *person, struct span *name, struct error *e);
enum status profile_email_of(struct model *m, const struct hash *person, struct span *email, struct error *e);
// Our own name: replaces the PersonName in the main profile. Code BAD-TEXT; empty removes it.
enum status profile_set_name(struct model *m, struct span name, struct error *e);
// Puts a description or an endpoint without instance (Email, PhoneNumber) into our main profile, instead of those of
// its type; NULL removes them.
enum status profile_describe(struct model *m, const char *type, const struct value *object, struct error *e);

struct profile_urls {
    struct span items[PROFILE_URLS];
    size_t count;
};
// Where this instance can be dialled: one endpoint of our main profile for each url, one without any if there is none.
enum status profile_urls(struct model *m, struct profile_urls *out, struct error *e);
// Replaces them with a new profile version, if they differ. Code BAD-INPUT.
enum status profile_set_urls(struct model *m, const struct profile_urls *urls, struct error *e);
