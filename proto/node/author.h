// As whom a control request speaks: the main identity of this node, a further one, or, on the face (face.h), one that
// the archive has.
#pragma once

#include "node/job.h"

// The further identities that a request may speak as: this node's; for the installation those of the archive, as far as
// they are known here. Freed with selves_free, also after an error.
struct selves;
enum status node_job_identities(struct node_job *job, struct model *m, struct selves *out, struct error *e);

// The parameter "as": an identity of this node besides the main one, which the caller destroys; NULL for the main one.
// From then on the parameter is the whole id. Codes of identity_named.
enum status node_job_author(struct node_job *job, struct model *m, struct identity **out, struct error *e);
