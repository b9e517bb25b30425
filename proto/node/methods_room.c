// Control methods on what the sparse node takes and keeps: rule.*.
#include <string.h>

#include "models/kinds.h"
#include "models/sparing.h"
#include "models/topic.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/params.h"
#include "node/peers_internal.h"
#include "store/room.h"

enum { DAY_S = 86400 };

static enum status need_sparse(const struct node_job *job, struct error *e)
{
    if (node_kind(job->node)->store == STORE_SPARSE)
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "REFUSED", "the archive node takes and keeps everything");
}

// The timer of the room finds it, too; but whoever asked is to see it at once.
static void changed(struct node_job *job)
{
    struct node *n = job->node;
    room_look(n->room);
    if (n->peers != NULL)
        syncs_recheck(n->peers->syncs);
}

// ---- The quota ------------------------------------------------------------------------------------------------------

static enum status show_quota(struct node_job *job, struct model *m, struct error *e)
{
    struct sparing s;
    uint64_t files, bytes;
    json_int_t otherwise = json_integer_value(json_object_get(node_config(job->node), "sparse.quota_mb")) << 20;
    enum status st = sparing_load(m, &s, e);
    if (st == STATUS_OK)
        st = store_room(m->store, &files, &bytes, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:I, s:I, s:I}", "quota", s.has_quota ? (json_int_t)s.quota : otherwise, "bytes",
                                (json_int_t)bytes, "files", (json_int_t)files);
    return st;
}

static enum status quota(struct node_job *job, struct model *m, struct error *e)
{
    int64_t bytes = ipc_request_int(job->request, P_bytes, -1);
    enum status st = need_sparse(job, e);
    if (st == STATUS_OK && bytes >= 0)
        st = sparing_set_quota(m, (uint64_t)bytes, e);
    return st == STATUS_OK ? show_quota(job, m, e) : st;
}

// ---- Rules ----------------------------------------------------------------------------------------------------------

// A conversation is kept by the id of its channel, which is what a root says.
static enum status take_topic(struct node_job *job, struct model *m, struct sparing_rule *rule, struct error *e)
{
    struct topic topic;
    enum status st = node_job_conversation(job, m, &topic, e);
    if (st == STATUS_OK)
        rule->text = topic.id;
    return st;
}

static enum status read_rule(struct node_job *job, struct model *m, struct sparing_rule *rule, struct error *e)
{
    int64_t size = ipc_request_int(job->request, P_size, -1);
    int64_t days = ipc_request_int(job->request, P_days, -1);
    struct span type = node_job_text(job, P_type);
    bool has_topic = node_job_text(job, P_topic).len != 0;
    int given = (size >= 0) + (days >= 0) + (type.len != 0) + has_topic;
    bool breaks =
        type.len != 0 && (memchr(type.ptr, '\n', type.len) != NULL || memchr(type.ptr, ' ', type.len) != NULL);
    if (given != 1 || breaks)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "a rule is one of size, type, topic and days");
    if (type.len != 0 && !policy_is_application(type))
        return error_set(e, STATUS_REFUSED, "REFUSED", "the nodes need what is of type " SPAN_FMT, SPAN_ARG(type));
    if (has_topic) {
        rule->kind = SPARING_TOPIC;
        return take_topic(job, m, rule, e);
    }
    rule->kind = size >= 0 ? SPARING_SIZE : days >= 0 ? SPARING_AGE : SPARING_TYPE;
    rule->number = size >= 0 ? size : days * DAY_S;
    rule->text = type;
    return STATUS_OK;
}

static enum status rule_add(struct node_job *job, struct model *m, struct error *e)
{
    struct sparing_rule rule = {0};
    uint64_t id;
    enum status st = need_sparse(job, e);
    if (st == STATUS_OK)
        st = read_rule(job, m, &rule, e);
    if (st == STATUS_OK)
        st = sparing_add(m, &rule, &id, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:I}", "id", (json_int_t)id);
    return st;
}

static enum status rule_remove(struct node_job *job, struct model *m, struct error *e)
{
    enum status st = need_sparse(job, e);
    return st == STATUS_OK ? sparing_remove(m, (uint64_t)ipc_request_int(job->request, P_id, 0), e) : st;
}

static json_t *show_rule(const struct sparing_rule *r)
{
    json_t *rule = json_pack("{s:I, s:s}", "id", (json_int_t)r->id, "kind", SPARING_KINDS[r->kind]);
    if (r->kind == SPARING_SIZE)
        json_object_set_new(rule, "size", json_integer(r->number));
    else if (r->kind == SPARING_AGE)
        json_object_set_new(rule, "days", json_integer(r->number / DAY_S));
    else
        json_object_set_new(rule, SPARING_KINDS[r->kind], node_json_text(r->text));
    return rule;
}

static enum status rule_list(struct node_job *job, struct model *m, struct error *e)
{
    struct sparing s = {0};
    json_t *items = json_array();
    enum status st = need_sparse(job, e);
    if (st == STATUS_OK)
        st = sparing_load(m, &s, e);
    for (size_t i = 0; st == STATUS_OK && i < s.count; i++)
        json_array_append_new(items, show_rule(&s.rules[i]));
    return node_job_listed(job, st, items);
}

const struct node_method NODE_METHODS_ROOM[] = {
    {"rule.quota", quota, changed},
    {"rule.add", rule_add, changed},
    {"rule.list", rule_list, NULL},
    {"rule.remove", rule_remove, changed},
    {NULL, NULL, NULL},
};
