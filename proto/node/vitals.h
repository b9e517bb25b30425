// A node's eye on itself: its numbers minute by minute, and alerts. Loop thread.
#pragma once

#include "node/alerts.h"
#include "node/history.h"
#include "node/node.h"

struct peers;
struct vitals;

struct vitals *vitals_create(struct peers *p);
void vitals_destroy(struct vitals *v); // NULL-safe

// A connection ended, or something else happened that an alert may come of: from now on it looks every ALERTS_TICK_MS,
// until all has been calm for a minute.
void vitals_watch(struct vitals *v); // NULL-safe

const struct history *vitals_history(const struct vitals *v);
const struct alerts *vitals_alerts(const struct vitals *v);
