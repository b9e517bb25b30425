// What the user deleted: messages and their files, whole conversations, objects. It is gone on both own nodes, stays
// gone when others offer it again, and its bytes leave the disk. Others keep what they have: the protocol knows no
// deletion.
//
// What own nodes tell each other are lists of deletions, each a Settings object: of words separated by blanks,
//
//   m<id>              a message (CreationTime) is not shown any more, and its bytes go when nobody waits for them
//   o<hash>            an object is not wanted any more; whoever has it looks himself whether it may go
//   d<hash>:<time>     the user deleted this object or file
//   i<id hash>:<time>  and this versioned object
//   a<hash>:<time>     and stored it again
//   c<channel>:<time>  everything in the channel up to this time is deleted
//
// A list is written by one node only. A message stays in its channel's list as an id and a time: peers go on with what
// they have, and the deletion needs no more room than that.
#pragma once

#include "models/topic.h"

enum { DELETION_SLICE = 200 };  // messages at a time
#define DELETION_AT "deletedAt" // a channel's setting: behind which message its sweep goes on

// Messages by their ids; of others than messages nothing happens and the code is NOT-FOUND. Those written here that
// wait for the archive are not sent any more. *count (may be NULL): how many were still there.
enum status deletion_of_messages(struct model *m, const struct hash_list *ids, size_t *count, struct error *e);
// The newest messages of these channels older than one (NULL: than none), DELETION_SLICE of them. *more: there are
// others, behind *last. Who begins at the newest each time reads all that is deleted again.
enum status deletion_of_newest(struct model *m, const struct hash_list *channels, const struct hash *before,
                               size_t *count, bool *more, struct hash *last, struct error *e);
// Everything in these channels until now.
enum status deletion_of_channels(struct model *m, const struct hash_list *channels, struct error *e);
// An object of an application's own type, a versioned one by its id, or a file. Codes NOT-FOUND, REFUSED (something
// refers to it, or it is neither).
enum status deletion_of_object(struct model *m, const struct hash *hash, struct error *e);
// Objects and files that the person's node was the first to bring and that nothing refers to.
enum status deletion_of_given(struct model *m, const struct hash *person, struct error *e);

// ---- What holds (deletion_list.c) -----------------------------------------------------------------------------------

// It was deleted, and is stored here again by the user.
enum status deletion_taken_back(struct model *m, const struct hash *hash, struct error *e);

bool deletion_hides(struct model *m, const struct hash *channel, const struct hash *message, double time);
// Up to which time a channel is deleted; 0: it is not.
double deletion_until(struct model *m, const struct hash *channel);

// A head of Settings, ours or the other own node's. *is_list (may be NULL): it was a list of deletions.
enum status deletion_notice(struct model *m, const struct hash *id_hash, bool *is_list, struct error *e);
// All lists again: what they say was lost with the database.
enum status deletion_again(struct model *m, struct error *e);

// ---- Afterwards (deletion_sweep.c) ----------------------------------------------------------------------------------

struct deletion_work {
    size_t freed; // messages
    bool changed; // something was done, which may make room for more
};
// Takes the bytes of what is deleted away as far as they may go, a slice at a time: *at (zero at first) tells where it
// goes on, *more that it does.
enum status deletion_sweep(struct model *m, struct hash *at, bool *more, struct deletion_work *work, struct error *e);
