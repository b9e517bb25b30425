// Settings objects: small trees of text values shared between own nodes (MODELS.md 2.4).
#pragma once

#include "models/model.h"

struct setting {
    struct span key;
    struct span value;
};

struct settings {
    struct setting *items;
    size_t count;
};

enum status settings_id(struct model *m, struct span store_id, struct hash *id_hash, struct error *e);
enum status settings_set(struct model *m, struct span store_id, struct span key, struct span value, struct error *e);
enum status settings_get(struct model *m, struct span store_id, struct span key, struct span *value, struct error *e);
enum status settings_list(struct model *m, struct span store_id, struct settings *out, struct error *e);
