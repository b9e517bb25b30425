// Recipes describe types (DATA-MODEL.md 2): which properties an object has, in which order and of which type.
//
// All 78 recipes of the core and of one.models are built in, generated from the recorded Recipe objects
// (proto/data/recipes/*.json). More can be registered at run time. Inheritance is resolved when a type is first used,
// so recipes may be registered in any order. A recipe set is owned by one thread.
#pragma once

#include "base/error.h"
#include "data/value.h"

enum type_kind {
    TYPE_STRING,
    TYPE_INTEGER,
    TYPE_NUMBER,
    TYPE_BOOLEAN,
    TYPE_STRINGIFIABLE,
    TYPE_REF_OBJ,
    TYPE_REF_ID,
    TYPE_REF_CLOB,
    TYPE_REF_BLOB,
    TYPE_MAP,
    TYPE_BAG,
    TYPE_ARRAY,
    TYPE_SET,
    TYPE_OBJECT,
};

struct rule;
struct regexp; // a compiled expression, bounded in matching effort; NULL = no test

struct value_type {
    enum type_kind kind;
    const struct regexp *regexp;      // TYPE_STRING
    const struct span *allowed_types; // references; never applied when reading or writing
    size_t allowed_count;
    const struct value_type *key;  // TYPE_MAP
    const struct value_type *item; // TYPE_BAG, TYPE_ARRAY, TYPE_SET; the value of TYPE_MAP
    const struct rule *rules;      // TYPE_OBJECT
    size_t rule_count;
    bool has_links; // a reference or something that contains one
};

struct rule {
    struct span itemprop;
    struct value_type type; // inheritance resolved
    bool optional;
    bool is_id;
    bool inherited;       // the type came by inheritFrom, which merging cannot look into (DATA-MODEL.md 8.8)
    struct span open_tag; // e.g. <span itemprop="text">; the closing tag follows from the kind of type
};

struct crdt_entry { // one pair of crdtConfig: path pattern and algorithm name (DATA-MODEL.md 8.6)
    struct span path;
    struct span algorithm;
};

struct recipe {
    struct span name;
    const struct rule *rules;
    size_t rule_count;
    bool versioned; // has an id property
    const struct crdt_entry *crdt;
    size_t crdt_count;
    struct span envelope;    // <div itemscope itemtype="//refin.io/NAME">
    struct span id_envelope; // <div data-id-object="true" itemscope itemtype="//refin.io/NAME">
};

struct recipes; // a set of recipes by name

enum { RECIPE_MAX_DEPTH = 64 }; // nesting of value types; also bounds the nesting of every object

struct recipes *recipes_create(bool with_models); // the 11 core recipes, and the 67 of one.models if asked
void recipes_destroy(struct recipes *r);
const struct recipe *recipes_find(const struct recipes *r, struct span name); // NULL if unknown or unusable
// The same with a reason. Codes: OR-GR1 (unknown, also as target of inheritance), OR-GR01, OR-RSRI2
// (DATA-MODEL.md 2.4).
enum status recipes_get(const struct recipes *r, struct span name, const struct recipe **out, struct error *e);

// Checks a Recipe object (DATA-MODEL.md 2.3) and adds it; the object is copied. Codes: URC-…, OR-ADDR1 (name taken),
// RECIPE-TOO-DEEP.
enum status recipes_add(struct recipes *r, const struct value *recipe_object, struct error *e);
// Only the checks, against this set.
enum status recipes_check(const struct recipes *r, const struct value *recipe_object, struct error *e);

// The recorded Recipe objects themselves, for storing them at the creation of an instance: calls visit for each
// built-in recipe of the core (models = false) or of one.models (models = true), in registration order.
typedef void (*recipes_visit)(struct span name, struct span microdata, void *arg);
void recipes_each_builtin(bool models, recipes_visit visit, void *arg);

bool regexp_matches(const struct regexp *re, struct span text); // true also when the matching limits are exceeded
