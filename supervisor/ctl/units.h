// Amounts as people read them: with a unit and no more digits than they mean something.
#pragma once

#include "base/bytes.h"

void units_bytes(struct buf *b, double bytes);            // "512 B", "12.9 MB": thousands
void units_seconds(struct buf *b, uint64_t seconds);      // "7 s", "3 min 05 s", "2 h 03 min", "4 d 01 h"
void units_ms(struct buf *b, int64_t ms);                 // "7 ms", "1.4 s", then as seconds
void units_ago(struct buf *b, int64_t then, int64_t now); // "just now", "12 s ago", "in 5 min"; after a week the date
void units_date(int64_t ms, char *out, size_t size);      // "2026-11-21 09:30:12" in local time
