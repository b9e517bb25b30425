// What the parts of the recipe set share: recipe.c (the set), recipe_build.c (rules from Recipe objects, inheritance),
// recipe_check.c (the checks on registration) and regexp.c.
//
// recipe.c, recipe_build.c and microdata_read.c need each other: a recipe is itself an object, read by a recipe, and
// what it inherits from may not have been read yet.
#pragma once

#include "data/recipe.h"

struct recipe_record { // a built-in recipe; the table is generated
    bool models;
    struct span name;
    struct span microdata;
};

extern const struct recipe_record recipe_records[];
extern const size_t recipe_record_count;

// The value of the recipe called name; NULL if there is none.
const struct value *recipes_object(const struct recipes *r, struct span name);

struct recipe_builder {
    const struct recipes *recipes; // where inheritance looks
    struct arena *arena;           // where rules go
    struct regexp **regexps;       // list of the compiled expressions, released by the set
};

// Makes *out from a checked Recipe object.
enum status recipe_build(const struct recipe_builder *b, const struct value *object, struct recipe *out,
                         struct error *e);

// The checks of DATA-MODEL.md 2.3.
enum status recipe_check(const struct value *object, struct error *e);

bool type_kind_parse(struct span name, enum type_kind *out); // "referenceToObj" and so on

// Compiles an expression and puts it in front of *list. NULL if the expression is not supported; then it is not tested.
const struct regexp *regexp_create(struct span source, struct regexp **list);
void regexp_destroy_list(struct regexp *list);
