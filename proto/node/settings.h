// The settings of tandem.conf that shape what a node does with its peers; see supervisor/config.c for the words.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/alerts.h"

struct peer_settings {
    bool pairs;  // strangers may come in with an invitation
    bool debugs; // contacts may ask what they are shown
    bool dials, imports, exports;
    int64_t invitation_ms; // validity, unless asked for otherwise
    uint64_t store_bytes;  // by which one contact may make the store grow; 0 = any
    uint64_t poll_ms;      // between two questions to a peer; 0 = as needed
    struct alert_limits alerts;
};

// What is missing has its default. name is the node's.
void peer_settings_read(const json_t *config, const char *name, struct peer_settings *out);
