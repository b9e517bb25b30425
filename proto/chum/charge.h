// What a job of an import made the store grow by, told to the layer above, which may refuse it (chum_policy.takes).
#pragma once

#include "chum/fetch.h"

struct store_totals chum_charge_begin(struct store *s);
// The job did what it had to: with the reactions to it, which are part of what it costs. sent: bytes of the peer;
// versions: roots that are versions. Failing undoes the job.
enum status chum_charge_end(struct store *s, const struct chum_fetch *f, const struct store_totals *before,
                            uint64_t sent, uint64_t versions, struct error *e);
// Bytes of a file, as they come.
enum status chum_charge_file(struct store *s, const struct chum_fetch *f, uint64_t bytes, struct error *e);
// Nothing more is to be asked for until then; 0 = go on.
uint64_t chum_charge_rest(const struct chum_fetch *f);
