// What a node did in each of the last minutes, for trends (MODELS.md 10.7). Pure: time comes in.
#pragma once

#include <jansson.h>
#include <stdint.h>

enum { HISTORY_MINUTES = 24 * 60 };

struct history;

struct history *history_create(void);
void history_destroy(struct history *h); // NULL-safe

// One minute is over; numbers as numbers_show gives them. Counters are kept as what was added since the minute before.
void history_add(struct history *h, int64_t now_ms, const json_t *numbers);
// {samples: [{time, totalMessages, …}], summary: {totalMessages: {min, mean, max}, …}} of the last minutes, oldest
// first.
json_t *history_show(const struct history *h, int64_t now_ms, int64_t minutes);
