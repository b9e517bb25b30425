// installation.json: who was provisioned. Names and public ids only, no secret.
//
//   {"v":1,"user":…,"archive":{"email":…,"instanceName":…,"personId":…,"instanceId":…,"instanceKey":…},"sparse":{…},
//    "paired":false,"listenerStopped":false,"recreating":null,"restoring":null,"adopting":null}
//
// It is written before the first store is made and again with each step, so that an interrupted creation goes on where
// it stopped: a node without personId may still have to be made, one with a personId must have a store.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ipc/methods.h"

enum { INSTALLATION_NODES = 2, USER_MAX = 128, EMAIL_MAX = 254, NAME_MAX_LENGTH = 160, ID_LENGTH = 64 };

struct installation {
    char user[USER_MAX + 1];
    struct {
        char email[EMAIL_MAX + 1];
        char instance_name[NAME_MAX_LENGTH + 1];
        char person_id[ID_LENGTH + 1]; // "" until the node reported it
        char instance_id[ID_LENGTH + 1];
        char instance_key[ID_LENGTH + 1]; // public, by which the other node knows it; likewise
    } nodes[INSTALLATION_NODES];          // by enum ipc_node
    bool paired;
    bool listener_stopped; // by the user, until it is started again
    int recreating; // enum ipc_node whose lost store is being made anew, until the other forgot its old key; -1 = none
    int restoring;  // enum ipc_node that was made anew with its keys, until it has got everything back; -1 = none
    int adopting;   // enum ipc_node that takes over a storage directory and has not finished; -1 = none
};

// Fills in the default e-mails where NULL, which are new with each call, and the instance names. STATUS_INVALID:
// EMAILS-EQUAL, or BAD-PARAMS for control characters and blanks where none may be.
enum status installation_make(struct installation *in, const char *user, const char *archive_email,
                              const char *sparse_email, struct error *e);

extern const struct installation INSTALLATION_NONE; // nobody was provisioned

// What the profiles are called at first: the user, or of an address what stands before the @.
void installation_name(const struct installation *in, char *out, size_t size);

// The same for a node that adopts a storage directory: its e-mail and instance name come from there, and so does the
// user's name where user is NULL. other_email is the other node's, NULL = default. Finished by installation_adopted.
enum status installation_adopt(struct installation *in, enum ipc_node node, const char *user, const char *other_email,
                               struct error *e);
enum status installation_adopted(struct installation *in, const char *email, const char *instance_name,
                                 struct error *e);

enum status installation_parse(struct span text, struct installation *in, struct error *e); // STORE-CORRUPT
void installation_print(const struct installation *in, struct buf *out);
