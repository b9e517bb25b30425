// The methods that the page may ask for. What ends, wipes, restores or opens an installation, and what gives out keys,
// is the command line's: a fault in the page could not reach it.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#define UI_SETTINGS "tandem.ui" // of all settings of applications the page has these alone

bool ui_may_ask(const char *method, const json_t *params);
