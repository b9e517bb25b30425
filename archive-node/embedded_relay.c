// Its sockets are bounded, so that the node's own connections and files keep their descriptors.
#include "archive-node/embedded_relay.h"

enum {
    CONNECTIONS_MAX = 512, // the node's own connections and files need descriptors, too
    WAITING_MAX = 128,     // of them who have asked for nothing yet
};

enum status embedded_relay_open(struct node *n, struct relay **out, struct error *e)
{
    const char *address = json_string_value(json_object_get(node_config(n), "relay.listen"));
    struct relay_options options = {.max_connections = CONNECTIONS_MAX, .max_waiting = WAITING_MAX, .leave_room = true};
    if (address == NULL || address[0] == '\0')
        return STATUS_OK;
    *out = relay_start(node_loop(n), address, &options, e);
    return *out != NULL ? STATUS_OK : e->status;
}

void embedded_relay_list(const struct relay *r, json_t *listeners)
{
    if (r != NULL)
        json_array_append_new(
            listeners, json_pack("{s:s, s:s, s:s}", "type", "relay-server", "url", relay_url(r), "state", "listening"));
}

void embedded_relay_measure(const struct relay *r, json_t *items)
{
    struct relay_metric rows[RELAY_METRICS];
    if (r == NULL)
        return;
    relay_measure(r, rows);
    for (size_t i = 0; i < RELAY_METRICS; i++)
        json_array_append_new(items, json_pack("{s:s+, s:s, s:s, s:[{s:{}, s:I}]}", "name", "tandem_relay_",
                                               rows[i].name, "type", rows[i].type, "help", rows[i].help, "samples",
                                               "labels", "value", (json_int_t)rows[i].value));
}
