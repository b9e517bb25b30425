// The errors that nobody waits for an answer about: how many there were, and the last of them (MODELS.md 10.3).
// Loop thread.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

enum { INCIDENTS_MAX = 100 };

enum incident { // INCIDENT_SYNC is ours: one root that could not be taken over
    INCIDENT_CONNECTION,
    INCIDENT_AUTH,
    INCIDENT_ENCRYPTION,
    INCIDENT_PAIRING,
    INCIDENT_SYNC,
};

struct incidents;

struct incidents *incidents_create(void (*noted)(void *ctx), void *ctx); // noted: each time
void incidents_destroy(struct incidents *i);                             // NULL-safe

// The same error again counts, but takes no second place. connection 0 = none.
void incidents_note(struct incidents *i, enum incident type, uint64_t connection, const struct error *why,
                    int64_t now_ms);
uint64_t incidents_total(const struct incidents *i);
// [{type, error, code, severity, timestamp, connectionId, count}] of one type (NULL = all), newest first.
json_t *incidents_recent(const struct incidents *i, const char *type);
