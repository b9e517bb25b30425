// What CHUM_SUMS and CHUM_RANGES say (docs/sums.md), as texts. A range is named by the digits that its roots begin
// with. The answer about sums:
//
//   DIGITS LF                        of ranges up to so many digits sums are known
//   COUNT SUM,0,COUNT SUM,… LF       for each range that was asked about, of each of its sixteen parts; SUM: 32 digits
//
// The answer about roots: "more", "end", or "moved" (it is the end, but some may be missing, since what is shown has
// changed meanwhile), LF, and a list as the one of roots; it may be packed (pack.h).
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "store/sums.h"

enum {
    CHUM_SUMS_ASKED = 32,          // ranges whose sums are asked for together
    CHUM_RANGES_ASKED = 4096,      // whose roots are
    CHUM_RANGES_PAGE = 1024,       // roots given together
    CHUM_RANGES_BYTES = 512 << 10, // of a page that is taken
};

void chum_key_write(const struct store_sum_key *key, struct buf *out);
bool chum_key_read(const json_t *text, struct store_sum_key *out);

// A JSON array of names, of which there is one at least; false: it is none, or there are more than most.
void chum_ranges_write(const struct store_range *ranges, size_t count, struct buf *out);
bool chum_ranges_read(const json_t *names, size_t most, struct store_range *out, size_t *count);

void chum_sums_write_digits(unsigned digits, struct buf *out);
void chum_sums_write(const struct store_sum parts[STORE_SUM_FAN], struct buf *out);
// Both move *rest on; false: that is not what stands there.
bool chum_sums_read_digits(struct span *rest, unsigned *digits);
bool chum_sums_read(struct span *rest, struct store_sum parts[STORE_SUM_FAN]);
// The word before a list of roots. *rest is the list then.
enum chum_ranges_word { CHUM_RANGES_MORE, CHUM_RANGES_END, CHUM_RANGES_MOVED };
bool chum_ranges_read_word(struct span *rest, enum chum_ranges_word *word);
