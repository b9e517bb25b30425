// Control methods on objects and recipes: object.*, recipe.*.
#include "crypto/sha256.h"
#include "data/jsonform.h"
#include "data/version.h"
#include "node/methods.h"

static json_t *show_object(const struct object *o)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "hash", node_json_hash(&o->hash), "idHash",
                     node_json_hash(&o->id_hash), "type", node_json_text(o->recipe->name), "microdata",
                     node_json_text(o->microdata), "object", jsonform_write(o->value));
}

static enum status object_get(struct node_job *job, struct store *s, struct error *e)
{
    struct hash hash;
    struct object o;
    enum status st = node_job_hash(job, s, "hash", &hash, e);
    if (st == STATUS_OK)
        st = store_get_object(s, &hash, job->arena, &o, e);
    if (st == STATUS_OK)
        job->result = show_object(&o);
    return st;
}

static enum status object_current(struct node_job *job, struct store *s, struct error *e)
{
    struct hash id;
    struct object o;
    enum status st = node_job_hash(job, s, "idHash", &id, e);
    if (st == STATUS_OK)
        st = store_current(s, &id, job->arena, &o, e);
    if (st == STATUS_OK)
        job->result = show_object(&o);
    return st;
}

static enum status add_version(struct node_job *job, struct store *s, const struct hash *node, json_t *items,
                               struct error *e)
{
    struct object o;
    double depth = 0;
    double created = 0;
    struct hash data;
    enum status st = store_get_object(s, node, job->arena, &o, e);
    if (st != STATUS_OK)
        return st;
    if (!value_get_hash(o.value, "data", &data) || !value_get_number(o.value, "depth", &depth) ||
        !value_get_number(o.value, "creationTime", &created))
        return error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "%s is not a version node", hash_text(node).s);
    json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:I, s:I}", "hash", node_json_hash(&data), "node",
                                           node_json_hash(node), "nodeType", node_json_text(o.recipe->name), "depth",
                                           (json_int_t)depth, "createdAt", (json_int_t)created));
    return STATUS_OK;
}

static enum status object_versions(struct node_job *job, struct store *s, struct error *e)
{
    struct hash id;
    struct hash head;
    struct hash_list nodes = {0};
    json_t *items = json_array();
    enum status st = node_job_hash(job, s, "idHash", &id, e);
    if (st == STATUS_OK)
        st = store_head(s, &id, &head, e);
    if (st == STATUS_OK)
        st = version_list(store_versions(s), &head, &nodes, e);
    for (size_t i = nodes.count; st == STATUS_OK && i > 0; i--)
        st = add_version(job, s, &nodes.items[i - 1], items, e);
    if (st == STATUS_OK)
        node_job_page(job, json_incref(items));
    json_decref(items);
    hash_list_free(&nodes);
    return st;
}

static enum status put_versioned(struct node_job *job, struct store *s, const struct value *v, struct object *o,
                                 const char **status, struct error *e)
{
    struct version_result result;
    *status = store_presence(s, &o->hash) == STORE_ABSENT ? "new" : "exists";
    return version_store(store_versions(s), v, VERSION_CHANGE, (double)job->now_ms, &result, e);
}

static enum status put_unversioned(struct store *s, const struct object *o, const char **status, struct error *e)
{
    bool is_new = false;
    enum status st = store_put(s, o, &is_new, e);
    *status = is_new ? "new" : "exists";
    return st;
}

static enum status put_value(struct node_job *job, struct store *s, const struct value *v, struct object *o,
                             const char **status, struct error *e)
{
    enum status st = object_make(store_recipes(s), job->arena, v, MICRODATA_OBJECT, o, e);
    if (st != STATUS_OK)
        return st;
    if (o->recipe->versioned)
        return put_versioned(job, s, v, o, status, e);
    return put_unversioned(s, o, status, e);
}

static enum status object_put(struct node_job *job, struct store *s, struct error *e)
{
    struct value *v;
    struct object o;
    const char *status;
    enum status st = jsonform_read(job->arena, json_object_get(ipc_request_params(job->request), "object"), &v, e);
    if (st == STATUS_OK)
        st = put_value(job, s, v, &o, &status, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o, s:o, s:s}", "hash", node_json_hash(&o.hash), "idHash",
                                node_json_hash(&o.id_hash), "status", status);
    return st;
}

const struct node_method NODE_METHODS_OBJECTS[] = {
    {"object.get", object_get},
    {"object.current", object_current},
    {"object.versions", object_versions},
    {"object.put", object_put},
    {NULL, NULL},
};
