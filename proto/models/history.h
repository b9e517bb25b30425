// The versions of an object, for people (DATA-MODEL.md 8.9).
#pragma once

#include "models/model.h"

struct history_version {
    struct hash hash; // data object
    struct hash node;
    char node_type[24]; // VersionNodeEdge, VersionNodeChange
    int64_t depth;
    int64_t created_ms;
};

struct history {
    struct history_version *items; // newest first
    size_t count;
};

enum status history_of(struct model *m, const struct hash *id_hash, struct history *out, struct error *e);
