#include "property.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state = 20251121;

void property_begin(void)
{
    const char *seed = getenv("PROPERTY_SEED");
    if (seed != NULL)
        random_state = strtoull(seed, NULL, 10);
    printf("PROPERTY_SEED=%llu\n", (unsigned long long)random_state);
    random_state += random_state == 0;
}

void property_seed(uint64_t seed)
{
    random_state = seed * 0x9E3779B97F4A7C15u + 0x1234567;
    random_state += random_state == 0;
    for (int i = 0; i < 4; i++)
        property_below(2);
}

long property_cases(long usual)
{
    const char *cases = getenv("PROPERTY_CASES");
    if (cases != NULL)
        return strtol(cases, NULL, 10);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return (usual + 4) / 5;
#else
    return usual;
#endif
}

uint32_t property_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % n;
}

bool property_chance(uint32_t one_in)
{
    return property_below(one_in) == 0;
}
