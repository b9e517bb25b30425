// Control methods on the identities a node has: identity.*.
#include <stdlib.h>

#include "base/text.h"
#include "models/apart.h"
#include "models/contact.h"
#include "models/instance.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/selves.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/params.h"

static json_t *show_identity(const struct model *m, const struct identity *i)
{
    return json_pack("{s:o, s:o, s:s, s:s, s:b}", "personId", node_json_hash(&i->person), "instanceId",
                     node_json_hash(&i->instance), "email", i->email, "instanceName", i->instance_name, "main",
                     (int)hash_eq(&i->person, &m->self->person));
}

static void free_identities(struct identity **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        identity_destroy(list[i]);
    free(list);
}

static enum status identity_list(struct node_job *job, struct model *m, struct error *e)
{
    struct identity **others;
    size_t count;
    json_t *items = json_array();
    json_array_append_new(items, show_identity(m, m->self));
    enum status st = instance_identities(m, job->node->keychain, &others, &count, e);
    for (size_t i = 0; st == STATUS_OK && i < count; i++)
        json_array_append_new(items, show_identity(m, others[i]));
    free_identities(others, count);
    return node_job_listed(job, st, items);
}

// Whoever is known as somebody else, or is the main identity, is no further one.
static enum status check_email(struct model *m, struct span email, struct error *e)
{
    struct hash person;
    enum status st = instance_person_id(store_recipes(m->store), email, &person, e);
    if (st == STATUS_OK && (hash_eq(&person, &m->self->person) || contact_exists(m, &person)))
        st = error_set(e, STATUS_EXISTS, "EXISTS", "this e-mail belongs to a contact or to this node");
    return st;
}

static enum status check_plain(const char *what, struct span text, struct error *e)
{
    struct span begin = text;
    while (begin.len != 0 && begin.ptr[0] == ' ')
        begin = span_from(begin, 1);
    if (text.len == 0 || (text_is_plain(text) && begin.len == text.len && text.ptr[text.len - 1] != ' '))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-TEXT",
                     "the %s of an identity has no line breaks or other control characters, and no blanks around it",
                     what);
}

static enum status check_texts(struct node_job *job, struct error *e)
{
    enum status st = check_plain("e-mail", node_job_text(job, P_email), e);
    if (st == STATUS_OK)
        st = check_plain("name", node_job_text(job, P_name), e);
    return st == STATUS_OK ? check_plain("instance name", node_job_text(job, P_instanceName), e) : st;
}

static enum status identity_add(struct node_job *job, struct model *m, struct error *e)
{
    struct span email = node_job_text(job, P_email);
    struct span name = node_job_text(job, P_instanceName);
    const struct instance_options options = {
        .email = email, .instance_name = name.len != 0 ? name : email, .person_name = email};
    enum status st = check_texts(job, e);
    if (st == STATUS_OK)
        st = check_email(m, email, e);
    if (st == STATUS_OK)
        st = instance_add_identity(m, job->node->keychain, &options, span_of(node_url(job->node)), &job->made, e);
    if (st == STATUS_OK) {
        struct model as_it = *m;
        as_it.self = job->made;
        st = apart_begin(&as_it, e);
        if (st == STATUS_OK && ipc_request_text(job->request, P_name) != NULL)
            st = profile_set_name(&as_it, node_job_text(job, P_name), e);
    }
    if (st == STATUS_OK)
        st = selves_note(m, &job->made->person, e);
    if (st == STATUS_OK)
        job->result = show_identity(m, job->made);
    return st;
}

// The supervisor keeps a copy of all keys.
static void identity_added(struct node_job *job)
{
    if (job->made != NULL) // else it was done before
        node_add_identity(job->node, job->made);
    job->made = NULL;
    node_tell(job->node, "keys.changed", json_object());
}

const struct node_method NODE_METHODS_IDENTITIES[] = {
    {"identity.list", identity_list, NULL},
    {"identity.add", identity_add, identity_added},
    {NULL, NULL, NULL},
};
