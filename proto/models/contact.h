// Contacts: the people in Leute.other, how they come in by pairing, and how to reach them (MODELS.md 7).
#pragma once

#include "models/model.h"
#include "models/safety.h"

struct contact_instance {
    struct hash instance;
    struct span url; // empty = no outgoing route
    struct span
        safety; // to be compared with what that instance shows; empty if no pairing of ours vouches for the person
};

struct contact {
    struct hash person;
    struct hash someone;
    struct span name;   // what to show: the e-mail if nobody gave a name
    struct span email;  // empty if unknown
    bool trusted;       // at least one sign key of the person is trusted (MODELS.md 4.3)
    bool disabled;      // connections are switched off
    struct span safety; // of the instance paired with last
    struct contact_instance *instances;
    size_t instance_count;
};

struct contacts {
    struct contact *items;
    size_t count;
};

// ---- Who is one (contact_known.c) -----------------------------------------------------------------------------------

bool contact_exists(struct model *m, const struct hash *person);     // listed, and not ourselves
bool contact_of_anybody(struct model *m, const struct hash *person); // the same of any identity of ours
// The Someone of a contact. Code NOT-FOUND.
enum status contact_someone(struct model *m, const struct hash *person, struct hash *someone, struct error *e);
bool contact_is_disabled(struct model *m, const struct hash *person);
// The persons of all contacts and the Someone of each, in the same order; the caller frees both lists.
enum status contact_persons(struct model *m, struct hash_list *persons, struct hash_list *someones, struct error *e);

// ---- The book -------------------------------------------------------------------------------------------------------

enum status contact_list(struct model *m, struct contacts *out, struct error *e); // by name
// Takes the person out of Leute.other and of the groups and empties its grants; its keys are trusted no more, so that
// it can pair anew with other ones. Code NOT-FOUND.
enum status contact_forget(struct model *m, const struct hash *person, struct error *e); // for all identities
// The same for the identity that acts, if others have the contact, too (apart.h). leave: not left to the other own
// node, which reads the same Settings, to say that it has the contact no more.
enum status contact_forget_alone(struct model *m, const struct hash *person, bool leave, struct error *e);
// Membership in the group initiallyDisabled; the caller closes or opens the connections. Code NOT-FOUND.
enum status contact_set_disabled(struct model *m, const struct hash *person, bool disabled, struct error *e);

// ---- Pairing --------------------------------------------------------------------------------------------------------

struct contact_identity { // the identity message of WIRE.md 5, already checked against the authenticated peer
    struct span email;
    struct span instance_name;
    struct span url; // empty = none
    struct public_key person_public;
    struct public_key instance_public;
    struct sign_public person_sign_public;
    struct sign_public instance_sign_public;
    bool expected; // the user said that this person may come with an instance key that is new here
};

struct contact_paired {
    struct hash person;
    struct hash instance;
    bool is_new; // was not in Leute before
};

// Stores what pairing tells about a person (MODELS.md 7.3): ids, Keys, our signatures over them, endpoint, SignKey,
// profile, TrustKeysCertificate, Someone, Leute, group everyone. Of a contact only the address of an instance that it
// is known by is replaced. Codes: EP-KEYMISSMATCH (a contact with other keys: forget it first), UNKNOWN-INSTANCE (a
// contact with another instance key, not expected; or our own node's person with another one), BAD-INPUT, OWN-PERSON.
enum status contact_pair(struct model *m, const struct contact_identity *identity, struct contact_paired *out,
                         struct error *e);
// The person of a new Profile or Someone version (id hashes) gets its Someone in Leute (MODELS.md 7.4); for the hooks.
// Whoever was forgotten does not come back that way, only by pairing anew.
enum status contact_notice_profile(struct model *m, const struct hash *profile, struct error *e);
enum status contact_paired_profile(struct model *m, const struct hash *profile, struct error *e);
enum status contact_notice_someone(struct model *m, const struct hash *someone, struct error *e);
// Whoever a lost Someone stood for gets a new one, with the profiles that the lost one named; what was given up is
// taken out of Leute. The name of a Someone is drawn and told to nobody, so that nobody can give it back.
enum status contact_replace_lost(struct model *m, struct error *e);

// ---- Endpoints ------------------------------------------------------------------------------------------------------

enum { CONTACT_INSTANCES = 16 }; // of one contact; others do not count

struct contact_endpoint { // one way to one instance of one contact; what connections are made from (MODELS.md 7.5)
    struct hash person;
    struct hash instance;
    struct span email; // empty if unknown
    struct public_key person_public;
    struct public_key instance_public;
    struct sign_public person_sign_public;
    struct sign_public instance_sign_public;
    struct span url; // empty = wait for it to come
    bool disabled;
    bool certified; // we signed these Keys at a pairing; comes before others with the same instance key
};

struct contact_endpoints {
    struct contact_endpoint *items;
    size_t count;
    struct hash *persons; // of all contacts, also of those that have none
    size_t person_count;
};

bool contact_is_paired(struct model *m, const struct hash *person); // with this node: a certified endpoint is here
struct safety_text contact_safety(const struct identity *self, const struct contact_endpoint *row);
// Endpoints of all contacts; several rows where an instance has several urls, the latest learnt first. An instance key
// belongs to one person only: nobody can claim the key of another contact.
enum status contact_endpoints(struct model *m, struct contact_endpoints *out, struct error *e);
