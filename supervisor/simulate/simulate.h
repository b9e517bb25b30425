// Runs a scenario in real processes and says whether what it expects held.
#pragma once

#include <jansson.h>

#include "supervisor/simulate/scenario.h"
#include "supervisor/simulate/timeline.h"

struct simulate_options {
    uint64_t seed;
    const char *place; // a folder in which the installations' own is made
    const char *program, *relay_program;
    enum timeline_show show;
    bool keep;
    bool (*interrupted)(void);
};

// *result: {"passed","name","seed","milliseconds","checks":[…],"timeline":[…],"kept","measured":{…}}, a new reference.
// An expectation that did not hold is no error.
enum status simulate_run(const struct scenario *s, const struct simulate_options *o, json_t **result, struct error *e);
