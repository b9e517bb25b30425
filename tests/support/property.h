// Random numbers for property tests. PROPERTY_SEED=n repeats a run; PROPERTY_CASES=n makes it longer. A
// sanitizer's build takes a fifth of the usual cases: the laws are asserted by the others, memory needs no more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

void property_begin(void);         // prints the seed
void property_seed(uint64_t seed); // begins anew, silently
long property_cases(long usual);
uint32_t property_below(uint32_t n); // 0 … n-1
bool property_chance(uint32_t one_in);
