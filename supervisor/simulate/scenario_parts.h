// The parts of a scenario that name people and links; for scenario.c only.
#pragma once

#include "supervisor/simulate/reading.h"
#include "supervisor/simulate/scenario.h"

size_t part_user(const struct scenario *s, const char *name); // SCENARIO_SOME: nobody is called so
size_t part_group(const struct scenario *s, const char *name);

// The index-th element, which has to be an object with these keys. NULL after an error.
const json_t *part_object(struct reading *r, const json_t *list, size_t index, const char *const *known);

struct part_users {
    size_t *list; // of the scenario's memory
    size_t count; // 0 after an error
};

// "everyone", a name, or a list of names; at least so many of them.
struct part_users part_users(struct scenario *s, struct reading *r, const json_t *object, const char *key,
                             size_t least);

void part_read_talk(struct scenario *s, struct reading *r);
void part_read_trouble(struct scenario *s, struct reading *r);
