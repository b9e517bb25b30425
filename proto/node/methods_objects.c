// Control methods on objects and recipes: object.*, recipe.*.
#include "data/jsonform.h"
#include "models/deletion.h"
#include "models/history.h"
#include "models/instance.h"
#include "models/keeping.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"

static json_t *show_object(const struct object *o)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "hash", node_json_hash(&o->hash), "idHash",
                     node_json_hash(&o->id_hash), "type", node_json_text(o->recipe->name), "microdata",
                     node_json_text(o->microdata), "object", jsonform_write(o->value));
}

static enum status object_get(struct node_job *job, struct model *m, struct error *e)
{
    struct hash hash;
    struct object o;
    enum status st = node_job_hash(job, P_hash, &hash, e);
    if (st == STATUS_OK)
        st = store_get_object(m->store, &hash, m->arena, &o, e);
    if (st == STATUS_OK)
        job->result = show_object(&o);
    return st;
}

static enum status object_current(struct node_job *job, struct model *m, struct error *e)
{
    struct hash id;
    struct object o;
    enum status st = node_job_hash(job, P_idHash, &id, e);
    if (st == STATUS_OK)
        st = store_current(m->store, &id, m->arena, &o, e);
    if (st == STATUS_OK)
        job->result = show_object(&o);
    return st;
}

static enum status object_versions(struct node_job *job, struct model *m, struct error *e)
{
    struct hash id;
    struct history history = {0};
    enum status st = node_job_hash(job, P_idHash, &id, e);
    if (st == STATUS_OK)
        st = history_of(m, &id, &history, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < history.count; i++) {
        const struct history_version *v = &history.items[i];
        json_array_append_new(items, json_pack("{s:o, s:o, s:s, s:I, s:I}", "hash", node_json_hash(&v->hash), "node",
                                               node_json_hash(&v->node), "nodeType", v->node_type, "depth", v->depth,
                                               "createdAt", v->created_ms));
    }
    node_job_page(job, items);
    return STATUS_OK;
}

static enum status put_value(struct model *m, const struct value *v, struct object *o, bool *is_new, struct error *e)
{
    enum status st = object_make(store_recipes(m->store), m->arena, v, MICRODATA_OBJECT, o, e);
    if (st != STATUS_OK)
        return st;
    *is_new = store_presence(m->store, &o->hash) == STORE_ABSENT;
    const struct hash *name = o->recipe->versioned ? &o->id_hash : &o->hash;
    bool deleted = store_is_deleted(m->store, name);
    st = o->recipe->versioned ? model_change(m, v, NULL, e) : store_put(m->store, o, NULL, e);
    if (st == STATUS_OK && deleted)
        st = deletion_taken_back(m, name, e);
    return st == STATUS_OK ? keeping_object(m, o, e) : st;
}

static enum status object_put(struct node_job *job, struct model *m, struct error *e)
{
    struct value *v;
    struct object o;
    bool is_new = false;
    enum status st = jsonform_read(m->arena, ipc_request_json(job->request, P_object), &v, e);
    if (st == STATUS_OK)
        st = put_value(m, v, &o, &is_new, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o, s:o, s:s}", "hash", node_json_hash(&o.hash), "idHash",
                                node_json_hash(&o.id_hash), "status", is_new ? "new" : "exists");
    return st;
}

static enum status recipe_add(struct node_job *job, struct model *m, struct error *e)
{
    struct value *recipe;
    struct hash hash;
    struct span name = {0};
    bool is_new = false;
    enum status st = jsonform_read(m->arena, ipc_request_json(job->request, P_recipe), &recipe, e);
    if (st == STATUS_OK)
        st = instance_add_recipe(m, recipe, &hash, &is_new, e);
    if (st != STATUS_OK)
        return st;
    value_get_string(recipe, "name", &name);
    job->result = json_pack("{s:o, s:o, s:s}", "name", node_json_text(name), "hash", node_json_hash(&hash), "status",
                            is_new ? "new" : "exists");
    return STATUS_OK;
}

static enum status recipe_list(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list ids = {0};
    json_t *items = json_array();
    enum status st = store_ids_of_type(m->store, SPAN("Recipe"), &ids, e);
    for (size_t i = 0; st == STATUS_OK && i < ids.count; i++) {
        struct value *recipe;
        struct hash hash;
        struct span name = {0};
        st = model_current(m, &ids.items[i], "Recipe", &recipe, &hash, e);
        if (st == STATUS_OK && value_get_string(recipe, "name", &name))
            json_array_append_new(items,
                                  json_pack("{s:o, s:o}", "name", node_json_text(name), "hash", node_json_hash(&hash)));
    }
    hash_list_free(&ids);
    return node_job_listed(job, st, items);
}

const struct node_method NODE_METHODS_OBJECTS[] = {
    {"object.get", object_get, NULL},
    {"object.current", object_current, NULL},
    {"object.versions", object_versions, NULL},
    {"object.put", object_put, NULL},
    {"recipe.add", recipe_add, NULL},
    {"recipe.list", recipe_list, NULL},
    {NULL, NULL, NULL},
};
