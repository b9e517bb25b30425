// How far the user's messages got: by recipient as store/delivery.h keeps it, and in one word.
//
//   pending ──► archived ──► delivered     what another own node has to post
//      sent ──► archived ──► delivered     our own; archived: the other own node has it as well
//                     └────► failed, with why
#pragma once

#include "models/topic.h"
#include "store/delivery.h"

// A message was posted here: one row for everybody who is to get it, and one for the own archive.
enum status delivery_begin(struct model *m, const struct topic *topic, const struct hash *message, struct error *e);
// In a store that was made anew nobody knows how far its own messages got before: what came back from the other own
// node is there, and everybody else will be seen to have it, or be given it.
enum status delivery_restore(struct model *m, struct error *e);
// Nothing more will come to the person: what it has not got yet has failed.
enum status delivery_give_up(struct model *m, const struct hash *person, struct span why, struct error *e);
// Of these channels only, what was said last in them.
enum status delivery_give_up_in(struct model *m, const struct hash_list *channels, const struct hash *person,
                                struct span why, struct error *e);

// What the person was sent before that time and is shown: here, and granted or below what is. In doubt it is left out.
// Read by a job of the store; self: whom everybody knows who talks to us.
enum status delivery_older(struct store *s, const struct hash *person, const struct hash *self, int64_t before_ms,
                           struct arena *a, struct hash_list *out, struct error *e);

struct delivery_summary {
    const char *state; // pending, sent, archived, delivered, failed
    struct span why;   // failed
    struct hash *delivered_to;
    size_t delivered_count;
};
// Of a message of one of the selves of this installation (way.h).
enum status delivery_summary(struct model *m, const struct hash *message, const struct hash *sender,
                             struct delivery_summary *out, struct error *e);
