// Which algorithm merges a value: the table by kind of type, and the crdtConfig of the top-level type that can replace
// its entries (DATA-MODEL.md 8.6).
#pragma once

#include "data/recipe.h"

enum algorithm {
    ALGORITHM_PARTS,     // maps and objects: their parts are merged one by one
    ALGORITHM_REGISTER,  // the later value wins
    ALGORITHM_SET,       // union of items
    ALGORITHM_REFERENCE, // ReferenceToObj: the later link wins, or the linked objects are merged
    ALGORITHM_OPTIONAL,  // OptionalValue: existence of an optional property or map entry
    ALGORITHM_LIST,      // LinkedListCrdtAlgorithm (MODELS.md 5.6)
};

// The algorithm for the value at a path. STATUS_CONFLICT "MERGE-FAILED" for an unknown algorithm or OptionalValue.
enum status algorithm_of_value(const struct recipe *recipe, struct span path, enum type_kind kind, enum algorithm *out,
                               struct error *e);

// Existence is always merged by OptionalValue; a configuration that says otherwise is STATUS_CONFLICT "MERGE-FAILED".
enum status algorithm_check_existence(const struct recipe *recipe, struct span path, bool map_entry, struct error *e);

// Whether linked lists (and ids) are all there is to merge: then a merge needs no history.
bool algorithm_only_lists(const struct recipe *recipe);
