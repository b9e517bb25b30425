// What a node watches of itself, and says when a limit is passed and when it is kept again (MODELS.md 10.7). Pure: time
// and numbers come in.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { ALERTS_TICK_MS = 2000 };

enum alert_rule {
    ALERT_NO_SYNC, // seconds without synchronising with the own other node
    ALERT_ERRORS,  // errors in the last minute
    ALERT_RULES,
};

struct alert_limits {
    int64_t limits[ALERT_RULES]; // 0 = off
};

struct alerts;

typedef void (*alerts_tell)(void *ctx, bool raised, json_t *data); // data: {rule, value, limit}; taken over

struct alerts *alerts_create(const struct alert_limits *limits, alerts_tell tell, void *ctx);
void alerts_destroy(struct alerts *a); // NULL-safe

// Every ALERTS_TICK_MS. separated: there is another own node and it is not synchronised with.
void alerts_check(struct alerts *a, uint64_t now_ms, bool separated, uint64_t total_errors);
bool alerts_are_calm(const struct alerts *a); // not separated, no errors in the last minute
json_t *alerts_show(const struct alerts *a);  // [{rule, value, limit}] of those raised
