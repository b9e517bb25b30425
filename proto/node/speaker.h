// Who speaks: the main identity, the one a request names with "as", or, for the installation, the further identity of
// the archive whose conversation or contact it is about. What such an identity does is left to the archive, but for
// what the sparse node writes down for it: messages, and what was read.
#pragma once

#include "node/job.h"

// Before and after the parameters are resolved. *left: the archive does it, and the job is answered as face.h says.
enum status speaker_take(struct node_job *job, bool *left, struct error *e);
// Which of the further identities a conversation is of; NULL: it is the main one's, or of whom else it may be.
struct selves;
struct topic;
bool speaker_takes_part(struct model *m, const struct topic *topic, const struct hash *person);
const struct identity *speaker_of_topic(struct model *m, const struct selves *s, const struct topic *topic);
enum status speaker_leave(struct node_job *job, bool *left, struct error *e);
