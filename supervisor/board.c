// The six parts of an installation that people look at when nothing arrives, each working, failing or idle, and why.
#include <string.h>

#include "ipc/errors.h"
#include "supervisor/core.h"

static json_t *part(const char *state, json_t *reason)
{
    return json_pack("{s:s, s:o}", "state", state, "reason", reason);
}

static const json_t *of_node(const struct node *n, const char *name)
{
    return node_is_open(n) && !node_is_silent(n) ? json_object_get(json_object_get(n->status, "board"), name) : NULL;
}

static bool is(const json_t *p, const char *state)
{
    const char *word = json_string_value(json_object_get(p, "state"));
    return word != NULL && strcmp(word, state) == 0;
}

// Why a node says nothing of itself.
static json_t *closed(const struct supervisor *s, const struct node *n)
{
    const char *name = process_name(n->process);
    if (node_is_silent(n))
        return part("failing", json_sprintf("the %s node does not answer", name));
    if (n->failure.code[0] != '\0') {
        json_t *error = ipc_error_to_json(&n->failure);
        json_t *reason = json_sprintf("the %s node: %s (%s)", name,
                                      json_string_value(json_object_get(error, "message")), n->failure.code);
        json_decref(error);
        return part("failing", reason);
    }
    if (s->kek.data == NULL)
        return part("idle", json_string("not provisioned yet: tandem provision"));
    return part(process_state(n->process) == PROCESS_FAILED ? "failing" : "idle",
                json_sprintf("the %s node is not open", name));
}

static json_t *of_archive(const struct supervisor *s, const char *name)
{
    const struct node *archive = &s->nodes[IPC_ARCHIVE];
    const json_t *p = of_node(archive, name);
    return p != NULL ? json_deep_copy(p) : closed(s, archive);
}

// One that fails counts, then one that works.
static json_t *of_both(const struct supervisor *s, const char *name)
{
    json_t *first = of_archive(s, name);
    const json_t *second = of_node(&s->nodes[IPC_SPARSE], name);
    json_t *other = second != NULL ? json_deep_copy(second) : closed(s, &s->nodes[IPC_SPARSE]);
    bool take_other = !is(first, "failing") && (is(other, "failing") || (is(first, "idle") && is(other, "working")));
    json_t *chosen = take_other ? other : first;
    json_decref(take_other ? first : other);
    return chosen;
}

static const json_t *listener(const struct supervisor *s)
{
    size_t i;
    json_t *item;
    const struct node *archive = &s->nodes[IPC_ARCHIVE];
    bool heard = node_is_open(archive) && !node_is_silent(archive);
    json_array_foreach(heard ? json_object_get(archive->status, "listeners") : NULL, i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "type")), "websocket") == 0)
            return item;
    }
    return NULL;
}

static json_t *web_socket_server(const struct supervisor *s)
{
    const struct node *archive = &s->nodes[IPC_ARCHIVE];
    const json_t *l = listener(s);
    const char *url = json_string_value(json_object_get(l, "url"));
    if (!node_is_open(archive) || node_is_silent(archive))
        return closed(s, archive);
    if (archive->status == NULL)
        return part("idle", json_string("the archive node has just opened"));
    if (l == NULL)
        return part("idle", json_string("the setting listen.address is none"));
    if (is(l, "listening"))
        return part("working", json_sprintf("it listens at %s", url));
    return part(is(l, "stopped") ? "idle" : "failing",
                json_sprintf("%s is %s", url, json_string_value(json_object_get(l, "state"))));
}

// Whoever came by WebSocket: browsers, other nodes, our sparse node.
static json_t *browser_connection(const struct supervisor *s)
{
    const json_t *l = listener(s);
    json_int_t accepted = json_integer_value(json_object_get(l, "accepted"));
    json_int_t refused = json_integer_value(json_object_get(l, "refused"));
    const char *why = json_string_value(json_object_get(l, "lastRefusal"));
    if (l == NULL || !is(l, "listening"))
        return web_socket_server(s);
    if (accepted != 0)
        return part("working", json_sprintf("WebSockets opened: %lld, now open: %lld", (long long)accepted,
                                            (long long)json_integer_value(json_object_get(l, "open"))));
    if (refused != 0)
        return part("failing", json_sprintf("WebSockets turned away: %lld, the last one for its %s", (long long)refused,
                                            why != NULL ? why : "request"));
    return part("idle", json_string("nobody has connected yet"));
}

json_t *board_show(const struct supervisor *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "webSocketServer", web_socket_server(s), "browserConnection",
                     browser_connection(s), "invitationCreation", of_archive(s, "invitationCreation"),
                     "cryptoRegistration", of_both(s, "cryptoRegistration"), "handshake", of_both(s, "handshake"),
                     "chum", of_both(s, "chum"));
}
