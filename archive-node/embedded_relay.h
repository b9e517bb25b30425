// A relay for others in the archive's own process and loop, at relay.listen of tandem.conf.
#pragma once

#include <jansson.h>

#include "node/node.h"
#include "relay/relay.h"

// *out: NULL where none is configured. Errors as ws_server_listen.
enum status embedded_relay_open(struct node *n, struct relay **out, struct error *e);
void embedded_relay_list(const struct relay *r, json_t *listeners); // appends {type, url, state}; NULL-safe
void embedded_relay_measure(const struct relay *r, json_t *items);  // appends its metrics; NULL-safe
