// What the files of instances share.
#pragma once

#include "models/instance.h"

// The Person of an e-mail and the Instance of a name, with their id properties only.
struct value *instance_person(struct arena *a, struct span email);
struct value *instance_object(struct arena *a, struct span name, const struct hash *owner);
// Names and ids of an identity. Code BAD-INPUT (names).
enum status instance_begin(struct model *m, const struct instance_options *options, struct identity *i,
                           struct error *e);
enum status instance_open_keys(struct model *m, struct keychain *k, struct identity *i, struct error *e);
