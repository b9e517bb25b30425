// Control methods on what others may see: share.*, roots.*.
#include <string.h>

#include "models/access.h"
#include "models/chat.h"
#include "models/entitled.h"
#include "models/policy.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node.h"
#include "node/page.h"
#include "node/params.h"

static enum status read_target(struct node_job *job, struct access_target *target, struct error *e)
{
    bool by_id = ipc_request_text(job->request, P_id) != NULL;
    if (by_id == (ipc_request_text(job->request, P_object) != NULL))
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "give either \"id\" or \"object\"");
    target->kind = by_id ? ACCESS_ID : ACCESS_OBJECT;
    return node_job_hash(job, by_id ? P_id : P_object, &target->hash, e);
}

// A file goes with an object that names it.
static enum status take_file(struct model *m, struct access_target *target, struct error *e)
{
    struct store_info info;
    bool is_file = target->kind == ACCESS_OBJECT && store_info(m->store, &target->hash, &info, NULL) == STATUS_OK &&
                   (info.kind == STORE_BLOB || info.kind == STORE_CLOB);
    return is_file ? chat_describe_file(m, &target->hash, &target->hash, e) : STATUS_OK;
}

typedef enum status (*change_access)(struct model *m, struct access_target target, const struct hash *who,
                                     struct error *e);

static enum status share_change(struct node_job *job, struct model *m, change_access for_person,
                                change_access for_group, struct error *e)
{
    struct access_target target = {0};
    struct hash *who = &job->subject;
    bool by_group = ipc_request_text(job->request, P_group) != NULL;
    if (by_group == (ipc_request_text(job->request, P_with) != NULL))
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "give either \"with\" or \"group\"");
    enum status st = read_target(job, &target, e);
    if (st == STATUS_OK)
        st = take_file(m, &target, e);
    if (st == STATUS_OK)
        st = by_group ? node_job_group(job, m, who, e) : node_job_hash(job, P_with, who, e);
    if (st != STATUS_OK)
        return st;
    return by_group ? for_group(m, target, who, e) : for_person(m, target, who, e);
}

static enum status share_grant(struct node_job *job, struct model *m, struct error *e)
{
    return share_change(job, m, access_grant, access_grant_group, e);
}

static enum status share_revoke(struct node_job *job, struct model *m, struct error *e)
{
    return share_change(job, m, access_revoke, access_revoke_group, e);
}

static void tell_changed(struct node_job *job)
{
    enum ipc_name param = ipc_request_text(job->request, P_id) != NULL ? P_id : P_object;
    const char *who = ipc_request_text(job->request, P_group) != NULL ? "groupId" : "personId";
    node_tell(
        job->node, "share.changed",
        json_pack("{s:o, s:o}", "hash", node_json_text(node_job_text(job, param)), who, node_json_hash(&job->subject)));
}

static json_t *show_hashes(const struct hash *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, node_json_hash(&items[i]));
    return list;
}

// Of an object that stands for a file: which one.
static json_t *show_file(struct model *m, const struct access_grant *g)
{
    struct value *object;
    struct hash file = {{0}};
    if (strcmp(g->type, "BlobDescriptor") == 0 &&
        model_read(m, &g->target.hash, "BlobDescriptor", &object, NULL) == STATUS_OK)
        (void)value_get_hash(object, "data", &file);
    return node_json_hash(&file);
}

static enum status share_list(struct node_job *job, struct model *m, struct error *e)
{
    struct access_grants grants = {0};
    enum status st = access_list(m, NULL, &grants, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < grants.count; i++) {
        const struct access_grant *g = &grants.items[i];
        json_array_append_new(items, json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "kind",
                                               g->target.kind == ACCESS_ID ? "id" : "object", "hash",
                                               node_json_hash(&g->target.hash), "type", g->type, "file",
                                               show_file(m, g), "persons", show_hashes(g->persons, g->person_count),
                                               "groups", show_hashes(g->groups, g->group_count)));
    }
    node_job_page(job, items);
    return STATUS_OK;
}

struct offer {
    struct node_job *job;
    struct model *m;
    struct hash person;
    json_t *items;
};

static bool is_offered(const struct offer *o, const struct hash *what)
{
    struct store_info info;
    return store_info(o->m->store, what, &info, NULL) == STATUS_OK &&
           entitled_any(node_actors(o->job->node), o->m, &o->person, span_of(info.type), what);
}

static enum status add_root(struct span fragment, const struct hash *node_or_object, const struct hash *id_hash,
                            void *arg)
{
    const struct offer *o = arg;
    json_t *root = is_offered(o, id_hash != NULL ? id_hash : node_or_object)
                       ? json_loadb(fragment.ptr, fragment.len, 0, NULL)
                       : NULL;
    if (root != NULL)
        json_array_append_new(o->items, root);
    return STATUS_OK;
}

static enum status roots_list(struct node_job *job, struct model *m, struct error *e)
{
    struct offer o = {.job = job, .m = m, .items = json_array()};
    uint64_t skipped;
    enum status st = node_job_hash(job, P_for, &o.person, e);
    if (st == STATUS_OK)
        st = store_roots(m->store, &o.person, add_root, &o, &skipped, e);
    return node_job_listed(job, st, o.items);
}

const struct node_method NODE_METHODS_SHARE[] = {
    {"share.grant", share_grant, tell_changed},
    {"share.revoke", share_revoke, tell_changed},
    {"share.list", share_list, NULL},
    {"roots.list", roots_list, NULL},
    {NULL, NULL, NULL},
};
