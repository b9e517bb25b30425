// Control methods on what this node is and has: id, storage, endpoints.list.
#include "base/clock.h"
#include "node/job.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/peers_internal.h"

static void refuse_early(struct ipc_request *r)
{
    struct error e;
    error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    ipc_request_fail(r, &e);
}

// ---- Who it is -----------------------------------------------------------------------------------------------------

static json_t *show_key(const unsigned char *key, size_t len)
{
    char hex[2 * BOX_KEY + 1];
    hex_encode(key, len, hex);
    return json_string(hex);
}

static json_t *show_keys(const struct identity_keys *k)
{
    return json_pack("{s:o, s:o, s:o}", "hash", node_json_hash(&k->keys), "publicKey",
                     show_key(k->public_key.b, BOX_KEY), "signKey", show_key(k->sign_public.b, SIGN_PUBLIC));
}

static void id(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    const struct identity *self = n->self;
    if (self == NULL) {
        refuse_early(r);
        return;
    }
    ipc_request_reply(r, json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "personId", node_json_hash(&self->person),
                                   "email", self->email, "instanceId", node_json_hash(&self->instance), "instanceName",
                                   self->instance_name, "url",
                                   n->reachable[0] != '\0' ? json_string(n->reachable) : json_null(), "personKeys",
                                   show_keys(&self->person_keys), "instanceKeys", show_keys(&self->instance_keys)));
}

// ---- What it has ---------------------------------------------------------------------------------------------------

static void add_usage(const struct store_usage *u, void *arg)
{
    static const char *const kinds[] = {
        [STORE_OBJECT] = "object", [STORE_ID_OBJECT] = "id", [STORE_CLOB] = "file", [STORE_BLOB] = "file"};
    static const char *const states[] = {
        [STORE_ABSENT] = "wanted", [STORE_PRESENT] = "present", [STORE_REMOTE] = "remote"};
    const char *type = u->type;
    if (type[0] == '\0')
        type = u->kind == STORE_CLOB ? "CLOB" : "BLOB";
    json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:I, s:I}", "type", type, "kind", kinds[u->kind], "state",
                                         states[u->presence], "objects", (json_int_t)u->objects, "bytes",
                                         (json_int_t)u->bytes));
}

static enum status storage(struct node_job *job, struct model *m, struct error *e)
{
    struct store_totals totals;
    json_t *items = json_array();
    enum status st = store_totals(m->store, &totals, e);
    if (st == STATUS_OK)
        st = store_measure(m->store, add_usage, items, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:s, s:I, s:I, s:O}", "role", node_kind(job->node)->name, "objects",
                                (json_int_t)totals.objects, "bytes", (json_int_t)totals.bytes, "items", items);
    json_decref(items);
    return st;
}

// ---- Whom it reaches -----------------------------------------------------------------------------------------------

static json_t *show_next(const struct route_info *info)
{
    if (info->state != ROUTE_WAITING)
        return json_null();
    int64_t ahead = (int64_t)info->retry_at - (int64_t)clock_monotonic_ms();
    return json_integer(clock_wall_ms() + (ahead > 0 ? ahead : 0));
}

static void add_endpoint(void *ctx, const struct route_info *info)
{
    static const char *const states[] = {[ROUTE_DISABLED] = "disabled",
                                         [ROUTE_INCOMING] = "incoming",
                                         [ROUTE_WAITING] = "waiting",
                                         [ROUTE_DIALLING] = "dialling",
                                         [ROUTE_ACTIVE] = "active"};
    json_array_append_new(
        ctx, json_pack("{s:o, s:o, s:o, s:s?, s:s, s:i, s:o, s:o}", "personId", node_json_hash(&info->person),
                       "instanceId", node_json_hash(&info->instance), "publicKey",
                       show_key(info->instance_key.b, BOX_KEY), "url", info->url, "state", states[info->state],
                       "failures", (int)info->failures, "nextAt", show_next(info), "connectionId",
                       info->active != NULL ? json_integer((json_int_t)conn_id(info->active)) : json_null()));
}

static void endpoints(struct ipc_request *r, void *ctx)
{
    const struct node *n = ctx;
    if (n->peers == NULL) {
        refuse_early(r);
        return;
    }
    json_t *items = json_array();
    routes_each(n->peers->routes, add_endpoint, items);
    ipc_request_reply(r, node_page(r, items));
}

static const struct node_method store_methods[] = {{"storage", storage, NULL}, {NULL, NULL, NULL}};

void node_inventory_register(struct node *n)
{
    ipc_service_on(n->service, "id", id, n);
    ipc_service_on(n->service, "endpoints.list", endpoints, n);
    node_methods_add(n, store_methods);
}
