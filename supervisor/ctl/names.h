// What people are called, for tables and lines in which the nodes give their ids.
#pragma once

#include "supervisor/ctl/ctl.h"

// What a person is called where our own nodes are "me" or "(own node)": a name that could be taken for these, or for
// none, is quoted, with the person's short id behind it. null without a name. A new value.
json_t *names_shown(const json_t *name, const char *person);
// The id of whom the user means by this, which stays when names change; the word itself where nobody says. A new
// string.
char *names_person(struct ctl *c, const char *word);
// Person ids → names, "me" for the own nodes. What the node does not tell is left out: then ids are shown.
json_t *names_load(struct ctl *c);
// Gives each item a member "who": the name of the person whose id its member has, or nothing.
void names_add(json_t *items, const char *member, const json_t *names);
// The same for a list of persons: "ann, me, 59b85c5b1234".
void names_add_all(json_t *items, const char *member, const json_t *names);
