// "as" is resolved before all other parameters, for what names mean depends on who asks. It becomes the whole id, so
// that a request that is left to the archive means the same person there.
#include "node/author.h"

#include <string.h>

#include "models/instance.h"
#include "models/profile.h"
#include "models/selves.h"
#include "models/sharing.h"
#include "node/face.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/params.h"

// Whoever signs in a channel is one of this node, wherever the request was to go.
static bool is_of_installation(const struct node_job *job)
{
    return face_is(job) && strncmp(ipc_request_method(job->request), "channel.", strlen("channel.")) != 0;
}

enum status node_job_identities(struct node_job *job, struct model *m, struct selves *out, struct error *e)
{
    struct model main = *m;
    main.self = node_self(job->node);
    if (is_of_installation(job))
        return selves_elsewhere(&main, out, e);
    *out = (struct selves){0};
    return instance_identities(&main, job->node->keychain, &out->items, &out->count, e);
}

// Without "node" the identities are those of the archive.
static enum status main_identity(struct node_job *job, struct model *m, struct identity *archive,
                                 const struct identity **out, struct error *e)
{
    struct span email = {0};
    *out = m->self;
    if (!is_of_installation(job))
        return STATUS_OK;
    enum status st = sharing_own_node(m, &archive->person, e);
    if (st == STATUS_OK)
        st = profile_email_of(m, &archive->person, &email, e);
    archive->email = arena_alloc(m->arena, email.len + 1);
    if (email.len != 0)
        memcpy(archive->email, email.ptr, email.len);
    *out = archive;
    return st;
}

enum status node_job_author(struct node_job *job, struct model *m, struct identity **out, struct error *e)
{
    struct selves others = {0};
    struct identity archive = {0};
    size_t at = 0;
    *out = NULL;
    if (ipc_request_text(job->request, P_as) == NULL)
        return STATUS_OK;
    enum status st = node_job_identities(job, m, &others, e);
    const struct identity **all = arena_alloc(m->arena, (others.count + 1) * sizeof *all);
    if (st == STATUS_OK)
        st = main_identity(job, m, &archive, &all[0], e);
    for (size_t i = 0; i < others.count; i++)
        all[i + 1] = others.items[i];
    if (st == STATUS_OK)
        st = identity_named(all, others.count + 1, node_job_text(job, P_as), &at, e);
    if (st == STATUS_OK)
        ipc_request_set(job->request, P_as, node_json_hash(&all[at]->person));
    if (st == STATUS_OK && at != 0) {
        *out = others.items[at - 1];
        others.items[at - 1] = NULL;
    }
    selves_free(&others);
    return st;
}
