// Any text as a scenario of 'tandem simulate'. One that is refused is told with file and place; of one that is taken,
// if it is small, the same seed makes the same plan, in which everything has a name.
#include <string.h>

#include "fuzz.h"
#include "supervisor/simulate/plan.h"
#include "supervisor/simulate/scenario.h"

enum { SMALL = 2000 };

static bool is_small(const struct scenario *s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->talk_count; i++)
        sum += s->talk[i].count * (int64_t)s->talk[i].from_count;
    for (size_t i = 0; i < s->trouble_count; i++)
        sum += s->trouble[i].times;
    return sum * (int64_t)(s->pair_count + 1) <= SMALL;
}

static json_t *planned(const struct scenario *s)
{
    struct plan *p = plan_make(s, s->seed);
    json_t *shown = plan_show(p, s);
    plan_destroy(p);
    FUZZ_CHECK(shown != NULL);
    return shown;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario *s = NULL;
    struct error e = {0};
    if (scenario_parse("a.json", (struct span){(const char *)data, size}, &s, &e) != STATUS_OK) {
        FUZZ_CHECK(s == NULL && strcmp(e.code, "BAD-INPUT") == 0 && strncmp(e.message, "a.json:", 7) == 0);
        return 0;
    }
    if (is_small(s)) {
        json_t *once = planned(s);
        json_t *again = planned(s);
        FUZZ_CHECK(json_equal(once, again));
        json_decref(once);
        json_decref(again);
    }
    scenario_destroy(s);
    return 0;
}
