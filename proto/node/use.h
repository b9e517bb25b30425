// What peers use of their budgets (base/budget.h), for people: in node.status, as metrics, and as events of refusals.
#pragma once

#include <jansson.h>

#include "base/budget.h"
#include "node/node.h"

// {stranger: {connections, bytesHeld: {use, limit, refused}, …}, contact, own, top: [{personId, class, connections,
// …}]}
json_t *use_show(struct budgets *bs);                       // empty for NULL
void use_measure(struct budgets *bs, json_t *items);        // adds to what numbers_metrics gave
void use_tell_refusals(struct node *n, struct budgets *bs); // an event and a log line per person and kind; at intervals
