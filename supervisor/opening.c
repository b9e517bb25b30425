// Secrets in messages: taken out of what clients ask, put into what nodes are asked. The parameters of node.provision
// are who the node is, its key, and what it may have lost. No node's key is kept here: each is made of the
// installation's when it is sent.
#include "base/hash.h"
#include "crypto/kdf.h"
#include "ipc/jsonrpc.h"
#include "supervisor/core.h"

void opening_take_secret(struct ipc_request *r, enum ipc_name name, struct secret *out)
{
    json_t *text = ipc_request_json(r, name);
    secret_destroy(out);
    if (text != NULL)
        *out = secret_copy(json_string_value(text), json_string_length(text));
    jsonrpc_wipe(ipc_request_params(r), IPC_NAME_TEXTS[name]);
}

json_t *opening_key(const struct secret *kek, enum ipc_node which)
{
    struct secret key = {0};
    char hex[2 * KDF_KEY + 1];
    kdf_subkey(kek, ipc_node_name(which), &key);
    hex_encode(key.data, key.len, hex);
    secret_destroy(&key);
    json_t *text = json_string(hex);
    secret_wipe(hex, sizeof hex);
    return text;
}

static void add_listener(struct supervisor *s, json_t *params)
{
    struct listen_address where;
    if (s->installation.nodes[IPC_ARCHIVE].person_id[0] == '\0')
        port_settle_anew(s);
    port_address(s, &where);
    json_object_set_new(params, "host", json_string(where.host));
    json_object_set_new(params, "port", json_integer(where.port));
    json_object_set_new(params, "listening", json_boolean(!s->installation.listener_stopped));
    int kept = port_kept(s);
    if (where.port == 0 && kept != 0)
        json_object_set_new(params, "preferredPort", json_integer(kept));
}

// A node that lost its keys, with its store or without, gets them back, if they were kept. A copy that cannot be read
// matters only where the keys are sure to be lost.
static enum status add_keys(struct node *n, json_t *params, struct error *e)
{
    struct buf copy = {0};
    struct error why = {0};
    enum status status = keys_find_copy(n->owner, n->which, &copy, &why);
    json_t *text = status == STATUS_OK && copy.len != 0 ? json_stringn(copy.data, copy.len) : NULL;
    buf_free(&copy);
    if (text == NULL && status == STATUS_OK)
        status = error_set(&why, STATUS_CORRUPT, "BAD-KEY-FILE", "%s is no copy of keys",
                           keys_copy_file(n->owner, n->which));
    if (text != NULL)
        json_object_set_new(params, "keysCopy", text);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND || n->owner->installation.recreating != (int)n->which)
        return STATUS_OK;
    return error_set(e, status, why.code, "%s", why.message);
}

static void add_who(struct node *n, json_t *params)
{
    struct supervisor *s = n->owner;
    if (s->installation.adopting == (int)n->which) {
        json_object_set_new(params, "importName", json_string(s->import_name));
        json_object_set_new(params, "importSecret",
                            json_stringn((const char *)s->import_secret.data, s->import_secret.len));
        return;
    }
    json_object_set_new(params, "email", json_string(s->installation.nodes[n->which].email));
    json_object_set_new(params, "instanceName", json_string(s->installation.nodes[n->which].instance_name));
    if (s->installation.nodes[n->which].person_id[0] == '\0') {
        char name[USER_MAX + 1];
        installation_name(&s->installation, name, sizeof name);
        json_object_set_new(params, "name", json_string(name));
    }
}

json_t *opening_params(struct node *n, bool create, struct error *e)
{
    struct supervisor *s = n->owner;
    const struct installation *in = &s->installation;
    json_t *params =
        json_pack("{s:s, s:o, s:b, s:o}", "user", in->user[0] != '\0' ? in->user : "owner", "key",
                  opening_key(&s->kek, n->which), "create", create, "config", config_for_nodes(s->options->config));
    add_who(n, params);
    if (n->which == IPC_ARCHIVE)
        add_listener(s, params);
    if (n->aside)
        json_object_set_new(params, "aside", json_true());
    if (n->repair)
        json_object_set_new(params, "repair", json_true());
    if (in->nodes[n->which].person_id[0] != '\0')
        (void)add_keys(n, params, e); // the caller looks at e
    return params;
}
