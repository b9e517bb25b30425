// Which of the two own nodes leads to somebody, as the sparse node knows it: it sees whom the archive is paired with by
// the certificates that the archive shares with it.
#pragma once

#include "models/topic.h"

enum way {
    WAY_NONE,    // neither node is paired with the person
    WAY_DIRECT,  // this node
    WAY_ARCHIVE, // the other own node
};

enum status way_to(struct model *m, const struct hash *person, enum way *out, struct error *e);
// Is the other own node paired with the person, as far as it is known here?
enum status way_paired_with(struct model *m, const struct hash *own, const struct hash *person, bool *paired,
                            struct error *e);
// Who writes into a conversation: whose it is.
enum status way_into(struct model *m, const struct topic *topic, enum way *out, struct error *e);

// Who writes what this node leaves to the archive: its main person, or the further identity that acts (selves.h).
enum status way_voice(struct model *m, struct hash *person, struct error *e);

// The persons of an installation: our own, and with that of the other own node two. A further identity of the archive
// that acts is alone.
enum { WAY_SELVES = 2 };
size_t way_selves(struct model *m, struct hash selves[WAY_SELVES]);
bool way_is_self(struct model *m, const struct hash *person);

struct way_topics { // those of one conversation
    struct topic items[WAY_SELVES];
    size_t count;
};
// The conversations of all selves with a person, for reading. None is fine.
enum status way_conversation(struct model *m, const struct hash *person, struct way_topics *out, struct error *e);
// Their channels; the caller frees the list.
enum status way_channels(struct model *m, const struct topic *topics, size_t count, struct hash_list *channels,
                         struct error *e);
