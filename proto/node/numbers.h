// What a node counts, in one table: for stats and report by name, for Prometheus as metrics (MODELS.md 10.3).
#pragma once

#include "node/node.h"

json_t *numbers_show(const struct node *n);       // {totalConnections, …}
json_t *numbers_transports(const struct node *n); // {websocket: {connections, …}, relay: …}
json_t *numbers_metrics(const struct node *n);    // [{name, type, help, samples}]
