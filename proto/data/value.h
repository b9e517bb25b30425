// Values of the data model in memory (DATA-MODEL.md 2.2): what an object holds between reading and writing microdata.
//
// A value is an immutable tree in an arena. References (hashes) are strings of 64 digits, as in the text form. Maps
// keep insertion order, which is part of the data. Objects have a type name and named members; nested objects have no
// type.
#pragma once

#include "base/hash.h"

enum value_kind {
    VALUE_UNDEFINED, // the property exists and is "undefined": counts as missing
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_NUMBER, // IEEE double; integers too
    VALUE_STRING, // UTF-8; WTF-8 when the JavaScript string holds unpaired surrogates
    VALUE_LIST,   // array or bag
    VALUE_SET,
    VALUE_MAP,
    VALUE_OBJECT,
    VALUE_DATE,    // number = ms since 1970; only inside stringifiable values
    VALUE_REGEXP,  // string = source; only inside recipes and stringifiable values
    VALUE_FOREIGN, // something no rule accepts; string = what it is ("symbol", "function" …); only to show refusals
};

struct value_pair { // an entry of a map
    struct value *key;
    struct value *value;
};

struct value_member { // a property of an object
    struct span name;
    struct value *value;
};

struct value {
    enum value_kind kind;
    union {
        bool boolean;
        double number;
        struct span string;
        struct { // VALUE_LIST, VALUE_SET
            struct value **items;
            size_t count;
        } list;
        struct { // VALUE_MAP
            struct value_pair *pairs;
            size_t count;
        } map;
        struct {              // VALUE_OBJECT
            struct span type; // empty for nested objects
            struct value_member *members;
            size_t count;
        } object;
    };
};

// Making values. Everything is copied into or allocated from the arena; names are expected to be literals or to live as
// long as the arena. Lists, sets, maps and objects grow by the add functions while they are being built; their arrays
// must only be made by these functions, because the room behind count follows from count alone.
struct value *value_make(struct arena *a, enum value_kind kind); // zero content, to be filled in by the caller
struct value *value_undefined(struct arena *a);
struct value *value_null(struct arena *a);
struct value *value_bool(struct arena *a, bool b);
struct value *value_number(struct arena *a, double n);
struct value *value_string(struct arena *a, struct span s); // copies
struct value *value_text(struct arena *a, const char *s);
struct value *value_hash(struct arena *a, const struct hash *h);
struct value *value_list(struct arena *a);
struct value *value_set(struct arena *a);
struct value *value_map(struct arena *a);
struct value *value_object(struct arena *a, struct span type); // type may be empty
void value_add(struct arena *a, struct value *list_or_set, struct value *item);
void value_put(struct arena *a, struct value *map, struct value *key, struct value *v); // replaces an equal key
void value_set_member(struct arena *a, struct value *object, struct span name, struct value *v); // replaces or appends
void value_remove_member(struct value *object, struct span name);
// The same without looking for an equal key or name, for readers that know there is none.
void value_append_pair(struct arena *a, struct value *map, struct value *key, struct value *v);
void value_append_member(struct arena *a, struct value *object, struct span name, struct value *v);
struct value *value_copy(struct arena *a, const struct value *v); // deep

// Reading. All return NULL or false when the member is absent or of another kind, so chains need one check at the end.
struct value *value_get(const struct value *object, struct span name);
bool value_get_string(const struct value *object, const char *name, struct span *out);
bool value_get_number(const struct value *object, const char *name, double *out);
bool value_get_hash(const struct value *object, const char *name, struct hash *out);
struct value *value_map_get(const struct value *map, struct span key); // string keys
bool value_as_hash(const struct value *v, struct hash *out);
bool value_eq(const struct value *a, const struct value *b); // same kinds and contents; sets and members in any order
