// One face: the sparse node speaks for the installation, and leaves to the archive what only the archive can do.
//
// A request of that kind has face_is true, and its work then reads for both own persons (models/way.h). What changes
// something that is the archive's becomes an intent, in the transaction of the job:
//
//   static enum status topic_rename(struct node_job *job, struct model *m, struct error *e)
//   {
//       if (face_is(job) && it_is_the_archives)
//           return face_defer(job, m, "topic.rename", json_pack(…));   // the same method, as the archive is to run it
//       …
//   }
//
// While the archive is up the request is answered with what the archive answers, its errors included; while it is away,
// or takes too long, with {"state":"pending","opId"} and whatever the work added to job->result after face_defer, such
// as ids, which therefore have to be chosen here and be among params. The archive runs each intent once, however often
// it is carried. Errors that pass by let it wait; any other error ends it, and the event intent.failed tells.
#pragma once

#include "node/job.h"

bool face_is(const struct node_job *job);       // the request speaks for the installation
bool face_is_alone(const struct node_job *job); // and the archive is away
// Ourselves; for the installation both nodes are one.
bool face_is_self(const struct node_job *job, struct model *m, const struct hash *person);
// method: of ipc/methods.h, mutating. params is taken over; no opId, node or face in it. Sets job->result. Code
// OUTBOX-FULL; of an intent that was carried before, its error.
enum status face_defer(struct node_job *job, struct model *m, const char *method, json_t *params, struct error *e);

// Did the same request come before and leave something for the archive? Then it is answered as face_defer would.
enum status face_repeats(struct node_job *job, struct model *m, bool *repeats, struct error *e);

// Messages to a person that wait for the archive have failed, in the transaction of the job; then, on the loop, whoever
// follows them is told.
enum status face_give_up(struct node_job *job, struct model *m, const struct hash *person, struct error *e);
void face_gave_up(struct node_job *job);

// For job.c: answers, or keeps the request until the archive has.
void face_answer(struct node_job *job);

// ---- Inside proto/node ----------------------------------------------------------------------------------------------

// What the request, by its opId or a new one, is called in the outbox.
struct span face_op(struct node_job *job);
void face_settled(struct node *n, const char *op, json_t *result, const struct error *e); // result is borrowed
void face_release(struct node *n);                                                        // nobody will settle more
