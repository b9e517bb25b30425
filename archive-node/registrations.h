// The archive's registrations at relays: one per configured relay, kept alive, handing requesters to the peers.
#pragma once

#include <jansson.h>

#include "node/node.h"

struct registrations;

// Of the main identity; further ones are added. urls: a JSON array of relay URLs, or NULL, which outlives r. A URL that
// is none is logged and left out.
struct registrations *registrations_create(struct node *n, const json_t *urls);
void registrations_add(struct registrations *r, const struct identity *self);
void registrations_destroy(struct registrations *r);                       // connections handed over live on; NULL-safe
void registrations_list(const struct registrations *r, json_t *listeners); // appends {type, url, state}; NULL-safe
