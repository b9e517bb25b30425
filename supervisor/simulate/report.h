// The result of a run in the formats that CI systems read.
#pragma once

#include <jansson.h>

#include "base/bytes.h"

// result as simulate_run gives it.
void report_junit(const json_t *result, struct buf *out);
void report_tap(const json_t *result, struct buf *out);
