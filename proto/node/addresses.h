// Where others can dial this node, as its main profile tells its contacts: its listener, and the relays it has
// registered at as long as they are configured.
#pragma once

#include "models/model.h"
#include "node/node.h"

const char *addresses_public(const json_t *config); // listen.public_url; NULL = none
// What programs on this machine and others dial to reach a listener (empty = none): both its url, unless it is on every
// address; then the loopback address, and the first of listen.hosts. listen.public_url overrides what others dial.
// Either may be NULL. Any thread.
void addresses_of_listener(const json_t *config, const char *listener, struct buf *here, struct buf *elsewhere);
// On the store's thread, while the node is opened: the listener (empty = none), and of the relays told so far those of
// the configuration.
enum status addresses_open(struct model *m, const char *listener, const json_t *config, struct error *e);
// An identity of the node has registered at a relay: its contacts are told, unless they know.
void addresses_add_relay(struct node *n, const struct identity *self, const char *url);
bool addresses_is_relay(const json_t *config, struct span url);
